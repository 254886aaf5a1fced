//! Shows answers and quotes as text for people to read.

use std::collections::HashMap;
use std::fmt::Display;

use crate::service::asking::body::{AnswerBody, CellValue, OutputColumn, OutputRole, QuoteBody, RowValues};
use crate::service::views::AccountView;
use crate::terminal::table;

/// A value as text, with a dash in place of an absent one.
fn text(value: Option<impl Display>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}

/// The values of one row, by the names of their cells.
struct ReadRow<'a>(&'a HashMap<String, Option<CellValue>>);

impl ReadRow<'_> {
    fn value(&self, name: &str) -> Option<&CellValue> {
        self.0.get(name)?.as_ref()
    }

    fn remark(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            CellValue::Text(text) => Some(text),
            CellValue::Truth(_) | CellValue::Number(_) => None,
        }
    }

    /// An estimate as text, or the reason why there is none.
    fn estimate(&self, name: &str) -> String {
        let value = self.value(name);
        match (value, self.remark(&format!("{name}_null")), self.remark(&format!("{name}_note"))) {
            (None, Some(reason @ ("hidden" | "lost-in-noise" | "no-value")), _) => reason.replace('-', " "),
            (Some(value), _, Some("outside-bounds")) => format!("{value} (out of bounds)"),
            (value, _, _) => text(value),
        }
    }

    /// The cells of a column: its value, and for an estimate the interval, too.
    fn cells(&self, column: &OutputColumn) -> Vec<String> {
        let name = &column.name;
        match column.kind {
            OutputRole::Key => vec![text(self.value(name))],
            OutputRole::Estimate => {
                let end = |suffix: &str| text(self.value(&format!("{name}_{suffix}")));
                vec![self.estimate(name), format!("{} … {}", end("low"), end("high"))]
            }
        }
    }
}

/// An answer as text: each estimate with its interval, then what it cost and what is left.
#[must_use]
pub fn answer(answer: &AnswerBody<RowValues>) -> String {
    let header = |column: &OutputColumn| match column.kind {
        OutputRole::Key => vec![column.name.clone()],
        OutputRole::Estimate => vec![column.name.clone(), "95 % interval".to_owned()],
    };
    let header: Vec<String> = answer.columns.iter().flat_map(header).collect();
    let row = |row| answer.columns.iter().flat_map(|column| ReadRow(row).cells(column)).collect();
    let body = table(&header, &answer.rows.iter().map(row).collect::<Vec<_>>());
    format!("{body}\n{}", footer(answer))
}

fn footer(answer: &AnswerBody<RowValues>) -> String {
    let Some(release) = &answer.release else { return "it is public, so it cost nothing".to_owned() };
    let cost = match (answer.replayed, answer.price.epsilon.as_str()) {
        (true, "0") => "it was stored, so it cost nothing".to_owned(),
        (true, epsilon) => format!("it was stored: it cost your account epsilon {epsilon}, and the dataset nothing"),
        (false, epsilon) => format!("cost epsilon {epsilon}"),
    };
    let account = |amount: fn(&AccountView) -> String| text(answer.account.as_ref().map(amount));
    format!(
        "{cost}; spent {} of {}; the largest single question that still fits costs {} ({} noise, release {release})",
        account(|account| account.epsilon_spent.to_string()),
        account(|account| account.epsilon_cap.to_string()),
        account(|account| account.epsilon_remaining.to_string()),
        text(answer.mechanism.as_ref()),
    )
}

/// A quote as text: the price, the errors, and the account before and after.
#[must_use]
pub fn quote(quote: &QuoteBody) -> String {
    let (before, after) = (&quote.account.before, &quote.account.after);
    let header = ["column", "standard error", "95 % margin"].map(str::to_owned);
    let row = |column: &OutputColumn| vec![column.name.clone(), text(column.std_error), text(column.margin)];
    let rows: Vec<_> = quote.columns.iter().map(row).collect();
    let mut lines = vec![
        table(&header, &rows),
        format!("price: epsilon {} at delta {} ({} noise)", quote.price.epsilon, quote.price.delta, quote.mechanism),
        format!(
            "account: spent {} of {} now, {} afterwards; the largest single question that then still fits costs {}",
            before.epsilon_spent, before.epsilon_cap, after.epsilon_spent, after.epsilon_remaining
        ),
    ];
    if quote.replay {
        lines.push("nothing would be drawn: the answer is stored, or follows from stored ones".to_owned());
    } else if quote.legs.dataset != quote.legs.researcher {
        lines.push(format!("it would take epsilon {} of the dataset's cap: part of it is stored", quote.legs.dataset));
    }
    if let Some(left) = quote.answers_left {
        lines.push(format!("{left} answers at this price would fit now"));
    }
    if !quote.answerable {
        lines.push(format!(
            "not answerable: the largest epsilon that fits is {}, with a margin of {}",
            text(quote.largest_epsilon),
            text(quote.margin)
        ));
    }
    lines.join("\n")
}
