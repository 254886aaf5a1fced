//! Exports of the ledger, oldest entry first: everything, or what a search finds.
//!
//! Promises that an export is written only as fast as its reader takes it, within a bounded memory, that a reader can tell a part from the
//! whole, and that no cell of a CSV file is a formula to a spreadsheet.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use tokio::sync::mpsc;

use super::{LedgerParams, search, titles};
use crate::http::App;
use crate::http::console::pages::ledger::{EntryNames, words};
use crate::http::console::shown::{AddressParams, Shown};
use crate::http::problem::Problem;
use crate::http::shared::Shared;
use crate::http::visitor::Visitor;
use crate::kernel::budget::entry::Entry;
use crate::kernel::budget::ledger::{LedgerFault, read};
use crate::kernel::budget::people::Role;
use crate::kernel::budget::state::Parties;
use crate::service::Service;
use crate::service::stewarding::accounts::timestamp;
use crate::service::stewarding::entries::{self, AnswerNames, EntrySearch, answer_of, asker};
use crate::service::views::significant;

/// The columns of a CSV export.
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

/// The format of an export.
#[derive(Debug, Clone, Copy)]
enum ExportFormat {
    Csv,
    Json,
}

/// GET /ledger/export.jsonl: every entry that matches as one line of JSON.
pub async fn json(
    state: State<App>,
    shared: Extension<Arc<Shared>>,
    visitor: Visitor,
    params: AddressParams<LedgerParams>,
) -> Shown {
    export(state, shared, visitor, params, ExportFormat::Json)
}

/// GET /ledger/export.csv: every entry that matches as one line of a table.
pub async fn csv(
    state: State<App>,
    shared: Extension<Arc<Shared>>,
    visitor: Visitor,
    params: AddressParams<LedgerParams>,
) -> Shown {
    export(state, shared, visitor, params, ExportFormat::Csv)
}

fn export(
    State(service): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    visitor: Visitor,
    AddressParams(params): AddressParams<LedgerParams>,
    format: ExportFormat,
) -> Shown {
    visitor.only(&[Role::Steward])?;
    let search = search(&params.wanted()).map_err(|problem| visitor.fail(problem))?;
    let busy = |_| visitor.fail(Problem::overloaded("two exports are being read already"));
    let place = Arc::clone(&shared.exports).try_acquire_owned().map_err(busy)?;
    let (send, receive) = mpsc::channel::<Result<Bytes, std::io::Error>>(4);
    tokio::task::spawn_blocking(move || {
        if write_all(&service, &search, format, &send).is_err() {
            // The reader must not mistake a part for the whole.
            let _ = send.blocking_send(Err(std::io::ErrorKind::Other.into()));
        }
        drop(place);
    });
    let (kind, file) = match format {
        ExportFormat::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"ledger.csv\""),
        ExportFormat::Json => ("application/jsonl", "attachment; filename=\"ledger.jsonl\""),
    };
    let fixed = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, file)];
    let fixed = fixed.map(|(name, value)| (name, HeaderValue::from_static(value)));
    Ok((fixed, Body::from_stream(Receiving(receive))).into_response())
}

fn write_all(
    service: &Service,
    search: &EntrySearch,
    format: ExportFormat,
    send: &mpsc::Sender<Result<Bytes, std::io::Error>>,
) -> Result<(), LedgerFault> {
    let titles = titles(service);
    let (mut after, mut is_first) = (0, true);
    loop {
        let found = entries::oldest(service.ledger(), search, after)?;
        let text = match format {
            ExportFormat::Csv => lines(service, &found.entries, &titles, is_first)?,
            ExportFormat::Json => json_lines(&found.entries),
        };
        is_first = false;
        // If the reader is gone, nobody misses the rest.
        if !text.is_empty() && send.blocking_send(Ok(text.into())).is_err() {
            return Ok(());
        }
        match found.next {
            Some(looked_to) => after = looked_to,
            None => return Ok(()),
        }
    }
}

fn json_lines(entries: &[Entry]) -> Vec<u8> {
    let mut text = Vec::new();
    for entry in entries {
        if serde_json::to_writer(&mut text, entry).is_ok() {
            text.push(b'\n');
        }
    }
    text
}

fn lines(
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
    let question = answer_of(&entry.act).and_then(|id| names.answers.get(id)).map(|name| name.sql.clone());
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

/// Turns a channel into a stream.
struct Receiving(mpsc::Receiver<Result<Bytes, std::io::Error>>);

impl futures_core::Stream for Receiving {
    type Item = Result<Bytes, std::io::Error>;
    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
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
