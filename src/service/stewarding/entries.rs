//! The ledger's entries for stewards: found by person, dataset, kind of act, day and words, and named by what they are about.
//!
//! Promises that a search reads a bounded number of entries at once, however long the ledger is, and misses none that match. Prices are
//! shown as parts of accounts, next to ε.

use std::collections::HashMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::kernel::budget::entry::{Act, Charge, Entry};
use crate::kernel::budget::ledger::{Ledger, LedgerFault, read};
use crate::kernel::budget::people::STATISTICS;
use crate::kernel::budget::state::{EntryFilter, FoundEntries};
use crate::kernel::privacy::amounts::Epsilon;
use crate::query::error::shown;
use crate::service::views::Fraction;

/// Maximum number of entries that one call reads.
const READ_MAX: usize = 5_000;
/// Number of entries that are read at once.
const CHUNK: usize = 1_000;
/// Entries are read as one range if at most so many of them are read for one that is wanted.
const SPARSE_MAX: u64 = 8;

/// What to look for in the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntrySearch {
    /// What can be told without reading an entry.
    pub filter: EntryFilter,
    /// Words that the entry's JSON text must contain, in upper or lower case; empty for every entry.
    pub words: String,
}

/// What to look for, as people write it; an empty text lets all entries pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct SearchText<'a> {
    /// The kind of act.
    pub act: &'a str,
    /// The name of somebody who acted or whom the act concerns.
    pub person: &'a str,
    /// The name of the dataset.
    pub dataset: &'a str,
    /// The first day in UTC, like `2026-03-01`.
    pub from: &'a str,
    /// The last day in UTC, like `2026-03-31`.
    pub to: &'a str,
    /// Words that the entry's JSON text must contain.
    pub words: &'a str,
}

/// Why a search cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchFault {
    /// A day is written in another way.
    #[error("{name} is not a day like 2026-03-31")]
    Day {
        /// Which day it is: `from` or `to`.
        name: &'static str,
    },
    /// No act is of this kind.
    #[error("act \"{}\" is not known; accepted are {}", shown(.act), kinds())]
    Act {
        /// The kind that was given.
        act: String,
    },
}

/// The kinds of acts that people can look for, in words.
fn kinds() -> String {
    let kinds: Vec<_> = Act::KINDS.iter().copied().filter(|kind| Act::shown_kind(kind) == *kind).collect();
    kinds.join(", ")
}

impl EntrySearch {
    /// Reads a search.
    ///
    /// # Errors
    /// [`SearchFault`] for a day or a kind of act that is none.
    pub fn read(text: &SearchText<'_>) -> Result<Self, SearchFault> {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let day = |name: &'static str, text: &str| {
            (!text.is_empty()).then(|| day_ms(text).ok_or(SearchFault::Day { name })).transpose()
        };
        if !text.act.is_empty() && !Act::KINDS.contains(&text.act) {
            return Err(SearchFault::Act { act: text.act.to_owned() });
        }
        let filter = EntryFilter {
            person: some(text.person),
            dataset: some(text.dataset),
            act: some(Act::shown_kind(text.act)),
            from_ms: day("from", text.from)?,
            until_ms: day("to", text.to)?.map(|begins| begins.saturating_add(DAY_MS)),
        };
        Ok(Self { filter, words: text.words.to_owned() })
    }
}

/// Entries that match a search, and where it continues.
#[derive(Debug, Clone, Default)]
pub struct EntryPage {
    /// The entries, in the order of the search.
    pub entries: Vec<Entry>,
    /// The number from which the search continues; `None` at the end of the ledger.
    pub next: Option<u64>,
}

/// The newest entries before entry number `before` that match, at most `limit` of them, newest first.
///
/// # Errors
/// [`LedgerFault`] if the ledger cannot be read.
pub fn newest(
    ledger: &dyn Ledger,
    search: &EntrySearch,
    before: Option<u64>,
    limit: usize,
) -> Result<EntryPage, LedgerFault> {
    let (mut page, mut at, mut looked) = (EntryPage::default(), before.unwrap_or(u64::MAX), 0);
    let step = if search.words.is_empty() { limit } else { CHUNK };
    while at > 1 && page.entries.len() < limit && looked < READ_MAX {
        let found = read(ledger, |book| book.entries_before(&search.filter, at, step));
        let Some(looked_to) = found.looked_to else { break };
        at = looked_to;
        looked += found.numbers.len();
        for entry in matching(ledger, search, &found)?.into_iter().rev() {
            if page.entries.len() == limit {
                break;
            }
            at = if page.entries.len() + 1 == limit { entry.seq } else { at };
            page.entries.push(entry);
        }
    }
    page.next = (at > 1 && at < u64::MAX).then_some(at);
    Ok(page)
}

/// The oldest entries after entry number `after` that match, as many as are read at once, oldest first.
///
/// # Errors
/// [`LedgerFault`] if the ledger cannot be read.
pub fn oldest(ledger: &dyn Ledger, search: &EntrySearch, after: u64) -> Result<EntryPage, LedgerFault> {
    let found = read(ledger, |book| book.entries_after(&search.filter, after, CHUNK));
    let entries = matching(ledger, search, &found)?;
    Ok(EntryPage { entries, next: found.looked_to })
}

/// The oldest entries after entry number `after` that match, at most `limit` of them, oldest first. Only the last page has fewer.
///
/// # Errors
/// [`LedgerFault`] if the ledger cannot be read.
pub fn page_after(
    ledger: &dyn Ledger,
    search: &EntrySearch,
    after: u64,
    limit: usize,
) -> Result<Vec<Entry>, LedgerFault> {
    if *search == EntrySearch::default() {
        return ledger.entries(after, limit);
    }
    let (mut entries, mut at) = (Vec::new(), after);
    while entries.len() < limit {
        let found = oldest(ledger, search, at)?;
        entries.extend(found.entries);
        match found.next {
            Some(looked_to) => at = looked_to,
            None => break,
        }
    }
    entries.truncate(limit);
    Ok(entries)
}

/// The entries among those found that match the whole search, oldest first.
fn matching(ledger: &dyn Ledger, search: &EntrySearch, found: &FoundEntries) -> Result<Vec<Entry>, LedgerFault> {
    let mut numbers = found.numbers.clone();
    numbers.sort_unstable();
    let mut entries = numbered(ledger, &numbers)?;
    let words = search.words.to_lowercase();
    entries.retain(|entry| read(ledger, |book| book.is_about(&entry.act, &search.filter)) && contains(entry, &words));
    Ok(entries)
}

fn contains(entry: &Entry, words: &str) -> bool {
    words.is_empty() || serde_json::to_string(&entry.act).is_ok_and(|text| text.to_lowercase().contains(words))
}

/// The entries with these numbers, which are in ascending order.
fn numbered(ledger: &dyn Ledger, numbers: &[u64]) -> Result<Vec<Entry>, LedgerFault> {
    let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else { return Ok(Vec::new()) };
    let span = last - first + 1;
    if span <= SPARSE_MAX * numbers.len() as u64 {
        let mut all = ledger.entries(first - 1, usize::try_from(span).unwrap_or(usize::MAX))?;
        all.retain(|entry| numbers.binary_search(&entry.seq).is_ok());
        return Ok(all);
    }
    let mut found = Vec::with_capacity(numbers.len());
    for number in numbers {
        found.extend(ledger.entries(number - 1, 1)?);
    }
    Ok(found)
}

/// What an answer is called: who asked for it, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerName {
    /// Name of the asker; "published statistics" for those.
    pub asker: String,
    /// The question as canonical SQL.
    pub sql: String,
}

/// The names of the answers that entries mention by their ids.
#[derive(Debug, Clone, Default)]
pub struct AnswerNames(HashMap<String, AnswerName>);

impl AnswerNames {
    /// The names of all answers that these entries mention.
    ///
    /// # Errors
    /// [`LedgerFault`] if the ledger cannot be read.
    pub fn of(ledger: &dyn Ledger, entries: &[Entry]) -> Result<Self, LedgerFault> {
        let mut names = Self::default();
        for entry in entries {
            if let Some(charge) = entry.act.charge() {
                names.0.insert(charge.release.clone(), AnswerName::of(charge));
            }
        }
        let mentioned = entries.iter().filter_map(|entry| answer_of(&entry.act));
        let missing: Vec<&str> = mentioned.filter(|id| !names.0.contains_key(*id)).collect();
        let mut charges: Vec<u64> =
            read(ledger, |book| missing.iter().filter_map(|id| book.release(id)).map(|card| card.seq).collect());
        charges.sort_unstable();
        charges.dedup();
        for entry in numbered(ledger, &charges)? {
            if let Some(charge) = entry.act.charge() {
                names.0.insert(charge.release.clone(), AnswerName::of(charge));
            }
        }
        Ok(names)
    }

    /// The name of the answer with this id, if an entry mentioned it.
    #[must_use]
    pub fn get(&self, release: &str) -> Option<&AnswerName> {
        self.0.get(release)
    }
}

impl AnswerName {
    fn of(charge: &Charge) -> Self {
        Self { asker: asker(&charge.researcher).to_owned(), sql: charge.sql.clone() }
    }
}

/// What people call an asker: published statistics have an internal name.
#[must_use]
pub fn asker(name: &str) -> &str {
    if name == STATISTICS { "published statistics" } else { name }
}

/// The id of the answer that an act is about.
#[must_use]
pub fn answer_of(act: &Act) -> Option<&str> {
    if let Act::Released { release, .. } | Act::Burned { release, .. } | Act::Published { release, .. } = act {
        return Some(release);
    }
    act.charge().map(|charge| charge.release.as_str()).or(act.serving().map(|serving| serving.release.as_str()))
}

/// What an entry charged, as parts of what it was charged to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EntryPrice {
    /// What the asker's account paid, as ε.
    pub epsilon: Epsilon,
    /// The part of the asker's account, as large as it was then.
    pub of_account: Fraction,
    /// The part of the dataset's cap, as large as it is now: the price of what was newly drawn.
    pub of_cap: Fraction,
}

/// What an entry charged; `None` for acts that charge nothing.
#[must_use]
pub fn price(ledger: &dyn Ledger, act: &Act) -> Option<EntryPrice> {
    let charged = act.charge().map(|charge| (charge.legs, charge.account));
    let (legs, mark) = charged.or(act.serving().map(|serving| (serving.legs, serving.account)))?;
    read(ledger, |book| {
        let whole = book.dataset(book.parties(act).dataset?)?;
        Some(EntryPrice {
            epsilon: whole.cap.accountant.epsilon_spent(legs.researcher),
            of_account: Fraction::of(legs.researcher, mark.amount),
            of_cap: Fraction::of(legs.dataset, book.account(whole.account).amount),
        })
    })
}

/// Milliseconds in a day.
pub const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The beginning of a day like `2026-03-31` in UTC, in milliseconds since 1970; `None` for any other text.
#[must_use]
pub fn day_ms(text: &str) -> Option<u64> {
    let day: Date = text.parse().ok().filter(|_| text.len() == 10)?;
    u64::try_from(day.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp().as_millisecond()).ok()
}
