//! A statistic at a glance, for its card in the gallery: a small chart, and the one number that says most, with its error.

use maud::{Markup, html};

use super::chart::{Chart, Figure, Point, Shape, small};
use super::figure::alone;
use super::reading::number;
use crate::query::answer::Table;

/// The picture of a statistic. `figure` is its figure; a table that is too long to be drawn has none.
#[must_use]
pub fn card(table: &Table, figure: Option<&Figure>) -> Markup {
    if let Some(alone) = alone(table) {
        return alone;
    }
    match figure.and_then(|figure| figure.charts.first()) {
        Some(chart) => html! { (small(chart)) @if let Some(headline) = headline(chart) { (headline) } },
        None => html! { p.muted { (table.rows.len()) " rows" } },
    }
}

/// The latest number of a line; of bars, the one that is largest for certain, which an estimate that is lost in noise is not.
fn headline(chart: &Chart) -> Option<Markup> {
    let series = chart.series.first()?;
    let known = chart.labels.iter().zip(&series.points).filter(|(_, point)| point.value.is_some());
    let at_least = |point: &Point| point.low.or(point.value).unwrap_or(f64::NEG_INFINITY);
    let (label, point) = match chart.shape {
        Shape::Line => known.into_iter().next_back(),
        Shape::Bar => known.max_by(|one, other| at_least(one.1).total_cmp(&at_least(other.1))),
    }?;
    let half_width = point.low.zip(point.high).map(|(low, high)| (high - low) / 2.0);
    // Without a unit, the name of the series says what is measured.
    let is_named = chart.series.len() > 1 || chart.unit.is_none();
    let name = if is_named { format!("{label}, {}", series.name) } else { label.clone() };
    Some(html! {
        p.headline {
            @if let Some(value) = point.value { strong { (number(value, half_width)) } }
            @if let Some(width) = half_width { " ± " (number(width, Some(width))) }
            " " span.muted { (name) @if let Some(unit) = &chart.unit { ", " (unit) } }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::chart::Series;

    fn chart(shape: Shape, points: &[(f64, f64)]) -> Chart {
        let point = |(value, by): &(f64, f64)| Point {
            value: Some(*value),
            low: Some(value - by),
            high: Some(value + by),
            word: None,
        };
        let labels = (0..points.len()).map(|at| format!("group {at}")).collect();
        let series = Series { name: "n".to_owned(), points: points.iter().map(point).collect() };
        let title = "Visits".to_owned();
        Chart {
            title,
            measure: None,
            unit: None,
            shape,
            labels,
            has_totals: false,
            over_days: false,
            series: vec![series],
        }
    }

    #[test]
    fn the_number_on_a_card_is_the_latest_or_the_surely_largest() {
        let told = |chart: &Chart| headline(chart).map_or_else(String::new, |headline| headline.into_string());
        let points = [(40.0, 2.0), (300.0, 900.0), (70.0, 3.0), (10.0, 1.0)];
        let bars = told(&chart(Shape::Bar, &points));
        assert!(bars.contains("<strong>70</strong> ± 3") && bars.contains("group 2, n"), "{bars}");
        let line = told(&chart(Shape::Line, &points));
        assert!(line.contains("<strong>10</strong> ± 1") && line.contains("group 3"), "{line}");
        assert_eq!(told(&chart(Shape::Bar, &[])), "");
    }

    #[test]
    fn a_small_chart_has_no_id_and_says_what_it_leaves_out() {
        let points: Vec<_> = (0..9).map(|at| (f64::from(at) - 2.0, 1.0)).collect();
        let bars = small(&chart(Shape::Bar, &points)).into_string();
        assert!(bars.contains("and 3 more") && !bars.contains(" id="), "{bars}");
        let line = small(&chart(Shape::Line, &points)).into_string();
        assert!(line.contains("group 0") && line.contains("group 8") && line.contains("polygon"), "{line}");
        for shape in [Shape::Bar, Shape::Line] {
            for points in [&[][..], &[(f64::NAN, 1.0)], &[(5.0, f64::INFINITY)]] {
                let drawn = small(&chart(shape, points)).into_string();
                assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
            }
        }
    }
}
