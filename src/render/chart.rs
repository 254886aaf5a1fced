//! Charts of released tables, as SVG.
//!
//! Promises that equal data give equal bytes; that every number is drawn with its 95 % interval if it has
//! one; that nothing is conveyed by colour alone; that every chart has a text alternative; and that there is
//! no `style` attribute, so a strict content security policy holds. Widths of texts are estimated generously:
//! nothing overlaps, and nothing is cut off but what is lost in noise: it ends in an arrow, so that it does not crush the others.
//! Deliberately does not know where the numbers come from.

mod axis;
mod plot;
mod ticks;
mod words;
mod model;
mod draw;
mod entry;
mod small;

pub use self::draw::{FILE_STYLE, file, svg};
pub use self::model::{Chart, Figure, Placement, Point, Series, Shape};
pub use self::small::small;

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(shape: Shape, labels: &[&str], values: &[Option<f64>]) -> Chart {
        let ends = |value: Option<f64>, by: f64| value.map(|v| v + by);
        let point =
            |value: &Option<f64>| Point { value: *value, low: ends(*value, -2.0), high: ends(*value, 2.0), word: None };
        let series = Series { name: "all".to_owned(), points: values.iter().map(point).collect() };
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        Chart {
            title: "Visits".to_owned(),
            measure: None,
            unit: Some("visits".to_owned()),
            shape,
            labels,
            has_totals: false,
            over_days: false,
            series: vec![series],
        }
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
                let text = svg(&chart(shape, labels, values).into(), Placement::File).into_string();
                assert!(!text.contains("NaN") && !text.contains("inf"), "{shape:?} of {values:?} drew {text}");
                let drawn = values.iter().flatten().any(|value| value.abs() <= 1e100);
                assert_eq!(text.contains(">nothing to show</text>"), !drawn, "{shape:?} of {values:?}");
            }
        }
    }

    #[test]
    fn numbers_and_labels_are_told_and_escaped() {
        let text = svg(&chart(Shape::Bar, &["a", "<script>"], &[Some(1234.0), Some(-4.0)]).into(), Placement::Page)
            .into_string();
        let told = "a: 1\u{202f}234 (1\u{202f}232 to 1\u{202f}236); &lt;script&gt;: \u{2212}4 (\u{2212}6 to \u{2212}2)";
        assert!(text.contains(told), "{text}");
        assert!(!text.contains("<script>") && !text.contains("<style>"));
    }

    /// What is measured stands at the axis where neither a heading nor a legend names it.
    #[test]
    fn the_axis_says_what_is_measured() {
        for (measure, unit, axis) in [
            (Some("mean cost"), Some("EUR"), ">mean cost (EUR)</text>"),
            (Some("Visits"), Some("visits"), ">visits</text>"),
            (Some("n"), None, ">n</text>"),
            (None, Some("EUR"), ">EUR</text>"),
        ] {
            for shape in [Shape::Bar, Shape::Line] {
                let mut chart = chart(shape, &["a", "b"], &[Some(5.0), Some(2.0)]);
                (chart.measure, chart.unit) = (measure.map(str::to_owned), unit.map(str::to_owned));
                let text = svg(&chart.into(), Placement::File).into_string();
                assert!(text.contains(axis), "{shape:?} {axis} in {text}");
            }
        }
    }

    #[test]
    fn the_style_of_a_file_is_embedded_as_it_is_hashed() {
        let text = svg(&chart(Shape::Line, &["a"], &[Some(1.0)]).into(), Placement::File).into_string();
        assert!(text.contains(&format!("<style>{FILE_STYLE}</style>")));
    }

    /// A chart of numbers with the half-widths of their intervals.
    fn with_intervals(shape: Shape, points: &[(f64, f64)]) -> Chart {
        let point = |(value, by): &(f64, f64)| Point {
            value: Some(*value),
            low: Some(value - by),
            high: Some(value + by),
            word: None,
        };
        let labels = (0..points.len()).map(|at| format!("group {at}")).collect();
        let series = Series { name: "all".to_owned(), points: points.iter().map(point).collect() };
        Chart {
            title: "Costs".to_owned(),
            measure: None,
            unit: None,
            shape,
            labels,
            has_totals: false,
            over_days: false,
            series: vec![series],
        }
    }

    /// One group that is lost in noise does not set the axis; groups that are wide by themselves do.
    #[test]
    fn a_lost_group_does_not_crush_the_others() {
        let arrows = |chart: Chart| svg(&chart.into(), Placement::Page).into_string().contains("Arrows: beyond");
        let end = |points: &[(f64, f64)]| {
            let chart = with_intervals(Shape::Bar, points);
            axis::extent(&chart, points.len()).expect("something to draw")
        };
        let lost = [(211.0, 180.0), (240.0, 200.0), (-1450.0, 2970.0), (190.0, 150.0)];
        assert_eq!(end(&lost), (31.0, 440.0));
        assert!(arrows(with_intervals(Shape::Bar, &lost)));
        let edge = svg(&with_intervals(Shape::Line, &lost).into(), Placement::File).into_string();
        assert!(edge.contains("At the edge: beyond it") && !edge.contains("NaN"), "{edge}");
        let wide: [&[(f64, f64)]; 4] = [
            &[(10.0, 800.0), (-3.0, 800.0)],
            &[(211.0, 10.0), (240.0, 200.0)],
            &[(5.0, 0.0), (5.0, 0.0), (1000.0, 30.0)],
            &[(100.0, 0.1), (2.0, 50.0)],
        ];
        for points in wide {
            assert!(!arrows(with_intervals(Shape::Bar, points)), "{points:?}");
        }
    }

    /// What a chart draws stays inside its view box, on wide screens and on phones, however long the names are.
    #[test]
    fn everything_is_inside_the_view_box() {
        for place in [Placement::Page, Placement::Phone, Placement::File] {
            for points in [&[(1e6, 1e5), (3e5, 2e5)][..], &[(0.2, 0.1), (-0.4, 9.0)], &[(7.0, 1.0)]] {
                let mut chart = with_intervals(Shape::Bar, points);
                chart.labels[0] = "W".repeat(60);
                let figure = Figure { title: "Costs ".repeat(30), charts: vec![chart.clone(), chart] };
                let text = svg(&figure, place).into_string();
                let width = if place == Placement::Phone { 340.0 } else { 720.0 };
                let bars = text.split("<rect class=\"chart-bar\"").skip(1);
                for bar in bars {
                    let read = |name: &str| -> f64 {
                        let (_, rest) = bar.split_once(&format!("{name}=\"")).expect("an attribute");
                        rest.split('"').next().expect("a value").parse().expect("a number")
                    };
                    let (left, wide) = (read(" x"), read(" width"));
                    assert!(left >= 0.0 && left + wide <= width, "{place:?} {points:?}: {left} + {wide}");
                }
                assert!(text.matches("font-weight=\"600\">Costs").count() >= 3, "each chart has its heading");
            }
        }
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
