//! A chart as SVG.

use super::entry::entry;
use super::model::{Chart, Placement, Shape};
use super::model::{EDGE, TEXT_HEIGHT, WIDTH};
use crate::render::chart::plot::{PlotFrame, round, swatch, text};
use crate::render::chart::words::{clean, short, width, wrapped};
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

/// Draws the chart as an `svg` element, 720 wide and as high as its contents require.
pub fn svg(chart: &Chart, place: Placement) -> Markup {
    let told = told(chart);
    let digest = blake3::hash(format!("{}\n{told}", chart.title).as_bytes()).to_hex();
    let id = format!("chart{}", &digest[..12]);
    let heading = wrapped(&chart.title, (WIDTH - 2.0 * EDGE) / 1.15);
    let heading_bottom = EDGE + TEXT_HEIGHT * heading.len() as f64;
    let spots = legend_spots(chart, heading_bottom + 16.0);
    let legend_bottom = spots.last().map_or(heading_bottom, |spot| spot.1 + 6.0);
    let frame = PlotFrame::below(legend_bottom + unit_above(chart) + 12.0, chart);
    let (height, notes) = notes(chart, &frame);
    let (fixed_width, fixed_height, style) = match place {
        Placement::File => (Some(WIDTH), Some(height), Some(FILE_STYLE)),
        Placement::Page => (None, None, None),
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
                Shape::Bar => { (crate::render::chart::plot::bars(chart, &frame, &id)) }
                Shape::Line => { (crate::render::chart::plot::lines(chart, &frame)) }
            }
            (notes)
        }
    }
}

/// The height above the plot for the unit of measurement of a line chart, which is written over the axis.
pub(super) fn unit_above(chart: &Chart) -> f64 {
    match (chart.shape, &chart.unit) {
        (Shape::Line, Some(_)) => TEXT_HEIGHT,
        (Shape::Line, None) | (Shape::Bar, _) => 0.0,
    }
}

/// The unit of measurement and further remarks about the plot, with the height of the whole chart.
pub(super) fn notes(chart: &Chart, frame: &PlotFrame) -> (f64, Markup) {
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
pub(super) fn legend_spots(chart: &Chart, top: f64) -> Vec<(f64, f64)> {
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
pub(super) fn told(chart: &Chart) -> String {
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
