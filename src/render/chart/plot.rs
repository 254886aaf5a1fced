//! The plot of a chart: ticks, labels, bars with whiskers, and lines with bands.
//!
//! Promises that everything is between the edges of the view box, and that coordinates are rounded to one decimal, so that bytes do not
//! depend on the last bit of a float. The parent draws title, legend and notes.

use maud::{Markup, html};

use super::axis::{Axis, Mark, extent, mark};
use super::entry::entry;
use super::model::{Chart, EDGE, Placement, Series, Shape, TEXT_HEIGHT};
use super::ticks::written;
use super::words::{clean, short, width};

const LINE_PLOT_HEIGHT: f64 = 260.0;
/// The smallest distance at which markers of a line do not cover each other.
const MARKER_GAP_MIN: f64 = 7.0;
const PLOT_HEIGHT_MIN: f64 = 40.0;
const BAR_GROUPS_MAX: usize = 200;
const LINE_LABELS_MAX: usize = 2_000;
const STYLES: usize = 6;
/// The hatching over the bars of the second to the sixth series, as tiles of 6 by 6.
const HATCHES: [&str; STYLES] =
    ["", "M0 6L6 0M-1 1L1 -1M5 7L7 5", "M0 3H6", "M3 0V6", "M0 0L6 6M5 -1L7 1M-1 5L1 7", "M0 3H6M3 0V6"];
/// The markers of lines, drawn around a point.
const MARKERS: [&str; STYLES] = [
    "m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z",
    "m-3.5 -3.5h7v7h-7z",
    "m0 -4.5l4.5 8h-9z",
    "m0 -5l5 5l-5 5l-5 -5z",
    "m0 4.5l4.5 -8h-9z",
    "m-1.5 -4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z",
];
const DASHES: [Option<&str>; STYLES] = [None, Some("8 4"), Some("2 4"), Some("10 3 2 3"), Some("4 3"), Some("14 4")];

/// The plot's position in the view box, the axis of its numbers, and the number of groups that it has room for.
pub(super) struct PlotFrame {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) count: usize,
    /// Whether there is no number to draw.
    pub(super) empty: bool,
    /// Whether something goes beyond the ends of the axis.
    pub(super) beyond: bool,
    axis: Axis,
    place: Placement,
}

impl PlotFrame {
    /// Lays out the plot of a chart below `top`.
    pub(super) fn below(top: f64, chart: &Chart, place: Placement) -> PlotFrame {
        let most = match chart.shape {
            Shape::Bar => BAR_GROUPS_MAX,
            Shape::Line => LINE_LABELS_MAX,
        };
        let count = chart.labels.len().min(most);
        let extent = extent(chart, count);
        let axis = Axis::over(extent, chart.shape);
        let (names, ticks) = (label_width(chart, count), axis.tick_width());
        let (left, right, height) = match chart.shape {
            Shape::Bar => {
                let names = if place.label_above() > 0.0 { ticks / 2.0 } else { 8.0 + names.max(ticks / 2.0) };
                (names, ticks / 2.0, pitch(chart, place) * count as f64)
            }
            Shape::Line => ((ticks + 8.0).max(names / 2.0), names / 2.0, LINE_PLOT_HEIGHT),
        };
        let bottom = top + height.max(PLOT_HEIGHT_MIN);
        let (left, right) = (EDGE + left, place.width() - EDGE - right);
        let beyond = is_beyond(chart, count, &axis);
        PlotFrame { left, right, top, bottom, count, empty: extent.is_none(), beyond, axis, place }
    }

    /// The x coordinate of a number in a bar chart.
    fn along(&self, value: f64) -> f64 {
        self.left + self.axis.share(value) * (self.right - self.left)
    }

    /// The y coordinate of a number in a line chart.
    fn up(&self, value: f64) -> f64 {
        self.bottom - self.axis.share(value) * (self.bottom - self.top)
    }

    /// The distance between neighbouring labels in a line chart.
    fn gap(&self) -> f64 {
        (self.right - self.left - 20.0) / self.count.saturating_sub(1).max(1) as f64
    }

    /// The x coordinate of a label in a line chart; a single label is in the middle.
    fn across(&self, at: usize) -> f64 {
        if self.count == 1 { (self.left + self.right) / 2.0 } else { self.left + 10.0 + self.gap() * at as f64 }
    }
}

/// Draws the bars of a chart in its frame. `id` is the id of the chart, which prefixes those of the hatchings.
pub(super) fn bars(chart: &Chart, frame: &PlotFrame, id: &str) -> Markup {
    let (ticks, pitch, thick) = (&frame.axis.ticks, pitch(chart, frame.place), thickness(chart));
    let above = frame.place.label_above();
    let gap = (frame.right - frame.left) / ticks.len().saturating_sub(1).max(1) as f64;
    let every = stride(frame.axis.tick_width(), gap);
    let zero = frame.along(0.0);
    html! {
        (hatches(chart, id))
        @for (at, tick) in ticks.iter().enumerate() {
            @let x = frame.along(*tick);
            (rule("chart-grid", (x, x), (frame.top, frame.bottom)))
            @if at.is_multiple_of(every) {
                (text(x, frame.bottom + TEXT_HEIGHT, "middle", &frame.axis.text(*tick)))
            }
        }
        @for (row, label) in chart.labels.iter().take(frame.count).enumerate() {
            @let top = frame.top + pitch * row as f64;
            @if above > 0.0 { (text(EDGE, top + above, "start", label)) }
            @else { (text(frame.left - 8.0, top + pitch / 2.0 + 4.5, "end", label)) }
            @for (at, series) in chart.series.iter().enumerate() {
                @if let Some(mark) = mark(series.points.get(row)) {
                    g class=(colour(at)) {
                        title { (entry(chart, label, series, row)) }
                        (bar(frame, mark, &fill(id, at), (top + above + 6.0 + thick * at as f64, thick - 1.0)))
                    }
                }
            }
        }
        (rule("chart-axis", (zero, zero), (frame.top, frame.bottom)))
    }
}

/// Draws one bar from zero to its number, with its whisker. An end that is beyond the axis is an arrow.
fn bar(frame: &PlotFrame, mark: Mark, fill: &str, (top, height): (f64, f64)) -> Markup {
    let (zero, end) = (frame.along(0.0), frame.along(mark.value));
    let (y, cap) = (round(top + height / 2.0), round(top + height / 2.0 - 4.0));
    let whisker = mark.interval.map(|(low, high)| {
        let end = |value: f64, inwards: f64| match frame.axis.is_beyond(value) {
            true => format!("m{inwards} -4l{} 4l{inwards} 4", -inwards),
            false => "m0 -4v8".to_owned(),
        };
        let (left, right) = (round(frame.along(low)), round(frame.along(high)));
        match (frame.axis.is_beyond(low), frame.axis.is_beyond(high)) {
            (false, false) => format!("M{left} {y}H{right}M{left} {cap}v8M{right} {cap}v8"),
            _ => format!("M{left} {y}H{right}M{left} {y}{}M{right} {y}{}", end(low, 6.0), end(high, -6.0)),
        }
    });
    let (left, wide) = (round(zero.min(end)), round((end - zero).abs()));
    html! {
        rect.chart-bar x=(left) y=(round(top)) width=(wide) height=(round(height)) fill=(fill) {}
        @if let Some(whisker) = whisker { path.chart-error d=(whisker) {} }
    }
}

/// Draws the lines of a chart in its frame, on top of all bands.
pub(super) fn lines(chart: &Chart, frame: &PlotFrame) -> Markup {
    let labels = chart.labels.get(..frame.count).unwrap_or_default();
    let sides = (frame.left, frame.right);
    html! {
        @for tick in &frame.axis.ticks {
            @let y = frame.up(*tick);
            (rule("chart-grid", sides, (y, y)))
            (text(frame.left - 8.0, y + 4.5, "end", &frame.axis.text(*tick)))
        }
        (rule("chart-axis", sides, (frame.bottom, frame.bottom)))
        @if frame.axis.has_zero() { (rule("chart-axis", sides, (frame.up(0.0), frame.up(0.0)))) }
        @for at in written(labels, frame.gap()) {
            (text(frame.across(at), frame.bottom + TEXT_HEIGHT + 4.0, "middle", &labels[at]))
        }
        @for (at, series) in chart.series.iter().enumerate() {
            g class=(colour(at)) { @for points in bands(series, frame) { polygon.chart-band points=(points) {} } }
        }
        @for (at, series) in chart.series.iter().enumerate() {
            g class=(colour(at)) { (trace(chart, series, at, frame)) }
        }
    }
}

/// Draws one line, interrupted where points are hidden, with a marker on each point; a speck where markers would cover each other.
fn trace(chart: &Chart, series: &Series, at: usize, frame: &PlotFrame) -> Markup {
    let place = |row: usize| mark(series.points.get(row)).map(|mark| (frame.across(row), frame.up(mark.value)));
    let places: Vec<Option<(f64, f64)>> = (0..frame.count).map(place).collect();
    let is_crowded = frame.gap() < MARKER_GAP_MIN;
    html! {
        @for run in places.split(Option::is_none).filter(|run| run.len() > 1) {
            polyline.chart-line points=(corners(run.iter().flatten().copied())) stroke-dasharray=[DASHES[at % STYLES]] {}
        }
        @for (row, (label, place)) in chart.labels.iter().zip(&places).enumerate() {
            @if let Some((x, y)) = place {
                path.chart-dot d=(if is_crowded { speck(*x, *y) } else { marker(at, *x, *y) }) { title { (entry(chart, label, series, row)) } }
            }
        }
    }
}

/// The corners of a series' bands: one band for each run of points with intervals, and a narrow one for a single point.
fn bands(series: &Series, frame: &PlotFrame) -> Vec<String> {
    let edge = |row: usize| {
        let (low, high) = mark(series.points.get(row))?.interval?;
        Some([frame.across(row), frame.up(low), frame.up(high)])
    };
    let edges: Vec<Option<[f64; 3]>> = (0..frame.count).map(edge).collect();
    let band = |run: &[Option<[f64; 3]>]| {
        let mut edges: Vec<[f64; 3]> = run.iter().flatten().copied().collect();
        if let [[x, low, high]] = edges[..] {
            edges = vec![[x - 3.0, low, high], [x + 3.0, low, high]];
        }
        let upper = edges.iter().map(|[x, _, high]| (*x, *high));
        corners(upper.chain(edges.iter().rev().map(|[x, low, _]| (*x, *low))))
    };
    edges.split(Option::is_none).filter(|run| !run.is_empty()).map(band).collect()
}

/// The sample of a series in the legend, beside a text with its baseline at `y`.
pub(super) fn swatch(shape: Shape, at: usize, id: &str, x: f64, y: f64) -> Markup {
    let (x, y) = (round(x), round(y - 4.5));
    html! {
        g class=(colour(at)) {
            @match shape {
                Shape::Bar => { rect.chart-bar x=(x) y=(round(y - 6.0)) width="24" height="12" fill=(fill(id, at)) {} }
                Shape::Line => {
                    path.chart-line d=(format!("M{x} {y}h24")) stroke-dasharray=[DASHES[at % STYLES]] {}
                    path.chart-dot d=(marker(at, x + 12.0, y)) {}
                }
            }
        }
    }
}

fn hatches(chart: &Chart, id: &str) -> Markup {
    html! {
        defs {
            @for (at, hatch) in HATCHES.iter().enumerate().take(chart.series.len()).skip(1) {
                pattern id=(format!("{id}p{at}")) class=(colour(at)) width="6" height="6" patternUnits="userSpaceOnUse" {
                    rect width="6" height="6" fill="currentColor" fill-opacity="0.3" {}
                    path d=(hatch) fill="none" stroke="currentColor" stroke-width="1.6" {}
                }
            }
        }
    }
}

fn fill(id: &str, at: usize) -> String {
    if at.is_multiple_of(STYLES) { "currentColor".to_owned() } else { format!("url(#{id}p{})", at % STYLES) }
}

fn colour(at: usize) -> String {
    format!("s{}", at % STYLES)
}

fn marker(at: usize, x: f64, y: f64) -> String {
    format!("M{} {}{}", round(x), round(y), MARKERS[at % STYLES])
}

fn speck(x: f64, y: f64) -> String {
    format!("M{} {}m-1.2 0a1.2 1.2 0 1 0 2.4 0a1.2 1.2 0 1 0 -2.4 0z", round(x), round(y))
}

fn rule(class: &str, x: (f64, f64), y: (f64, f64)) -> Markup {
    html! { line class=(class) x1=(round(x.0)) x2=(round(x.1)) y1=(round(y.0)) y2=(round(y.1)) {} }
}

/// Draws a text at its baseline. A long text is shortened, and its full form becomes its title.
pub(super) fn text(x: f64, y: f64, anchor: &str, full: &str) -> Markup {
    let (full, shown) = (clean(full), short(full));
    html! {
        text.chart-text x=(round(x)) y=(round(y)) text-anchor=(anchor) { @if shown != full { title { (full) } } (shown) }
    }
}

/// Rounds to one decimal, never to minus zero.
pub(super) fn round(coordinate: f64) -> f64 {
    (coordinate * 10.0).round() / 10.0 + 0.0
}

fn corners(points: impl Iterator<Item = (f64, f64)>) -> String {
    points.map(|(x, y)| format!("{},{}", round(x), round(y))).collect::<Vec<_>>().join(" ")
}

/// If only every n-th text is to be shown, the smallest n at which texts of this width fit at this distance.
fn stride(wide: f64, gap: f64) -> usize {
    ((wide + 14.0) / gap).ceil().max(1.0) as usize
}

fn thickness(chart: &Chart) -> f64 {
    if chart.series.len() > 1 { 13.0 } else { 18.0 }
}

/// The height of a group of bars with the space around it.
fn pitch(chart: &Chart, place: Placement) -> f64 {
    thickness(chart) * chart.series.len().max(1) as f64 + 12.0 + place.label_above()
}

/// Whether a number or an end of an interval of the first `count` groups is beyond the axis.
fn is_beyond(chart: &Chart, count: usize, axis: &Axis) -> bool {
    let mut marks =
        chart.series.iter().flat_map(|series| series.points.iter().take(count)).filter_map(|one| mark(Some(one)));
    marks.any(|mark| {
        let (low, high) = mark.interval.unwrap_or((mark.value, mark.value));
        [mark.value, low, high].into_iter().any(|value| axis.is_beyond(value))
    })
}

fn label_width(chart: &Chart, count: usize) -> f64 {
    chart.labels.iter().take(count).map(|label| width(&short(label))).fold(0.0, f64::max)
}
