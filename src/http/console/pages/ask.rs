//! Asking: shows what a question would cost and how accurate the answer would be, before anything is paid.

use maud::{Markup, html};

use super::datasets;
use crate::kernel::privacy::amounts::Epsilon;
use crate::query::answer::ColumnKind;
use crate::render::frame::csrf;
use crate::service::Dataset;
use crate::service::asking::quote::Quote;
use crate::service::stewarding::accounts::significant;

/// The contents of the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// The question in SQL.
    pub sql: String,
    /// Whether the accuracy is given as a margin, and not as ε.
    pub by_margin: bool,
    /// The ε as it was typed.
    pub epsilon: String,
    /// The margin as it was typed.
    pub margin: String,
    /// The declared purpose.
    pub purpose: String,
    /// The idempotency key, which ensures that a page sent twice pays once.
    pub key: String,
}

/// What is known about the question.
pub enum Outlook<'a> {
    /// Nothing is known yet.
    Unasked,
    /// The price of the question.
    Quoted(&'a Quote),
    /// The price of the question, which differs from the one that was seen when paying.
    Unseen(&'a Quote),
    /// The question is refused.
    Refused {
        /// What is wrong with it, in words.
        detail: &'a str,
        /// What would be accepted.
        hint: Option<&'a str>,
    },
}

/// The number of steps of the slider.
const STEPS: u32 = 40;
/// The ε at the slider's left end, in billionths.
const LEAST_NANOS: f64 = 1e6;

/// The ε at a step of the slider, with two significant digits, from 0.001 to the limit `most` of one query.
#[must_use]
pub fn epsilon_of(step: u32, most: Epsilon) -> Epsilon {
    let most = most.nanos() as f64;
    let nanos = LEAST_NANOS * (most / LEAST_NANOS).max(1.0).powf(f64::from(step.min(STEPS)) / f64::from(STEPS));
    let quantum = 10_f64.powf(nanos.log10().floor() - 1.0);
    Epsilon::from_nanos(((nanos / quantum).round() * quantum).min(most) as u64)
}

fn step_of(epsilon: &str, most: Epsilon) -> u32 {
    let Ok(epsilon) = Epsilon::parse(epsilon) else { return STEPS / 2 };
    let part = (epsilon.nanos().max(1) as f64 / LEAST_NANOS).ln() / (most.nanos() as f64 / LEAST_NANOS).max(1.001).ln();
    (part.clamp(0.0, 1.0) * f64::from(STEPS)).round() as u32
}

/// The page for asking.
#[must_use]
pub fn page(token: &str, datasets: &[&Dataset], question: &Question, outlook: &Outlook<'_>) -> Markup {
    let most = datasets.first().map_or(Epsilon::from_nanos(1_000_000_000), |one| one.terms.max_epsilon_per_query);
    html! {
        h1 { "Ask" }
        @if datasets.is_empty() {
            p.note.warn { "You hold no account yet. A steward grants an allocation of a dataset." }
        }
        div.grid {
            section.card {
                form.stack #question method="post" action="/ask" novalidate
                    hx-post="/ask/price" hx-target="#price" hx-sync="this:replace"
                    hx-trigger="input changed delay:400ms target:':not(#level)'" {
                    (csrf(token))
                    input type="hidden" name="key" value=(question.key);
                    label { "Question in SQL"
                        textarea.sql name="sql" rows="7" required spellcheck="false" autocapitalize="off" { (question.sql) }
                    }
                    p.muted { a href="/manual/asking" { "What can be asked" } ", what it costs, and what is free" }
                    fieldset {
                        legend { "How exact" }
                        label {
                            input type="radio" name="by" value="epsilon" checked[!question.by_margin];
                            "for this much epsilon"
                        }
                        (epsilon_field(&question.epsilon, false))
                        label.visually-hidden for="level" { "Between a small price and a small error" }
                        div.row.slider {
                            small aria-hidden="true" { "cheap" }
                            input #level type="range" name="level" min="0" max=(STEPS) value=(step_of(&question.epsilon, most))
                                hx-post="/ask/level" hx-trigger="input delay:120ms" hx-target="#price"
                                hx-sync="closest form:replace";
                            small aria-hidden="true" { "exact" }
                        }
                        label {
                            input type="radio" name="by" value="margin" checked[question.by_margin];
                            "so that every count is off by at most (95 %)"
                        }
                        input type="text" name="margin" value=(question.margin) inputmode="decimal" aria-label="Margin"
                            placeholder="for example 25";
                    }
                    label { "Purpose, kept in the ledger and shown to the public"
                        input type="text" name="purpose" value=(question.purpose) maxlength="500";
                    }
                    div.row {
                        button type="submit" name="do" value="price" { "Show the price" }
                        button.primary type="submit" name="do" value="pay" { "Pay and answer" }
                    }
                }
            }
            div {
                section.card #price aria-live="polite" { (price(outlook)) }
                @for dataset in datasets {
                    details.card {
                        summary { "Columns of " code { (dataset.name) } }
                        (datasets::all_names(&dataset.terms))
                    }
                }
            }
        }
    }
}

/// The field that the slider sets. If `is_swapped`, htmx replaces the field on the page with it.
#[must_use]
pub fn epsilon_field(epsilon: &str, is_swapped: bool) -> Markup {
    html! {
        input #epsilon type="text" name="epsilon" value=(epsilon) inputmode="decimal" aria-label="Epsilon"
            hx-swap-oob=[is_swapped.then_some("true")];
    }
}

/// The price box: what a question would cost and how accurate it would be, or why it is refused.
#[must_use]
pub fn price(outlook: &Outlook<'_>) -> Markup {
    match outlook {
        Outlook::Unasked => html! {
            h2 { "Price" }
            p.muted { "The cost and the accuracy of an answer are shown here before you pay. Asking for the price is free." }
        },
        Outlook::Refused { detail, hint } => html! {
            h2 { "Price" }
            p.note.bad { (detail) }
            @if let Some(hint) = hint { p { (hint) } }
        },
        Outlook::Quoted(quote) => quoted(quote),
        Outlook::Unseen(quote) => html! {
            p.note.warn role="status" { "Nothing was paid yet: this is the price. Press \"Pay and answer\" again to pay it." }
            (quoted(quote))
        },
    }
}

fn quoted(quote: &Quote) -> Markup {
    let is_free = quote.epsilon == "0";
    html! {
        h2 { "Price" }
        div.price {
            // The form says which price was shown here, so that nobody pays another one.
            input type="hidden" name="quoted" form="question" value=(quote.epsilon);
            p.figure {
                @if is_free { "free" } @else { "ε " (quote.epsilon) }
                " " small { @if is_free { "it is stored already" } @else { "of " (quote.before.epsilon_remaining) " that you could still spend" } }
            }
            table {
                caption.visually-hidden { "Expected error of each column" }
                thead { tr { th scope="col" { "Column" } th.number scope="col" { "95 % of answers are off by at most" } } }
                tbody {
                    @for column in quote.columns.iter().filter(|column| column.kind.word() != "key") {
                        tr { th scope="row" { code { (column.name) } } td.number { (error(column.kind)) } }
                    }
                }
            }
            @if !quote.answerable {
                p.note.bad {
                    "This would be refused. "
                    @match quote.largest_epsilon.filter(|largest| largest.nanos() > 0) {
                        None => "Nothing fits any more; asking again for what was answered remains free.",
                        Some(largest) => { "The largest epsilon that fits is " (largest) "." }
                    }
                }
            } @else if quote.replay && !is_free {
                p.note.good { "It has been drawn already: the dataset pays nothing." }
            }
            @if let Some(left) = quote.answers_left.filter(|_| quote.answerable && !is_free) {
                p.muted { "Answers like this that fit: " (left) ", this one included." }
            }
            @if let Some(size) = quote.assumed_group_size { p.muted { "For means, each group is assumed to have " (size) " rows." } }
            @if let Some(threshold) = &quote.threshold {
                p.muted { "Groups are shown from about " (threshold.units) " units on." }
            }
        }
    }
}

fn error(kind: ColumnKind) -> String {
    match kind.margin() {
        Some(margin) => format!("± {}", significant(margin, 3)),
        None => "given in each row".to_owned(),
    }
}
