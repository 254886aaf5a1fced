//! Charts of released tables, as SVG.
//!
//! Promises that equal data give equal bytes; that every number is drawn with its 95 % interval if it has
//! one; that nothing is conveyed by colour alone; that every chart has a text alternative; and that there is
//! no `style` attribute, so a strict content security policy holds. Widths of texts are estimated generously:
//! nothing overlaps and nothing is cut off. Deliberately does not know where the numbers come from.

mod axis;
mod plot;
mod words;
mod model;
mod draw;
mod entry;

pub use self::draw::{FILE_STYLE, svg};
pub use self::model::{Chart, Placement, Point, Series, Shape};

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
                let text = svg(&chart(shape, labels, values), Placement::File).into_string();
                assert!(!text.contains("NaN") && !text.contains("inf"), "{shape:?} of {values:?} drew {text}");
                let drawn = values.iter().flatten().any(|value| value.abs() <= 1e100);
                assert_eq!(text.contains(">nothing to show</text>"), !drawn, "{shape:?} of {values:?}");
            }
        }
    }

    #[test]
    fn numbers_and_labels_are_told_and_escaped() {
        let text =
            svg(&chart(Shape::Bar, &["a", "<script>"], &[Some(1234.0), Some(-4.0)]), Placement::Page).into_string();
        let told = "a: 1\u{202f}234 (1\u{202f}232 to 1\u{202f}236); &lt;script&gt;: \u{2212}4 (\u{2212}6 to \u{2212}2)";
        assert!(text.contains(told), "{text}");
        assert!(!text.contains("<script>") && !text.contains("<style>"));
    }

    #[test]
    fn the_style_of_a_file_is_embedded_as_it_is_hashed() {
        let text = svg(&chart(Shape::Line, &["a"], &[Some(1.0)]), Placement::File).into_string();
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
