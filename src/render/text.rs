//! Shows answers and quotes as text for people to read.

use serde_json::Value;

use crate::terminal::table;

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "–".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// An estimate as text, or the reason why there is none.
fn estimate(row: &Value, name: &str) -> String {
    let said = |suffix: &str| row.get(format!("{name}_{suffix}")).and_then(Value::as_str);
    match (row.get(name), said("null"), said("note")) {
        (None | Some(Value::Null), Some(reason @ ("hidden" | "lost-in-noise" | "no-value")), _) => {
            reason.replace('-', " ")
        }
        (value @ Some(_), _, Some("outside-bounds")) => format!("{} (out of bounds)", text(value)),
        (value, _, _) => text(value),
    }
}

/// An answer as text: each estimate with its interval, then what it cost and what is left.
#[must_use]
pub fn answer(answer: &Value) -> String {
    let empty = Vec::new();
    let columns = answer.get("columns").and_then(Value::as_array).unwrap_or(&empty);
    let rows = answer.get("rows").and_then(Value::as_array).unwrap_or(&empty);
    let mut header = Vec::new();
    for column in columns {
        let name = text(column.get("name"));
        header.push(name.clone());
        if text(column.get("kind")) == "estimate" {
            header.push("95 % interval".to_owned());
        }
    }
    let row = |row: &Value| {
        let mut cells = Vec::new();
        for column in columns {
            let name = text(column.get("name"));
            if text(column.get("kind")) != "estimate" {
                cells.push(text(row.get(&name)));
            } else {
                cells.push(estimate(row, &name));
                let end = |suffix: &str| text(row.get(format!("{name}_{suffix}")));
                cells.push(format!("{} … {}", end("low"), end("high")));
            }
        }
        cells
    };
    let body = table(&header, &rows.iter().map(row).collect::<Vec<_>>());
    format!("{body}\n{}", footer(answer))
}

fn footer(answer: &Value) -> String {
    let at = |pointer: &str| text(answer.pointer(pointer));
    let is_stored = answer.get("replayed").and_then(Value::as_bool) == Some(true);
    if answer.get("release").is_some_and(Value::is_null) {
        return "it is public, so it cost nothing".to_owned();
    }
    let cost = match (is_stored, at("/price/epsilon").as_str()) {
        (true, "0") => "it was stored, so it cost nothing".to_owned(),
        (true, epsilon) => format!("it was stored: it cost your account epsilon {epsilon}, and the dataset nothing"),
        (false, epsilon) => format!("cost epsilon {epsilon}"),
    };
    format!(
        "{cost}; spent {} of {}; the largest single question that still fits costs {} ({} noise, release {})",
        at("/account/epsilon_spent"),
        at("/account/epsilon_cap"),
        at("/account/epsilon_remaining"),
        at("/mechanism"),
        at("/release")
    )
}

/// A quote as text: the price, the errors, and the account before and after.
#[must_use]
pub fn quote(quote: &Value) -> String {
    let at = |pointer: &str| text(quote.pointer(pointer));
    let empty = Vec::new();
    let columns = quote.get("columns").and_then(Value::as_array).unwrap_or(&empty);
    let header = ["column", "standard error", "95 % margin"].map(str::to_owned);
    let row =
        |column: &Value| vec![text(column.get("name")), text(column.get("std_error")), text(column.get("margin"))];
    let rows: Vec<_> = columns.iter().map(row).collect();
    let mut lines = vec![
        table(&header, &rows),
        format!("price: epsilon {} at delta {} ({} noise)", at("/price/epsilon"), at("/price/delta"), at("/mechanism")),
        format!(
            "account: spent {} of {} now, {} afterwards; the largest single question that then still fits costs {}",
            at("/account/before/epsilon_spent"),
            at("/account/before/epsilon_cap"),
            at("/account/after/epsilon_spent"),
            at("/account/after/epsilon_remaining")
        ),
    ];
    if quote.get("replay").and_then(Value::as_bool) == Some(true) {
        lines.push("nothing would be drawn: the answer is stored, or follows from stored ones".to_owned());
    } else if at("/legs/dataset") != at("/legs/researcher") {
        lines.push(format!("it would take epsilon {} of the dataset's cap: part of it is stored", at("/legs/dataset")));
    }
    if let Some(left) = quote.get("answers_left").and_then(Value::as_u64) {
        lines.push(format!("{left} answers at this price would fit now"));
    }
    if quote.get("answerable").and_then(Value::as_bool) != Some(true) {
        lines.push(format!(
            "not answerable: the largest epsilon that fits is {}, with a margin of {}",
            at("/largest_epsilon"),
            at("/margin")
        ));
    }
    lines.join("\n")
}
