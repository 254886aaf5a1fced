//! Half-widths of the outputs of assumed answers, and what many assumed answers say together.

use super::draws::Draw;
use crate::kernel::privacy::certificate::NORMAL_975;
use crate::query::answer::formula::{CellValues, Formula, Range};
use crate::query::answer::layout::{Output, OutputValue};

/// Nine of ten draws lie between the half-widths with this part of the draws below and above.
const OUTSIDE: f64 = 0.05;

/// The half-width of a 95 % interval, as it is expected.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ExpectedWidth {
    /// The half-width that is exceeded as often as not; `None` for keys, for what has no interval, and for what is probably lost in noise.
    pub middle: Option<f64>,
    /// The lower end of the range that nine of ten half-widths lie in; `None` if there is none at all.
    pub low: Option<f64>,
    /// Its upper end; `None` if the output may well be lost in noise.
    pub high: Option<f64>,
}

/// The half-widths of every output of a group in the draws so far.
#[derive(Debug, Default)]
pub(super) struct WidthsOfDraws(Vec<Vec<f64>>);

impl WidthsOfDraws {
    /// Adds the half-widths of one draw; what is lost in noise is as wide as can be.
    pub(super) fn add(&mut self, widths: Vec<Option<f64>>) {
        self.0.resize_with(widths.len(), Vec::new);
        self.0.iter_mut().zip(widths).for_each(|(all, width)| all.push(width.unwrap_or(f64::INFINITY)));
    }

    /// What all draws say together.
    pub(super) fn expected(self) -> Vec<ExpectedWidth> {
        let of = |mut all: Vec<f64>| {
            all.sort_by(f64::total_cmp);
            let last = all.len().saturating_sub(1);
            let outside = (OUTSIDE * last as f64).round() as usize;
            let at = |place: usize| all.get(place).copied().filter(|width| width.is_finite());
            ExpectedWidth { middle: at(last / 2), low: at(outside), high: at(last - outside) }
        };
        self.0.into_iter().map(of).collect()
    }
}

impl ExpectedWidth {
    /// A half-width that does not depend on the noise.
    #[must_use]
    pub fn exact(width: f64) -> Self {
        Self { middle: Some(width), low: Some(width), high: Some(width) }
    }

    /// The wider of two half-widths.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        let wider = |one: Option<f64>, other: Option<f64>| Some(one?.max(other?));
        Self {
            middle: wider(self.middle, other.middle),
            low: wider(self.low, other.low),
            high: wider(self.high, other.high),
        }
    }

    /// The range that nine of ten half-widths lie in, if a quarter more or less than `middle` does not hold it.
    #[must_use]
    pub fn wide_range(&self) -> Option<(f64, Option<f64>)> {
        let (low, near) = (self.low?, |width: &f64| self.middle.is_some_and(|middle| *width <= 1.25 * middle));
        let is_near = self.middle.is_some_and(|middle| middle <= 1.25 * low) && self.high.as_ref().is_some_and(near);
        (!is_near).then_some((low, self.high))
    }
}

/// The half-width of one output, cut to what is possible as an answer's intervals are.
///
/// Without noise, where the assumed value is at a bound or beyond it, the cut interval would be too narrow, since the answer's estimate may
/// well lie inside: there it is the whole half-width, at most that of everything possible.
pub(super) fn of(output: &Output, at: CellValues<'_>, draw: Draw<'_>) -> Option<f64> {
    let formula = output.value.formula()?;
    if let Formula::Run(run) = &formula {
        return Some(NORMAL_975 * at.laws.get(run.vector)?.std_error() * run.worst_variance().sqrt());
    }
    if formula.has_run() {
        return None;
    }
    let (ends, range) = (formula.ends(at).ok()?, range(&output.value));
    let cut = range.cut(ends);
    let (width, shown) = (ends.high - ends.low, cut.high - cut.low);
    let is_whole = draw.is_expected() && !range.has_inside(ends.value);
    let half_width = if is_whole { width.min(range.width()) } else { shown } / 2.0;
    // The lesser of a number and of none would be the number.
    Some(half_width).filter(|half_width| half_width.is_finite() && !width.is_nan())
}

fn range(value: &OutputValue) -> Range {
    match value {
        OutputValue::Mean { grid, .. } => {
            let (low, high) = grid.bounds();
            Range::new(low, high)
        }
        OutputValue::Formula { range, .. } => *range,
        OutputValue::Hidden(value) => range(value),
        OutputValue::Key { .. }
        | OutputValue::Grouping { .. }
        | OutputValue::Count { .. }
        | OutputValue::Sum { .. }
        | OutputValue::Words(_) => Range::WHOLE,
    }
}
