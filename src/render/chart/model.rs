//! What a chart shows, and where it stands.

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
    /// The heading: what is measured, where a figure has several charts.
    pub title: String,
    /// The name of what is measured, shown at the axis; `None` if the heading or the legend says it.
    pub measure: Option<String>,
    /// The unit of measurement, shown at the axis.
    pub unit: Option<String>,
    /// Whether the chart shows bars or lines.
    pub shape: Shape,
    /// The labels of the groups, in order.
    pub labels: Vec<String>,
    /// Whether the table also has totals, which are not drawn.
    pub has_totals: bool,
    /// Whether every label is a day.
    pub over_days: bool,
    /// The numbers. Each series has its own colour and pattern; the seventh looks like the first.
    pub series: Vec<Series>,
}

impl Chart {
    /// The text at the axis of numbers, like `mean cost (EUR)`; `None` if there is nothing to say.
    #[must_use]
    pub fn axis_title(&self) -> Option<String> {
        match (&self.measure, &self.unit) {
            (Some(measure), Some(unit)) if !measure.eq_ignore_ascii_case(unit) => Some(format!("{measure} ({unit})")),
            (_, Some(title)) | (Some(title), None) => Some(title.clone()),
            (None, None) => None,
        }
    }
}

/// Charts below each other, each with an axis of its own: what is measured differently never shares one.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The heading, which is also the accessible name. A single chart has the same one.
    pub title: String,
    /// The charts, from top to bottom.
    pub charts: Vec<Chart>,
}

impl From<Chart> for Figure {
    fn from(chart: Chart) -> Self {
        Self { title: chart.title.clone(), charts: vec![chart] }
    }
}

/// Where the SVG will be used. A separate file contains its style; on a page of the console the style sheet applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// A response or a file of its own.
    File,
    /// Inline in a page of the console.
    Page,
    /// Inline in a page of the console, where the screen is as narrow as a phone's: labels stand above their bars.
    Phone,
}

impl Placement {
    /// The width of the view box.
    pub(super) fn width(self) -> f64 {
        match self {
            Self::File | Self::Page => 720.0,
            Self::Phone => 340.0,
        }
    }

    /// The height above the bars of a group that its label takes.
    pub(super) fn label_above(self) -> f64 {
        match self {
            Self::File | Self::Page => 0.0,
            Self::Phone => TEXT_HEIGHT,
        }
    }
}

pub(super) const EDGE: f64 = 12.0;
pub(super) const TEXT_HEIGHT: f64 = 18.0;
