//! The stewards' pages of the ledger: searching it from the newest entry on, and exporting what was found.

mod export;

use axum::extract::State;
use serde::Deserialize;

use super::shown::{AddressParams, Shown, aside};
use crate::http::App;
use crate::http::console::pages::ledger::{self as pages, EntryNames, Health, LedgerLine, Search, SoughtEntries};
use crate::http::entry_rows::titles;
use crate::http::problem::Problem;
use crate::http::visitor::Visitor;
use crate::kernel::budget::entry::{Act, Entry};
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::Role;
use crate::service::Service;
use crate::service::stewarding::accounts::timestamp;
use crate::service::stewarding::entries::{self, AnswerNames, EntrySearch, SearchText};

pub use export::{csv, json};

/// The number of entries on a page.
const LINES: usize = 50;
/// The largest length of an entry on a page, in characters.
const TEXT_CHARS_MAX: usize = 20_000;

/// Query parameters that say what to search for.
#[derive(Deserialize)]
pub struct LedgerPageParams {
    act: Option<String>,
    person: Option<String>,
    dataset: Option<String>,
    from: Option<String>,
    to: Option<String>,
    find: Option<String>,
    before: Option<u64>,
}

impl LedgerPageParams {
    fn wanted(self) -> SoughtEntries {
        let text = |given: Option<String>| given.map_or_else(String::new, |text| text.trim().to_owned());
        SoughtEntries {
            act: text(self.act),
            person: text(self.person),
            dataset: text(self.dataset),
            from: text(self.from),
            to: text(self.to),
            find: text(self.find),
        }
    }
}

/// The search that an address asks for.
fn search(wanted: &SoughtEntries) -> Result<EntrySearch, Problem> {
    let SoughtEntries { act, person, dataset, from, to, find } = wanted;
    let sought = SearchText { act, person, dataset, from, to, words: find };
    EntrySearch::read(&sought).map_err(|fault| Problem::invalid_request(fault.to_string()))
}

/// GET /ledger: the newest entries, or those that match a search.
pub async fn ledger(
    State(service): State<App>,
    visitor: Visitor,
    AddressParams(params): AddressParams<LedgerPageParams>,
) -> Shown {
    visitor.only(&[Role::Steward])?;
    let show = move |service: &Service, visitor: &Visitor| {
        let (before, wanted) = (params.before, params.wanted());
        let search = search(&wanted)?;
        let unread = |_| Problem::overloaded("the ledger could not be read");
        let found = entries::newest(service.ledger(), &search, before, LINES).map_err(unread)?;
        let answers = AnswerNames::of(service.ledger(), &found.entries).map_err(unread)?;
        let titles = titles(service);
        let names = EntryNames { answers: &answers, titles: &titles };
        let lines: Vec<_> = found.entries.iter().map(|entry| line(service, entry, &names)).collect();
        let datasets: Vec<_> = read(service.ledger(), |book| book.datasets().map(|(name, _)| name.clone()).collect());
        let search = Search { wanted: &wanted, datasets: &datasets, older: found.next };
        Ok(visitor.page("Ledger", "/ledger", &pages::page(&health(service), &lines, &search)))
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

fn line(service: &Service, entry: &Entry, names: &EntryNames<'_>) -> LedgerLine {
    let text = serde_json::to_string(&entry.act).unwrap_or_default();
    // An entry with many acts is shortened here, but complete in the export.
    let text = match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    LedgerLine {
        seq: entry.seq,
        at: timestamp(entry.at_ms),
        act: Act::shown_kind(entry.act.kind()),
        words: pages::words(&entry.act, names),
        price: entries::price(service.ledger(), &entry.act),
        text,
    }
}
