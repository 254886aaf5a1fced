//! Exports of the ledger, oldest entry first: everything, or what a search finds.
//!
//! Promises that an export is written only as fast as its reader takes it, within a bounded memory, and that a reader can tell a part from
//! the whole.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use tokio::sync::mpsc;

use super::{LedgerPageParams, search};
use crate::http::App;
use crate::http::console::shown::{AddressParams, Shown};
use crate::http::entry_rows::{csv_lines, titles};
use crate::http::problem::Problem;
use crate::http::shared::Shared;
use crate::http::visitor::Visitor;
use crate::kernel::budget::entry::Entry;
use crate::kernel::budget::ledger::LedgerFault;
use crate::kernel::budget::people::Role;
use crate::service::Service;
use crate::service::stewarding::entries::{self, EntrySearch};

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
    params: AddressParams<LedgerPageParams>,
) -> Shown {
    export(state, shared, visitor, params, ExportFormat::Json)
}

/// GET /ledger/export.csv: every entry that matches as one line of a table.
pub async fn csv(
    state: State<App>,
    shared: Extension<Arc<Shared>>,
    visitor: Visitor,
    params: AddressParams<LedgerPageParams>,
) -> Shown {
    export(state, shared, visitor, params, ExportFormat::Csv)
}

fn export(
    State(service): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    visitor: Visitor,
    AddressParams(params): AddressParams<LedgerPageParams>,
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
            ExportFormat::Csv => csv_lines(service, &found.entries, &titles, is_first)?,
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
