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
use crate::ledger::answer_bytes::{self, Drawn, Head, JSON_BEGINS, Points, Rest, VERSION, WITHOUT_POINTS};
use crate::query::answer::Layout;
use crate::query::answer::grouping_sets::IndependentNoise;
use crate::service::error::ServiceError;
use crate::service::views::ThresholdView;

pub(crate) use self::question::StoredQuestion;

/// Maximum number of noisy cells kept in memory, over all answers: about 100 MB.
const CELLS_KEPT_MAX: usize = 2_000_000;

/// A stored answer: what was drawn, how it is laid out, and who paid what for it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAnswer {
    /// The release: the noisy vectors that were drawn for this answer.
    pub release: Release,
    /// The points of noise paths that were made for this answer beside what was drawn. Not all of them are shown.
    pub points: Vec<NoisyVector>,
    /// The vectors that the answer shows, one per measurement; `None` if they are those of `release`.
    pub combined: Option<Vec<NoisyVector>>,
    /// Ids of the other releases that the vectors were combined from.
    pub derived_from: Vec<String>,
    /// How the first question laid the vectors out. For several groupings it also holds which draws the tables share.
    pub layout: Layout,
    /// The canonical SQL of the question.
    pub sql: String,
    /// What the first asker paid, as ε: the ε asked for, or the one that the price is worth.
    pub epsilon: String,
    /// What the first asker paid, as an amount of the accountant.
    pub paid: Price,
    /// The dataset's accountant, which converts amounts to ε.
    pub accountant: Accountant,
    /// The δ of the dataset's guarantee; `None` if it is the accountant's.
    pub delta: Option<Delta>,
    /// Number of rows per unit that are counted.
    pub rows_per_unit: u32,
    /// Name of the person who asked first.
    pub researcher: String,
    /// Purpose that the first asker gave, if any.
    pub purpose: Option<String>,
    /// Time of the question, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
}

impl StoredAnswer {
    /// The noisy vectors that the answer shows, one per measurement.
    #[must_use]
    pub fn vectors(&self) -> &[NoisyVector] {
        self.combined.as_deref().unwrap_or(&self.release.measurements)
    }

    /// Completes a question's layout with what only this answer knows: the groups that were found, and the draws its tables share.
    #[must_use]
    pub fn laid(&self, layout: Layout) -> Layout {
        layout.with_sources(Some(&self.layout)).with_groups(&self.release)
    }

    /// The layout for the first asker (`is_own`) or for somebody else. Somebody else paid for all rows, so the first asker's `LIMIT`
    /// and `HAVING` do not apply to them.
    #[must_use]
    pub fn layout_for(&self, is_own: bool) -> Layout {
        if is_own { self.layout.clone() } else { self.layout.of_all_rows() }
    }

    /// The δ of the dataset's guarantee, from `delta` or from the accountant.
    #[must_use]
    pub fn delta(&self) -> Delta {
        self.delta.unwrap_or_else(|| self.accountant.delta())
    }

    /// The noisy threshold that decided which groups are shown; `None` if the list of groups is public.
    #[must_use]
    pub fn threshold(&self) -> Option<ThresholdView> {
        let groups = self.release.groups.as_ref()?;
        ThresholdView::of(&groups.threshold, &self.release.measurements.get(groups.units)?.law)
    }

    /// Converts an amount paid for this answer to ε; an amount equal to `paid` gives the ε as it was recorded.
    #[must_use]
    pub fn epsilon_of(&self, leg: Price) -> String {
        match leg {
            Price::ZERO => "0".to_owned(),
            leg if leg == self.paid => self.epsilon.clone(),
            leg => self.accountant.epsilon_spent(leg).to_string(),
        }
    }

    /// Encodes the answer for the ledger. The fields that lists show come first, so that a list need not decode the cells.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Release { v, id, subject, mechanism, measurements, price, groups } = &self.release;
        let head = (id, subject, &self.sql, &self.epsilon, &self.researcher, &self.purpose, self.at_ms);
        let drawn = (v, mechanism, measurements, price, groups);
        let Self { points, combined, derived_from, layout, paid, accountant, delta, rows_per_unit, .. } = self;
        let rest = (combined, derived_from, layout, paid, accountant, delta, rows_per_unit);
        // Unwrap safety: writing to memory does not fail, and an answer holds no number that is NaN.
        borsh::to_vec(&(VERSION, head, drawn, points, rest)).expect("a stored answer is plain data")
    }

    /// Decodes the bytes of a stored answer of any version; `None` if they are not a stored answer.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&JSON_BEGINS, _) => json::answer(bytes),
            (&WITHOUT_POINTS, rest) => answer_bytes::read_without_points(rest),
            (&VERSION, rest) => answer_bytes::read(rest),
            _ => None,
        }
        .map(Self::from_parts)
    }

    fn from_parts((head, drawn, points, rest): (Head, Drawn, Points, Rest)) -> Self {
        let (id, subject, sql, epsilon, researcher, purpose, at_ms) = head;
        let (v, mechanism, measurements, price, groups) = drawn;
        let (combined, derived_from, layout, paid, accountant, delta, rows_per_unit) = rest;
        Self {
            release: Release { v, id, subject, mechanism, measurements, price, groups },
            points,
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

/// The part of a stored answer that lists show; its cells are not decoded.
#[derive(Debug, Clone)]
pub struct StoredSummary {
    /// Id and subject of the release.
    pub release: ReleaseSummary,
    /// The canonical SQL of the question.
    pub sql: String,
    /// What the first asker paid, as ε.
    pub epsilon: String,
    /// Name of the person who asked.
    pub researcher: String,
    /// Purpose that the asker gave, if any.
    pub purpose: Option<String>,
    /// Time of the question, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
}

/// A release without its cells.
#[derive(Debug, Clone)]
pub struct ReleaseSummary {
    /// The random id of the release.
    pub id: String,
    /// The dataset and edition that it was computed from.
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
        Some((&(VERSION | WITHOUT_POINTS), rest)) => answer_bytes::read_head(rest),
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
    let answers = answer.layout.answers();
    let sets = answers.iter().filter_map(|one| one.layout.sets.as_ref());
    let sources = sets.flat_map(|sets| &sets.measured).flat_map(|tables| &tables.sources);
    let vectors: usize =
        answer.release.measurements.iter().chain(&answer.points).chain(combined).map(|one| one.cells.len() + 16).sum();
    vectors + sources.map(IndependentNoise::cells).sum::<usize>()
}
