//! The gallery of published statistics. For stewards, also what each costs,
//! which ones wait for them, and the page that asks before it spends.

use maud::{Markup, html};

use crate::query::file::Refresh;
use crate::render::figure::number;
use crate::render::frame::csrf;
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
}

/// The gallery. Stewards also see the actions they can take.
#[must_use]
pub fn page(cards: &[Card], is_steward: bool, done: Option<&str>) -> Markup {
    let waiting = cards.iter().filter(|card| !card.is_confirmed).count();
    html! {
        h1 { "Published statistics" }
        @if let Some(done) = done { p.note.good role="status" { (done) } }
        p.lead { "Each release was paid for when it was drawn; reading it costs nothing. Every estimate comes with its 95 % interval." }
        @if is_steward && waiting > 0 {
            p.note.warn {
                @if waiting == 1 { "One statistic waits" } @else { (waiting) " statistics wait" }
                " for you: nothing is drawn of a file that is new or has changed before a steward has confirmed its price."
            }
        }
        @if cards.is_empty() { p.note { "Nothing is published here" @if !is_steward { " for you" } "." } }
        div.grid { @for card in cards { (one(card, is_steward)) } }
    }
}

fn one(card: &Card, is_steward: bool) -> Markup {
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
                @if is_steward && !card.is_confirmed { " · " span.badge.warn { "waits for you" } }
            }
            @if let Some(waits) = card.waits { p.note.warn { "What is shown is older than the statistic's file: " (waits) "." } }
            @if let Some(skipped) = &card.skipped { p.note.warn { "A refresh was due and was not made: " (skipped) "." } }
            @if is_steward { (draws(card)) }
        }
    }
}

/// What a steward sees about draws. The button leads to a page that asks for confirmation.
fn draws(card: &Card) -> Markup {
    let words = if card.is_confirmed { "Draw anew" } else { "Publish" };
    html! {
        dl.facts {
            dt { "Drawn anew" } dd { (schedule(card.refresh)) }
            @if let Some(next) = &card.next { dt { "Next period" } dd { time { (next) } } }
            dt { "Each draw costs at most" } dd { "epsilon " (card.price) }
        }
        form.inline method="get" action={ "/statistics/" (card.name) "/draw" } {
            button type="submit" aria-label={ (words) ": " (card.title) ", for epsilon " (card.price) } {
                (words) " for epsilon " (card.price) "…"
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
            @if is_confirmed { "A new release is drawn from the data now, and shown instead of the one that is shown." }
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
                    Some(left) => { "epsilon " (left) " at once" }
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
        details { summary { "Its question" } pre tabindex="0" { code { (sql) } } }
        form.inline method="post" action={ "/statistics/" (estimate.name) "/" (act) } {
            (csrf(token))
            input type="hidden" name="epsilon" value=(estimate.epsilon);
            button.primary type="submit" { (words) " for epsilon " (estimate.epsilon) }
            a href="/statistics" { "Leave it as it is" }
        }
    }
}
