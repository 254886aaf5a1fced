//! GET /ask/build: a question chosen from lists, for researchers who write no SQL. It becomes SQL in the form for asking, where its price is
//! shown, and where it can be read and changed.
//!
//! Promises that what is written is one of the forms below, made of names in the policy and of literals that cannot end early.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::Response;

use super::ask::own_datasets;
use super::shown::{AddressParams, Shown, address, aside, see};
use super::tables::{AskableTable, tables};
use crate::http::App;
use crate::http::console::pages::builder::{self as pages, BuilderPage, Fields};
use crate::http::problem::Problem;
use crate::http::visitor::Visitor;
use crate::kernel::budget::people::{Person, Role};
use crate::query::terms::domain::{Column, Domain};
use crate::service::Service;

/// GET /ask/build: chooses a table, then what to ask of it; with `do=write`, leads to the form for asking.
pub async fn build(
    State(service): State<App>,
    visitor: Visitor,
    AddressParams(params): AddressParams<HashMap<String, String>>,
) -> Shown {
    let person = visitor.only(&[Role::Researcher])?;
    aside(&service, visitor, move |service, visitor| chosen(service, visitor, &person, &params)).await
}

fn chosen(
    service: &Service,
    visitor: &Visitor,
    person: &Person,
    params: &HashMap<String, String>,
) -> Result<Response, Problem> {
    let datasets = own_datasets(service, person);
    let tables = tables(&datasets);
    let fields = Fields(params);
    let table = tables.iter().find(|table| table.name == fields.text("table")).or(tables.first());
    let mut wrong = None;
    if let Some(table) = table.filter(|_| fields.text("do") == "write") {
        match written(table, &fields) {
            Ok(sql) => return Ok(see(&address("/ask", &[("sql", &sql)]))),
            Err(fault) => wrong = Some(fault.to_string()),
        }
    }
    let page = BuilderPage { tables: &tables, table, fields: &fields, wrong: wrong.as_deref() };
    Ok(visitor.page("Choose a question", "/ask/build", &pages::page(&page)))
}

/// Why a choice cannot be written as a question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum ChoiceFault {
    /// A mean, or another statistic of a number, without the number.
    #[error("choose the number that it is computed from")]
    NoNumber,
    /// The bound of a column is no number.
    #[error("{column}: write a number, like 40 or 2.5")]
    Number {
        /// The name of the column.
        column: String,
    },
    /// The bound of a column is no day.
    #[error("{column}: write a day, like 2025-01-31")]
    Day {
        /// The name of the column.
        column: String,
    },
}

/// The SQL of a choice.
fn written(table: &AskableTable<'_>, fields: &Fields<'_>) -> Result<String, ChoiceFault> {
    let keys: Vec<(String, String)> = ["by", "then"].iter().filter_map(|name| key(table, fields.text(name))).collect();
    let mut outputs: Vec<String> = keys.iter().map(|(expression, alias)| output(expression, alias)).collect();
    outputs.push(aggregate(table, fields)?);
    let mut sql = format!("SELECT {}\nFROM {}", outputs.join(",\n       "), table.name);
    let filters = filters(table, fields)?;
    if !filters.is_empty() {
        sql.push_str(&format!("\nWHERE {}", filters.join("\n  AND ")));
    }
    if !keys.is_empty() {
        let aliases: Vec<&str> = keys.iter().map(|(_, alias)| alias.as_str()).collect();
        let aliases = aliases.join(", ");
        sql.push_str(&format!("\nGROUP BY {aliases}\nORDER BY {aliases}"));
    }
    Ok(sql)
}

fn output(expression: &str, alias: &str) -> String {
    if expression == alias { alias.to_owned() } else { format!("{expression} AS {alias}") }
}

/// What is computed, by the word for it in the form.
fn aggregate(table: &AskableTable<'_>, fields: &Fields<'_>) -> Result<String, ChoiceFault> {
    let of = table.columns.iter().find(|column| column.name == fields.text("of"));
    let number = || {
        let column = of.filter(|column| matches!(column.domain, Domain::Number(_)));
        column.map(|column| column.name.as_str()).ok_or(ChoiceFault::NoNumber)
    };
    match fields.text("what") {
        "units" if table.unit != "row" => Ok(format!("COUNT(DISTINCT {}) AS units", table.unit)),
        "mean" => number().map(|name| format!("AVG({name}) AS mean_{name}")),
        "sum" => number().map(|name| format!("SUM({name}) AS total_{name}")),
        "median" => number().map(|name| format!("MEDIAN({name}) AS median_{name}")),
        "spread" => number().map(|name| format!("STDDEV_SAMP({name}) AS spread_{name}")),
        _ => Ok("COUNT(*) AS n".to_owned()),
    }
}

/// The expression and the alias of a group key: a column, or the column and how it is divided, after a colon.
fn key(table: &AskableTable<'_>, choice: &str) -> Option<(String, String)> {
    let (name, divided) = choice.split_once(':').unwrap_or((choice, ""));
    let column = table.columns.iter().find(|column| column.name == name)?;
    Some(match (&column.domain, divided) {
        (Domain::Date { .. }, "month" | "quarter" | "year") => {
            (format!("DATE_TRUNC('{divided}', {name})"), format!("{name}_{divided}"))
        }
        (Domain::Number(_), "tens") => (format!("{name} / 10 * 10"), format!("{name}_from")),
        (Domain::Category(_) | Domain::Boolean | Domain::Number(_) | Domain::Date { .. } | Domain::Text { .. }, _) => {
            (name.to_owned(), name.to_owned())
        }
    })
}

/// The conditions that the filled fields make.
fn filters(table: &AskableTable<'_>, fields: &Fields<'_>) -> Result<Vec<String>, ChoiceFault> {
    let mut all = Vec::new();
    for Column { name, domain, .. } in table.columns {
        let is = fields.text(&format!("is-{name}"));
        match domain {
            Domain::Category(labels) if labels.iter().any(|label| label == is) => {
                all.push(format!("{name} = '{}'", is.replace('\'', "''")));
            }
            Domain::Boolean if is == "true" => all.push(name.clone()),
            Domain::Boolean if is == "false" => all.push(format!("NOT {name}")),
            Domain::Number(_) | Domain::Date { .. } => {
                for (end, sign) in [("from", ">="), ("to", "<=")] {
                    let text = fields.text(&format!("{end}-{name}"));
                    if !text.is_empty() {
                        all.push(format!("{name} {sign} {}", bound(name, domain, text)?));
                    }
                }
            }
            Domain::Category(_) | Domain::Boolean | Domain::Text { .. } => {}
        }
    }
    Ok(all)
}

/// The literal of a bound.
fn bound(name: &str, domain: &Domain, text: &str) -> Result<String, ChoiceFault> {
    if matches!(domain, Domain::Date { .. }) {
        let day: Option<jiff::civil::Date> = text.parse().ok();
        return day.map(|day| format!("DATE '{day}'")).ok_or_else(|| ChoiceFault::Day { column: name.to_owned() });
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
        && digits.matches('.').count() <= 1
        && digits.len() <= 20;
    if is_number { Ok(text.to_owned()) } else { Err(ChoiceFault::Number { column: name.to_owned() }) }
}
