//! Error bars as characters: `├──●──┤`, all rows on one axis.
//!
//! Promises that a row which is lost in noise does not set the axis: its bar ends in an arrow where it leaves the picture.

use super::super::reading::number;
use crate::terminal::text_width;

/// An interval that is so many times as wide as the one in the middle, and wider than its value, does not set the axis.
const WIDE: f64 = 4.0;

/// One value with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ErrorBar {
    pub(super) value: Option<f64>,
    pub(super) interval: Option<(f64, f64)>,
}

/// The bars of all rows, each of the same width, and the axis above them.
#[derive(Debug, PartialEq)]
pub(super) struct Picture {
    pub(super) axis: String,
    pub(super) bars: Vec<String>,
}

/// Draws the bars of what has this name, if it is to be named; `None` if there is no axis to draw them on.
pub(super) fn drawn(name: Option<&str>, points: Vec<ErrorBar>, width: usize) -> Option<Picture> {
    let (low, high) = axis(&points)?;
    let scale = Scale { low, high, width };
    let bars = points.iter().map(|point| scale.bar(point)).collect();
    Some(Picture { axis: scale.heading(name), bars })
}

/// The ends of the axis. It begins at zero where all values lie on one side of it.
fn axis(points: &[ErrorBar]) -> Option<(f64, f64)> {
    let known = || points.iter().filter_map(|point| point.value.zip(point.interval));
    let mut widths: Vec<f64> = known().map(|(_, (low, high))| high - low).collect();
    widths.sort_by(f64::total_cmp);
    let middle = *widths.get(widths.len() / 2)?;
    let is_lost = |value: f64, width: f64| width > WIDE * middle && width > 2.0 * value.abs();
    let shown = known().filter(|(value, (low, high))| !is_lost(*value, high - low));
    let (low, high) =
        shown.fold((0.0_f64, 0.0_f64), |(least, most), (_, (low, high))| (least.min(low), most.max(high)));
    (low.is_finite() && high.is_finite() && low < high).then_some((low, high))
}

struct Scale {
    low: f64,
    high: f64,
    width: usize,
}

impl Scale {
    /// The place of a value on the axis, in characters; outside of the picture it is below 0, or at least the width.
    fn place(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low) * (self.width as f64 - 1.0)).round()
    }

    fn bar(&self, point: &ErrorBar) -> String {
        let mut line = vec![' '; self.width];
        let last = self.width as f64 - 1.0;
        if self.low < 0.0 {
            line[self.place(0.0).clamp(0.0, last) as usize] = '┊';
        }
        if let Some((low, high)) = point.interval {
            let (from, to) = (self.place(low), self.place(high));
            if to < 0.0 || from > last {
                line[if to < 0.0 { 0 } else { self.width - 1 }] = if to < 0.0 { '◂' } else { '▸' };
                return line.into_iter().collect::<String>().trim_end().to_owned();
            }
            let (start, end) = (from.clamp(0.0, last) as usize, to.clamp(0.0, last) as usize);
            line[start..=end].fill('─');
            line[start] = if from < 0.0 { '◂' } else { '├' };
            line[end] = if to > last { '▸' } else { '┤' };
        }
        if let Some(value) = point.value.map(|value| self.place(value)).filter(|at| (0.0..=last).contains(at)) {
            line[value as usize] = '●';
        }
        line.into_iter().collect::<String>().trim_end().to_owned()
    }

    /// The ends of the axis, above the bars, with the name of what is drawn between them if there is room.
    fn heading(&self, name: Option<&str>) -> String {
        let precision = Some((self.high - self.low) / 10.0);
        let end = |value: f64| if value == 0.0 { "0".to_owned() } else { number(value, precision) };
        let (low, high) = (end(self.low), end(self.high));
        let space = self.width.saturating_sub(text_width(&low) + text_width(&high)).max(1);
        let name = name.filter(|name| text_width(name) + 2 <= space).unwrap_or_default();
        let rest = space - text_width(name);
        format!("{low}{}{name}{}{high}", " ".repeat(rest / 2), " ".repeat(rest - rest / 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(points: &[(Option<f64>, f64, f64)], expected: &[&str]) {
        let points = points.iter().map(|(value, low, high)| ErrorBar { value: *value, interval: Some((*low, *high)) });
        let picture = drawn(None, points.collect(), 21).expect("a picture");
        let shown: Vec<&str> = std::iter::once(&picture.axis).chain(&picture.bars).map(String::as_str).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn bars_share_an_axis_that_begins_at_zero() {
        let points = [(Some(40.0), 20.0, 60.0), (Some(90.0), 80.0, 100.0), (Some(10.0), 10.0, 10.0)];
        check(&points, &["0                 100", "    ├───●───┤", "                ├─●─┤", "  ●"]);
    }

    #[test]
    fn values_on_both_sides_have_a_line_at_zero() {
        let points = [(Some(-50.0), -100.0, 0.0), (Some(50.0), 0.0, 100.0)];
        check(&points, &["−100              100", "├────●────┤", "          ├────●────┤"]);
        check(
            &[(Some(-9.0), -10.0, -8.0), (Some(9.0), 8.0, 10.0)],
            &["−10                10", "├●┤       ┊", "          ┊       ├●┤"],
        );
    }

    #[test]
    fn a_row_that_is_lost_does_not_set_the_axis() {
        let points = [(Some(5.0), 0.0, 10.0), (Some(15.0), 10.0, 20.0), (Some(9.0), -500.0, 900.0), (None, 0.0, 500.0)];
        check(
            &points,
            &[
                "0                  20",
                "├────●────┤",
                "          ├────●────┤",
                "◂────────●──────────▸",
                "├───────────────────▸",
            ],
        );
        assert_eq!(drawn(None, vec![ErrorBar { value: None, interval: None }], 21), None);
    }
}
