//! What everybody may know: who runs the server, what is held, who asks and what for, what is spent, and what this means for one person.
//!
//! Promises plain words that are true of every server: whatever depends on the operator is what the operator wrote, and if it is missing,
//! the page says so. Every bound is rounded up. Nothing depends on a row, only on policies, grants, purposes and balances.

use maud::{Markup, html};

use super::accounts::bar;
use super::datasets::names;
use crate::config::Operator;
use crate::kernel::privacy::amounts::{Delta, Epsilon};
use crate::query::terms::policy::{Terms, Unit};
use crate::service::Dataset;

/// What is known about one dataset.
pub struct TransparencyPage<'a> {
    /// The dataset that the page is about.
    pub dataset: &'a Dataset,
    /// Who runs the server, if they have said so.
    pub operator: Option<&'a Operator>,
    /// The ε of the dataset's lifetime cap.
    pub cap: &'a str,
    /// What the ledger says about it.
    pub facts: LedgerFacts,
    /// The names and titles of its published statistics.
    pub statistics: Vec<(String, String)>,
    /// Whether the ledger can be written and read back.
    pub is_sound: bool,
    /// The day when the ledger was last checked as a whole.
    pub checked: &'a str,
}

/// What the ledger says about a dataset to everybody.
#[derive(Default)]
pub struct LedgerFacts {
    /// The ε spent so far.
    pub spent: String,
    /// The fraction of the cap's precision that is spent.
    pub part: f64,
    /// The best chance of guessing whether one unit is in the data, given everything that was spent.
    pub best_guess: f64,
    /// The best chance of guessing whether one unit is in the data, once the whole cap is spent.
    pub best_guess_at_cap: f64,
    /// The part of the cap's δ that is set aside for groups without a public list.
    pub threshold_delta: Delta,
    /// Each raise of the cap: the day, the ε before it, and the ε after it.
    pub raises: Vec<(String, Epsilon, Epsilon)>,
    /// The number of questions that were paid for.
    pub questions: u64,
    /// Projects with the number of their researchers who may ask. Researchers without a project are counted under an empty name.
    pub projects: Vec<(String, usize)>,
    /// The number of further projects.
    pub projects_hidden: usize,
    /// Purposes with the number of questions that declared them, the most frequent first.
    pub purposes: Vec<(String, u64)>,
}

/// The list of datasets.
#[must_use]
pub fn list(datasets: &[&Dataset], operator: Option<&Operator>) -> Markup {
    html! {
        h1 { "What is held here, who asks, and what for" }
        p.lead {
            "This server gives researchers no entries. They ask for counts, sums and means, and noise is added to every answer. How much all "
            "answers together can tell about any single one of those who are protected is limited and counted: the page of each dataset "
            "says how much that is."
        }
        (who(operator))
        div.grid {
            @for dataset in datasets {
                section.card {
                    h2 { a href={ "/transparency/" (dataset.name) } { (title(dataset)) } }
                    p { "Protects " (each(&dataset.terms.unit)) "." }
                }
            }
        }
    }
}

fn title(dataset: &Dataset) -> &str {
    dataset.title.as_deref().unwrap_or(&dataset.name)
}

/// What a dataset protects, by the name that the operator gave the unit.
fn each(unit: &Unit) -> Markup {
    match unit {
        Unit::Row => html! { "each row" },
        Unit::Column(name) => html! { "each " code { (name) } },
    }
}

/// Who runs the server.
fn who(operator: Option<&Operator>) -> Markup {
    let Some(operator) = operator else {
        return html! {
            section { h2 { "Who runs this server" } p.note.warn { "The operator of this server has not said who they are." } }
        };
    };
    let fact = |name: &str, text: &Option<String>| {
        html! {
            dt { (name) }
            dd { @match text { Some(text) => { (lines(text)) } None => { span.muted { "The operator has not said." } } } }
        }
    };
    html! {
        section {
            h2 { "Who runs this server" }
            dl.facts {
                dt { "Operator" } dd { (lines(&operator.name)) }
                (fact("Contact", &operator.contact))
                @if operator.address.is_some() { (fact("Address", &operator.address)) }
                (fact("Legal basis", &operator.basis))
            }
        }
    }
}

/// A text of the operator's, with its line breaks.
fn lines(text: &str) -> Markup {
    html! { @for (number, line) in text.lines().enumerate() { @if number > 0 { br; } (line) } }
}

/// Formats a probability in per cent, rounded up to two decimals.
fn per_cent(chance: f64) -> String {
    let text = format!("{:.2}", (10_000.0 * chance).ceil() / 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// The page of one dataset.
#[must_use]
pub fn one(sight: &TransparencyPage<'_>) -> Markup {
    let (dataset, terms) = (sight.dataset, &sight.dataset.terms);
    html! {
        h1 { (title(dataset)) }
        (who(sight.operator))
        (held(terms))
        section {
            h2 { "Who may ask" }
            @if sight.facts.projects.is_empty() { p { "Nobody yet." } }
            ul {
                @for (project, researchers) in &sight.facts.projects {
                    li {
                        @if project.is_empty() { "outside of any project" } @else { "project " strong { (project) } }
                        ": " (researchers) @if *researchers == 1 { " researcher" } @else { " researchers" }
                    }
                }
            }
            @if sight.facts.projects_hidden > 0 { p { "And " (sight.facts.projects_hidden) " more projects." } }
            p { "This server shows researchers no entries. They get noisy numbers, and each question is written down with who asked it." }
        }
        section {
            h2 { "What for" }
            p {
                strong { (sight.facts.questions) } @if sight.facts.questions == 1 { " question was" } @else { " questions were" }
                " paid for so far; reading an answer again is not counted."
            }
            @if sight.facts.purposes.is_empty() { p.muted { "No purpose was declared." } }
            ul { @for (purpose, times) in &sight.facts.purposes { li { (purpose) " " small { "(" (times) "×)" } } } }
        }
        (spending(sight))
        (meaning(sight))
        (leaving(sight.operator))
        (record(sight))
        @if !sight.statistics.is_empty() {
            section {
                h2 { "What was found, for everybody" }
                ul { @for (name, title) in &sight.statistics { li { a href={ "/s/" (name) } { (title) } } } }
            }
        }
    }
}

/// The facts that are held about each unit, including those in joined tables.
fn held(terms: &Terms) -> Markup {
    html! {
        section {
            h2 { "What is held" }
            @for table in &terms.tables {
                p {
                    "Of each " code { (terms.unit.name()) } " at most " (table.max_rows_per_unit)
                    @if table.max_rows_per_unit == 1 { " entry" } @else { " entries" } " of the table " code { (table.name) }
                    @if table.max_rows_per_unit == 1 { " is" } @else { " are" } " used, with these facts:"
                }
                (names(&table.columns))
            }
            @if terms.tables.is_empty() { p {
                @match &terms.unit {
                    Unit::Row => { "Rows with these facts:" }
                    Unit::Column(name) => {
                        "Of each " code { (name) } " at most " (terms.max_rows_per_unit)
                        @if terms.max_rows_per_unit == 1 { " entry is" } @else { " entries are" } " used, with these facts:"
                    }
                }
            } }
            @if terms.tables.is_empty() { (names(terms.own())) }
            @for join in &terms.joins {
                p { "Of the table " code { (join.name) } " at most one entry of each, with these facts:" }
                (names(&terms.columns[join.places()]))
            }
        }
    }
}

fn spending(sight: &TransparencyPage<'_>) -> Markup {
    // The amount spent is rounded up, so that a little is not shown as nothing.
    let spent = format!("{:.1}", (1_000.0 * sight.facts.part).ceil() / 10.0);
    let spent = spent.trim_end_matches('0').trim_end_matches('.');
    html! {
        section {
            h2 { "How much of the budget is spent" }
            (bar(sight.facts.part, &format!("{spent} % of the budget is spent")))
            p {
                (spent) " % of the privacy budget is spent. As epsilon, which does not add up in this way, it is " (sight.facts.spent)
                " of " (sight.cap) ". When the budget is used up, nothing new is drawn from these data unless the operator raises the budget."
            }
            @if sight.facts.raises.is_empty() { p { "It has not been raised so far." } }
            @else {
                p { "It was raised:" }
                ul {
                    @for (day, from, to) in &sight.facts.raises {
                        li { "on " time { (day) } " from epsilon " (from) " to epsilon " (to) }
                    }
                }
            }
        }
    }
}

fn meaning(sight: &TransparencyPage<'_>) -> Markup {
    let terms = &sight.dataset.terms;
    html! {
        section {
            h2 { "What it means for one person" }
            p { (protected(&terms.unit)) }
            p {
                "Suppose somebody wants to guess whether you are in these data, and considers yes and no equally likely. Without any answer from "
                "this server, their guess is right with a chance of 50 %. Given all answers so far, and whatever else they know, nobody's guess "
                "is right with a chance of more than " strong { (per_cent(sight.facts.best_guess)) }
                "; once the whole budget is used up, of more than " strong { (per_cent(sight.facts.best_guess_at_cap)) } "."
            }
            @if sight.facts.threshold_delta > Delta::ZERO {
                p.muted {
                    "Both numbers include the chance that a value which you alone have is shown by name: it is at most "
                    (sight.facts.threshold_delta) " for all answers together."
                }
            }
            p.muted {
                "In the terms of differential privacy: all answers together are (" (sight.cap) ", " (terms.delta()) ")-differentially private. "
                "This is about these data alone; if you are in other data as well, what they reveal adds up."
            }
        }
    }
}

/// What is protected, and what the unit's name leaves open.
fn protected(unit: &Unit) -> Markup {
    match unit {
        Unit::Row => html! {
            "Each row is protected by itself. The chances below are about one row; if several rows are about you, they reveal more."
        },
        Unit::Column(name) => html! {
            "Each " code { (name) } " is protected, with all of its entries. The chances below are about one " code { (name) }
            "; if you are in the data under several, they reveal more."
        },
    }
}

fn leaving(operator: Option<&Operator>) -> Markup {
    let withdraw = operator.and_then(|operator| operator.withdraw.as_deref());
    html! {
        section {
            h2 { "If you do not want to take part" }
            @match withdraw {
                Some(withdraw) => { p { (lines(withdraw)) } }
                None => { p.note.warn { "The operator has not said how to be left out." } }
            }
            p {
                "Once the operator has sealed the data without your entries, nothing that is drawn after that uses them. Answers that were "
                "drawn before cannot be taken back."
            }
        }
    }
}

fn record(sight: &TransparencyPage<'_>) -> Markup {
    html! {
        section {
            h2 { "Can the record be trusted?" }
            @if sight.is_sound {
                p.note.good {
                    "Every charge stands in a ledger whose entries are chained and signed, so that a change to it is noticed. It was checked "
                    "from the first entry to the last on " time { (sight.checked) } "."
                }
                p.muted { "Whoever controls the whole machine could still put another ledger in its place." }
            } @else { p.note.bad { "The ledger cannot be read back just now. Nothing is charged until it can be." } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_are_rounded_up() {
        for (chance, wanted) in [
            (0.5, "50 %"),
            (0.500_000_1, "50.01 %"),
            (0.547_104_8, "54.72 %"),
            (0.731_058_6, "73.11 %"),
            (0.75, "75 %"),
            (0.999_999, "100 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(per_cent(chance), wanted);
        }
    }
}
