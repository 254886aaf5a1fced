//! Stored answers: the release with what is needed to lay it out again.
//!
//! Promises that what was paid for stays readable. An answer is written as [`answer_bytes`] says; the numbers of variants stand beside them
//! in the types. The first version was JSON; `stored::json` reads it.

mod json;
mod question;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use crate::kernel::budget::entry::Entry;
use crate::kernel::budget::ledger::{Ledger, LedgerFault, read};
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Delta, Price};
use crate::kernel::privacy::certificate::Subject;
use crate::kernel::vault::release::{NoisyVector, Release};
use crate::ledger::answer_bytes::{self, Drawn, Head, JSON_BEGINS, Rest, VERSION};
use crate::query::answer::Layout;
use crate::query::answer::grouping_sets::IndependentNoise;
use crate::service::error::ServiceError;
use crate::service::views::ThresholdView;

pub(crate) use self::question::StoredQuestion;

/// Noisy cells kept in memory at the most, over all answers: about 100 MB.
const CELLS_KEPT_MAX: usize = 2_000_000;

/// One stored answer.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAnswer {
    /// What was drawn for it.
    pub release: Release,
    /// What it shows, one vector a measurement; nothing where that is what was drawn.
    pub combined: Option<Vec<NoisyVector>>,
    /// The releases that it was computed from, besides its own.
    pub derived_from: Vec<String>,
    /// How the question laid them out; with it, what tables of several groupings were put together from where they share draws.
    pub layout: Layout,
    /// The canonical SQL of the question.
    pub sql: String,
    /// What the first who asked paid, as ε: as asked, or the ε of the price.
    pub epsilon: String,
    /// The same in the accountant's unit.
    pub paid: Price,
    /// The dataset's accountant.
    pub accountant: Accountant,
    /// δ of the dataset's guarantee, where it is more than the accountant's.
    pub delta: Option<Delta>,
    /// Rows of a unit that count.
    pub rows_per_unit: u32,
    /// Who asked first.
    pub researcher: String,
    /// What for.
    pub purpose: Option<String>,
    /// When it was asked, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
}

impl StoredAnswer {
    /// What it shows, one vector a measurement.
    #[must_use]
    pub fn vectors(&self) -> &[NoisyVector] {
        self.combined.as_deref().unwrap_or(&self.release.measurements)
    }

    /// A question's layout with what is known of this answer alone: the groups that were found, and the sources of its tables.
    #[must_use]
    pub fn laid(&self, layout: Layout) -> Layout {
        let sets = layout.sets.clone().map(|sets| sets.stored_as(self.layout.sets.as_ref()));
        Layout { sets, ..layout }.with_groups(&self.release)
    }

    /// How it is laid out for whoever asked it first, or for somebody else: they paid for all of its rows, whatever the first one
    /// wanted to see.
    #[must_use]
    pub fn layout_for(&self, is_own: bool) -> Layout {
        let limit = self.layout.limit.filter(|_| is_own);
        let having = self.layout.having.clone().filter(|_| is_own);
        Layout { limit, having, ..self.layout.clone() }
    }

    /// δ of the dataset's guarantee.
    #[must_use]
    pub fn delta(&self) -> Delta {
        self.delta.unwrap_or_else(|| self.accountant.delta())
    }

    /// Which groups it shows, where their list is not public.
    #[must_use]
    pub fn threshold(&self) -> Option<ThresholdView> {
        let groups = self.release.groups.as_ref()?;
        ThresholdView::of(&groups.threshold, &self.release.measurements.get(groups.units)?.law)
    }

    /// What somebody paid for it, as ε.
    #[must_use]
    pub fn epsilon_of(&self, leg: Price) -> String {
        match leg {
            Price::ZERO => "0".to_owned(),
            leg if leg == self.paid => self.epsilon.clone(),
            leg => self.accountant.epsilon_spent(leg).to_string(),
        }
    }

    /// The bytes for the store. What a list shows stands first.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Release { v, id, subject, mechanism, measurements, price, groups } = &self.release;
        let head = (id, subject, &self.sql, &self.epsilon, &self.researcher, &self.purpose, self.at_ms);
        let drawn = (v, mechanism, measurements, price, groups);
        let Self { combined, derived_from, layout, paid, accountant, delta, rows_per_unit, .. } = self;
        let rest = (combined, derived_from, layout, paid, accountant, delta, rows_per_unit);
        // Unwrap safety: writing to memory does not fail, and an answer holds no number that is NaN.
        borsh::to_vec(&(VERSION, head, drawn, rest)).expect("a stored answer is plain data")
    }

    /// Reads the bytes of the store, of any version; `None` if they are no answer.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&JSON_BEGINS, _) => json::answer(bytes),
            (&VERSION, rest) => answer_bytes::read(rest),
            _ => None,
        }
        .map(Self::from_parts)
    }

    fn from_parts((head, drawn, rest): (Head, Drawn, Rest)) -> Self {
        let (id, subject, sql, epsilon, researcher, purpose, at_ms) = head;
        let (v, mechanism, measurements, price, groups) = drawn;
        let (combined, derived_from, layout, paid, accountant, delta, rows_per_unit) = rest;
        Self {
            release: Release { v, id, subject, mechanism, measurements, price, groups },
            combined,
            derived_from,
            layout,
            sql,
            epsilon,
            paid,
            accountant,
            delta,
            rows_per_unit,
            researcher,
            purpose,
            at_ms,
        }
    }
}

/// What a list shows of a stored answer; its cells are passed over.
#[derive(Debug, Clone)]
pub struct StoredSummary {
    /// Of the release.
    pub release: ReleaseSummary,
    /// The canonical SQL of the question.
    pub sql: String,
    /// What it cost, as ε.
    pub epsilon: String,
    /// Who asked.
    pub researcher: String,
    /// What for.
    pub purpose: Option<String>,
    /// When, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
}

/// A release without its cells.
#[derive(Debug, Clone)]
pub struct ReleaseSummary {
    /// The random id.
    pub id: String,
    /// What it was computed from.
    pub subject: Subject,
}

/// The stored answers, the latest of them in memory.
#[derive(Default)]
pub(crate) struct StoredAnswers {
    kept: Mutex<AnswerCache>,
}

/// Answers by id, their ids from the oldest on, and their cells in all.
#[derive(Default)]
struct AnswerCache {
    by_id: HashMap<String, Arc<StoredAnswer>>,
    order: VecDeque<String>,
    cells: usize,
}

impl StoredAnswers {
    pub(crate) fn keep(&self, answer: StoredAnswer) -> Arc<StoredAnswer> {
        let (id, answer) = (answer.release.id.clone(), Arc::new(answer));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.by_id.insert(id.clone(), Arc::clone(&answer)).is_none() {
            kept.order.push_back(id);
            kept.cells += cells(&answer);
        }
        while kept.cells > CELLS_KEPT_MAX {
            let Some(gone) = kept.order.pop_front().and_then(|oldest| kept.by_id.remove(&oldest)) else { break };
            kept.cells -= cells(&gone);
        }
        answer
    }

    pub(crate) fn in_memory(&self, id: &str) -> Option<Arc<StoredAnswer>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).by_id.get(id).cloned()
    }

    /// From memory, or from the ledger. Blocks.
    pub(crate) fn get(&self, ledger: &dyn Ledger, id: &str) -> Result<Arc<StoredAnswer>, ServiceError> {
        if let Some(answer) = self.in_memory(id) {
            return Ok(answer);
        }
        let answer = StoredAnswer::decode(&bytes(ledger, id)?).ok_or(LedgerFault::Unreadable)?;
        Ok(self.keep(answer))
    }
}

/// What a list shows of a release. Blocks.
pub(crate) fn summary(ledger: &dyn Ledger, id: &str) -> Result<StoredSummary, ServiceError> {
    let bytes = bytes(ledger, id)?;
    let head = match bytes.split_first() {
        Some((&JSON_BEGINS, _)) => json::head(&bytes),
        Some((&VERSION, rest)) => answer_bytes::read_head(rest),
        Some(_) | None => None,
    };
    let (id, subject, sql, epsilon, researcher, purpose, at_ms) = head.ok_or(LedgerFault::Unreadable)?;
    let release = ReleaseSummary { id, subject };
    Ok(StoredSummary { release, sql, epsilon, researcher, purpose, at_ms })
}

/// The stored bytes, if they are those that the chain has the digest of.
fn bytes(ledger: &dyn Ledger, id: &str) -> Result<Vec<u8>, ServiceError> {
    let digest = read(ledger, |book| book.release(id).and_then(|card| card.digest));
    let bytes = ledger.release(id)?.filter(|bytes| digest == Some(Entry::hash(bytes)));
    bytes.ok_or_else(|| LedgerFault::Unreadable.into())
}

fn cells(answer: &StoredAnswer) -> usize {
    let combined = answer.combined.iter().flatten();
    let sources = answer.layout.sets.iter().flat_map(|sets| &sets.measured).flat_map(|tables| &tables.sources);
    let vectors: usize = answer.release.measurements.iter().chain(combined).map(|one| one.cells.len() + 16).sum();
    vectors + sources.map(IndependentNoise::cells).sum::<usize>()
}
