//! What answers along noise paths are worth: recomputed from the points that they are made of.
//!
//! Finds every point that is derived from other views' points at another worth than theirs, every measurement of a plan that no point of the
//! answer covers, and every measurement that is said to be more exact than what covers it. Which points an answer adds up is not written down, so
//! that a measurement may be worth as much as all that cover it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::plans::ChargedPlans;
use crate::kernel::budget::entry::{Charge, Digest, PathCharge};
use crate::kernel::budget::steps::{PointOrigin, levels_given};
use crate::kernel::path::worth_of;
use crate::kernel::privacy::amounts::Price;
use crate::kernel::privacy::certificate::MeasurementSpec;
use crate::ledger::MadeOf;
use crate::ledger::fault::EntryFault;
use crate::query::computation::Computation;
use crate::query::derive::{Derivation, derive};
use crate::query::term::context::TermContext;
use crate::query::terms::policy::Terms;

/// Largest number of measurements kept in memory.
const MEASURED_KEPT_MAX: usize = 10_000;

/// A measurement of a question that was charged for.
struct Measured {
    view: Digest,
    edition: String,
    computation: Computation,
    sought: MeasurementSpec,
}

/// The measurements that other ones were derived from, by view.
#[derive(Default)]
pub(super) struct PointWorths {
    drawn: RwLock<HashMap<Digest, Arc<Measured>>>,
}

impl PointWorths {
    /// Recomputes what the derived points of an answer are worth, and what its measurements are worth at most.
    pub(super) fn check(
        &self,
        plans: &ChargedPlans,
        PathCharge { charge, steps }: &PathCharge,
        made_of: &MadeOf,
    ) -> Result<(), EntryFault> {
        let (measured, terms) = measured(plans, charge)?;
        for step in steps {
            let PointOrigin::Derived { sources, .. } = &step.origin else { continue };
            let target = measured.iter().find(|one| one.view == step.view).ok_or(EntryFault::UnknownMeasurement)?;
            for source in sources {
                let worth =
                    self.worth(target, (&source.view, source.level), (plans, made_of, terms), |found| found.is_even);
                if worth? != Some(source.worth) {
                    return Err(EntryFault::OtherWorth);
                }
            }
        }
        let mut points = levels_given(steps);
        points.extend(made_of.draws.iter().copied());
        for (target, said) in measured.iter().zip(&charge.worth) {
            let own = points.iter().filter(|(view, _)| *view == target.view).map(|(_, level)| *level);
            let (mut most, least) = (own.clone().fold(Price::ZERO, Price::saturating_add), own.max());
            for (view, level) in points.iter().filter(|(view, _)| *view != target.view) {
                if *said > most {
                    let worth = self.worth(target, (view, *level), (plans, made_of, terms), |_| true)?;
                    most = most.saturating_add(worth.unwrap_or_default());
                }
            }
            if *said == Price::ZERO || *said > most || *said < least.unwrap_or_default() {
                return Err(EntryFault::OtherWorth);
            }
        }
        Ok(())
    }

    /// What a point of another view is worth for a measurement; `None` if the measurement does not follow from that view.
    fn worth(
        &self,
        target: &Measured,
        (view, level): (&Digest, Price),
        (plans, made_of, terms): (&ChargedPlans, &MadeOf, &Terms),
        is_allowed: impl Fn(&Derivation) -> bool,
    ) -> Result<Option<Price>, EntryFault> {
        let Some(charge) = made_of.charges.get(view) else { return Ok(None) };
        let source = self.source(plans, charge, view)?;
        let measure = &target.computation.measures[0];
        if source.edition != target.edition || source.computation.measures[0] != *measure {
            return Ok(None);
        }
        let seen = target.computation.seen(terms);
        let derived = derive(&target.computation, &source.computation, measure, &TermContext::of(&seen));
        let squares = (target.sought.sensitivity.l2_squared(), source.sought.sensitivity.l2_squared());
        let derived = derived.filter(|found| is_allowed(found));
        Ok(derived.and_then(|derived| worth_of(level, squares, derived.summed_max)))
    }

    /// The measurement of a view, from the first charge that drew it.
    fn source(&self, plans: &ChargedPlans, charge: &Charge, view: &Digest) -> Result<Arc<Measured>, EntryFault> {
        if let Some(known) = self.drawn.read().unwrap_or_else(PoisonError::into_inner).get(view) {
            return Ok(Arc::clone(known));
        }
        let (measured, _) = measured(plans, charge)?;
        let found = measured.into_iter().find(|one| one.view == *view).ok_or(EntryFault::UnknownMeasurement)?;
        let (found, mut kept) = (Arc::new(found), self.drawn.write().unwrap_or_else(PoisonError::into_inner));
        if kept.len() >= MEASURED_KEPT_MAX {
            kept.clear();
        }
        kept.insert(*view, Arc::clone(&found));
        Ok(found)
    }
}

/// The measurements of a charge's question, each by itself, with the terms of its dataset.
fn measured<'a>(plans: &'a ChargedPlans, charge: &Charge) -> Result<(Vec<Measured>, &'a Terms), EntryFault> {
    let (plan, dataset, terms) = plans.plan(charge)?;
    let views = plan.views(dataset, &charge.edition);
    let each = plan.measures().zip(views).zip(&plan.sought);
    let measured = each.map(|(((computation, measure), view), sought)| Measured {
        view,
        edition: charge.edition.clone(),
        computation: computation.alone(measure),
        sought: *sought,
    });
    Ok((measured.collect(), terms))
}
