//! The index of derivations: which stored measurements a new one can be derived from.
//!
//! Everything it finds is a derivation by [`crate::query::derive`]. It holds plans and no values, and it is rebuilt from the
//! ledger's questions when a service starts.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use crate::kernel::budget::entry::Digest;
use crate::kernel::budget::state::LedgerState;
use crate::query::computation::{Computation, Measure};
use crate::query::derive::{Derivation, derive, split};
use crate::query::filter::Filter;
use crate::query::parse;
use crate::query::plan::{Plan, replan};
use crate::query::term::Term;
use crate::query::term::context::TermContext;
use crate::query::terms::policy::Terms;
use crate::service::dataset::Dataset;

/// Largest number of stored measurements considered for one new measurement.
const SOURCES_MAX: usize = 64;
/// Largest number of cells considered for one question.
pub(crate) const CELLS_MAX: u64 = 400_000;

/// Key of measurements that may be sums of each other's cells: those of the same edition, rows per unit and measure.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct MeasurementFamily {
    dataset: String,
    edition: String,
    rows_per_unit: u32,
    measure: Measure,
}

/// A stored measurement, with the plan that it belongs to.
struct IndexedMeasurement {
    view: Digest,
    computation: Computation,
}

/// Sources by the columns of their keys, then by the conjuncts of their filter that do not concern keys.
type ByKeys = HashMap<Vec<Term>, HashMap<Vec<Filter>, Vec<Arc<IndexedMeasurement>>>>;

/// A stored measurement that a new one can be derived from.
#[derive(Debug, Clone)]
pub(crate) struct Ancestor {
    /// Digest that identifies the stored measurement.
    pub(crate) view: Digest,
    /// How the new measurement's cells are summed from the stored ones.
    pub(crate) derivation: Arc<Derivation>,
}

#[derive(Default)]
struct IndexTables {
    known: HashSet<Digest>,
    families: HashMap<MeasurementFamily, ByKeys>,
}

/// The index of derivations of one service.
#[derive(Default)]
pub(crate) struct DerivationIndex {
    tables: RwLock<IndexTables>,
}

impl DerivationIndex {
    /// Plans the ledger's questions of the served editions anew from their SQL, and indexes them.
    pub(crate) fn fill<'a>(&self, book: &LedgerState, datasets: impl Iterator<Item = &'a Dataset> + Clone) {
        let mut questions: Vec<_> = book.questions().collect();
        questions.sort_unstable_by_key(|(view, _)| **view);
        for (view, question) in questions {
            let dataset = datasets.clone().find(|dataset| dataset.edition == question.edition);
            let Some(dataset) = dataset.filter(|_| question.sql.contains("GROUP BY")) else { continue };
            let is_it = |plan: &Plan| plan.view(&dataset.edition) == *view;
            let planned = parse::parse(&question.sql)
                .and_then(|query| replan(&query.about(&dataset.name), &dataset.terms, question.rows_per_unit, is_it));
            match planned {
                Ok(plan) if plan.view(&dataset.edition) == *view => {
                    plan.parts().for_each(|part| self.add(part, &dataset.lineage, &dataset.edition));
                }
                Ok(_) | Err(_) => tracing::warn!(
                    "the plan of a stored question has changed; nothing will be derived from its answers"
                ),
            }
        }
    }

    /// Adds the measurements of a computation for which something is stored. A computation without keys is skipped, because
    /// nothing can be derived from it.
    pub(crate) fn add(&self, computation: &Computation, dataset: &str, edition: &str) {
        if computation.keys.is_empty() {
            return;
        }
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        for (measure, view) in computation.measures.iter().zip(computation.views(dataset, edition)) {
            if !tables.known.insert(view) {
                continue;
            }
            let computation = computation.alone(measure);
            let columns = key_columns(&computation);
            let (_, rest) = split(computation.filter.as_ref(), &columns);
            let of_keys = tables.families.entry(family(&computation, dataset, edition)).or_default();
            let of_rest = of_keys.entry(columns).or_default();
            of_rest.entry(rest).or_default().push(Arc::new(IndexedMeasurement { view, computation }));
        }
    }

    /// The stored measurements whose cells add up to the given measurement of `target`, apart from that measurement itself.
    /// `cells` is what is left of the question's [`CELLS_MAX`].
    pub(crate) fn ancestors(
        &self,
        target: &Computation,
        (measure, own): (&Measure, Digest),
        (dataset, edition): (&str, &str),
        terms: &Terms,
        cells_left: &mut u64,
    ) -> Vec<Ancestor> {
        let target = &target.alone(measure);
        let measure = &target.measures[0];
        let candidates = self.candidates(target, dataset, edition);
        if candidates.is_empty() {
            return Vec::new();
        }
        let seen = target.seen(terms);
        let known = TermContext::of(&seen);
        let mut found = Vec::new();
        for source in candidates.into_iter().filter(|source| source.view != own) {
            let Some(left) = cells_left.checked_sub(source.computation.groups()) else { break };
            *cells_left = left;
            if found.len() >= SOURCES_MAX {
                break;
            }
            let derivation = derive(target, &source.computation, measure, &known);
            found.extend(derivation.map(|derivation| Ancestor { view: source.view, derivation: Arc::new(derivation) }));
        }
        found
    }

    /// Sources that have all of the target's keys and the same conjuncts on other columns.
    fn candidates(&self, target: &Computation, dataset: &str, edition: &str) -> Vec<Arc<IndexedMeasurement>> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        let Some(of_keys) = tables.families.get(&family(target, dataset, edition)) else {
            return Vec::new();
        };
        let wanted = key_columns(target);
        let mut columns: Vec<_> =
            of_keys.iter().filter(|(columns, _)| wanted.iter().all(|column| columns.contains(column))).collect();
        // Sort: the result must not depend on `HashMap` iteration order.
        columns.sort_by_key(|(columns, _)| (columns.len(), (*columns).clone()));
        let of_rest = columns.into_iter().filter_map(|(columns, of_rest)| {
            let (_, rest) = split(target.filter.as_ref(), columns);
            of_rest.get(&rest)
        });
        let mut found: Vec<_> = of_rest.flatten().cloned().collect();
        // Fewer cells first: they need fewer additions and carry less noise.
        found.sort_by_key(|source| source.computation.groups());
        found
    }
}

fn key_columns(computation: &Computation) -> Vec<Term> {
    computation.keys.iter().map(|key| key.column.clone()).collect()
}

/// The family of a computation that has exactly one measurement.
fn family(computation: &Computation, dataset: &str, edition: &str) -> MeasurementFamily {
    let measure = &computation.measures[0];
    let (dataset, edition) = (dataset.to_owned(), edition.to_owned());
    MeasurementFamily { dataset, edition, rows_per_unit: computation.rows_per_unit, measure: measure.clone() }
}
