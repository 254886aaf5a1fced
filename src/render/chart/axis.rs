//! The numeric axis of a chart, and the numbers that it can show.
//!
//! Promises four to six ticks at round distances that enclose everything that is drawn, and that no infinity and no NaN leaves this file,
//! whatever came in. It does not know pixels.

use super::model::{Chart, Point, Shape};
use super::words::{WHOLE_MAX, powers, width};
use crate::render::reading::grouped;

/// The largest number that is drawn. Larger ones are hidden, and numbers
/// closer to zero than its inverse become zero, to keep the axis finite.
const LARGEST: f64 = 1e100;

/// A point that can be drawn.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    pub(super) value: f64,
    pub(super) interval: Option<(f64, f64)>,
}

/// What to draw of a point: `None` if its value is hidden, and no interval if one of its ends is.
pub(super) fn mark(point: Option<&Point>) -> Option<Mark> {
    let plain = |number: Option<f64>| {
        // A comparison with NaN is false, so NaN is treated like the infinities.
        number.filter(|n| n.abs() <= LARGEST).map(|n| if n.abs() < 1.0 / LARGEST { 0.0 } else { n })
    };
    let point = point?;
    let interval = plain(point.low).zip(plain(point.high)).map(|(low, high)| (low.min(high), low.max(high)));
    Some(Mark { value: plain(point.value)?, interval })
}

/// An interval that is longer than this many times what all shorter ones and its own value span is lost in noise: it does not set the axis.
const LOST: f64 = 2.0;

/// The lowest and the highest number of the first `count` groups that the axis must hold; `None` if nothing is drawn. Intervals that are lost
/// in noise go beyond: they would crush all others.
pub(super) fn extent(chart: &Chart, count: usize) -> Option<(f64, f64)> {
    let points = chart.series.iter().flat_map(|series| series.points.iter().take(count));
    let reach = |mark: Mark| {
        let (low, high) = mark.interval.unwrap_or((mark.value, mark.value));
        (mark.value, (low.min(mark.value), high.max(mark.value)))
    };
    let length = |(low, high): (f64, f64)| high - low;
    let both = |all: (f64, f64), one: (f64, f64)| (all.0.min(one.0), all.1.max(one.1));
    let mut reaches: Vec<_> = points.filter_map(|point| mark(Some(point))).map(reach).collect();
    reaches.sort_by(|one, other| length(one.1).total_cmp(&length(other.1)));
    let mut all: Option<(f64, f64)> = None;
    for (value, reach) in reaches {
        let others = all.map(|all| length(widened(both(all, (value, value)), chart.shape)));
        if others.is_some_and(|others| length(reach) > LOST * others) {
            break;
        }
        all = Some(all.map_or(reach, |all| both(all, reach)));
    }
    all
}

/// An axis with four to six ticks at round distances.
pub(super) struct Axis {
    pub(super) ticks: Vec<f64>,
    from: f64,
    to: f64,
    /// The number of decimals that the ticks need; `None` if they are only readable as powers of ten.
    decimals: Option<usize>,
}

impl Axis {
    /// The axis that covers the range between two numbers and, for bars, zero.
    pub(super) fn over(extent: Option<(f64, f64)>, shape: Shape) -> Axis {
        let (low, high) = widened(extent.unwrap_or((0.0, 1.0)), shape);
        let base = 10f64.powf(((high - low) / 10.0).log10().floor());
        let ends = |step: f64| ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
        let few = |step: &f64| ends(*step).1 - ends(*step).0 <= 5.0;
        let steps = [2.0, 2.5, 5.0, 10.0, 20.0, 25.0, 50.0].map(|factor| factor * base);
        let step = steps.into_iter().find(few).unwrap_or(100.0 * base);
        let (first, last) = ends(step);
        let ticks = (0..=(last - first) as u32).map(|at| (first + f64::from(at)) * step).collect();
        let plain = low.abs().max(high.abs()) < WHOLE_MAX;
        Axis { ticks, from: first * step, to: last * step, decimals: decimals(step).filter(|_| plain) }
    }

    /// The position of a number along the axis, from 0 to 1; what is beyond an end is at it.
    pub(super) fn share(&self, value: f64) -> f64 {
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }

    /// Whether a number is beyond one of the ends.
    pub(super) fn is_beyond(&self, value: f64) -> bool {
        value < self.from || value > self.to
    }

    /// The text at a tick.
    pub(super) fn text(&self, tick: f64) -> String {
        self.decimals.map_or_else(|| powers(tick), |decimals| grouped(tick, decimals))
    }

    /// The width of the widest text of a tick.
    pub(super) fn tick_width(&self) -> f64 {
        self.ticks.iter().map(|tick| width(&self.text(*tick))).fold(0.0, f64::max)
    }

    /// Whether zero is on the axis.
    pub(super) fn has_zero(&self) -> bool {
        self.from <= 0.0 && self.to >= 0.0
    }
}

/// Widens a range to include zero for bars, and to be wide enough to be divided.
fn widened((low, high): (f64, f64), shape: Shape) -> (f64, f64) {
    let (low, high) = match shape {
        Shape::Bar => (low.min(0.0), high.max(0.0)),
        Shape::Line => (low, high),
    };
    let size = low.abs().max(high.abs());
    let pad = if size == 0.0 { 1.0 } else { size * 0.1 };
    if high - low <= size * 1e-9 { (low - pad, high + pad) } else { (low, high) }
}

/// The number of decimals needed to write a step exactly; `None` if it is more than nine.
fn decimals(step: f64) -> Option<usize> {
    let whole = |scaled: f64| (scaled - scaled.round()).abs() < scaled * 1e-6;
    let enough = (0..=9).find(|decimals: &i32| whole(step * 10f64.powi(*decimals)))?;
    usize::try_from(enough).ok()
}
