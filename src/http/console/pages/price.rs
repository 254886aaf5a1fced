//! The price panel: what a question would take of the account, how exact its answer would be, and the way on if the price does not fit.

use maud::{Markup, html};

use crate::kernel::budget::charge::Refusal;
use crate::kernel::budget::entry::AccountKind;
use crate::query::answer::ColumnInfo;
use crate::query::answer::expected::{ExpectedWidth, ValuesFrom};
use crate::query::error::Position;
use crate::render::budget::{self, Cost};
use crate::render::reading::number;
use crate::service::asking::expected::{AssumedFrom, ExpectedErrors};
use crate::service::asking::quote::Quote;
use crate::service::shares::AccountShare;
use crate::service::stewarding::accounts::significant;
use crate::service::views::Fit;

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
        /// The place of the fault in the question, if it is at one.
        position: Option<Position>,
        /// What the same question may cost, if it is refused for its price.
        fits: Option<&'a Fit>,
    },
}

/// The panel: what a question would cost and how accurate it would be, or why it is refused.
#[must_use]
pub fn price(outlook: &Outlook<'_>) -> Markup {
    match outlook {
        Outlook::Unasked => html! {
            h2 { "Price" }
            p.muted { "The cost and the accuracy of an answer are shown here before you pay. Asking for the price is free." }
        },
        Outlook::Refused { detail, hint, position, fits } => html! {
            h2 { "Price" }
            p.note.bad data-line=[position.map(|place| place.line)] data-column=[position.map(|place| place.column)] { (detail) }
            @match fits {
                Some(fits) => (way_on(fits)),
                None => { @if let Some(hint) = hint { p { (hint) } } }
            }
        },
        Outlook::Quoted(quote) => quoted(quote),
        Outlook::Unseen(quote) => html! {
            p.note.warn role="status" {
                @if quote.warnings.is_empty() { "Nothing was paid yet: this is the price. Press \"Pay and answer\" again to pay it." }
                @else { "Nothing was paid yet: read the warning, and tick the box below it if you want to pay nevertheless." }
            }
            (quoted(quote))
        },
    }
}

fn quoted(quote: &Quote) -> Markup {
    html! {
        h2 { "Price" }
        div.price {
            // The form says which price was shown here, so that nobody pays another one.
            input type="hidden" name="quoted" form="question" value=(quote.epsilon);
            (cost(quote))
            (warnings(quote))
            (errors(quote))
            @if !quote.answerable {
                p.note.bad { (why_not(quote.refusal.as_ref())) }
                @if let Some(largest_epsilon) = quote.largest_epsilon {
                    (way_on(&Fit { largest_epsilon, margin: quote.largest_margin, is_named: quote.is_named }))
                }
            } @else if quote.replay && quote.fraction > AccountShare::NONE {
                p.note.good {
                    "Somebody has asked this before, or what it is computed from: it costs your account the same, and the dataset's cap nothing."
                }
            }
            @if let Some(threshold) = &quote.threshold {
                p.muted { "Groups are shown from about " (number(threshold.units.to_f64().round(), None)) " units on." }
            }
        }
    }
}

/// What the answer would not tell, with a box that says that somebody wants it nevertheless: without it, nothing is paid.
fn warnings(quote: &Quote) -> Markup {
    let is_paid = quote.answerable && quote.epsilon != "0";
    html! {
        @for warning in &quote.warnings { p.note.warn { "Look again: " (warning) "." } }
        @if !quote.warnings.is_empty() && is_paid {
            label { input type="checkbox" name="agreed" value="yes" form="question"; "I have read this and want to pay nevertheless" }
        }
    }
}

/// Why the question would be refused.
fn why_not(refusal: Option<&Refusal>) -> &'static str {
    match refusal {
        Some(Refusal::OverQueryLimit { .. }) => "This is more than one question may cost, and would be refused.",
        Some(Refusal::Exhausted { of: AccountKind::Dataset, .. }) => {
            "This does not fit what is left of the dataset's cap, and would be refused."
        }
        Some(Refusal::Exhausted { of: AccountKind::Project, .. }) => {
            "This does not fit what is left of your project's account, and would be refused."
        }
        Some(Refusal::Exhausted { of: AccountKind::Researcher | AccountKind::Statistics, .. }) => {
            "This does not fit what is left of your account, and would be refused."
        }
        Some(Refusal::Frozen { .. }) => "Nothing is drawn from the dataset until its steward acts.",
        Some(
            Refusal::NoAccount
            | Refusal::CellsExhausted { .. }
            | Refusal::ThresholdExhausted { .. }
            | Refusal::Gone
            | Refusal::KeyConflict
            | Refusal::Unanswered,
        )
        | None => "This would be refused.",
    }
}

/// The share of the account that the answer takes, and what is left of it.
fn cost(quote: &Quote) -> Markup {
    let cost = Cost::new(quote.fraction, &quote.epsilon, &quote.after);
    if quote.fraction == AccountShare::NONE {
        return html! { p.figure { "free " small { "it is stored already; " (cost.left()) " of your account is left" } } };
    }
    let asked = Cost { left: quote.before.fraction_remaining, ..cost };
    html! {
        p.figure {
            @if quote.answerable { (cost.share()) } @else { (quote.fraction.per_cent(quote.fraction.decimals())) }
            " " small { "of your account (ε " (budget::epsilon(&quote.epsilon)) ")" }
        }
        @if quote.answerable {
            p { (cost.left()) " is left afterwards" @if let Some(fits) = cost.like_this { ", " (budget::more(fits)) } "." }
        } @else {
            p { (asked.left()) " is left now." }
        }
    }
}

/// The expected error of each column, and what it assumes.
fn errors(quote: &Quote) -> Markup {
    let (expected, shown) = (&quote.expected, |column: &&ColumnInfo| column.kind.word() != "key");
    let all = || quote.columns.iter().zip(&expected.half_widths).zip(&expected.values_from);
    let assumes = quote.columns.iter().any(|column| column.kind.assumes_rows());
    let is_from = |from: ValuesFrom| all().any(|((_, width), own)| *own == Some(from) && width.low.is_some());
    let assumed = || all().filter(|((column, _), _)| shown(column) && column.kind.assumes_rows());
    let is_lost = assumed().any(|((_, width), _)| width.middle.is_none());
    let is_ranging = assumed().any(|((_, width), _)| width.wide_range().is_some());
    html! {
        table {
            caption.visually-hidden { "Expected error of each column" }
            thead { tr { th scope="col" { "Column" } th.number scope="col" { "95 % of answers are off by at most" } } }
            tbody {
                @for ((column, width), from) in all().filter(|((column, _), _)| shown(column)) {
                    tr {
                        th scope="row" { code { (column.name) } }
                        td.number { (error(&column.kind.margin().map_or(*width, ExpectedWidth::exact), *from)) }
                    }
                }
            }
        }
        @if assumes {
            p.muted { (assumption(expected)) }
            @if is_lost {
                p.muted { "What is probably lost in noise has no interval at this price; some columns have none at any price." }
            }
            @if is_ranging {
                p.muted {
                    "How wide an error will be shown depends on the noise, too. Nine of ten will be in the range in brackets; \"or lost\" says "
                    "that there may be no estimate at all."
                }
            }
            @if is_from(ValuesFrom::Stated) {
                p.muted { "How the values of a column are spread is taken from what the steward states of it." }
            }
            @if is_from(ValuesFrom::Bounds) {
                p.muted {
                    "Errors with a ≈ also depend on how the values are spread, which is guessed from their declared bounds. They can be far off, "
                    "until you have an answer about the same column."
                }
            }
            (groups(quote))
        }
    }
}

/// An expected error, with the range that nine of ten lie in where that is wide.
fn error(width: &ExpectedWidth, from: Option<ValuesFrom>) -> String {
    let is_rough = from == Some(ValuesFrom::Bounds);
    let shown = |width: f64| significant(width, if is_rough { 1 } else { 2 });
    let Some(middle) = width.middle else { return "probably lost in noise".to_owned() };
    let range = match width.wide_range() {
        None => String::new(),
        Some((low, Some(high))) => format!(" ({} to {})", shown(low), shown(high)),
        Some((low, None)) => format!(" ({} or more, or lost)", shown(low)),
    };
    format!("± {}{}{range}", if is_rough { "≈ " } else { "" }, shown(middle))
}

/// What the expected errors assume, in words.
fn assumption(expected: &ExpectedErrors) -> String {
    let rows = number(expected.rows as f64, None);
    match expected.from {
        AssumedFrom::Answers if expected.groups.len() > 1 => {
            format!("In a middle group of about {rows} rows, as answers that you have tell.")
        }
        AssumedFrom::Answers if expected.groups.len() == 1 => {
            format!("With about {rows} rows, as an answer that you have tells.")
        }
        AssumedFrom::Answers => {
            format!("Assumes {rows} rows in each group: the total that you know, divided evenly.")
        }
        AssumedFrom::AboutRows => {
            format!("Assumes {rows} rows in each group: what the steward says the dataset has about, divided evenly.")
        }
        AssumedFrom::Asked => format!("Assumes {rows} rows in each group."),
        AssumedFrom::Default => format!("Assumes {rows} rows in each group. Nothing is known of how many it has."),
    }
}

/// The expected errors in some of the groups, from the largest to the smallest.
fn groups(quote: &Quote) -> Markup {
    let groups = &quote.expected.groups;
    let columns = || quote.columns.iter().enumerate().filter(|(_, column)| column.kind.assumes_rows());
    if groups.len() < 2 {
        return html! {};
    }
    html! {
        details {
            summary { "From the largest group to the smallest" }
            div.scroll tabindex="0" role="region" aria-label="Expected errors by group" {
                table {
                    thead { tr {
                        th scope="col" { "Group" } th.number scope="col" { "Rows, about" }
                        @for (_, column) in columns() { th.number scope="col" { code { (column.name) } } }
                    } }
                    tbody {
                        @for group in groups {
                            tr {
                                th scope="row" { (group.labels.join(", ")) }
                                td.number { (number(group.rows as f64, None)) }
                                @for (at, _) in columns() {
                                    td.number { (error(&group.half_widths.get(at).copied().unwrap_or_default(), quote.expected.values_from[at])) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What to do about a price that does not fit: ask with what fits, as buttons that fill in the form, or ask for more.
fn way_on(fits: &Fit) -> Markup {
    let epsilon = Some(fits.largest_epsilon).filter(|epsilon| epsilon.nanos() > 0);
    html! {
        @if let Some(epsilon) = epsilon {
            div.row {
                button type="submit" form="question" name="fit_epsilon" value=(epsilon) {
                    "Ask with ε " (budget::epsilon(&epsilon.to_string())) " instead"
                }
                @if let Some(margin) = fits.margin.filter(|_| !fits.is_named).map(|margin| rounded_up(margin.to_f64())) {
                    button type="submit" form="question" name="fit_margin" value=(margin) { "Accept ± " (margin) }
                }
                a href="/accounts" { "Ask for more" }
            }
        } @else {
            p { "Nothing fits any more. Asking again for what was answered remains free. " a href="/accounts" { "Ask for more" } "." }
        }
    }
}

/// A margin with three significant digits that is no smaller.
fn rounded_up(margin: f64) -> String {
    const DIGITS: i32 = 3;
    let quantum = 10_f64.powi(margin.log10().floor() as i32 - (DIGITS - 1));
    // A little more, so that the rounding of the text does not make it smaller.
    significant(((margin * (1.0 + 1e-9)) / quantum).ceil() * quantum, DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_are_rounded_to_what_fits() {
        for (margin, shown) in
            [(63.04, "63.1"), (63.0, "63.1"), (0.001_234_1, "0.00124"), (1234.0, "1240"), (9.999, "10")]
        {
            assert_eq!(rounded_up(margin), shown);
            assert!(rounded_up(margin).parse::<f64>().expect("a number") > margin);
        }
    }
}
