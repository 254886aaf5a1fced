//! `tacit.quote('SELECT …', '0.1')`: what an answer would cost and how exact it would be, a row for each output. It touches no data.

use rusqlite::types::Value;

use crate::kernel::budget::people::{Person, Role};
use crate::pgwire::catalogue::relation::Attribute;
use crate::pgwire::free::error::FreeError;
use crate::query::answer::ColumnInfo;
use crate::query::answer::expected::ExpectedWidth;
use crate::service::asking::ask::{Ask, RequestedAccuracy};
use crate::service::asking::quote::Quote;
use crate::service::problem::{Problem, ProblemKind};
use crate::service::{Service, ServiceError};

/// The columns of a quote with their types.
const COLUMNS: [(&str, &str); 10] = [
    ("output", "text"),
    ("kind", "text"),
    ("margin", "numeric"),
    ("std_error", "numeric"),
    ("epsilon", "numeric"),
    ("fraction", "numeric"),
    ("answerable", "bool"),
    ("replay", "bool"),
    ("epsilon_remaining", "numeric"),
    ("largest_epsilon", "numeric"),
];

/// The columns of a quote as a table.
pub(crate) fn columns() -> Vec<Attribute> {
    COLUMNS.iter().map(|(name, type_name)| Attribute::new(*name, type_name)).collect()
}

/// Quotes a question for a person. Blocks.
fn quoted(service: &Service, person: &Person, sql: &str, epsilon: &str) -> Result<Quote, FreeError> {
    if person.role != Role::Researcher {
        return Err(refusal(&Problem::for_others(person.role, &[Role::Researcher])));
    }
    let accuracy = RequestedAccuracy::new(Some(epsilon), None).map_err(|fault| refusal(&fault.into()))?;
    let ask = Ask { sql: sql.to_owned(), accuracy, rows_per_unit: None, group_size: None, purpose: None };
    let quote = service.quote_prepared(service.prepare(&person.name, ask));
    quote.map_err(|error: ServiceError| refusal(&error.into()))
}

/// The rows of a quote. Blocks.
///
/// # Errors
/// Why the question cannot be quoted, in the words of every door.
pub(crate) fn rows(service: &Service, person: &Person, sql: &str, epsilon: &str) -> Result<Vec<Vec<Value>>, FreeError> {
    let quote = quoted(service, person, sql, epsilon)?;
    let number = |text: String| text.parse().map_or(Value::Null, Value::Real);
    let real = |number: Option<f64>| number.map_or(Value::Null, Value::Real);
    let outputs = quote.columns.iter().zip(&quote.expected.half_widths);
    let row = |(column, expected): (&ColumnInfo, &ExpectedWidth)| {
        vec![
            Value::Text(column.name.clone()),
            Value::Text(if column.kind.is_key() { "key" } else { "estimate" }.to_owned()),
            real(column.kind.margin().or(expected.middle)),
            real(column.kind.std_error()),
            number(quote.epsilon.clone()),
            number(quote.fraction.into()),
            Value::Integer(quote.answerable.into()),
            Value::Integer(quote.replay.into()),
            number(quote.after.epsilon_remaining.to_string()),
            quote.largest_epsilon.map_or(Value::Null, |epsilon| number(epsilon.to_string())),
        ]
    };
    Ok(outputs.map(row).collect())
}

/// A quote as one line of text. Blocks.
///
/// # Errors
/// As [`rows`].
pub(crate) fn line(service: &Service, person: &Person, sql: &str, epsilon: &str) -> Result<String, FreeError> {
    let quote = quoted(service, person, sql, epsilon)?;
    let outputs = quote.columns.iter().zip(&quote.expected.half_widths);
    let errors = outputs.filter_map(|(column, expected)| {
        let margin = column.kind.margin().or(expected.middle)?;
        Some(format!("{} ± {}", column.name, crate::service::views::significant(margin, 3)))
    });
    let errors = errors.collect::<Vec<_>>().join(", ");
    let price = format!("epsilon {}, {} left", quote.epsilon, quote.after.epsilon_remaining);
    Ok(match (quote.answerable, quote.largest_epsilon) {
        (true, _) => format!("{price}; {errors}"),
        (false, Some(largest)) => {
            format!("does not fit: epsilon {}, at most {largest} is left; {errors}", quote.epsilon)
        }
        (false, None) => format!("does not fit: epsilon {}; {errors}", quote.epsilon),
    })
}

fn refusal(problem: &Problem) -> FreeError {
    let sqlstate = match problem.kind {
        ProblemKind::UnknownDataset => "42P01",
        ProblemKind::UnknownColumn => "42703",
        ProblemKind::InvalidEpsilon => "22023",
        ProblemKind::OverQueryLimit | ProblemKind::BudgetExhausted => "53400",
        ProblemKind::Forbidden | ProblemKind::NotAnAggregate => "42501",
        ProblemKind::Overloaded => "53300",
        _ => "0A000",
    };
    let error = FreeError::new(sqlstate, problem.detail());
    match problem.shown_hint() {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
