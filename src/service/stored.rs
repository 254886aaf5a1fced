//! Stored answers: the release with what is needed to lay it out again.
//!
//! Promises that what was paid for stays readable. An answer is written as one byte for the version and Borsh after it, in an order that
//! [`StoredAnswer::encode`] spells; codes of variants stand beside them in the types. The first version was JSON, which begins with a brace;
//! [`json`] reads it.

mod json;
mod question;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use borsh::BorshDeserialize;

pub(super) use self::question::StoredQuestion;

use super::ServiceError;
use super::compose::Composed;
use super::quote::{ThresholdView, priced_epsilon};
use super::walk::Asked;
use crate::budget::entry::Entry;
use crate::budget::ledger::{Ledger, LedgerFault, read};
use crate::privacy::accountant::Accountant;
use crate::privacy::certificate::Subject;
use crate::privacy::mechanism::{Mechanism, NoiseLaw};
use crate::privacy::units::{Delta, Price};
use crate::query::answer::Layout;
use crate::query::tables::Source;
use crate::vault::release::{Groups, Noisy, Release};

/// Noisy cells kept in memory at the most, over all answers: about 100 MB.
const CELLS_KEPT_MAX: usize = 2_000_000;

/// The version of the bytes of a stored answer. The first one begins with a brace.
const VERSION: u8 = 2;
const JSON_BEGINS: u8 = b'{';

/// One stored answer.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAnswer {
    /// What was drawn for it.
    pub release: Release,
    /// What it shows, one vector a measurement; nothing where that is what was drawn.
    pub combined: Option<Vec<Noisy>>,
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
    pub(super) fn new(
        release: Release,
        Composed { vectors, derived_from, sets }: Composed,
        paid: Price,
        asked: &Asked,
    ) -> Self {
        let priced = &asked.priced;
        let layout = Layout { sets, ..priced.plan.layout.clone() }.with_groups(&release);
        Self {
            combined: (!derived_from.is_empty()).then_some(vectors),
            derived_from,
            layout,
            sql: priced.sql.clone(),
            epsilon: priced_epsilon(priced, &asked.ask, paid),
            paid,
            accountant: priced.dataset.terms.accountant,
            delta: priced.dataset.terms.threshold.map(|_| priced.dataset.terms.delta()),
            rows_per_unit: priced.plan.computation.rows_per_unit,
            researcher: asked.who.clone(),
            purpose: asked.ask.purpose.clone(),
            at_ms: asked.at_ms,
            release,
        }
    }

    /// What it shows, one vector a measurement.
    #[must_use]
    pub fn vectors(&self) -> &[Noisy] {
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
        // Unwrap safety: writing to memory does not fail, and an answer holds no number that is none.
        borsh::to_vec(&(VERSION, head, drawn, rest)).expect("a stored answer is plain data")
    }

    /// Reads the bytes of the store, of whatever version; `None` where they are no answer.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&JSON_BEGINS, _) => json::answer(bytes),
            (&VERSION, rest) => Self::read(rest),
            _ => None,
        }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (summary, drawn, rest) = borsh::from_slice::<(Summary, Drawn, Rest)>(bytes).ok()?;
        let Summary { release: ReleaseSummary { id, subject }, sql, epsilon, researcher, purpose, at_ms } = summary;
        let (v, mechanism, measurements, price, groups) = drawn;
        let (combined, derived_from, layout, paid, accountant, delta, rows_per_unit) = rest;
        let release = Release { v, id, subject, mechanism, measurements, price, groups };
        Some(Self {
            release,
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
        })
    }
}

/// What was drawn, in the order of [`StoredAnswer::encode`].
type Drawn = (u32, Mechanism, Vec<Noisy>, Price, Option<Groups>);

/// What stands behind it.
type Rest = (Option<Vec<Noisy>>, Vec<String>, Layout, Price, Accountant, Option<Delta>, u32);

/// What a charge is held against of the answer that it paid for; the digest in the chain binds all of it.
pub(super) struct Outline {
    pub(super) id: String,
    pub(super) draws: Vec<OutlineDraw>,
    /// Groups that are shown, where their list is not public.
    pub(super) groups: Option<usize>,
}

/// A drawn vector without its cells.
pub(super) struct OutlineDraw {
    pub(super) law: NoiseLaw,
    pub(super) price: Price,
    pub(super) cells: usize,
}

impl Outline {
    /// Of the bytes of the store; `None` where they are no answer.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.first() == Some(&JSON_BEGINS) {
            return json::outline(bytes);
        }
        let Release { id, measurements, groups, .. } = StoredAnswer::decode(bytes)?.release;
        let draw = |Noisy { law, price, cells }: Noisy| OutlineDraw { law, price, cells: cells.len() };
        let draws = measurements.into_iter().map(draw).collect();
        Some(Self { id, draws, groups: groups.map(|groups| groups.labels.len()) })
    }
}

/// What a list shows of a stored answer; its cells are passed over. Its fields are in the order of [`StoredAnswer::encode`].
#[derive(Debug, Clone, BorshDeserialize)]
pub struct Summary {
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
#[derive(Debug, Clone, BorshDeserialize)]
pub struct ReleaseSummary {
    /// The random id.
    pub id: String,
    /// What it was computed from.
    pub subject: Subject,
}

/// The stored answers, the latest of them in memory.
#[derive(Default)]
pub(super) struct StoredAnswers {
    kept: Mutex<Kept>,
}

/// Answers by id, their ids from the oldest on, and their cells in all.
#[derive(Default)]
struct Kept {
    by_id: HashMap<String, Arc<StoredAnswer>>,
    order: VecDeque<String>,
    cells: usize,
}

impl StoredAnswers {
    pub(super) fn keep(&self, answer: StoredAnswer) -> Arc<StoredAnswer> {
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

    pub(super) fn in_memory(&self, id: &str) -> Option<Arc<StoredAnswer>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).by_id.get(id).cloned()
    }

    /// From memory, or from the ledger. Blocks.
    pub(super) fn get(&self, ledger: &dyn Ledger, id: &str) -> Result<Arc<StoredAnswer>, ServiceError> {
        if let Some(answer) = self.in_memory(id) {
            return Ok(answer);
        }
        let answer = StoredAnswer::decode(&bytes(ledger, id)?).ok_or(LedgerFault::Unreadable)?;
        Ok(self.keep(answer))
    }
}

/// What a list shows of a release. Blocks.
pub(super) fn summary(ledger: &dyn Ledger, id: &str) -> Result<Summary, ServiceError> {
    let bytes = bytes(ledger, id)?;
    let summary = match bytes.split_first() {
        Some((&JSON_BEGINS, _)) => json::summary(&bytes),
        Some((&VERSION, mut rest)) => Summary::deserialize(&mut rest).ok(),
        Some(_) | None => None,
    };
    Ok(summary.ok_or(LedgerFault::Unreadable)?)
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
    vectors + sources.map(Source::cells).sum::<usize>()
}
