//! One point of a chart in words, for the text alternative and for titles.

use super::axis::{Mark, mark};
use super::model::{Chart, Series};
use super::words::{clean, number};

/// One point in words: `label: value (low to high)`, with the name of its series if there are several.
pub(super) fn entry(chart: &Chart, label: &str, series: &Series, row: usize) -> String {
    let name = if chart.series.len() > 1 { format!("{label}, {}", series.name) } else { label.to_owned() };
    let point = series.points.get(row);
    let word = point.and_then(|point| point.word.as_deref());
    let value = match mark(point) {
        None => return format!("{}: {}", clean(&name), word.unwrap_or("hidden")),
        Some(Mark { value, interval: None }) => number(value, None),
        Some(Mark { value, interval: Some((low, high)) }) => {
            let shown = |value| number(value, Some((high - low) / 2.0));
            format!("{} ({} to {})", shown(value), shown(low), shown(high))
        }
    };
    let word = word.map_or_else(String::new, |word| format!(", {word}"));
    format!("{}: {value}{word}", clean(&name))
}
