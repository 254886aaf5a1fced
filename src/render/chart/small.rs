//! A small chart for a card in a gallery: the shape of the numbers and their intervals, without an axis to read them from.
//!
//! Promises the same order and the same colours as in the chart itself, and no id, so that many small charts fit on one page. The numbers
//! in words are on the page that the card leads to.

use maud::{Markup, html};

use super::axis::{Axis, Mark, extent, mark};
use super::model::{Chart, Series, Shape};
use super::plot::round;
use super::words::{clean, width};

const WIDTH: f64 = 320.0;
/// The largest number of bars; further groups are counted in words.
const BARS_MAX: usize = 6;
/// The same where there are several series.
const BARS_OF_SEVERAL_MAX: usize = 12;
/// The largest number of points of a line.
const POINTS_MAX: usize = 400;
/// The width of the labels beside the bars.
const LABELS: f64 = 96.0;
const BAR: f64 = 13.0;
const PLOT: f64 = 96.0;
const EDGE: f64 = 6.0;
const TEXT: f64 = 16.0;

/// Draws the chart as small as a card.
pub fn small(chart: &Chart) -> Markup {
    let (height, drawn) = match chart.shape {
        Shape::Bar => bars(chart),
        Shape::Line => lines(chart),
    };
    html! {
        svg.chart.small xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {WIDTH} {}", round(height))) role="img"
            aria-label=(format!("Small chart of {}", clean(&chart.title))) { (drawn) }
    }
}

/// Horizontal bars below each other, and the height that they take.
fn bars(chart: &Chart) -> (f64, Markup) {
    let each = chart.series.len().clamp(1, BARS_MAX);
    let most = if each > 1 { BARS_OF_SEVERAL_MAX } else { BARS_MAX };
    let count = chart.labels.len().min(most / each);
    let axis = Axis::over(extent(chart, count), chart.shape);
    let along = |value: f64| LABELS + axis.share(value) * (WIDTH - LABELS - EDGE);
    let pitch = BAR * each as f64 + 8.0;
    let bottom = pitch * count as f64 + 4.0;
    let more = chart.labels.len() - count;
    let names: Vec<&str> = chart.series.iter().take(each).map(|series| series.name.as_str()).collect();
    let notes = [
        (each > 1).then(|| cut(&format!("From the top: {}", names.join(", ")), WIDTH - 2.0 * EDGE)),
        (more > 0).then(|| format!("and {more} more")),
    ];
    let notes: Vec<String> = notes.into_iter().flatten().collect();
    let markup = html! {
        @for (row, label) in chart.labels.iter().take(count).enumerate() {
            @let top = 4.0 + pitch * row as f64;
            (words(LABELS - 8.0, top + (pitch - 8.0) / 2.0 + 4.5, "end", &cut(label, LABELS - 10.0)))
            @for (at, series) in chart.series.iter().take(each).enumerate() {
                @if let Some(mark) = mark(series.points.get(row)) {
                    g class=(format!("s{at}")) { (bar(mark, along, top + BAR * at as f64)) }
                }
            }
        }
        line.chart-axis x1=(round(along(0.0))) x2=(round(along(0.0))) y1="0" y2=(round(bottom)) {}
        @for (row, note) in notes.iter().enumerate() {
            (words(EDGE, bottom + TEXT * (row + 1) as f64 - 4.0, "start", note))
        }
    };
    (bottom + TEXT * notes.len() as f64, markup)
}

fn bar(mark: Mark, along: impl Fn(f64) -> f64, top: f64) -> Markup {
    let (zero, end, middle) = (along(0.0), along(mark.value), round(top + (BAR - 2.0) / 2.0));
    html! {
        rect.chart-bar x=(round(zero.min(end))) y=(round(top)) width=(round((end - zero).abs())) height=(BAR - 2.0) fill="currentColor" {}
        @if let Some((low, high)) = mark.interval {
            @let (low, high, cap) = (round(along(low)), round(along(high)), round(top + 2.0));
            path.chart-error d=(format!("M{low} {middle}H{high}M{low} {cap}v{0}M{high} {cap}v{0}", BAR - 6.0)) {}
        }
    }
}

/// Lines with their bands, the first and the last label below them, and the height that they take.
fn lines(chart: &Chart) -> (f64, Markup) {
    let count = chart.labels.len().min(POINTS_MAX);
    let axis = Axis::over(extent(chart, count), chart.shape);
    let across = |at: usize| EDGE + (WIDTH - 2.0 * EDGE) * at as f64 / count.saturating_sub(1).max(1) as f64;
    let up = |value: f64| EDGE + (1.0 - axis.share(value)) * (PLOT - 2.0 * EDGE);
    let runs = |series: &Series| {
        let marks: Vec<_> = (0..count).map(|at| mark(series.points.get(at)).map(|mark| (at, mark))).collect();
        let runs = marks.split(Option::is_none).map(|run| run.iter().flatten().copied().collect::<Vec<_>>());
        runs.filter(|run| run.len() > 1).collect::<Vec<_>>()
    };
    let line = |run: &[(usize, Mark)]| corners(run.iter().map(|(at, mark)| (across(*at), up(mark.value))));
    let band = |run: &[(usize, Mark)]| {
        let ends = |mark: &Mark| mark.interval.unwrap_or((mark.value, mark.value));
        let upper = run.iter().map(|(at, mark)| (across(*at), up(ends(mark).1)));
        corners(upper.chain(run.iter().rev().map(|(at, mark)| (across(*at), up(ends(mark).0)))))
    };
    let markup = html! {
        line.chart-axis x1=(EDGE) x2=(WIDTH - EDGE) y1=(PLOT) y2=(PLOT) {}
        @for (at, series) in chart.series.iter().take(BARS_MAX).enumerate() {
            g class=(format!("s{at}")) {
                @for run in runs(series) {
                    polygon.chart-band points=(band(&run)) {}
                    polyline.chart-line points=(line(&run)) {}
                }
            }
        }
        @if let Some(first) = chart.labels.first() { (words(EDGE, PLOT + TEXT - 2.0, "start", &cut(first, WIDTH / 2.0 - 16.0))) }
        @if let Some(last) = chart.labels[..count].last().filter(|_| count > 1) {
            (words(WIDTH - EDGE, PLOT + TEXT - 2.0, "end", &cut(last, WIDTH / 2.0 - 16.0)))
        }
    };
    (PLOT + TEXT + 4.0, markup)
}

fn corners(points: impl Iterator<Item = (f64, f64)>) -> String {
    points.map(|(x, y)| format!("{},{}", round(x), round(y))).collect::<Vec<_>>().join(" ")
}

fn words(x: f64, y: f64, anchor: &str, text: &str) -> Markup {
    html! { text.chart-text x=(round(x)) y=(round(y)) text-anchor=(anchor) { (text) } }
}

/// Shortens a label to a width.
fn cut(label: &str, room: f64) -> String {
    let label = clean(label);
    if width(&label) <= room {
        return label;
    }
    let mut short = String::new();
    for c in label.chars() {
        short.push(c);
        if width(&short) > room - 13.0 {
            short.pop();
            break;
        }
    }
    short.trim_end().to_owned() + "\u{2026}"
}
