//! Repricing: every charge of a ledger checked against the plan it was made for.
//!
//! Promises to find a charge whose measurements, sensitivities or prices are not those of its question under the terms of its
//! edition, and a stored answer that is not the one of its charge. Plans are made anew from the ledger alone: the terms of every
//! edition stand in it.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use super::stored::StoredAnswer;
use crate::budget::entry::{Act, Charged, Digest, Entry};
use crate::dataset::policy::Terms;
use crate::privacy::certificate::Sought;
use crate::query::parse::parse;
use crate::query::plan::{Plan, plan};
use crate::store::Repricer;

/// Plans kept by the digest of their question at the most.
const PLANS_KEPT_MAX: usize = 100_000;

/// A question's view, and its measurements with their digests.
#[derive(Debug, Clone)]
struct Planned {
    view: Digest,
    measures: Vec<(Digest, Sought)>,
}

/// Plans every charge anew.
#[derive(Default)]
pub struct Replanner {
    editions: HashMap<String, (String, Terms)>,
    planned: RwLock<HashMap<(String, String, u32), std::sync::Arc<Planned>>>,
}

impl Replanner {
    fn planned(&self, charged: &Charged) -> Result<std::sync::Arc<Planned>, &'static str> {
        let key = (charged.edition.clone(), charged.sql.clone(), charged.rows_per_unit);
        if let Some(known) = self.planned.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(std::sync::Arc::clone(known));
        }
        let (dataset, terms) = self.editions.get(&charged.edition).ok_or("its edition was never sealed")?;
        if *dataset != charged.dataset {
            return Err("its edition is another dataset's");
        }
        let query = parse(&charged.sql).map_err(|_| "its SQL cannot be read")?;
        let plan: Plan = plan(&query, terms, Some(charged.rows_per_unit)).map_err(|_| "its SQL cannot be planned")?;
        let view_of = |measure| plan.computation.view_of(measure, dataset, &charged.edition);
        let measures = plan.computation.measures.iter().zip(&plan.sought);
        let measures = measures.map(|(measure, sought)| (view_of(*measure), *sought)).collect();
        let planned = std::sync::Arc::new(Planned { view: plan.view(&charged.edition), measures });
        let mut kept = self.planned.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= PLANS_KEPT_MAX {
            kept.clear();
        }
        kept.insert(key, std::sync::Arc::clone(&planned));
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
        for drawn in &charged.drawn {
            let sought = planned.measures.iter().find(|(view, _)| *view == drawn.view).map(|(_, sought)| sought);
            let sought = sought.ok_or("it draws a measurement that its plan does not have")?;
            if drawn.certified.sensitivity != sought.sensitivity || drawn.certified.cells != sought.cells {
                return Err("its sensitivity is not the one of its plan");
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
            && let Ok(terms) = serde_json::from_str(terms)
        {
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

    fn check_release(&self, id: &str, body: &[u8]) -> Result<(), &'static str> {
        let stored: StoredAnswer = serde_json::from_slice(body).map_err(|_| "cannot be read")?;
        if stored.release.id == id { Ok(()) } else { Err("is another one") }
    }
}
