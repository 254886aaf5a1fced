//! Repricing: every charge of a ledger checked against the plan it was made for.
//!
//! Promises to find a charge whose measurements, sensitivities or prices are not those of its question under the terms of its
//! edition, and a stored answer that is not the one of its charge. Plans are made anew from the ledger alone: the terms of every
//! edition stand in it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::stored::{Outline, OutlineDraw};
use crate::budget::entry::{Act, Charged, Digest, Entry};
use crate::dataset::edition::of_table;
use crate::dataset::policy::Terms;
use crate::privacy::certificate::{Certified, Sought};
use crate::privacy::mechanism::Mechanism;
use crate::privacy::units::Delta;
use crate::query::parse::parse;
use crate::query::plan::replan;
use crate::store::Repricer;

/// Plans kept by the digest of their question at the most.
const PLANS_KEPT_MAX: usize = 100_000;

/// A question's view, and its measurements with their digests.
#[derive(Debug, Clone)]
struct Planned {
    view: Digest,
    mechanism: Mechanism,
    measures: Vec<(Digest, Sought)>,
    threshold_delta: Delta,
}

/// Plans every charge anew.
#[derive(Default)]
pub struct Replanner {
    editions: HashMap<String, (String, Terms)>,
    planned: RwLock<Known>,
}

type PlansByRows = Vec<(u32, Arc<Planned>)>;

/// Plans by edition, then by SQL, then by rows per unit: looked up without a copy.
#[derive(Default)]
struct Known {
    by_edition: HashMap<String, HashMap<String, PlansByRows>>,
    count: usize,
}

impl Known {
    fn get(&self, charged: &Charged) -> Option<Arc<Planned>> {
        let plans = self.by_edition.get(&charged.edition)?.get(&charged.sql)?;
        let found = plans.iter().find(|(rows, _)| *rows == charged.rows_per_unit);
        found.map(|(_, planned)| Arc::clone(planned))
    }

    fn keep(&mut self, charged: &Charged, planned: &Arc<Planned>) {
        if self.count >= PLANS_KEPT_MAX {
            *self = Self::default();
        }
        self.count += 1;
        let of_edition = self.by_edition.entry(charged.edition.clone()).or_default();
        of_edition.entry(charged.sql.clone()).or_default().push((charged.rows_per_unit, Arc::clone(planned)));
    }
}

impl Replanner {
    fn planned(&self, charged: &Charged) -> Result<Arc<Planned>, &'static str> {
        if let Some(known) = self.planned.read().unwrap_or_else(PoisonError::into_inner).get(charged) {
            return Ok(known);
        }
        let (dataset, terms) = self.editions.get(&charged.edition).ok_or("its edition was never sealed")?;
        if *dataset != charged.dataset {
            return Err("its edition is another dataset's");
        }
        let query = parse(&charged.sql).map_err(|_| "its SQL cannot be read")?;
        let plan = replan(&query, terms, charged.rows_per_unit).map_err(|_| "its SQL cannot be planned")?;
        let views = plan.computation.views(dataset, &charged.edition);
        let measures = views.into_iter().zip(plan.sought.iter().copied()).collect();
        let mechanism = terms.accountant.mechanism();
        let threshold_delta = plan.hiding.map_or(Delta::ZERO, |hiding| hiding.threshold.delta);
        let view = plan.view(&charged.edition);
        let planned = Arc::new(Planned { view, mechanism, measures, threshold_delta });
        self.planned.write().unwrap_or_else(PoisonError::into_inner).keep(charged, &planned);
        Ok(planned)
    }

    fn check_charge(&self, charged: &Charged) -> Result<(), &'static str> {
        let planned = self.planned(charged)?;
        if planned.view != charged.view {
            return Err("its question is not the one of its plan");
        }
        if charged.worth.len() != planned.measures.len() {
            return Err("it does not say what each measurement is worth");
        }
        if charged.uses.is_empty() && charged.drawn.len() != planned.measures.len() {
            return Err("it draws less than its plan measures");
        }
        let taken = if charged.drawn.is_empty() { Delta::ZERO } else { planned.threshold_delta };
        if charged.threshold_delta != taken {
            return Err("its threshold is not the one of its plan");
        }
        if taken > Delta::ZERO && (!charged.uses.is_empty() || charged.drawn.len() != planned.measures.len()) {
            return Err("it is made of parts, and has a threshold");
        }
        for drawn in &charged.drawn {
            let sought = planned.measures.iter().find(|(view, _)| *view == drawn.view).map(|(_, sought)| sought);
            let sought = sought.ok_or("it draws a measurement that its plan does not have")?;
            if drawn.certified.sensitivity != sought.sensitivity || drawn.certified.cells != sought.cells {
                return Err("its sensitivity is not the one of its plan");
            }
            if drawn.certified.law.mechanism != planned.mechanism {
                return Err("its noise is of another family than its dataset's");
            }
            if !drawn.certified.holds() {
                return Err("its price does not cover its noise");
            }
        }
        Ok(())
    }
}

impl Repricer for Replanner {
    fn learn(&mut self, entry: &Entry) {
        if let Act::EditionSealed { dataset, edition, terms, .. } = &entry.act
            && let Ok(terms) = serde_json::from_str::<Terms>(terms)
        {
            for join in &terms.joins {
                let own = (dataset.clone(), terms.of_table(join));
                self.editions.insert(of_table(edition, &join.name), own);
            }
            self.editions.insert(edition.clone(), (dataset.clone(), terms));
        }
    }

    fn check(&self, entry: &Entry) -> Result<(), &'static str> {
        if let Act::Charged(charged) = &entry.act {
            return self.check_charge(charged);
        }
        if let Act::EditionSealed { edition, .. } = &entry.act
            && !self.editions.contains_key(edition)
        {
            return Err("its terms cannot be read");
        }
        Ok(())
    }

    fn check_release(&self, id: &str, drawn: &[Certified], body: &[u8]) -> Result<(), &'static str> {
        let stored = Outline::of(body).ok_or("cannot be read")?;
        let vectors = &stored.draws;
        let fits = |cells: usize, one: &Certified| match stored.groups {
            None => cells as u64 == one.cells,
            // A total over all groups is one cell.
            Some(groups) => (cells == groups && cells as u64 <= one.cells) || (cells == 1 && one.cells == 1),
        };
        let is_drawn = |(vector, one): (&OutlineDraw, &Certified)| {
            vector.law == one.law && vector.price == one.price && fits(vector.cells, one)
        };
        if stored.id != id {
            return Err("is another one");
        }
        if vectors.len() != drawn.len() || !vectors.iter().zip(drawn).all(is_drawn) {
            return Err("does not hold what its charge paid for");
        }
        Ok(())
    }
}
