//! Margins of outputs whose error is no weighted sum of noise: shares, percentiles, deviations, correlations, and what is computed from them.
//!
//! Promises the least price, the same for all measurements of an output, at which its expected half-width is the margin. The half-width is
//! what a quote expects of a group of so many rows of which only the policy is known ([`crate::query::answer::expected`]). It is found by bisection,
//! because it falls as the price rises.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::shapes::Shapes;
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::mechanism::{Mechanism, NoiseLaw};
use crate::query::answer::expected::{AssumedGroups, ExpectedQuestion};
use crate::query::answer::{Output, SingleAnswer};
use crate::query::computation::Measure;
use crate::query::plan::Plan;
use crate::query::term::Term;

/// The noise of a measurement, in its steps, below which no price is searched: less is not worth any money.
const FINEST: f64 = 1.0 / 16.0;
/// The range of prices that is searched, as a power of 2.
const POWERS: f64 = 120.0;
const HALVINGS: usize = 42;
/// What is let pass of a margin, so that one that was read from a quote is met by the price that it was quoted for.
const PASSED: f64 = 1.0 + 1e-9;

/// Indices of the measured vectors that an output is computed from.
fn vectors(output: &Output, answer: &SingleAnswer<'_>) -> Vec<usize> {
    let used = RefCell::new(BTreeSet::new());
    let note = |index: usize| {
        used.borrow_mut().insert(index);
        index
    };
    output.value.clone().renumber(&note);
    let used = used.into_inner().into_iter();
    let own: Vec<usize> = match &answer.layout.sets {
        None => used.collect(),
        Some(sets) => used.flat_map(|of| sets.measured[of].tables.iter().map(|table| table.vector)).collect(),
    };
    own.into_iter().map(|vector| answer.place(vector)).collect()
}

/// The noise of all measurements at the same price, given each one's Δ² (`gaussian`) or 2Δ₁² (`pure`).
fn laws(accountant: Accountant, squares: &[f64], price: f64) -> Vec<NoiseLaw> {
    let law = |square: &f64| match accountant {
        Accountant::Gaussian { .. } => {
            NoiseLaw { mechanism: Mechanism::DiscreteGaussian, fine_bits: 0, scale: (square / price).sqrt() }
        }
        Accountant::Pure => {
            NoiseLaw { mechanism: Mechanism::DiscreteLaplace, fine_bits: 0, scale: (square / 2.0).sqrt() / price }
        }
    };
    squares.iter().map(law).collect()
}

/// One of the answers that a question puts together, with the measurements and the noise that it is computed from.
pub(super) fn question<'a>(plan: &'a Plan, answer: &SingleAnswer<'a>, laws: &[NoiseLaw]) -> ExpectedQuestion<'a> {
    let measures: Vec<&Measure> = plan.measures().map(|(_, measure)| measure).collect();
    ExpectedQuestion { measures: answer.of(&measures), layout: answer.layout, laws: answer.of(laws) }
}

/// The half-width that an output is expected to have in a group of `rows` rows of which only the policy is known; `None` if it has no
/// interval, or is probably lost in noise.
pub(super) fn half_width(question: &ExpectedQuestion<'_>, name: &str, rows: u64, shapes: &Shapes) -> Option<f64> {
    let mut shown = question.layout.outputs.iter().filter(|output| !output.value.is_hidden());
    let place = shown.position(|output| output.name == name)?;
    let shape = |term: &Term| shapes.of(term);
    let groups = AssumedGroups { rows: vec![rows as f64], known: Vec::new(), shape: &shape };
    question.half_widths(&groups, &[0]).pop().and_then(|widths| widths.get(place)?.middle)
}

/// The price that each measurement of an output needs for this margin in a group of `rows` rows, by index in the plan. `squares` are those
/// of [`laws`]. `None` if the output has no interval, or one that stays wider whatever is paid, as the bins of a percentile are.
pub(super) fn prices(
    plan: &Plan,
    (answer, output): (&SingleAnswer<'_>, &Output),
    margin: f64,
    (rows, shapes): (u64, &Shapes),
    (accountant, squares): (Accountant, &[f64]),
) -> Option<Vec<(usize, f64)>> {
    let is_met = |power: f64| {
        let question = question(plan, answer, &laws(accountant, squares, power.exp2()));
        half_width(&question, &output.name, rows, shapes).is_some_and(|width| width <= margin * PASSED)
    };
    let least = squares.iter().copied().fold(f64::INFINITY, f64::min);
    let mut high = match accountant {
        Accountant::Gaussian { .. } => (least / FINEST.powi(2)).log2(),
        Accountant::Pure => ((least / 2.0).sqrt() / FINEST).log2(),
    };
    let mut low = high - POWERS;
    if !is_met(high) {
        return None;
    }
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        if is_met(middle) { high = middle } else { low = middle }
    }
    Some(vectors(output, answer).into_iter().map(|vector| (vector, high.exp2())).collect())
}
