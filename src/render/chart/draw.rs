//! A figure as SVG.

use super::entry::entry;
use super::model::{Chart, EDGE, Figure, Placement, Shape, TEXT_HEIGHT};
use crate::render::chart::plot::{PlotFrame, bars, lines, round, swatch, text};
use crate::render::chart::words::{clean, short, width, wrapped};
use crate::render::provenance::Provenance;
use maud::{Markup, html};

/// The style sheet within a file, for the CSP hash of its response. It contains no characters that markup escapes.
pub const FILE_STYLE: &str = "\
.chart{font-family:system-ui,sans-serif;font-size:13px}.chart-bg{fill:#fff}.chart-text{fill:#1b2027}\
.chart-axis{stroke:#5b6572}.chart-grid{stroke:#dde1e7}.chart-bar{stroke:currentColor}\
.chart-error{fill:none;stroke:#1b2027;stroke-width:1.5}.chart-band{fill:currentColor;fill-opacity:.18}\
.chart-line{fill:none;stroke:currentColor;stroke-width:2}.chart-dot{fill:currentColor}\
.s0{color:#3b78d8}.s1{color:#c8641b}.s2{color:#2f8f4e}.s3{color:#9a63d6}.s4{color:#d24a86}.s5{color:#14899a}\
@media (prefers-color-scheme:dark){.chart-bg{fill:#14181d}.chart-text{fill:#e8ebf0}.chart-axis{stroke:#98a3b0}\
.chart-grid{stroke:#333b45}.chart-error{stroke:#f0f3f7}}";

pub(super) const TOLD_POINTS_MAX: usize = 60;
pub(super) const NOTHING: &str = "nothing to show";
/// What is said below a chart if not everything fits on its axis.
fn beyond(shape: Shape) -> &'static str {
    match shape {
        Shape::Bar => "Arrows: beyond the axis, see the table.",
        Shape::Line => "At the edge: beyond it, see the table.",
    }
}

/// Draws the figure as an `svg` element, as wide as its place and as high as its contents require.
pub fn svg(figure: &Figure, place: Placement) -> Markup {
    drawn(figure, place, None)
}

/// Draws the figure as a file that says where its numbers came from.
pub fn file(figure: &Figure, about: &Provenance) -> Markup {
    drawn(figure, Placement::File, Some(about))
}

fn drawn(figure: &Figure, place: Placement, about: Option<&Provenance>) -> Markup {
    let told = told_all(figure);
    let digest = blake3::hash(format!("{}\n{told}", figure.title).as_bytes()).to_hex();
    let prefix = if place == Placement::Phone { "phone" } else { "chart" };
    let (id, width) = (format!("{prefix}{}", &digest[..12]), place.width());
    let mut parts = Vec::with_capacity(figure.charts.len());
    let mut top = EDGE;
    if figure.charts.len() > 1 {
        let (bottom, heading) = heading(&figure.title, top, width);
        parts.push(heading);
        top = bottom + EDGE;
    }
    for (at, chart) in figure.charts.iter().enumerate() {
        let own_id = if at == 0 { id.clone() } else { format!("{id}n{at}") };
        let (bottom, panel) = panel(chart, place, &own_id, top);
        parts.push(panel);
        top = bottom;
    }
    let height = round(top);
    let (fixed_width, fixed_height, style) = match place {
        Placement::File => (Some(width), Some(height), Some(FILE_STYLE)),
        Placement::Page | Placement::Phone => (None, None, None),
    };
    html! {
        svg.chart xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {width} {height}")) width=[fixed_width]
            height=[fixed_height] role="img" aria-labelledby=(format!("{id}t {id}d")) {
            title id=(format!("{id}t")) { (clean(&figure.title)) }
            desc id=(format!("{id}d")) { (told) }
            @if let Some(about) = about {
                metadata { @for line in about.lines() { (clean(&line)) "\n" } }
            }
            @if let Some(style) = style {
                style { (style) }
                rect.chart-bg x="0" y="0" width=(width) height=(height) {}
            }
            @for part in parts { (part) }
        }
    }
}

/// A heading below `top`, and where it ends.
fn heading(title: &str, top: f64, width: f64) -> (f64, Markup) {
    let lines = wrapped(title, (width - 2.0 * EDGE) / 1.15);
    let markup = html! {
        @for (row, line) in lines.iter().enumerate() {
            text.chart-text x=(EDGE) y=(round(top + 12.0 + TEXT_HEIGHT * row as f64)) font-weight="600" { (line) }
        }
    };
    (top + TEXT_HEIGHT * lines.len() as f64, markup)
}

/// One chart of a figure below `top`, and where it ends. `id` prefixes the ids of its hatchings.
fn panel(chart: &Chart, place: Placement, id: &str, top: f64) -> (f64, Markup) {
    let (heading_bottom, heading) = heading(&chart.title, top, place.width());
    let spots = legend_spots(chart, heading_bottom + 16.0, place.width());
    let legend_bottom = spots.last().map_or(heading_bottom, |spot| spot.1 + 6.0);
    let frame = PlotFrame::below(legend_bottom + unit_above(chart) + 12.0, chart, place);
    if frame.empty {
        return (
            heading_bottom + TEXT_HEIGHT + EDGE,
            html! {
                (heading)
                text.chart-text x=(EDGE) y=(round(heading_bottom + TEXT_HEIGHT)) { (nothing(chart)) }
            },
        );
    }
    let (bottom, notes) = notes(chart, &frame);
    let markup = html! {
        (heading)
        @for (at, (spot, series)) in spots.iter().zip(&chart.series).enumerate() {
            (swatch(chart.shape, at, id, spot.0, spot.1))
            (text(spot.0 + 30.0, spot.1, "start", &series.name))
        }
        @match chart.shape {
            Shape::Bar => { (bars(chart, &frame, id)) }
            Shape::Line => { (lines(chart, &frame)) }
        }
        (notes)
    };
    (bottom, markup)
}

/// The height above the plot for the title of a line chart's axis, which is written over it.
pub(super) fn unit_above(chart: &Chart) -> f64 {
    match (chart.shape, chart.axis_title()) {
        (Shape::Line, Some(_)) => TEXT_HEIGHT,
        (Shape::Line, None) | (Shape::Bar, _) => 0.0,
    }
}

/// The title of the axis and further remarks about the plot, with the place where the chart ends.
pub(super) fn notes(chart: &Chart, frame: &PlotFrame) -> (f64, Markup) {
    let middle = (frame.left + frame.right) / 2.0;
    let ticks_bottom = frame.bottom + TEXT_HEIGHT + 8.0;
    let (title, plot_bottom) = match (chart.axis_title(), chart.shape) {
        (None, Shape::Bar | Shape::Line) => (None, ticks_bottom),
        (Some(title), Shape::Bar) => {
            (Some(text(middle, ticks_bottom + 12.0, "middle", &title)), ticks_bottom + TEXT_HEIGHT)
        }
        (Some(title), Shape::Line) => (Some(text(EDGE, frame.top - 12.0, "start", &title)), ticks_bottom),
    };
    let (drawn, all) = (frame.count, chart.labels.len());
    let remarks = [
        (drawn < all).then(|| format!("Only the first {drawn} of {all} are drawn.")),
        frame.beyond.then(|| beyond(chart.shape).to_owned()),
        chart.has_totals.then(|| "Totals are in the table.".to_owned()),
    ];
    let remarks: Vec<String> = remarks.into_iter().flatten().collect();
    let height = EDGE + plot_bottom + TEXT_HEIGHT * remarks.len() as f64;
    let markup = html! {
        @if let Some(title) = title { (title) }
        @for (row, remark) in remarks.iter().enumerate() {
            text.chart-text x=(EDGE) y=(round(plot_bottom + 14.0 + TEXT_HEIGHT * row as f64)) { (remark) }
        }
    };
    (round(height), markup)
}

/// What is said in place of a chart that has no value to draw.
fn nothing(chart: &Chart) -> String {
    let points = chart.series.iter().flat_map(|series| &series.points);
    let mut words: Vec<&str> = points.filter_map(|point| point.word.as_deref()).collect();
    words.sort_unstable();
    words.dedup();
    match &words[..] {
        [] => NOTHING.to_owned(),
        words => format!("{NOTHING}: every value is {}", words.join(" or ")),
    }
}

/// The positions of the legend's entries, row by row; empty for a single series.
pub(super) fn legend_spots(chart: &Chart, top: f64, across: f64) -> Vec<(f64, f64)> {
    if chart.series.len() < 2 {
        return Vec::new();
    }
    let (mut x, mut y) = (EDGE, top);
    let mut spots = Vec::with_capacity(chart.series.len());
    for series in &chart.series {
        let wide = 50.0 + width(&short(&series.name));
        if x > EDGE && x + wide > across {
            (x, y) = (EDGE, y + 22.0);
        }
        spots.push((x, y));
        x += wide;
    }
    spots
}

/// The text alternative of all charts, each after its heading if there are several.
fn told_all(figure: &Figure) -> String {
    match &figure.charts[..] {
        [chart] => told(chart),
        charts => {
            let each = charts.iter().map(|chart| format!("{}: {}", clean(&chart.title), told(chart)));
            each.collect::<Vec<_>>().join(". ")
        }
    }
}

/// The text alternative: the first sixty points in words.
pub(super) fn told(chart: &Chart) -> String {
    let groups = chart.labels.iter().enumerate();
    let points =
        groups.flat_map(|(row, label)| chart.series.iter().map(move |series| entry(chart, label, series, row)));
    let mut told: Vec<String> = points.take(TOLD_POINTS_MAX).collect();
    let more = (chart.labels.len() * chart.series.len()).saturating_sub(TOLD_POINTS_MAX);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    let about = |word: &str, text: &Option<String>| {
        text.as_ref().map_or_else(String::new, |text| format!(". {word}: {}", clean(text)))
    };
    let (measure, unit) = (about("Measured", &chart.measure), about("Unit", &chart.unit));
    if told.is_empty() { NOTHING.to_owned() } else { told.join("; ") + &measure + &unit }
}
