//! Survival curves from noisy events and exits by time.
//!
//! Promises the estimate of E. L. Kaplan and P. Meier (J. Am. Stat. Assoc. 53, 1958) over the times of a window: at each time, dₜ have an
//! event and cₜ leave, with or without one, and nₜ = Σ cᵤ over all u ≥ t are at risk; the curve is S(t) = Π (1 − dᵤ/nᵤ) over u ≤ t. All of
//! these are noisy counts that were paid for, and S is a function of them.
//!
//! **The band** is pointwise, S ± z·√(S²·Σ dᵤ/(nᵤ(nᵤ − dᵤ)) + Σ(∂S/∂m)²σ²): the first part is M. Greenwood's variance (1926) for who was
//! observed at all, the second the noise by the delta method. It is the only interval that tells more than the noise, since a curve is read
//! as that of a population. A time at which those at risk cannot be told from 0 has no estimate, and neither have later ones.

use super::absence::AbsenceReason;
use super::cell_values::CellValues;
use super::dual::Dual;
use super::estimate::IntervalEstimate;
use crate::kernel::privacy::certificate::NORMAL_975;

/// A survival curve at one time.
#[derive(Debug, Clone)]
pub(super) struct SurvivalPoint {
    /// S(t) with its derivatives by the noisy counts.
    pub(super) survival: Dual,
    /// Greenwood's sum Σ d/(n(n − d)).
    greenwood: f64,
}

impl SurvivalPoint {
    /// The estimate with its band.
    pub(super) fn band(&self, at: CellValues<'_>) -> IntervalEstimate {
        let value = self.survival.value;
        let std_error = (value * value * self.greenwood + self.survival.std_error(at).powi(2)).sqrt();
        let width = NORMAL_975 * std_error;
        IntervalEstimate { value, low: value - width, high: value + width, std_error }
    }
}

/// Computes the curve over the `cells` of one part, in the order of time, into `curve`; `peers` are the places of equal time.
pub(super) fn curve(
    cells: &[usize],
    peers: &[(usize, usize)],
    events: &[Result<Dual, AbsenceReason>],
    exits: &[Result<Dual, AbsenceReason>],
    at: CellValues<'_>,
    curve: &mut [Result<SurvivalPoint, AbsenceReason>],
) {
    let total = |of: &[Result<Dual, AbsenceReason>], (start, end): (usize, usize)| -> Result<Dual, AbsenceReason> {
        let all = cells[start..end].iter().map(|cell| of[*cell].as_ref().map_err(|reason| *reason));
        Ok(Dual::sum(all.collect::<Result<Vec<_>, _>>()?.into_iter()))
    };
    let mut spans: Vec<(usize, usize)> = peers.to_vec();
    spans.dedup();
    // Those at risk, from the last time to the first.
    let mut at_risk = Vec::with_capacity(spans.len());
    let mut so_far = Ok(Dual::constant(0.0));
    for span in spans.iter().rev() {
        so_far = so_far.and_then(|so_far: Dual| Ok(so_far.plus(&total(exits, *span)?)));
        at_risk.push(so_far.clone());
    }
    at_risk.reverse();
    let mut point = Ok(SurvivalPoint { survival: Dual::constant(1.0), greenwood: 0.0 });
    for (span, at_risk) in spans.iter().zip(at_risk) {
        point = point.and_then(|before: SurvivalPoint| {
            let (events, at_risk) = (total(events, *span)?, at_risk?);
            let share = events.over(&at_risk, at)?;
            let left = share.stretched(1.0 - share.value, -1.0);
            let (d, n) = (events.value.max(0.0), at_risk.value);
            let more = if n > d { d / (n * (n - d)) } else { 0.0 };
            Ok(SurvivalPoint { survival: before.survival.times(&left), greenwood: before.greenwood + more })
        });
        cells[span.0..span.1].iter().for_each(|cell| curve[*cell] = point.clone());
    }
}
