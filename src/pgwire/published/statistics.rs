//! Published statistics as tables: typed keys, and estimates with the ends of their intervals, their errors and the reasons of nulls.

use std::sync::Arc;

use crate::pgwire::catalogue::relation::{Attribute, PUBLISHED, Relation, Source, stable_oid};
use crate::pgwire::free::kind::Kind;
use crate::pgwire::table::{Cell, Column, Table, Type};
use crate::query::answer::{Cell as AnswerCell, ColumnKind, tabulate};
use crate::render::columns::{ColumnPart, FileColumn, columns};
use crate::service::Service;
use crate::service::publishing::statistics::Statistic;

/// A decimal cell counts billionths.
const DECIMAL: i128 = 1_000_000_000;

/// What a statistic shows, as a table; `None` before its first release, or if it cannot be read. Blocks.
pub(crate) fn table(service: &Service, statistic: &Statistic) -> Option<Table> {
    let answer = service.shown_answer(statistic).ok().flatten()?;
    let answer = tabulate(&answer.layout, answer.stored.vectors());
    let parts = columns(&answer);
    let of = |column: &FileColumn| Column { name: column.name.clone(), of: type_of(column) };
    let row = |row: &Vec<AnswerCell>| parts.iter().map(|column| cell(&column.cell(row), type_of(column))).collect();
    Some(Table { columns: parts.iter().map(of).collect(), rows: answer.rows.iter().map(row).collect() })
}

/// The table in the catalogue.
pub(crate) fn relation(service: &Service, statistic: &Statistic, table: &Arc<Table>) -> Relation {
    let name = name(service, statistic);
    let attribute = |column: &Column| {
        let kind = Kind::from(column.of);
        Attribute { kind, ..Attribute::new(column.name.clone(), kind.base.name()) }
    };
    Relation {
        oid: stable_oid("table", PUBLISHED, &name),
        schema: PUBLISHED.to_owned(),
        name,
        relkind: "r",
        comment: Some(comment(service, statistic)),
        columns: table.columns.iter().map(attribute).collect(),
        source: Source::Published(Arc::clone(table)),
    }
}

/// The table's name: the statistic's with `_` for `-`, so that SQL needs no quotation marks, unless another statistic has that name.
fn name(service: &Service, statistic: &Statistic) -> String {
    let plain = statistic.name.replace('-', "_");
    if plain != statistic.name && service.statistic(&plain).is_some() { statistic.name.clone() } else { plain }
}

fn comment(service: &Service, statistic: &Statistic) -> String {
    let face = service.reading_of(statistic).face;
    let unit = face.unit.map_or_else(String::new, |unit| format!(", in {unit}"));
    let more = face.description.map_or_else(String::new, |more| format!(": {more}"));
    format!("{}{unit}{more}", face.title)
}

fn type_of(column: &FileColumn) -> Type {
    match (column.part, column.kind) {
        (ColumnPart::Error, _) => Type::Float8,
        (ColumnPart::Remark, _) => Type::Text,
        (_, ColumnKind::Key) => Type::Text,
        (_, ColumnKind::BooleanKey) => Type::Bool,
        (_, ColumnKind::DateKey) => Type::Date,
        (_, ColumnKind::DecimalKey) => Type::Numeric,
        (_, ColumnKind::IntegerKey | ColumnKind::Count(_)) => Type::Int8,
        (_, ColumnKind::Sum(_) | ColumnKind::Mean | ColumnKind::Formula) => Type::Float8,
    }
}

fn cell(cell: &AnswerCell, of: Type) -> Cell {
    match (cell, of) {
        (AnswerCell::Missing | AnswerCell::Total, _) => Cell::Null,
        (AnswerCell::Boolean(truth), Type::Bool) => Cell::Bool(*truth),
        (AnswerCell::Date(day), Type::Date) => Cell::Date(*day),
        (AnswerCell::Decimal(value), Type::Int8) => i64::try_from(value / DECIMAL).map_or(Cell::Null, Cell::Int),
        (AnswerCell::Decimal(value), Type::Float8) => Cell::Float(*value as f64 / 1e9),
        (AnswerCell::Float(value), Type::Float8) => Cell::Float(*value),
        (AnswerCell::Float(value), Type::Int8) => Cell::Int(value.round() as i64),
        (AnswerCell::Text(text), Type::Date) => {
            crate::query::terms::domain::date_days(text).map_or(Cell::Null, Cell::Date)
        }
        (other, Type::Text | Type::Numeric) => other.text().map_or(Cell::Null, Cell::Text),
        _ => Cell::Null,
    }
}
