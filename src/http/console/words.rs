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
use crate::query::terms::domain::{Column, Domain};
use crate::service::Service;

/// The largest number of values of a column that are completed.
const VALUES_MAX: usize = 1_000;

/// Aggregates and functions with what they are for, the most used first.
const FUNCTIONS: [(&str, &str); 22] = [
    ("COUNT(*)", "how many rows"),
    ("COUNT", "how many rows with a value; of DISTINCT units: how many of those who are protected"),
    ("SUM", "sum of a number"),
    ("AVG", "mean of a number"),
    ("MEDIAN", "middle value of a number"),
    ("PERCENTILE_CONT", "percentiles: PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY cost)"),
    ("STDDEV_SAMP", "standard deviation"),
    ("VAR_SAMP", "variance"),
    ("CORR", "correlation of two numbers"),
    ("COVAR_SAMP", "covariance of two numbers"),
    ("REGR_SLOPE", "slope of a regression of the first on the second"),
    ("REGR_INTERCEPT", "intercept of a regression of the first on the second"),
    ("DATE_TRUNC", "beginning of a period: DATE_TRUNC('month', visited)"),
    ("EXTRACT", "part of a day: EXTRACT(YEAR FROM visited)"),
    ("WIDTH_BUCKET", "number of a bucket: WIDTH_BUCKET(age, 0, 100, 10)"),
    ("LEAST", "the smallest of several values"),
    ("GREATEST", "the largest of several values"),
    ("COALESCE", "the first value that is not missing"),
    ("ROUND", "rounds a number"),
    ("ABS", "size of a number without its sign"),
    ("UPPER", "text in capital letters"),
    ("LOWER", "text in small letters"),
];

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
