//! Asking: shows what a question would cost and how accurate the answer would be, before anything is paid.

use maud::{Markup, html};

use super::price::{Outlook, price};
use super::saved::{self, SavedLine};
use crate::http::console::tables::tables;
use crate::kernel::privacy::amounts::Epsilon;
use crate::query::error::Position;
use crate::query::terms::domain::{Column, Domain};
use crate::render::frame::csrf;
use crate::service::Dataset;

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

/// What the page for asking shows.
pub struct AskPage<'a> {
    /// The secret that forms must carry.
    pub token: &'a str,
    /// The name of the researcher, under which the browser keeps a draft.
    pub who: &'a str,
    /// The datasets that they may ask.
    pub datasets: &'a [&'a Dataset],
    /// The contents of the form.
    pub question: &'a Question,
    /// Whether the question is an example, which a draft may replace.
    pub is_example: bool,
    /// What is known about the question.
    pub outlook: &'a Outlook<'a>,
    /// The researcher's saved questions; `None` if the server keeps none.
    pub saved: Option<&'a [SavedLine]>,
    /// What was done just now.
    pub done: Option<&'a str>,
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
pub fn page(shown: &AskPage<'_>) -> Markup {
    html! {
        h1 { "Ask" }
        p.lead { "Write a question in SQL, or " a href="/ask/build" { "choose it from lists" } ". You see its price and its error before you pay." }
        @if let Some(done) = shown.done { p.note.good role="status" { (done) } }
        @if shown.datasets.is_empty() {
            p.note.warn { "You hold no account yet. A steward grants an allocation of a dataset." }
        }
        div.grid {
            section.card { (form(shown)) }
            div {
                section.card #price aria-live="polite" { (price(shown.outlook)) }
                @if let Some(saved) = shown.saved { (saved::list(shown.token, saved)) }
                (names(shown.datasets))
            }
        }
    }
}

fn form(shown: &AskPage<'_>) -> Markup {
    let question = shown.question;
    html! {
        form.stack #question method="post" action="/ask" novalidate
            hx-post="/ask/price" hx-target="#price" hx-sync="this:replace"
            hx-trigger="input changed delay:400ms target:':not(#level)', price" {
            (csrf(shown.token))
            input type="hidden" name="key" value=(question.key);
            label { "Question in SQL"
                textarea.sql name="sql" rows="7" required spellcheck="false" autocapitalize="off" data-label="Question in SQL"
                    data-words="/ask/words" data-person=(shown.who) data-fresh[shown.is_example] { (question.sql) }
            }
            @if let Outlook::Refused { position: Some(position), .. } = shown.outlook { (marked(&question.sql, *position)) }
            p.muted data-with-editor hidden {
                kbd { "Ctrl" } "+" kbd { "Enter" } " shows the price, " kbd { "Ctrl" } "+" kbd { "Space" } " completes names and values."
            }
            p.muted { a href="/manual/asking" { "What can be asked" } ", what it costs, and what is free" }
            (accuracy(shown))
            label { "Purpose, kept in the ledger and shown to the public"
                input type="text" name="purpose" value=(question.purpose) maxlength="500";
            }
            div.row {
                button type="submit" name="do" value="price" hx-post="/ask/price" hx-target="#price" hx-swap="innerHTML show:top"
                    hx-sync="closest form:replace" { "Show the price" }
                button.primary type="submit" name="do" value="pay" { "Pay and answer" }
            }
            @if shown.saved.is_some() { (saved::saving()) }
        }
    }
}

fn accuracy(shown: &AskPage<'_>) -> Markup {
    let question = shown.question;
    let most = shown.datasets.first().map_or(Epsilon::from_nanos(1_000_000_000), |one| one.terms.max_epsilon_per_query);
    html! {
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
    }
}

/// The line of a question with the place of its fault marked, for browsers without scripts; the editor marks it in the text.
fn marked(sql: &str, place: Position) -> Markup {
    let line = sql.lines().nth(usize::try_from(place.line.saturating_sub(1)).unwrap_or(usize::MAX)).unwrap_or("");
    let skipped = usize::try_from(place.column.saturating_sub(1)).unwrap_or(usize::MAX);
    let (before, rest): (String, String) = (line.chars().take(skipped).collect(), line.chars().skip(skipped).collect());
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let end = if end == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { end };
    html! {
        @if end > 0 {
            pre data-without-editor tabindex="0" aria-label="The place of the fault" { code { (before) mark { (&rest[..end]) } (&rest[end..]) } }
        }
    }
}

/// The tables with their columns and values, which the editor turns into buttons that insert them.
fn names(datasets: &[&Dataset]) -> Markup {
    let tables = tables(datasets);
    html! {
        @for (at, table) in tables.iter().enumerate() {
            details.card open[at == 0] {
                summary { "Columns of " (table.name) @if table.is_public { ", a public table" } }
                ul.names { @for column in table.columns { li { (name(column)) } } }
            }
        }
    }
}

/// The number of a column's values that are shown before the others are folded away, and the largest number that is listed.
const VALUES_SHOWN: usize = 8;
const VALUES_LISTED: usize = 200;

fn name(column: &Column) -> Markup {
    html! {
        code data-insert=(column.name) { (column.name) } " "
        @match &column.domain {
            Domain::Category(labels) if labels.len() > VALUES_SHOWN => {
                details.values {
                    summary { (labels.len()) " values" }
                    (values(&labels[..labels.len().min(VALUES_LISTED)]))
                    @if labels.len() > VALUES_LISTED { " " small { "and " (labels.len() - VALUES_LISTED) " more, which the editor completes" } }
                }
            }
            Domain::Category(labels) => { (values(labels)) }
            Domain::Boolean => { small { "true or false" } }
            Domain::Text { .. } => { small { "text without a public list" } }
            Domain::Number(_) | Domain::Date { .. } => {
                small { (column.domain.type_name()) @if let Some((low, high)) = column.domain.bounds() { ", " (low) " to " (high) } }
            }
        }
    }
}

fn values(labels: &[String]) -> Markup {
    html! {
        @for label in labels { code data-insert=(format!("'{}'", label.replace('\'', "''"))) { (label) } " " }
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
