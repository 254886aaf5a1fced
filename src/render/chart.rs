//! Charts of released tables, as SVG.
//!
//! Promises that equal data give equal bytes; that every number is drawn with its 95 % interval if it has
//! one; that nothing is conveyed by colour alone; that every chart has a text alternative; and that there is
//! no `style` attribute, so a strict content security policy holds. Widths of texts are estimated generously:
//! nothing overlaps and nothing is cut off. Deliberately does not know where the numbers come from.

mod axis;
mod plot;
mod words;

use maud::{Markup, html};

use axis::{Mark, mark};
use plot::{Frame, round, swatch, text};
use words::{clean, number, short, width, wrapped};

/// How a chart is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Horizontal bars with whiskers; zero is always on the axis.
    Bar,
    /// Lines with a band for the interval; labels run along the x axis.
    Line,
}

/// A number with its 95 % interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The number; it is not drawn if it is absent, not finite or beyond 1e100.
    pub value: Option<f64>,
    /// The lower end of the interval, which is drawn if both ends are present.
    pub low: Option<f64>,
    /// The upper end of the interval.
    pub high: Option<f64>,
    /// A remark about the number or in place of it, like `hidden` or `out of bounds`.
    pub word: Option<String>,
}

/// A named series with one point per label.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The name in the legend, which is shown if there are several series.
    pub name: String,
    /// The points in the order of the labels; missing points at the end count as hidden.
    pub points: Vec<Point>,
}

/// The contents of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// The heading, which is also the accessible name.
    pub title: String,
    /// The unit of measurement, shown at the axis.
    pub unit: Option<String>,
    /// Whether the chart shows bars or lines.
    pub shape: Shape,
    /// The labels of the groups, in order.
    pub labels: Vec<String>,
    /// The numbers. Each series has its own colour and pattern; the seventh looks like the first.
    pub series: Vec<Series>,
}

/// Where the SVG will be used. A separate file contains its style; on a page of the console the style sheet applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A response or a file of its own.
    File,
    /// Inline in a page of the console.
    Page,
}

/// The style sheet within a file, for the CSP hash of its response. It contains no characters that markup escapes.
pub const FILE_STYLE: &str = "\
.chart{font-family:system-ui,sans-serif;font-size:13px}.chart-bg{fill:#fff}.chart-text{fill:#1b2027}\
.chart-axis{stroke:#5b6572}.chart-grid{stroke:#dde1e7}.chart-bar{stroke:currentColor}\
.chart-error{fill:none;stroke:#1b2027;stroke-width:1.5}.chart-band{fill:currentColor;fill-opacity:.18}\
.chart-line{fill:none;stroke:currentColor;stroke-width:2}.chart-dot{fill:currentColor}\
.s0{color:#3b78d8}.s1{color:#c8641b}.s2{color:#2f8f4e}.s3{color:#9a63d6}.s4{color:#d24a86}.s5{color:#14899a}\
@media (prefers-color-scheme:dark){.chart-bg{fill:#14181d}.chart-text{fill:#e8ebf0}.chart-axis{stroke:#98a3b0}\
.chart-grid{stroke:#333b45}.chart-error{stroke:#f0f3f7}}";

const WIDTH: f64 = 720.0;
const EDGE: f64 = 12.0;
const TEXT_HEIGHT: f64 = 18.0;
const TOLD_POINTS_MAX: usize = 60;
const NOTHING: &str = "nothing to show";

/// Draws the chart as an `svg` element, 720 wide and as high as its contents require.
pub fn svg(chart: &Chart, place: Place) -> Markup {
    let told = told(chart);
    let digest = blake3::hash(format!("{}\n{told}", chart.title).as_bytes()).to_hex();
    let id = format!("chart{}", &digest[..12]);
    let heading = wrapped(&chart.title, (WIDTH - 2.0 * EDGE) / 1.15);
    let heading_bottom = EDGE + TEXT_HEIGHT * heading.len() as f64;
    let spots = legend_spots(chart, heading_bottom + 16.0);
    let legend_bottom = spots.last().map_or(heading_bottom, |spot| spot.1 + 6.0);
    let frame = Frame::below(legend_bottom + unit_above(chart) + 12.0, chart);
    let (height, notes) = notes(chart, &frame);
    let (fixed_width, fixed_height, style) = match place {
        Place::File => (Some(WIDTH), Some(height), Some(FILE_STYLE)),
        Place::Page => (None, None, None),
    };
    html! {
        svg.chart xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {WIDTH} {height}")) width=[fixed_width]
            height=[fixed_height] role="img" aria-labelledby=(format!("{id}t {id}d")) {
            title id=(format!("{id}t")) { (clean(&chart.title)) }
            desc id=(format!("{id}d")) { (told) }
            @if let Some(style) = style {
                style { (style) }
                rect.chart-bg x="0" y="0" width=(WIDTH) height=(height) {}
            }
            @for (row, line) in heading.iter().enumerate() {
                text.chart-text x=(EDGE) y=(round(EDGE + 12.0 + TEXT_HEIGHT * row as f64)) font-weight="600" { (line) }
            }
            @for (at, (spot, series)) in spots.iter().zip(&chart.series).enumerate() {
                (swatch(chart.shape, at, &id, spot.0, spot.1))
                (text(spot.0 + 30.0, spot.1, "start", &series.name))
            }
            @match chart.shape {
                Shape::Bar => { (plot::bars(chart, &frame, &id)) }
                Shape::Line => { (plot::lines(chart, &frame)) }
            }
            (notes)
        }
    }
}

/// The height above the plot for the unit of measurement of a line chart, which is written over the axis.
fn unit_above(chart: &Chart) -> f64 {
    match (chart.shape, &chart.unit) {
        (Shape::Line, Some(_)) => TEXT_HEIGHT,
        (Shape::Line, None) | (Shape::Bar, _) => 0.0,
    }
}

/// The unit of measurement and further remarks about the plot, with the height of the whole chart.
fn notes(chart: &Chart, frame: &Frame) -> (f64, Markup) {
    let middle = (frame.left + frame.right) / 2.0;
    let ticks_bottom = frame.bottom + TEXT_HEIGHT + 8.0;
    let (unit, plot_bottom) = match (&chart.unit, chart.shape) {
        (None, Shape::Bar | Shape::Line) => (None, ticks_bottom),
        (Some(unit), Shape::Bar) => {
            (Some(text(middle, ticks_bottom + 12.0, "middle", unit)), ticks_bottom + TEXT_HEIGHT)
        }
        (Some(unit), Shape::Line) => (Some(text(EDGE, frame.top - 12.0, "start", unit)), ticks_bottom),
    };
    let (drawn, all) = (frame.count, chart.labels.len());
    let height = EDGE + if drawn < all { plot_bottom + TEXT_HEIGHT } else { plot_bottom };
    let markup = html! {
        @if let Some(unit) = unit { (unit) }
        @if frame.empty { (text(middle, (frame.top + frame.bottom) / 2.0 + 4.5, "middle", NOTHING)) }
        @if drawn < all {
            text.chart-text x=(EDGE) y=(round(plot_bottom + 14.0)) { "Only the first " (drawn) " of " (all) " are drawn." }
        }
    };
    (round(height), markup)
}

/// The positions of the legend's entries, row by row; empty for a single series.
fn legend_spots(chart: &Chart, top: f64) -> Vec<(f64, f64)> {
    if chart.series.len() < 2 {
        return Vec::new();
    }
    let (mut x, mut y) = (EDGE, top);
    let mut spots = Vec::with_capacity(chart.series.len());
    for series in &chart.series {
        let wide = 50.0 + width(&short(&series.name));
        if x > EDGE && x + wide > WIDTH {
            (x, y) = (EDGE, y + 22.0);
        }
        spots.push((x, y));
        x += wide;
    }
    spots
}

/// The text alternative: the first sixty points in words.
fn told(chart: &Chart) -> String {
    let groups = chart.labels.iter().enumerate();
    let points =
        groups.flat_map(|(row, label)| chart.series.iter().map(move |series| entry(chart, label, series, row)));
    let mut told: Vec<String> = points.take(TOLD_POINTS_MAX).collect();
    let more = (chart.labels.len() * chart.series.len()).saturating_sub(TOLD_POINTS_MAX);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    let unit = chart.unit.as_ref().map_or_else(String::new, |unit| format!(". Unit: {}", clean(unit)));
    if told.is_empty() { NOTHING.to_owned() } else { told.join("; ") + &unit }
}

/// One point in words: `label: value (low to high)`, with the name of its series if there are several.
fn entry(chart: &Chart, label: &str, series: &Series, row: usize) -> String {
    let name = if chart.series.len() > 1 { format!("{label}, {}", series.name) } else { label.to_owned() };
    let point = series.points.get(row);
    let word = point.and_then(|point| point.word.as_deref());
    let value = match mark(point) {
        None => return format!("{}: {}", clean(&name), word.unwrap_or("hidden")),
        Some(Mark { value, interval: None }) => number(value),
        Some(Mark { value, interval: Some((low, high)) }) => {
            format!("{} ({} to {})", number(value), number(low), number(high))
        }
    };
    let word = word.map_or_else(String::new, |word| format!(", {word}"));
    format!("{}: {value}{word}", clean(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(shape: Shape, labels: &[&str], values: &[Option<f64>]) -> Chart {
        let ends = |value: Option<f64>, by: f64| value.map(|v| v + by);
        let point =
            |value: &Option<f64>| Point { value: *value, low: ends(*value, -2.0), high: ends(*value, 2.0), word: None };
        let series = Series { name: "all".to_owned(), points: values.iter().map(point).collect() };
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        Chart { title: "Visits".to_owned(), unit: Some("visits".to_owned()), shape, labels, series: vec![series] }
    }

    #[test]
    fn edge_cases_stay_finite() {
        let cases: [(&[&str], &[Option<f64>]); 9] = [
            (&[], &[]),
            (&["a"], &[]),
            (&["a", "b"], &[None, None]),
            (&["a"], &[Some(-3.0)]),
            (&["a", "b", "c"], &[Some(5.0), Some(5.0), Some(5.0)]),
            (&["a", "b"], &[Some(0.0), None]),
            (&["a", "b"], &[Some(1e15), Some(-1e15)]),
            (&["a", "b"], &[Some(f64::MAX), Some(f64::MIN_POSITIVE)]),
            (&["a", "b", "c"], &[Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY)]),
        ];
        for (labels, values) in cases {
            for shape in [Shape::Bar, Shape::Line] {
                let text = svg(&chart(shape, labels, values), Place::File).into_string();
                assert!(!text.contains("NaN") && !text.contains("inf"), "{shape:?} of {values:?} drew {text}");
                let drawn = values.iter().flatten().any(|value| value.abs() <= 1e100);
                assert_eq!(text.contains(">nothing to show</text>"), !drawn, "{shape:?} of {values:?}");
            }
        }
    }

    #[test]
    fn numbers_and_labels_are_told_and_escaped() {
        let text = svg(&chart(Shape::Bar, &["a", "<script>"], &[Some(1234.0), Some(-4.0)]), Place::Page).into_string();
        let told = "a: 1\u{202f}234 (1\u{202f}232 to 1\u{202f}236); &lt;script&gt;: \u{2212}4 (\u{2212}6 to \u{2212}2)";
        assert!(text.contains(told), "{text}");
        assert!(!text.contains("<script>") && !text.contains("<style>"));
    }

    #[test]
    fn the_style_of_a_file_is_embedded_as_it_is_hashed() {
        let text = svg(&chart(Shape::Line, &["a"], &[Some(1.0)]), Place::File).into_string();
        assert!(text.contains(&format!("<style>{FILE_STYLE}</style>")));
    }

    #[test]
    fn an_axis_has_four_to_six_ticks() {
        for step in 1..=2_000 {
            let high = 0.013 * f64::from(step).powi(3);
            for low in [0.0, -0.37 * high, -high, 0.9 * high] {
                let ticks = axis::Axis::over(Some((low, high)), Shape::Line).ticks;
                assert!((4..=6).contains(&ticks.len()), "{low} to {high}: {ticks:?}");
            }
        }
    }
}
