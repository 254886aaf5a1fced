//! The gallery of published statistics; for stewards also what each costs and when it is due.

use maud::{Markup, html};

use super::frame::csrf;

/// One statistic.
pub struct Card {
    /// Its name.
    pub name: String,
    /// For people.
    pub title: String,
    /// More for people.
    pub description: Option<String>,
    /// Its dataset.
    pub dataset: String,
    /// How often it is drawn anew.
    pub refresh: &'static str,
    /// What each draw costs, as ε.
    pub price: String,
    /// Whether it is shown without a token.
    pub is_public: bool,
    /// The day of its release.
    pub date: Option<String>,
    /// When its next period begins.
    pub next: Option<String>,
    /// Why it was not drawn when it was last due.
    pub skipped: Option<String>,
}

/// The gallery; stewards get buttons.
#[must_use]
pub fn page(cards: &[Card], steward: Option<&str>, done: Option<&str>) -> Markup {
    html! {
        h1 { "Published statistics" }
        @if let Some(done) = done { p.note.good role="status" { (done) } }
        p.lead { "Each was paid for once and is served for ever, with its error bars. Reading costs nothing." }
        @if cards.is_empty() { p.note { "Nothing is published here" @if steward.is_none() { " for you" } "." } }
        div.grid { @for card in cards { (one(card, steward)) } }
    }
}

fn one(card: &Card, steward: Option<&str>) -> Markup {
    html! {
        section.card {
            h2 {
                @if card.date.is_some() { a href={ "/s/" (card.name) } { (card.title) } } @else { (card.title) }
            }
            @if let Some(description) = &card.description { p { (description) } }
            p.muted {
                code { (card.dataset) } " · "
                @match &card.date { Some(date) => { "released on " time { (date) } } None => "not released yet" }
                @if !card.is_public { " · " span.badge { "not public" } }
            }
            @if let Some(skipped) = &card.skipped { p.note.warn { "A refresh was due and was not made: " (skipped) "." } }
            @if let Some(token) = steward {
                dl.facts {
                    dt { "Drawn anew" } dd { (words(card.refresh)) }
                    @if let Some(next) = &card.next { dt { "Next period" } dd { time { (next) } } }
                    dt { "Each draw costs" } dd { "epsilon " (card.price) }
                }
                form.inline method="post" action={ "/statistics/" (card.name) "/refresh" } {
                    (csrf(token))
                    button type="submit" aria-label={ "Draw " (card.title) " anew for epsilon " (card.price) } {
                        "Draw anew for epsilon " (card.price)
                    }
                }
            }
        }
    }
}

fn words(refresh: &str) -> &str {
    match refresh {
        "never" => "never",
        "on-new-edition" => "of each new edition",
        other => other,
    }
}
