//! Entries of the ledger as lines of CSV: in words, with questions, titles and prices in place of ids.
//!
//! Promises that no cell is a formula to a spreadsheet.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::http::console::pages::ledger::{EntryNames, words};
use crate::kernel::budget::entry::Entry;
use crate::kernel::budget::ledger::{LedgerFault, read};
use crate::kernel::budget::state::Parties;
use crate::service::Service;
use crate::service::asking::served::question_of;
use crate::service::stewarding::accounts::timestamp;
use crate::service::stewarding::entries::{self, AnswerNames, answer_of, asker};
use crate::service::views::significant;

/// The columns of entries as CSV.
const COLUMNS: [&str; 13] = [
    "number",
    "when_utc",
    "act",
    "by",
    "person",
    "dataset",
    "what",
    "question",
    "answer",
    "epsilon",
    "account_percent",
    "cap_percent",
    "hash",
];

/// The titles of the statistics that are published, by name.
pub fn titles(service: &Service) -> HashMap<String, String> {
    service.statistics().map(|one| (one.name.clone(), service.reading_of(one).face.title)).collect()
}

/// Entries as lines of CSV, with the line of column names before them if they are the first.
///
/// # Errors
/// [`LedgerFault`] if the answers that they mention cannot be read.
pub fn csv_lines(
    service: &Service,
    found: &[Entry],
    titles: &HashMap<String, String>,
    is_first: bool,
) -> Result<Vec<u8>, LedgerFault> {
    let answers = AnswerNames::of(service.ledger(), found)?;
    let names = EntryNames { answers: &answers, titles };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let unwritten = |_| LedgerFault::Unreadable;
    if is_first {
        writer.write_record(COLUMNS).map_err(unwritten)?;
    }
    for entry in found {
        let record = record(service, entry, &names);
        writer.write_record(record.iter().map(|text| safe(text).into_owned())).map_err(unwritten)?;
    }
    writer.into_inner().map_err(|_| LedgerFault::Unreadable)
}

/// The cells of one entry, in the order of [`COLUMNS`].
fn record(service: &Service, entry: &Entry, names: &EntryNames<'_>) -> [String; COLUMNS.len()] {
    let price = entries::price(service.ledger(), &entry.act);
    let per_cent = |part: f64| significant(100.0 * part, 6);
    let (by, person, dataset) = read(service.ledger(), |book| {
        let Parties { by, person, dataset } = book.parties(&entry.act);
        let owned = |name: Option<&str>| name.map(asker).unwrap_or_default().to_owned();
        (owned(by), owned(person), owned(dataset))
    });
    let first = || answer_of(&entry.act).and_then(|id| names.answers.get(id)).map(|name| name.sql.clone());
    let question = question_of(&entry.act).or_else(first);
    [
        entry.seq.to_string(),
        timestamp(entry.at_ms),
        entry.act.kind().to_owned(),
        by,
        person,
        dataset,
        words(&entry.act, names),
        question.unwrap_or_default(),
        answer_of(&entry.act).unwrap_or_default().to_owned(),
        price.map(|price| price.epsilon.to_string()).unwrap_or_default(),
        price.map(|price| per_cent(price.of_account.to_f64())).unwrap_or_default(),
        price.map(|price| per_cent(price.of_cap.to_f64())).unwrap_or_default(),
        hex::encode(Entry::hash(&entry.canonical_bytes())),
    ]
}

/// A cell that no spreadsheet takes for a formula: people chose reasons and names.
fn safe(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{text}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("\n=1", "'\n=1"),
            ("a = 1", "a = 1"),
            ("", ""),
        ] {
            assert_eq!(safe(text), cell);
        }
    }
}
