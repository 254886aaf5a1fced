//! The stewards' pages of the ledger: searching it from the newest entry on, and exporting all of it.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::shown::{AddressParams, Shown, aside};
use crate::http::App;
use crate::http::console::pages::ledger::{self as pages, Health, LedgerLine, Search};
use crate::http::problem::Problem;
use crate::http::shared::Shared;
use crate::http::visitor::Visitor;
use crate::kernel::budget::entry::{Act, Entry};
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::Role;
use crate::service::Service;
use crate::service::stewarding::accounts::timestamp;

/// The number of entries on a page.
const LINES: usize = 50;
/// The largest number of entries that one page searches; the next page continues where it ended.
const LOOKED_MAX: u64 = 5_000;
/// The largest length of an entry on a page, in characters.
const TEXT_CHARS_MAX: usize = 20_000;
/// The number of entries that are read at once.
const CHUNK: usize = 1_000;

/// Query parameters that say what to search for.
#[derive(Deserialize)]
pub struct LedgerParams {
    act: Option<String>,
    find: Option<String>,
    before: Option<u64>,
}

/// GET /ledger: the newest entries, or those that match a search.
pub async fn ledger(
    State(service): State<App>,
    visitor: Visitor,
    AddressParams(params): AddressParams<LedgerParams>,
) -> Shown {
    visitor.only(&[Role::Steward])?;
    let (act, find) = (params.act.unwrap_or_default(), params.find.unwrap_or_default());
    let show = move |service: &Service, visitor: &Visitor| {
        let wanted = (act, find.trim().to_owned());
        let unread = || Problem::overloaded("the ledger could not be read");
        let (lines, older) = found(service, &wanted, params.before).ok_or_else(unread)?;
        let search = Search { act: &wanted.0, find: &wanted.1, older };
        let body = pages::page(&health(service), &lines, &search, Act::KINDS);
        Ok(visitor.page("Ledger", "/ledger", &body))
    };
    aside(&service, visitor, show).await
}

fn health(service: &Service) -> Health {
    let (entries, head) = read(service.ledger(), |book| book.head());
    let (checked_ms, checked_entries) = service.started();
    Health {
        checked: timestamp(checked_ms),
        checked_entries,
        entries,
        head: hex::encode(head),
        is_sound: service.ledger().is_sound(),
    }
}

/// The newest entries before a number that match, and where the search continues. Returns `None` if the ledger cannot be read.
fn found(service: &Service, wanted: &(String, String), before: Option<u64>) -> Option<(Vec<LedgerLine>, Option<u64>)> {
    let (last, _) = read(service.ledger(), |book| book.head());
    let end = before.unwrap_or(u64::MAX).min(last.saturating_add(1));
    let (mut lines, mut at) = (Vec::new(), end);
    let floor = end.saturating_sub(LOOKED_MAX).max(1);
    while at > floor && lines.len() < LINES {
        let step = if wanted.0.is_empty() && wanted.1.is_empty() { LINES as u64 } else { CHUNK as u64 };
        let from = at.saturating_sub(step).max(floor);
        let entries = service.ledger().entries(from - 1, (at - from) as usize).ok()?;
        for entry in entries.iter().rev() {
            at = entry.seq;
            lines.extend(line(entry, wanted));
            if lines.len() == LINES {
                break;
            }
        }
        at = if lines.len() == LINES { at } else { from };
    }
    Some((lines, (at > 1).then_some(at)))
}

fn line(entry: &Entry, (act, find): &(String, String)) -> Option<LedgerLine> {
    if !act.is_empty() && entry.act.kind() != act {
        return None;
    }
    let text = serde_json::to_string(&entry.act).ok()?;
    if !find.is_empty() && !text.to_lowercase().contains(&find.to_lowercase()) {
        return None;
    }
    let words = pages::words(&entry.act);
    // An entry with many acts is shortened here, but complete in the export.
    let text = match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    Some(LedgerLine { seq: entry.seq, at: timestamp(entry.at_ms), act: entry.act.kind(), words, text })
}

/// GET /ledger/export.jsonl: every entry as one line of JSON, from the first entry on.
pub async fn export(State(service): State<App>, Extension(shared): Extension<Arc<Shared>>, visitor: Visitor) -> Shown {
    visitor.only(&[Role::Steward])?;
    let busy = |_| visitor.fail(Problem::overloaded("two exports are being read already"));
    let place = Arc::clone(&shared.exports).try_acquire_owned().map_err(busy)?;
    let (send, receive) = mpsc::channel::<Result<Bytes, std::io::Error>>(4);
    tokio::task::spawn_blocking(move || {
        write_all(&service, &send);
        drop(place);
    });
    let fixed = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/jsonl")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"ledger.jsonl\"")),
    ];
    Ok((fixed, Body::from_stream(Receiving(receive))).into_response())
}

fn write_all(service: &Service, send: &mpsc::Sender<Result<Bytes, std::io::Error>>) {
    let mut after = 0;
    loop {
        let Ok(entries) = service.ledger().entries(after, CHUNK) else {
            // The reader must not mistake a part for the whole.
            let _ = send.blocking_send(Err(std::io::ErrorKind::Other.into()));
            return;
        };
        let Some(last) = entries.last() else { return };
        after = last.seq;
        let mut text = Vec::new();
        for entry in &entries {
            if serde_json::to_writer(&mut text, entry).is_ok() {
                text.push(b'\n');
            }
        }
        if send.blocking_send(Ok(text.into())).is_err() {
            return;
        }
    }
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
