//! Charts as Vega-Lite specifications, for those who want to draw them in their own way.
//!
//! Promises that the data are inside the specification, with the fields `label`, `series`, `value`, `low` and `high`; unknown values are
//! null, and `word` says why. Nothing is fetched and nothing is rendered here.

use serde_json::{Value, json};

use super::chart::{Chart, Figure, Series, Shape};
use super::provenance::Provenance;

const SCHEMA: &str = "https://vega.github.io/schema/vega-lite/v5.json";

/// The figure as a Vega-Lite 5 specification with inline data: bars with error bars, or lines with bands; several charts stand below each
/// other.
pub fn specification(figure: &Figure) -> Value {
    let mut specification = match &figure.charts[..] {
        [chart] => view(chart),
        charts => json!({ "vconcat": charts.iter().map(titled).collect::<Vec<_>>() }),
    };
    specification["$schema"] = json!(SCHEMA);
    specification["title"] = json!(figure.title);
    specification["description"] = json!(format!("{}; noisy values with 95 % intervals", figure.title));
    specification
}

/// The specification of a figure as a file, with where the numbers came from in `usermeta`.
pub fn file(figure: &Figure, about: &Provenance) -> Value {
    let mut specification = specification(figure);
    specification["usermeta"] = about.pairs().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    specification
}

fn titled(chart: &Chart) -> Value {
    let mut view = view(chart);
    view["title"] = json!(chart.title);
    view
}

fn view(chart: &Chart) -> Value {
    json!({ "width": 640, "data": { "values": values(chart) }, "encoding": shared(chart), "layer": layers(chart) })
}

/// One record per label and series, in the chart's order.
fn values(chart: &Chart) -> Vec<Value> {
    let rows = 0..chart.labels.len();
    rows.flat_map(|row| chart.series.iter().map(move |series| record(&chart.labels[row], series, row))).collect()
}

fn record(label: &str, series: &Series, row: usize) -> Value {
    let finite = |number: Option<f64>| number.filter(|number| number.is_finite());
    let point = series.points.get(row);
    let value = point.and_then(|point| finite(point.value));
    let interval = value.and(point).and_then(|point| finite(point.low).zip(finite(point.high)));
    let (low, high) = interval.unzip();
    let mut record = json!({ "label": label, "series": series.name, "value": value, "low": low, "high": high });
    if let Some(word) = point.and_then(|point| point.word.as_ref()) {
        record["word"] = json!(word);
    }
    record
}

/// What all layers share: the labels in their given order, and a colour per series.
fn shared(chart: &Chart) -> Value {
    let label = match chart.over_days {
        // Days begin at midnight in UTC here as there, whatever the time zone of who looks at them is.
        true => json!({ "field": "label", "type": "temporal", "timeUnit": "utcyearmonthdate", "title": null }),
        false => json!({ "field": "label", "type": "nominal", "sort": null, "title": null }),
    };
    let colour = json!({ "field": "series", "type": "nominal", "sort": null, "title": null });
    match (chart.shape, chart.series.len() > 1) {
        (Shape::Bar, true) => {
            json!({ "y": label, "yOffset": { "field": "series", "type": "nominal", "sort": null }, "color": colour })
        }
        (Shape::Bar, false) => json!({ "y": label }),
        (Shape::Line, true) => json!({ "x": label, "color": colour }),
        (Shape::Line, false) => json!({ "x": label }),
    }
}

fn layers(chart: &Chart) -> Value {
    let title = chart.axis_title().unwrap_or_else(|| "value".to_owned());
    let number = |field: &str| json!({ "field": field, "type": "quantitative", "title": title });
    let level =
        |field: &str| json!({ "field": field, "type": "quantitative", "title": title, "scale": { "zero": false } });
    let tooltip = json!([
        { "field": "label" }, { "field": "series" }, { "field": "value" }, { "field": "low" }, { "field": "high" }
    ]);
    match chart.shape {
        Shape::Bar => json!([
            { "mark": "bar", "encoding": { "x": number("value"), "tooltip": tooltip } },
            {
                "mark": { "type": "rule", "color": "black" },
                "transform": [{ "filter": "isValid(datum.low) && isValid(datum.high)" }],
                "encoding": { "x": number("low"), "x2": { "field": "high" }, "color": { "value": "black" } },
            },
        ]),
        Shape::Line => json!([
            { "mark": { "type": "area", "opacity": 0.2 }, "encoding": { "y": level("low"), "y2": { "field": "high" } } },
            { "mark": { "type": "line", "point": true }, "encoding": { "y": level("value"), "tooltip": tooltip } },
        ]),
    }
}
