//! An answer as Arrow and Parquet: typed columns, with the provenance in the metadata of the schema.
//!
//! Promises that types depend on the question alone: keys are text, booleans, days, integers or decimals, counts are integers, and everything
//! else is floats, because noise leaves nothing that a decimal would keep. Words of libraries never leave this file.

use std::sync::Arc;

use polars::prelude::{
    Column, CompatLevel, DataFrame, DataType, IpcStreamWriter, IpcWriter, KeyValueMetadata, ParquetWriter,
    PolarsResult, SerWriter,
};

use super::columns::{FileColumn, columns, float};
use super::provenance::Provenance;
use crate::query::answer::{Cell, ColumnKind, Table};
use crate::query::terms::domain::date_days;

/// The digits of a decimal key in all, and after the point.
const DECIMAL: DataType = DataType::Decimal(38, 9);
/// Begins the names of the provenance in the metadata of a schema.
const PREFIX: &str = "tacit:";

/// The columnar formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columnar {
    /// An Arrow IPC stream.
    Stream,
    /// An Arrow IPC file, also called Feather.
    File,
    /// Parquet.
    Parquet,
}

/// Encodes a table; `None` if it cannot be encoded. Each row is dropped once it has been added.
#[must_use]
pub fn encoded(table: Table, format: Columnar, about: &Provenance) -> Option<Vec<u8>> {
    let mut frame = frame(table).ok()?;
    let mut bytes = Vec::new();
    let pairs = || about.pairs().map(|(name, value)| (format!("{PREFIX}{name}"), value));
    let schema = || Arc::new(pairs().map(|(name, value)| (name.into(), value.into())).collect());
    let written = match format {
        Columnar::Stream => {
            let mut writer = IpcStreamWriter::new(&mut bytes).with_compat_level(CompatLevel::oldest());
            writer.set_custom_schema_metadata(schema());
            writer.finish(&mut frame)
        }
        Columnar::File => {
            let mut writer = IpcWriter::new(&mut bytes).with_compat_level(CompatLevel::oldest());
            writer.set_custom_schema_metadata(schema());
            writer.finish(&mut frame)
        }
        Columnar::Parquet => {
            let pairs = pairs().map(|(name, value)| (name, value.to_owned())).collect();
            let metadata = KeyValueMetadata::from_static(pairs);
            ParquetWriter::new(&mut bytes).with_key_value_metadata(Some(metadata)).finish(&mut frame).map(|_| ())
        }
    };
    written.ok()?;
    Some(bytes)
}

/// The values of one column, with its type.
enum ColumnValues {
    Text(Vec<Option<String>>),
    Truth(Vec<Option<bool>>),
    Day(Vec<Option<i32>>),
    Whole(Vec<Option<i64>>),
    Exact(Vec<Option<String>>),
    Float(Vec<Option<f64>>),
}

impl ColumnValues {
    fn new(kind: ColumnKind, rows: usize) -> Self {
        match kind {
            ColumnKind::Key => Self::Text(Vec::with_capacity(rows)),
            ColumnKind::BooleanKey => Self::Truth(Vec::with_capacity(rows)),
            ColumnKind::DateKey => Self::Day(Vec::with_capacity(rows)),
            ColumnKind::Count(_) | ColumnKind::IntegerKey => Self::Whole(Vec::with_capacity(rows)),
            ColumnKind::DecimalKey => Self::Exact(Vec::with_capacity(rows)),
            ColumnKind::Sum(_) | ColumnKind::Mean | ColumnKind::Formula => Self::Float(Vec::with_capacity(rows)),
        }
    }

    fn push(&mut self, cell: Cell) {
        match self {
            Self::Text(values) => values.push(match cell {
                Cell::Text(text) => Some(text),
                other => other.text(),
            }),
            Self::Truth(values) => values.push(truth_value(&cell)),
            Self::Day(values) => values.push(day_value(&cell)),
            Self::Whole(values) => values.push(whole_value(&cell)),
            Self::Exact(values) => values.push(cell.text()),
            Self::Float(values) => values.push(float(&cell)),
        }
    }

    fn column(self, name: &str) -> PolarsResult<Column> {
        Ok(match self {
            Self::Text(values) => Column::new(name.into(), values),
            Self::Truth(values) => Column::new(name.into(), values),
            Self::Day(values) => Column::new(name.into(), values).cast(&DataType::Date)?,
            Self::Whole(values) => Column::new(name.into(), values),
            Self::Exact(values) => Column::new(name.into(), values).cast(&DECIMAL)?,
            Self::Float(values) => Column::new(name.into(), values),
        })
    }
}

fn frame(mut table: Table) -> PolarsResult<DataFrame> {
    let columns: Vec<FileColumn> = columns(&table);
    let height = table.rows.len();
    let mut values: Vec<ColumnValues> = columns.iter().map(|column| ColumnValues::new(column.kind, height)).collect();
    for row in std::mem::take(&mut table.rows) {
        values.iter_mut().zip(&columns).for_each(|(values, column)| values.push(column.cell(&row)));
    }
    let columns = values.into_iter().zip(&columns).map(|(values, column)| values.column(&column.name));
    DataFrame::new(height, columns.collect::<PolarsResult<_>>()?)
}

fn truth_value(cell: &Cell) -> Option<bool> {
    match cell {
        Cell::Boolean(truth) => Some(*truth),
        Cell::Missing | Cell::Total | Cell::Text(_) | Cell::Date(_) | Cell::Decimal(_) | Cell::Float(_) => None,
    }
}

fn day_value(cell: &Cell) -> Option<i32> {
    match cell {
        Cell::Date(days) => Some(*days),
        Cell::Text(text) => date_days(text),
        Cell::Missing | Cell::Total | Cell::Boolean(_) | Cell::Decimal(_) | Cell::Float(_) => None,
    }
}

fn whole_value(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Decimal(value) => i64::try_from(value / 1_000_000_000).ok(),
        Cell::Missing | Cell::Total | Cell::Text(_) | Cell::Date(_) | Cell::Boolean(_) | Cell::Float(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use polars::prelude::{ParquetReader, SerReader};

    use super::*;
    use crate::query::answer::ColumnInfo;

    #[test]
    fn decimal_keys_stay_exact() {
        let column = ColumnInfo { name: "price".to_owned(), kind: ColumnKind::DecimalKey, bounds: None, remarks: &[] };
        let cells = [Cell::Decimal(1_250_000_000), Cell::Decimal(-3_000_000_000), Cell::Missing];
        let table = Table {
            columns: vec![column],
            names: vec!["price".to_owned()],
            kinds: vec![ColumnKind::DecimalKey],
            rows: cells.into_iter().map(|cell| vec![cell]).collect(),
            plain: 1,
        };
        let bytes = encoded(table, Columnar::Parquet, &Provenance::default()).expect("Parquet");
        let frame = ParquetReader::new(Cursor::new(bytes)).finish().expect("a frame");
        let read = frame.column("price").expect("a column");
        assert_eq!((read.dtype(), read.null_count()), (&DECIMAL, 1));
        let floats = read.cast(&DataType::Float64).expect("floats");
        let floats: Vec<_> = floats.f64().expect("floats").iter().collect();
        assert_eq!(floats, [Some(1.25), Some(-3.0), None]);
    }
}
