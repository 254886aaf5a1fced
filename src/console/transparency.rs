//! What patients and everybody else may know: what is held, who asks and what for, what is spent, and what it means for one person.
//!
//! Promises plain words and nothing that depends on a row: policies, grants, purposes and balances alone.

use maud::{Markup, html};

use super::datasets::names;
use crate::service::Dataset;

/// What is known of one dataset.
pub struct Sight<'a> {
    /// The dataset.
    pub dataset: &'a Dataset,
    /// ε of its lifetime cap.
    pub cap: &'a str,
    /// ε spent.
    pub spent: &'a str,
    /// Spent, as a part of the cap's precision.
    pub part: f64,
    /// Questions answered with new noise.
    pub questions: u64,
    /// (project, researchers) that hold an allocation; researchers of no project stand under an empty name.
    pub projects: Vec<(String, usize)>,
    /// (purpose, how often), most frequent first.
    pub purposes: Vec<(String, u64)>,
    /// Published statistics of it.
    pub statistics: Vec<(String, String)>,
    /// Whether the ledger is whole.
    pub is_sound: bool,
    /// When that was checked last.
    pub checked: &'a str,
}

/// The list of datasets.
#[must_use]
pub fn list(datasets: &[&Dataset]) -> Markup {
    html! {
        h1 { "What is held here, who asks, and what for" }
        p.lead {
            "This server holds data about people that nobody can take out. Researchers ask for numbers about many people at once, "
            "and every answer is blurred on purpose, so that it looks almost the same whether any one person is in the data or not."
        }
        div.grid {
            @for dataset in datasets {
                section.card {
                    h2 { a href={ "/transparency/" (dataset.name) } { (dataset.title.as_deref().unwrap_or(&dataset.name)) } }
                    p { "One record set of each " code { (dataset.terms.unit.name()) } "." }
                }
            }
        }
    }
}

/// How sure somebody can become who thought it as likely as not: e^ε / (1 + e^ε), in per cent.
fn at_most_sure(epsilon: &str) -> f64 {
    let odds = epsilon.parse::<f64>().unwrap_or(f64::INFINITY).exp();
    if odds.is_finite() { 100.0 * odds / (1.0 + odds) } else { 100.0 }
}

/// The page of one dataset.
#[must_use]
pub fn one(sight: &Sight<'_>) -> Markup {
    let (dataset, terms) = (sight.dataset, &sight.dataset.terms);
    html! {
        h1 { (dataset.title.as_deref().unwrap_or(&dataset.name)) }
        section {
            h2 { "What is held" }
            p {
                "At most " (terms.max_rows_per_unit) " entries of each person, with these facts. Names and numbers that identify "
                "somebody are not in the table that is asked."
            }
            (names(terms))
        }
        section {
            h2 { "Who may ask" }
            @if sight.projects.is_empty() { p { "Nobody yet." } }
            ul {
                @for (project, researchers) in &sight.projects {
                    li {
                        @if project.is_empty() { "outside of any project" } @else { "project " strong { (project) } }
                        ": " (researchers) @if *researchers == 1 { " researcher" } @else { " researchers" }
                    }
                }
            }
            p { "They never see an entry. They get blurred numbers, and each question is written down with who asked it." }
        }
        section {
            h2 { "What for" }
            p { strong { (sight.questions) } @if sight.questions == 1 { " question was" } @else { " questions were" } " answered so far." }
            @if sight.purposes.is_empty() { p.muted { "No purpose was declared." } }
            ul { @for (purpose, times) in &sight.purposes { li { (purpose) " " small { "(" (times) "×)" } } } }
        }
        (meaning(sight))
        section {
            h2 { "If you do not want to take part" }
            p {
                "Tell the data office of the hospital that runs this server. Your entries are left out of the next edition of the data, and no "
                "later answer uses them. Answers that were given before cannot be taken back; they were blurred so that they say next to "
                "nothing about you."
            }
        }
        section {
            h2 { "Can the record be trusted?" }
            @if sight.is_sound {
                p.note.good {
                    "Yes: every charge stands in a ledger that is chained and signed. It was checked from the first entry to the last on "
                    (sight.checked) "."
                }
            } @else { p.note.bad { "The ledger cannot be read back just now. Nothing is answered until it can." } }
        }
        @if !sight.statistics.is_empty() {
            section {
                h2 { "What was found, for everybody" }
                ul { @for (name, title) in &sight.statistics { li { a href={ "/s/" (name) } { (title) } } } }
            }
        }
    }
}

fn meaning(sight: &Sight<'_>) -> Markup {
    let terms = &sight.dataset.terms;
    html! {
        section {
            h2 { "What it means for one person" }
            svg.bar viewBox="0 0 100 6" preserveAspectRatio="none" role="img"
                aria-label={ (format!("{:.0}", 100.0 * sight.part)) " % of the budget is spent" } {
                rect width=(format!("{:.1}", 100.0 * sight.part.clamp(0.0, 1.0))) height="6" {}
            }
            p {
                (format!("{:.0}", 100.0 * sight.part)) " % of the privacy budget is spent: epsilon " (sight.spent) " of " (sight.cap)
                ". When it is used up, no new question is answered, ever."
            }
            p {
                "Suppose somebody thinks it as likely as not that something is true of you. After all answers so far, and whatever else they "
                "know, they can be at most " strong { (format!("{:.0}", at_most_sure(sight.spent))) " %" }
                " sure because your entries are in this data; when the budget is used up, at most "
                (format!("{:.0}", at_most_sure(sight.cap))) " %."
                @if terms.delta().to_f64() > 0.0 { " (Except with a chance of less than " (terms.delta()) ".)" }
            }
        }
    }
}
