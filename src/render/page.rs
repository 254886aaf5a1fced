//! A published statistic as a page: its chart, the same as a table, how old it is, and how to cite it.

use maud::{Markup, html};

use super::chart::{self, Chart, Place};
use super::figure;
use crate::query::answer::Table;

/// What a page of a statistic shows.
pub struct Published<'a> {
    /// Its name.
    pub name: &'a str,
    /// For people.
    pub title: &'a str,
    /// More for people.
    pub description: Option<&'a str>,
    /// The numbers.
    pub table: &'a Table,
    /// The chart, where it has one.
    pub chart: Option<&'a Chart>,
    /// The day of its release.
    pub date: &'a str,
    /// Whom the noise protects: the unit's column, or `row`.
    pub whom: &'a str,
    /// Why a later refresh was due and is not there, and the day of that.
    pub skipped: Option<(&'a str, &'a str)>,
    /// Why something newer waits to be drawn.
    pub waiting: Option<&'a str>,
    /// How to cite it.
    pub cite: &'a str,
    /// Its canonical SQL.
    pub sql: &'a str,
}

/// (ending, words) of the formats that a statistic comes in.
pub const FORMATS: [(&str, &str); 7] = [
    ("json", "JSON"),
    ("csv", "CSV"),
    ("arrow", "Arrow"),
    ("parquet", "Parquet"),
    ("svg", "SVG"),
    ("vl.json", "Vega-Lite"),
    ("txt", "citation"),
];

/// The body of the page.
#[must_use]
pub fn body(shown: &Published<'_>) -> Markup {
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
            @if let Some(chart) = shown.chart {
                div.scroll tabindex="0" role="region" aria-label="Chart" { (chart::svg(chart, Place::Page)) }
            }
            (figure::table(shown.table, shown.title))
            details {
                summary { "How it was computed, how to cite it, other formats" }
                pre tabindex="0" { code { (shown.sql) } }
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
