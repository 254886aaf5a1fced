//! Repricing: checks every charge of a ledger against the plan it was made for.
//!
//! It finds each charge whose measurements, sensitivities or prices differ from those of its question under the terms of its
//! edition, and each stored answer that does not match its charge. Plans are made anew from the ledger alone, which holds the
//! terms of every edition.

mod plans;
mod worth;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::answer_bytes::{Outline, OutlineDraw};
use crate::kernel::budget::entry::{Act, Charge, Digest, Entry, NewDraw, PathCharge};
use crate::kernel::budget::steps::{PointOrigin, levels_given};
use crate::kernel::path::PathGap;
use crate::kernel::privacy::amounts::{Delta, Price};
use crate::kernel::privacy::certificate::{CertifiedMeasurement, MeasurementSpec};
use crate::kernel::privacy::mechanism::Mechanism;
use crate::ledger::fault::{AnswerFault, EntryFault};
use crate::ledger::{MadeOf, Repricer};

/// Largest number of plans kept in memory.
const PLANS_KEPT_MAX: usize = 100_000;

/// The plan of a question: its view, and its measurements with their digests.
#[derive(Debug, Clone)]
struct Planned {
    view: Digest,
    mechanism: Mechanism,
    measures: Vec<(Digest, MeasurementSpec)>,
    threshold_delta: Delta,
}

/// Plans every charge of a ledger anew and compares.
#[derive(Default)]
pub struct Replanner {
    plans: plans::ChargedPlans,
    planned: RwLock<KnownBalance>,
    worths: worth::PointWorths,
}

type PlansByRows = Vec<(u32, Arc<Planned>)>;

/// Plans by edition, then by SQL, then by rows per unit, so that a lookup copies nothing.
#[derive(Default)]
struct KnownBalance {
    by_edition: HashMap<String, HashMap<String, PlansByRows>>,
    count: usize,
}

impl KnownBalance {
    fn get(&self, charged: &Charge) -> Option<Arc<Planned>> {
        let plans = self.by_edition.get(&charged.edition)?.get(&charged.sql)?;
        // A text may have been planned in several ways over the years.
        let is_it =
            |(rows, planned): &&(u32, Arc<Planned>)| *rows == charged.rows_per_unit && planned.view == charged.view;
        let found = plans.iter().find(is_it);
        found.map(|(_, planned)| Arc::clone(planned))
    }

    fn keep(&mut self, charged: &Charge, planned: &Arc<Planned>) {
        if self.count >= PLANS_KEPT_MAX {
            *self = Self::default();
        }
        self.count += 1;
        let of_edition = self.by_edition.entry(charged.edition.clone()).or_default();
        of_edition.entry(charged.sql.clone()).or_default().push((charged.rows_per_unit, Arc::clone(planned)));
    }
}

impl Replanner {
    fn planned(&self, charged: &Charge) -> Result<Arc<Planned>, EntryFault> {
        if let Some(known) = self.planned.read().unwrap_or_else(PoisonError::into_inner).get(charged) {
            return Ok(known);
        }
        let (plan, dataset, terms) = self.plans.plan(charged)?;
        let views = plan.views(dataset, &charged.edition);
        let measures = views.into_iter().zip(plan.sought.iter().copied()).collect();
        let mechanism = terms.accountant.mechanism();
        let threshold_delta = plan.hiding.map_or(Delta::ZERO, |hiding| hiding.threshold.delta);
        let view = plan.view(&charged.edition);
        let planned = Arc::new(Planned { view, mechanism, measures, threshold_delta });
        self.planned.write().unwrap_or_else(PoisonError::into_inner).keep(charged, &planned);
        Ok(planned)
    }

    fn check_charge(&self, charged: &Charge) -> Result<(), EntryFault> {
        let planned = self.planned(charged)?;
        if planned.view != charged.view {
            return Err(EntryFault::OtherQuestion);
        }
        if charged.worth.len() != planned.measures.len() {
            return Err(EntryFault::UnknownWorth);
        }
        if charged.uses.is_empty() && charged.drawn.len() != planned.measures.len() {
            return Err(EntryFault::DrawsTooLittle);
        }
        // What is drawn afresh for each measurement is worth what it costs; otherwise a coarse answer could pass for an exact one.
        let is_worth = |(worth, draw): (&Price, &NewDraw)| *worth == draw.certified.price;
        if charged.uses.is_empty() && !charged.worth.iter().zip(&charged.drawn).all(is_worth) {
            return Err(EntryFault::OtherWorth);
        }
        Self::check_threshold(charged, &planned)?;
        Self::check_draws(charged, &planned)
    }

    /// Checks the charge of an answer that is made of points of noise paths: every new point is of one of its measurements, and the noise
    /// between two points is what their levels ask for.
    fn check_path_charge(&self, PathCharge { charge: charged, steps }: &PathCharge) -> Result<(), EntryFault> {
        let planned = self.planned(charged)?;
        if planned.view != charged.view {
            return Err(EntryFault::OtherQuestion);
        }
        if charged.worth.len() != planned.measures.len() {
            return Err(EntryFault::UnknownWorth);
        }
        if planned.threshold_delta > Delta::ZERO || charged.threshold_delta > Delta::ZERO {
            return Err(EntryFault::ComposedThreshold);
        }
        if planned.mechanism != Mechanism::DiscreteGaussian {
            return Err(EntryFault::OtherMechanism);
        }
        for step in steps.iter().filter(|step| step.is_new()) {
            let sought = planned.measures.iter().find(|(view, _)| *view == step.view).map(|(_, sought)| sought);
            let sought = sought.ok_or(EntryFault::UnknownMeasurement)?;
            if step.cells != sought.cells {
                return Err(EntryFault::OtherSensitivity);
            }
            if let PointOrigin::Between { finer, coarser, noise } = &step.origin {
                let gap = PathGap { level: step.level, finer: *finer, coarser: *coarser };
                if gap.noise(sought.sensitivity) != Some(*noise) {
                    return Err(EntryFault::OtherNoise);
                }
            }
        }
        Self::check_draws(charged, &planned)
    }

    /// Whether each measurement of an answer is a point of its own path, and worth the level of that.
    fn is_on_own_paths(&self, PathCharge { charge, steps }: &PathCharge) -> bool {
        let given: HashMap<Digest, Price> = levels_given(steps).into_iter().collect();
        let is_own = |((view, _), worth): (&(Digest, MeasurementSpec), &Price)| given.get(view) == Some(worth);
        self.planned(charge).is_ok_and(|planned| planned.measures.iter().zip(&charge.worth).all(is_own))
    }

    fn check_threshold(charged: &Charge, planned: &Planned) -> Result<(), EntryFault> {
        let taken = if charged.drawn.is_empty() { Delta::ZERO } else { planned.threshold_delta };
        if charged.threshold_delta != taken {
            return Err(EntryFault::OtherThreshold);
        }
        if taken > Delta::ZERO && (!charged.uses.is_empty() || charged.drawn.len() != planned.measures.len()) {
            return Err(EntryFault::ComposedThreshold);
        }
        Ok(())
    }

    fn check_draws(charged: &Charge, planned: &Planned) -> Result<(), EntryFault> {
        for drawn in &charged.drawn {
            let sought = planned.measures.iter().find(|(view, _)| *view == drawn.view).map(|(_, sought)| sought);
            let sought = sought.ok_or(EntryFault::UnknownMeasurement)?;
            if drawn.certified.sensitivity != sought.sensitivity || drawn.certified.cells != sought.cells {
                return Err(EntryFault::OtherSensitivity);
            }
            if drawn.certified.law.mechanism != planned.mechanism {
                return Err(EntryFault::OtherMechanism);
            }
            if !drawn.certified.holds() {
                return Err(EntryFault::Underpriced);
            }
        }
        Ok(())
    }
}

impl Repricer for Replanner {
    fn learn(&mut self, entry: &Entry) {
        self.plans.learn(entry);
    }

    fn check(&self, entry: &Entry) -> Result<(), EntryFault> {
        if let Act::Charged(charged) = &entry.act {
            return self.check_charge(charged);
        }
        if let Act::ChargedByPath(charged) = &entry.act {
            return self.check_path_charge(charged);
        }
        if let Act::EditionSealed { edition, .. } = &entry.act
            && !self.plans.has(edition)
        {
            return Err(EntryFault::UnreadableTerms);
        }
        Ok(())
    }

    fn follows(&self, entry: &Entry) -> bool {
        let Act::ChargedByPath(by_path) = &entry.act else { return false };
        let is_derived = by_path.steps.iter().any(|step| matches!(step.origin, PointOrigin::Derived { .. }));
        is_derived || !by_path.charge.uses.is_empty() || !self.is_on_own_paths(by_path)
    }

    fn check_worth(&self, entry: &Entry, made_of: &MadeOf) -> Result<(), EntryFault> {
        let Act::ChargedByPath(by_path) = &entry.act else { return Ok(()) };
        self.worths.check(&self.plans, by_path, made_of)
    }

    fn check_release(
        &self,
        id: &str,
        drawn: &[CertifiedMeasurement],
        points: u32,
        body: &[u8],
    ) -> Result<(), AnswerFault> {
        let stored = Outline::of(body).ok_or(AnswerFault::Unreadable)?;
        let vectors = &stored.draws;
        let fits = |cells: usize, one: &CertifiedMeasurement| match stored.groups {
            None => cells as u64 == one.cells,
            // A total over all groups has one cell.
            Some(groups) => (cells == groups && cells as u64 <= one.cells) || (cells == 1 && one.cells == 1),
        };
        let is_drawn = |(vector, one): (&OutlineDraw, &CertifiedMeasurement)| {
            vector.law == one.law && vector.price == one.price && fits(vector.cells, one)
        };
        if stored.id != id {
            return Err(AnswerFault::OtherId);
        }
        if stored.points as u64 != u64::from(points) {
            return Err(AnswerFault::OtherPoints);
        }
        if vectors.len() != drawn.len() || !vectors.iter().zip(drawn).all(is_drawn) {
            return Err(AnswerFault::OtherDraws);
        }
        Ok(())
    }
}
