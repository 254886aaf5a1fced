//! Answers: a single one with its chart and table.

use maud::{Markup, html};

use crate::query::answer::Table;
use crate::render::budget::{self, Cost};
use crate::render::figure;
use crate::service::shares::AccountShare;
use crate::service::stewarding::accounts::AccountView;

/// The contents of the page of one answer.
pub struct AnswerPage<'a> {
    /// The id of the answer's release.
    pub release: &'a str,
    /// Number of the entry that served it to the viewer, if the page shows their own question; the pages of its table keep it.
    pub asked: Option<u64>,
    /// The name of the dataset.
    pub dataset: &'a str,
    /// The canonical SQL of the question.
    pub sql: &'a str,
    /// The canonical SQL that the answer was first drawn for, if it is another than `sql`: its files and its address are laid out by it.
    pub first_sql: Option<&'a str>,
    /// The day on which the answer was drawn.
    pub date: &'a str,
    /// How the answer is cited.
    pub cite: &'a str,
    /// The family of its noise.
    pub mechanism: &'a str,
    /// The price that the viewer paid, as ε; `None` if it is not shown.
    pub paid: Option<&'a str>,
    /// The table of noisy values.
    pub table: &'a Table,
    /// The share of the account that was paid and the account after it, if the page shows how the viewer was served.
    pub account: Option<&'a (AccountShare, AccountView)>,
    /// The declared purpose, if there is one.
    pub purpose: Option<&'a str>,
    /// The page of the table that is shown, counted from 0; the last one for a number beyond it.
    pub page: usize,
}

/// The number of rows of a table on one page.
const ROWS: usize = 200;

/// What an answer cost, in the words that stand beside "Cost".
fn cost(cost: &Cost<'_>) -> String {
    let said = budget::price(cost);
    said.strip_prefix("costs ").map_or_else(|| said.clone(), str::to_owned)
}

/// The page of one answer.
#[must_use]
pub fn one(shown: &AnswerPage<'_>) -> Markup {
    let figure = figure::of_answer(shown.table);
    let alone = figure::alone(shown.table);
    let has_chart = figure.is_some() && alone.is_none();
    let address = format!("/answers/{}", shown.release);
    html! {
        h1 { "Answer" }
        pre.sql tabindex="0" { code { (shown.sql) } }
        @if let Some(alone) = &alone { (alone) }
        @else {
            @if let Some(figure) = &figure { (figure::on_page(figure)) }
            (rows(shown, &address))
        }
        (downloads(shown, &address, has_chart))
        dl.facts {
            @if let Some(paid) = shown.paid {
                dt { "Cost" }
                dd {
                    @match shown.account {
                        Some((fraction, account)) => (cost(&Cost::new(*fraction, paid, account))),
                        None => { @if paid == "0" { "nothing: it was stored" } @else { "ε " (budget::epsilon(paid)) } }
                    }
                }
            }
            dt { "Dataset" } dd { code { (shown.dataset) } }
            dt { "Drawn on" } dd { (shown.date) ", " (shown.mechanism) " noise" }
            @if let Some(purpose) = shown.purpose { dt { "Purpose" } dd { (purpose) } }
            dt { "Release" } dd { code { (shown.release) } }
            dt { "Cite as" } dd { (shown.cite) }
            dt { "Address" }
            dd { a href=(address) { (address) } br; small { "It never changes. You may see it, and so may stewards and whoever asks the same." } br; a href={ (address) "/link" } { "Share by a link" } }
        }
        p { a.button href="/ask" { "Ask another question" } " " a href="/history" { "What was asked before" } }
    }
}

/// The files of an answer, and what they hold if it is not what the page shows.
fn downloads(shown: &AnswerPage<'_>, address: &str, has_chart: bool) -> Markup {
    html! {
        p {
            "Download: " a href={ (address) ".csv" } { "CSV" } ", " a href={ (address) ".xlsx" } { "Excel" } ", "
            a href={ (address) ".parquet" } { "Parquet" } ", " a href={ (address) ".arrow" } { "Arrow" } ", "
            a href={ (address) ".json" } { "JSON" }
            @if has_chart { ", " a href={ (address) ".png" } { "chart as PNG" } ", " a href={ (address) ".svg" } { "as SVG" } }
        }
        @if let Some(first) = shown.first_sql {
            p.muted { "The files and the address hold the answer as it was first drawn, which may have other columns or another order:" }
            pre tabindex="0" { code { (first) } }
        }
    }
}

/// The rows of a page of the table, with links to the other pages if there are any.
fn rows(shown: &AnswerPage<'_>, address: &str) -> Markup {
    let all = shown.table.rows.len();
    let pages = all.div_ceil(ROWS).max(1);
    let page = shown.page.min(pages - 1);
    let (first, last) = (page * ROWS, all.min((page + 1) * ROWS));
    let caption = match pages {
        1 => "The same values as a table".to_owned(),
        _ => format!("Rows {} to {last} of {all}", first + 1),
    };
    let turned = |page: usize| match shown.asked {
        Some(seq) => format!("{address}?asked={seq}&page={page}"),
        None => format!("{address}?page={page}"),
    };
    html! {
        (figure::rows(shown.table, &caption, first..last))
        @if pages > 1 {
            nav.pages aria-label="Pages of the table" {
                @if page > 0 { a href=(turned(page)) rel="prev" { "Previous" } " " }
                "Page " (page + 1) " of " (pages)
                @if page + 1 < pages { " " a href=(turned(page + 2)) rel="next" { "Next" } }
            }
        }
    }
}

/// The page of an answer that cost nothing, because nothing was drawn for it.
#[must_use]
pub fn free(sql: &str, table: &Table) -> Markup {
    html! {
        h1 { "Answer" }
        pre.sql tabindex="0" { code { (sql) } }
        (figure::table(table, "It is public, so it cost nothing"))
        p { a.button href="/ask" { "Ask another question" } }
    }
}
