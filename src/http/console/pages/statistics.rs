//! The gallery of published statistics. For stewards, also what each costs,
//! which ones wait for them, and the page that asks before it spends.

use maud::{Markup, PreEscaped, html};

use crate::query::file::Refresh;
use crate::render::budget;
use crate::render::frame::csrf;
use crate::render::reading::number;
use crate::service::publishing::statistics::check::Estimate;

/// One statistic in the gallery.
pub struct Card {
    /// The name of the statistic.
    pub name: String,
    /// A title for people to read.
    pub title: String,
    /// A longer description.
    pub description: Option<String>,
    /// The name of its dataset.
    pub dataset: String,
    /// How often it is drawn anew.
    pub refresh: &'static str,
    /// The largest price of each draw, as ε.
    pub price: String,
    /// Whether it is shown to people without a token.
    pub is_public: bool,
    /// The day of the release that is shown; `None` before the first.
    pub date: Option<String>,
    /// The day on which its next period begins.
    pub next: Option<String>,
    /// The reason why it was not drawn when it was last due.
    pub skipped: Option<String>,
    /// The reason why something newer waits to be drawn.
    pub waits: Option<&'static str>,
    /// Whether a steward has agreed to its question and its price.
    pub is_confirmed: bool,
    /// The markup of its picture; `None` before its first release.
    pub picture: Option<String>,
}

impl Card {
    /// Whether its name, its title or its description contains this text, which is in small letters.
    #[must_use]
    pub fn tells_of(&self, text: &str) -> bool {
        let mut told = [self.name.as_str(), &self.title].into_iter().chain(self.description.as_deref());
        told.any(|told| told.to_lowercase().contains(text))
    }
}

/// What a page of the gallery shows.
pub struct GalleryPage<'a> {
    /// The statistics on this page.
    pub cards: &'a [Card],
    /// The datasets that the visitor can choose from.
    pub datasets: &'a [String],
    /// What is looked for.
    pub find: &'a str,
    /// The chosen dataset; empty for all.
    pub dataset: &'a str,
    /// The address of the next page, if there is one.
    pub next: Option<&'a str>,
    /// The number of statistics that wait for a steward, on all pages.
    pub waiting: usize,
    /// Whether the visitor is a steward, who sees the actions they can take.
    pub is_steward: bool,
    /// What was done just now.
    pub done: Option<&'a str>,
}

/// The number of statistics from which on there is a search.
const SEARCHED_FROM: usize = 7;

/// The gallery. Stewards also see the actions they can take.
#[must_use]
pub fn page(shown: &GalleryPage<'_>) -> Markup {
    let is_searched = !shown.find.is_empty() || !shown.dataset.is_empty();
    let offers_search = is_searched || shown.next.is_some() || shown.cards.len() >= SEARCHED_FROM;
    html! {
        h1 { "Published statistics" }
        @if let Some(done) = shown.done { p.note.good role="status" { (done) } }
        p.lead { "Numbers that were published from private tables, each with its 95 % interval. Reading them is free." }
        @if shown.is_steward && shown.waiting > 0 { (waits(shown.waiting)) }
        @if offers_search { (search(shown)) }
        @if shown.cards.is_empty() {
            p.note {
                @if is_searched { "No statistic fits this search. " a href="/statistics" { "Show all" } }
                @else { "Nothing is published here" @if !shown.is_steward { " for you" } "." }
            }
        }
        div.gallery { @for card in shown.cards { (one(card, shown.is_steward)) } }
        @if let Some(next) = shown.next { nav.pages aria-label="Pages" { a href=(next) rel="next" { "More statistics" } } }
    }
}

fn waits(waiting: usize) -> Markup {
    html! {
        p.note.warn {
            @if waiting == 1 { "One statistic to confirm" } @else { (waiting) " statistics to confirm" }
            ": a file that is new or has changed is drawn only after a steward has confirmed its price."
        }
    }
}

fn search(shown: &GalleryPage<'_>) -> Markup {
    html! {
        form.inline method="get" action="/statistics" role="search" {
            label { "Title or description" input type="search" name="find" value=(shown.find) maxlength="64"; }
            @if shown.datasets.len() > 1 {
                label { "Dataset"
                    select name="dataset" {
                        option value="" { "all" }
                        @for name in shown.datasets { option value=(name) selected[name == shown.dataset] { (name) } }
                    }
                }
            }
            button type="submit" { "Search" }
        }
    }
}

fn one(card: &Card, is_steward: bool) -> Markup {
    html! {
        section.card {
            h2 {
                @if card.date.is_some() { a href={ "/s/" (card.name) } { (card.title) } } @else { (card.title) }
            }
            @if let Some(picture) = &card.picture { (PreEscaped(picture)) }
            @if let Some(description) = &card.description { p { (description) } }
            p.muted {
                code { (card.dataset) } " · "
                @match &card.date { Some(date) => { "released on " time { (date) } } None => "not released yet" }
                @if !card.is_public { " " span.badge { "not public" } }
                @if is_steward && !card.is_confirmed { " " span.badge.warn { "to confirm" } }
            }
            @if let Some(waits) = card.waits { p.note.warn { "What is shown is older than the statistic's file: " (waits) "." } }
            @if let Some(skipped) = &card.skipped { p.note.warn { "A refresh was due and was not made: " (skipped) "." } }
            @if card.date.is_some() && !card.is_public {
                p { a href={ "/statistics/" (card.name) "/link" } { "Share by a link" } }
            }
            @if is_steward { (draws(card)) }
        }
    }
}

/// What a steward sees about draws. The button leads to a page that asks for confirmation.
fn draws(card: &Card) -> Markup {
    let words = if card.is_confirmed { "Draw anew" } else { "Publish" };
    let price = budget::epsilon(&card.price);
    html! {
        dl.facts {
            dt { "Drawn anew" } dd { (schedule(card.refresh)) }
            @if let Some(next) = &card.next { dt { "Next period" } dd { time { (next) } } }
            dt { "Each draw costs at most" } dd { "epsilon " (price) }
        }
        form.inline method="get" action={ "/statistics/" (card.name) "/draw" } {
            button type="submit" aria-label={ (words) ": " (card.title) ", for epsilon " (price) } {
                (words) " for epsilon " (price) "…"
            }
        }
    }
}

fn schedule(refresh: &str) -> &str {
    match refresh {
        "never" => "never",
        "on-new-edition" => "for each new edition",
        other => other,
    }
}

/// What a steward is told before a statistic is drawn.
pub struct DrawPage<'a> {
    /// The price of a draw, and the accuracy that it would have.
    pub estimate: &'a Estimate,
    /// The canonical SQL of the question.
    pub sql: &'a str,
    /// Whether a steward has agreed to it before, so that it is drawn anew.
    pub is_confirmed: bool,
    /// The reason why something newer than what is shown waits to be drawn.
    pub waits: Option<&'a str>,
}

/// The page that asks for confirmation before anything is spent.
#[must_use]
pub fn sure(token: &str, question: &DrawPage<'_>) -> Markup {
    let DrawPage { estimate, sql, is_confirmed, waits } = *question;
    let (act, words) = if is_confirmed { ("refresh", "Draw anew") } else { ("publish", "Publish") };
    html! {
        h1 { (words) ": " (estimate.title) }
        @if let Some(waits) = waits { p.note.warn { "What is shown is older than the statistic's file: " (waits) "." } }
        p.lead {
            @if is_confirmed { "A new release is drawn from the data now, and replaces the one that is shown." }
            @else if estimate.refresh == Refresh::Never { "It is drawn from the data now, once, and shown from then on." }
            @else {
                "It is drawn from the data now, and from then on by its schedule (" (schedule(estimate.refresh.name())) "), each time for at most this "
                "price, as long as its question stays the same."
            }
        }
        dl.facts {
            dt { "Each draw costs at most" }
            dd {
                strong { "epsilon " (estimate.epsilon) }
                @if let Some(fraction) = &estimate.fraction { ", " (fraction.per_cent()) " of what statistics of " code { (estimate.dataset) } " may spend" }
            }
            dt { "Left for statistics" }
            dd {
                @match &estimate.epsilon_remaining {
                    Some(left) => { "epsilon " (budget::epsilon(&left.to_string())) " at once" }
                    None => { "nothing: there is no statistics account; grant one under Accounts" }
                }
            }
            dt { "Shown to" } dd { @if estimate.public { "everybody" } @else { "people with an account on its dataset, its viewers and stewards" } }
            @for column in estimate.columns.iter().filter(|column| column.kind != "key") {
                dt { "Expected error of " code { (column.name) } }
                dd { @match &column.margin { Some(margin) => { "± " (number(margin.rounded(), Some(margin.rounded()))) } None => "given in each row" } }
            }
            @if let Some(size) = estimate.assumed_group_size { dt { "Assumed for means" } dd { "groups of " (size) " rows" } }
        }
        details { summary { "Its question" } pre.sql tabindex="0" { code { (sql) } } }
        form.inline method="post" action={ "/statistics/" (estimate.name) "/" (act) } {
            (csrf(token))
            input type="hidden" name="epsilon" value=(estimate.epsilon);
            button.primary type="submit" { (words) " for epsilon " (estimate.epsilon) }
            a href="/statistics" { "Leave it as it is" }
        }
    }
}
