//! The columns of an answer as this door sends them: what was selected, in its order, and nothing beside it.
//!
//! Promises that names and types depend on the question alone. The ends of intervals are told in a notice, because a tool that has selected
//! two columns expects two.

use super::fault::Notice;
use super::table::{Cell, Column, Table, Type};
use crate::kernel::privacy::amounts::unscaled;
use crate::query::answer::{Cell as AnswerCell, ColumnInfo, ColumnKind, Table as AnswerTable};
use crate::query::terms::domain::date_days;
use crate::render::columns::{ColumnPart, FileColumn, columns, float};
use crate::service::views::significant;

/// Significant digits of a half-width in a notice.
const DIGITS: i32 = 3;

/// The type of an output.
fn type_of(kind: ColumnKind) -> Type {
    match kind {
        ColumnKind::Key => Type::Text,
        ColumnKind::BooleanKey => Type::Bool,
        ColumnKind::IntegerKey | ColumnKind::Count(_) => Type::Int8,
        ColumnKind::DecimalKey => Type::Numeric,
        ColumnKind::DateKey => Type::Date,
        ColumnKind::Sum(_) | ColumnKind::Mean | ColumnKind::Formula => Type::Float8,
    }
}

/// The columns of outputs.
pub(super) fn of_outputs(outputs: &[ColumnInfo]) -> Vec<Column> {
    outputs.iter().map(|output| Column { name: output.name.clone(), of: type_of(output.kind) }).collect()
}

fn selected(table: &AnswerTable) -> Vec<FileColumn> {
    columns(table).into_iter().filter(|column| matches!(column.part, ColumnPart::Key | ColumnPart::Value)).collect()
}

/// An answer as a table of this door.
pub(super) fn laid_out(table: &AnswerTable) -> Table {
    let selected = selected(table);
    let types: Vec<Type> = selected.iter().map(|column| type_of(column.kind)).collect();
    let row =
        |row: &Vec<AnswerCell>| selected.iter().zip(&types).map(|(column, of)| cell(&column.cell(row), *of)).collect();
    Table {
        rows: table.rows.iter().map(row).collect(),
        columns: selected
            .iter()
            .zip(&types)
            .map(|(column, of)| Column { name: column.name.clone(), of: *of })
            .collect(),
    }
}

fn cell(cell: &AnswerCell, of: Type) -> Cell {
    match (of, cell) {
        (_, AnswerCell::Missing | AnswerCell::Total) => Cell::Null,
        (Type::Bool, AnswerCell::Boolean(truth)) => Cell::Bool(*truth),
        (Type::Int8, AnswerCell::Decimal(value)) => i64::try_from(value / 1_000_000_000).map_or(Cell::Null, Cell::Int),
        (Type::Float8, other) => float(other).map_or(Cell::Null, Cell::Float),
        (Type::Numeric, AnswerCell::Decimal(value)) => Cell::Text(unscaled(*value, 9)),
        (Type::Date, AnswerCell::Date(days)) => Cell::Date(*days),
        (Type::Date, AnswerCell::Text(text)) => date_days(text).map_or(Cell::Null, Cell::Date),
        (_, other) => other.text().map_or(Cell::Null, Cell::Text),
    }
}

/// What an answer cost, and the half-width of the 95 % interval of each estimate.
pub(super) fn notice(table: &AnswerTable, price: String) -> Notice {
    let widths = selected(table).into_iter().filter(|column| column.part == ColumnPart::Value).map(|column| {
        let all = table.rows.iter().filter_map(|row| column.half_width(row)).filter(|width| width.is_finite());
        let (least, most) =
            all.fold((f64::INFINITY, 0.0_f64), |(least, most), width| (least.min(width), most.max(width)));
        let [low, high] = [least, most].map(|width| significant(width, DIGITS));
        match (least <= most, low == high) {
            (false, _) => format!("{}: no estimate", column.name),
            (true, true) => format!("{} ± {low}", column.name),
            (true, false) => format!("{} ± {low} to {high}", column.name),
        }
    });
    let widths: Vec<String> = widths.collect();
    let detail = if widths.is_empty() { String::new() } else { format!("95 % intervals: {}", widths.join(", ")) };
    Notice { message: price, detail }
}
