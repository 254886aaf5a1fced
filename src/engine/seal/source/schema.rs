//! Columns of files that have a schema, with polars kept at arm's length.
//!
//! Promises that a type which polars does not know becomes a column of unknown type and does not panic.

use polars::prelude::{ArrowField, DataType, PolarsResult, UnknownKind};
use polars_arrow::datatypes::ArrowDataType;

use super::batch::SourceColumn;

/// The largest number of digits of a decimal number.
const DECIMAL_DIGITS_MAX: usize = 38;

/// The column of a field of an Arrow file. polars cannot read its 256-bit decimals.
pub(super) fn column_of_arrow(field: &ArrowField) -> SourceColumn {
    match field.dtype() {
        ArrowDataType::Decimal256(..) => unread(field.name.as_str(), kind(field.dtype())),
        _ => column(field),
    }
}

/// The column of a field.
pub(super) fn column(field: &ArrowField) -> SourceColumn {
    let name = field.name.as_str();
    match guarded(|| Ok(DataType::from_arrow_field(field))) {
        Some(DataType::Decimal(digits, _)) if digits > DECIMAL_DIGITS_MAX => unread(name, kind(field.dtype())),
        Some(dtype) => SourceColumn::new(name, dtype),
        None => unread(name, kind(field.dtype())),
    }
}

/// A column of which only the name is known, because another column has the same one.
pub(super) fn nameless(name: &str) -> SourceColumn {
    SourceColumn::new(name, DataType::Null)
}

fn unread(name: &str, kind: String) -> SourceColumn {
    SourceColumn { name: name.to_owned(), dtype: DataType::Unknown(UnknownKind::Any), kind }
}

/// The name of a type that polars cannot read.
fn kind(dtype: &ArrowDataType) -> String {
    match dtype {
        ArrowDataType::Decimal256(digits, scale) => format!("decimal256({digits}, {scale})"),
        ArrowDataType::Interval(_) => "interval".to_owned(),
        ArrowDataType::Union(_) => "union".to_owned(),
        ArrowDataType::Struct(_) => "struct".to_owned(),
        ArrowDataType::FixedSizeList(..) => "list of fixed length".to_owned(),
        _ => "another type".to_owned(),
    }
}

/// Runs polars. Errors and panics become `None`, and their words go to the log only at the finest level.
pub(super) fn guarded<T>(run: impl FnOnce() -> PolarsResult<T>) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).ok()?.ok()
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
