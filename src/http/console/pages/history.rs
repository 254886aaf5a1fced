//! The list of a researcher's questions: when each was answered, what it cost them, and the ways to its answer and back into the form.

use maud::{Markup, html};

use crate::render::budget::percent;
use crate::service::stewarding::accounts::Fraction;

/// One question that was answered.
pub struct HistoryLine {
    /// The address of the answer, as it was served to the researcher.
    pub place: String,
    /// The SQL of the question, in the words of the researcher.
    pub sql: String,
    /// The dataset that was asked.
    pub dataset: String,
    /// The date and the time of day at which it was first served to the researcher.
    pub when: String,
    /// The share of the researcher's account that it cost; `None` if it was free.
    pub share: Option<Fraction>,
    /// The address of the form, filled with the question.
    pub again: String,
    /// The declared purpose, if there is one.
    pub purpose: Option<String>,
}

/// What a page of the history shows.
pub struct HistoryPage<'a> {
    /// The answers, newest first.
    pub lines: &'a [HistoryLine],
    /// The datasets to choose from.
    pub datasets: &'a [&'a str],
    /// What is looked for.
    pub find: &'a str,
    /// The chosen dataset; empty for all.
    pub dataset: &'a str,
    /// The address of the next page, if there is one.
    pub older: Option<&'a str>,
}

/// The history of a researcher.
#[must_use]
pub fn page(shown: &HistoryPage<'_>) -> Markup {
    let is_searched = !shown.find.is_empty() || !shown.dataset.is_empty();
    html! {
        h1 { "History" }
        p.lead { "Everything you have asked, newest first. Looking at an answer again is free." }
        @if shown.lines.is_empty() && !is_searched && shown.older.is_none() {
            p.note { "You have not asked anything yet. " a href="/ask" { "Ask your first question" } "." }
        } @else {
            (search(shown))
            @if shown.lines.is_empty() { p.note { "None of the answers looked at fits this search. " a href="/history" { "Show all" } } }
            @else { (table(shown.lines, "Answers, newest first")) (sums(shown.lines)) }
        }
        @if let Some(older) = shown.older { nav.pages aria-label="Pages" { a href=(older) rel="next" { "Older" } } }
    }
}

fn search(shown: &HistoryPage<'_>) -> Markup {
    html! {
        form.inline method="get" action="/history" role="search" {
            label { "Words of the question or purpose" input type="search" name="find" value=(shown.find) maxlength="64"; }
            @if shown.datasets.len() > 1 {
                label { "Dataset"
                    select name="dataset" {
                        option value="" { "all" }
                        @for name in shown.datasets { option value=(name) selected[*name == shown.dataset] { (name) } }
                    }
                }
            }
            button type="submit" { "Search" }
        }
    }
}

/// Questions as a table, which becomes a list of rows below each other on a phone.
#[must_use]
pub fn table(lines: &[HistoryLine], caption: &str) -> Markup {
    html! {
        table.stacked {
            caption.visually-hidden { (caption) }
            thead { tr {
                th scope="col" { "Asked" } th scope="col" { "Question" } th.number scope="col" { "Share of your budget" }
                th scope="col" { span.visually-hidden { "What you can do" } }
            } }
            tbody { @for line in lines { (row(line)) } }
        }
    }
}

fn row(line: &HistoryLine) -> Markup {
    html! {
        tr {
            td { time { (line.when) } br; small { (line.dataset) } }
            td {
                a.question href=(line.place) { (clipped(&line.sql)) }
                @if let Some(purpose) = &line.purpose { br; small { "for: " (purpose) } }
            }
            td.number { @match line.share { Some(share) => (percent(share.to_f64())), None => "free" } }
            td { a href=(line.again) aria-label={ "Ask again: " (clipped(&line.sql)) } { "Ask again" } }
        }
    }
}

/// What the answers on the page cost together, by dataset.
fn sums(lines: &[HistoryLine]) -> Markup {
    let mut datasets: Vec<&str> = lines.iter().map(|line| line.dataset.as_str()).collect();
    datasets.sort_unstable();
    datasets.dedup();
    let sum = |dataset: &str| {
        let of = lines.iter().filter(|line| line.dataset == dataset).filter_map(|line| line.share);
        of.map(Fraction::to_f64).sum::<f64>()
    };
    html! {
        @for dataset in datasets {
            p.muted { "The answers on this page cost " strong { (percent(sum(dataset))) } " of your budget for " code { (dataset) } "." }
        }
    }
}

fn clipped(sql: &str) -> String {
    const CHARS: usize = 160;
    let short: String = sql.chars().take(CHARS).collect();
    if short.len() < sql.len() { format!("{short}…") } else { short }
}
