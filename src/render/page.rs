//! A published statistic as a page: its chart, its table, its age, and how to cite it.

use maud::{Markup, html};

use super::chart::{self, Figure, Placement};
use super::figure;
use crate::query::answer::Table;

/// The contents of the page of a statistic.
pub struct Published<'a> {
    /// The name of the statistic.
    pub name: &'a str,
    /// A title for people to read.
    pub title: &'a str,
    /// A longer description.
    pub description: Option<&'a str>,
    /// The table of noisy values.
    pub table: &'a Table,
    /// The figure, if there is one.
    pub figure: Option<&'a Figure>,
    /// The day of the release.
    pub date: &'a str,
    /// What the noise protects: the name of the unit's column, or `row`.
    pub whom: &'a str,
    /// The day on which a later refresh was due, and the reason why it was not made.
    pub skipped: Option<(&'a str, &'a str)>,
    /// The reason why something newer waits to be drawn.
    pub waiting: Option<&'a str>,
    /// The citation of the statistic.
    pub cite: &'a str,
    /// The canonical SQL of the question.
    pub sql: &'a str,
}

/// The formats in which a statistic is offered, as endings and words.
pub const FORMATS: [(&str, &str); 10] = [
    ("json", "JSON"),
    ("csv", "CSV"),
    ("xlsx", "Excel"),
    ("arrow", "Arrow"),
    ("feather", "Feather"),
    ("parquet", "Parquet"),
    ("png", "PNG"),
    ("svg", "SVG"),
    ("vl.json", "Vega-Lite"),
    ("txt", "citation"),
];

/// What the page of a statistic shows, to be put into a frame.
pub type Article = Markup;

/// The body of the page of a statistic.
#[must_use]
pub fn body(shown: &Published<'_>) -> Article {
    html! {
        article.statistic {
            h1 { (shown.title) }
            @if let Some(description) = shown.description { p.lead { (description) } }
            p.muted {
                "Released on " (shown.date) ". Noise was added to protect each " code { (shown.whom) } " in the data: "
                "each number stands with its 95 % interval."
            }
            @if let Some(why) = shown.waiting { p.note.warn { "These numbers are older than the statistic's file: " (why) "." } }
            @if let Some((date, why)) = shown.skipped {
                p.note.warn { "A refresh was due on " (date) " and was not made: " (why) ". These numbers are older." }
            }
            @if let Some(alone) = figure::alone(shown.table) { (alone) }
            @else {
                @if let Some(drawn) = shown.figure { (figure::on_page(drawn)) }
                (figure::table(shown.table, shown.title))
            }
            details {
                summary { "How it was computed, how to cite it, other formats" }
                pre.sql tabindex="0" { code { (shown.sql) } }
                p { (shown.cite) }
                p {
                    @for (ending, words) in FORMATS {
                        a href={ "/v1/statistics/" (shown.name) "." (ending) } { (words) } " "
                    }
                }
            }
        }
    }
}

/// A statistic among others on a page.
pub struct Panel<'a> {
    /// The name of the statistic.
    pub name: &'a str,
    /// A title for people to read.
    pub title: &'a str,
    /// The table of noisy values.
    pub table: &'a Table,
    /// The figure, if there is one.
    pub figure: Option<&'a Figure>,
    /// The day of the release.
    pub date: &'a str,
    /// Whether something newer waits or was due.
    pub is_older: bool,
}

/// The largest number of rows of a table in a panel.
const PANEL_ROWS_MAX: usize = 20;

/// A statistic among others: its number, its chart as phones have it, or the first rows of its table. Its own page has the rest.
#[must_use]
pub fn panel(panel: &Panel<'_>) -> Markup {
    let rows = panel.table.rows.len();
    html! {
        article.panel {
            h2 { a href={ "/s/" (panel.name) } { (panel.title) } }
            @if let Some(alone) = figure::alone(panel.table) { (alone) }
            @else if let Some(drawn) = panel.figure { (chart::svg(drawn, Placement::Phone)) }
            @else {
                (figure::rows(panel.table, panel.title, 0..PANEL_ROWS_MAX))
                @if rows > PANEL_ROWS_MAX { p.muted { (PANEL_ROWS_MAX) " of " (rows) " rows" } }
            }
            p.muted { "Released on " (panel.date) "." @if panel.is_older { " A newer release waits." } }
        }
    }
}
