//! The axis of the numbers of a chart, and which numbers can stand on it.
//!
//! Promises: four to six ticks at round distances that enclose all that is drawn; no infinity and no NaN leaves this file,
//! whatever came in. Pixels are not known here.

use super::words::{WHOLE_MAX, grouped, powers, width};
use super::{Chart, Point, Shape};

/// Numbers beyond it are hidden, and numbers closer to zero than its inverse are zero: the axis stays far from infinities.
const LARGEST: f64 = 1e100;

/// A point that can be drawn.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    pub(super) value: f64,
    pub(super) interval: Option<(f64, f64)>,
}

/// What is to be drawn of a point; nothing if its value is hidden, no interval if an end of it is.
pub(super) fn mark(point: Option<&Point>) -> Option<Mark> {
    let plain = |number: Option<f64>| {
        // A comparison with NaN is false, so it goes with the infinities.
        number.filter(|n| n.abs() <= LARGEST).map(|n| if n.abs() < 1.0 / LARGEST { 0.0 } else { n })
    };
    let point = point?;
    let interval = plain(point.low).zip(plain(point.high)).map(|(low, high)| (low.min(high), low.max(high)));
    Some(Mark { value: plain(point.value)?, interval })
}

/// The lowest and the highest number of what is drawn of the first `count` groups; `None` if nothing is.
pub(super) fn extent(chart: &Chart, count: usize) -> Option<(f64, f64)> {
    let points = chart.series.iter().flat_map(|series| series.points.iter().take(count));
    let reach = |mark: Mark| {
        let (low, high) = mark.interval.unwrap_or((mark.value, mark.value));
        (low.min(mark.value), high.max(mark.value))
    };
    points.filter_map(|point| mark(Some(point))).map(reach).reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)))
}

/// Four to six ticks at round distances.
pub(super) struct Axis {
    pub(super) ticks: Vec<f64>,
    from: f64,
    to: f64,
    /// How many decimals the ticks need; none if only powers of ten can be read.
    decimals: Option<usize>,
}

impl Axis {
    /// The axis of all between two numbers; of bars, with zero on it.
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

    /// How far along the axis a number is, from 0 to 1.
    pub(super) fn share(&self, value: f64) -> f64 {
        (value - self.from) / (self.to - self.from)
    }

    /// What a tick says.
    pub(super) fn text(&self, tick: f64) -> String {
        self.decimals.map_or_else(|| powers(tick), |decimals| grouped(tick, decimals))
    }

    /// The width of the widest tick's text.
    pub(super) fn tick_width(&self) -> f64 {
        self.ticks.iter().map(|tick| width(&self.text(*tick))).fold(0.0, f64::max)
    }

    /// Whether zero is on the axis.
    pub(super) fn has_zero(&self) -> bool {
        self.from <= 0.0 && self.to >= 0.0
    }
}

/// With zero if bars need it, and wide enough to be divided.
fn widened((low, high): (f64, f64), shape: Shape) -> (f64, f64) {
    let (low, high) = match shape {
        Shape::Bar => (low.min(0.0), high.max(0.0)),
        Shape::Line => (low, high),
    };
    let size = low.abs().max(high.abs());
    let pad = if size == 0.0 { 1.0 } else { size * 0.1 };
    if high - low <= size * 1e-9 { (low - pad, high + pad) } else { (low, high) }
}

/// How many decimals a step needs to be written exactly, if nine are enough.
fn decimals(step: f64) -> Option<usize> {
    let whole = |scaled: f64| (scaled - scaled.round()).abs() < scaled * 1e-6;
    let enough = (0..=9).find(|decimals: &i32| whole(step * 10f64.powi(*decimals)))?;
    usize::try_from(enough).ok()
}
