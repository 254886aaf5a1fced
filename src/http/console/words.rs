//! GET /ask/words: what the editor completes, as JSON. It holds names, titles and values that the policies publish, and nothing else.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use serde::Serialize;

use super::ask::own_datasets;
use super::shown::{Shown, aside};
use super::tables::{AskableTable, tables};
use crate::http::App;
use crate::http::visitor::Visitor;
use crate::kernel::budget::people::Role;
use crate::query::functions::FUNCTIONS;
use crate::query::terms::domain::{Column, Domain};
use crate::service::Service;

/// The largest number of values of a column that are completed.
const VALUES_MAX: usize = 1_000;

/// What can be completed.
#[derive(Serialize)]
struct Words<'a> {
    tables: Vec<TableWords<'a>>,
    functions: [(&'static str, &'static str); FUNCTIONS.len()],
}

/// A table with its columns.
#[derive(Serialize)]
struct TableWords<'a> {
    name: &'a str,
    info: &'a str,
    columns: Vec<ColumnWords<'a>>,
}

/// A column with the first of its values.
#[derive(Serialize)]
struct ColumnWords<'a> {
    name: &'a str,
    r#type: &'static str,
    info: &'a str,
    values: &'a [String],
}

/// GET /ask/words: the tables, columns and values that the researcher may ask about.
pub async fn words(State(service): State<App>, visitor: Visitor) -> Shown {
    let person = visitor.only(&[Role::Researcher])?;
    let show = move |service: &Service, _: &Visitor| {
        let datasets = own_datasets(service, &person);
        let tables = tables(&datasets);
        let tables = tables.iter().map(TableWords::of).collect();
        Ok(Json(Words { tables, functions: FUNCTIONS }).into_response())
    };
    aside(&service, visitor, show).await
}

impl<'a> TableWords<'a> {
    fn of(table: &'a AskableTable<'a>) -> Self {
        let unit = ColumnWords {
            name: table.unit,
            r#type: "unit",
            info: "whom the dataset protects; count them with COUNT(DISTINCT …)",
            values: &[],
        };
        let unit = Some(unit).filter(|unit| unit.name != "row" && !table.is_public);
        let columns = table.columns.iter().map(ColumnWords::of);
        Self { name: table.name, info: table.title.unwrap_or(""), columns: columns.chain(unit).collect() }
    }
}

impl<'a> ColumnWords<'a> {
    fn of(column: &'a Column) -> Self {
        let values = match &column.domain {
            Domain::Category(labels) => &labels[..labels.len().min(VALUES_MAX)],
            Domain::Boolean | Domain::Number(_) | Domain::Date { .. } | Domain::Text { .. } => &[],
        };
        let info = column.title.as_deref().unwrap_or("");
        Self { name: &column.name, r#type: column.domain.type_name(), info, values }
    }
}
