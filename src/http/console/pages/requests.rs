//! Requests for more budget: what was asked for, what became of it, and a steward's decision.

use maud::{Markup, html};

use super::filled::Forms;
use crate::kernel::privacy::amounts::Epsilon;
use crate::render::budget::{self, percent};
use crate::service::stewarding::accounts::Fraction;
use crate::service::stewarding::requests::{RequestStatus, RequestView};

fn status(request: &RequestView) -> Markup {
    let class = match request.status {
        RequestStatus::Granted => "badge good",
        RequestStatus::Declined => "badge bad",
        RequestStatus::Open => "badge warn",
    };
    html! { span class=(class) { (request.status.name()) } }
}

/// The requests of a researcher.
#[must_use]
pub fn own(requests: &[RequestView]) -> Markup {
    html! {
        @if !requests.is_empty() {
            section {
                h2 { "What you asked for" }
                ul {
                    @for request in requests {
                        li {
                            (status(request)) " a total of epsilon\u{a0}" (request.epsilon) " of "
                            code { (request.dataset) } ": " (request.reason)
                            @if let Some(reason) = &request.decision_reason { " — " em { (reason) } }
                        }
                    }
                }
            }
        }
    }
}

/// What a researcher who asks has already: the allocation as ε, and the share of it that is spent.
pub struct Held {
    /// The allocation, per period if it renews.
    pub epsilon: Epsilon,
    /// The part of it that is spent.
    pub spent: Fraction,
}

/// All requests, for a steward. Open ones have a form to decide on them, and say what their researchers have: `held` tells it.
#[must_use]
pub fn all(
    forms: Forms<'_>,
    requests: &[RequestView],
    held: impl Fn(&RequestView) -> Option<Held>,
    done: Option<&str>,
) -> Markup {
    let (open, closed): (Vec<_>, Vec<_>) = requests.iter().partition(|request| request.status == RequestStatus::Open);
    html! {
        h1 { "Requests" }
        @if let Some(done) = done { p.note.good role="status" { (done) } }
        @if open.is_empty() { p.note { "Nobody waits for a decision." } }
        div.grid { @for request in &open { (one(forms, request, held(request).as_ref())) } }
        @if !closed.is_empty() {
            h2 { "Decided" }
            ul {
                @for request in closed {
                    li {
                        (status(request)) " " strong { (request.researcher) } ", a total of epsilon\u{a0}" (request.epsilon) " of "
                        code { (request.dataset) } ": " (request.reason)
                        @if let Some(reason) = &request.decision_reason { " — " em { (reason) } }
                    }
                }
            }
        }
    }
}

fn one(forms: Forms<'_>, request: &RequestView, held: Option<&Held>) -> Markup {
    let action = format!("/requests/{}/decide", request.number);
    let (fields, asked) = (forms.at(&action), request.epsilon.to_string());
    html! {
        section.card {
            h2 { a href={ "/people/" (request.researcher) } { (request.researcher) } }
            p {
                "asks for a total of epsilon\u{a0}" strong { (request.epsilon) } " of " code { (request.dataset) } " on "
                time { (request.at.get(..10).unwrap_or("")) }
            }
            blockquote { (request.reason) }
            @if let Some(held) = held {
                p.muted {
                    "Has an allocation of ε\u{a0}" (budget::epsilon(&held.epsilon.to_string())) ", of which "
                    (percent(held.spent.to_f64())) " is spent."
                }
            }
            p { a href={ "/what-if?dataset=" (request.dataset) "&epsilon=" (request.epsilon) } { "What would it buy?" } }
            form.stack method="post" action=(action) {
                (fields.begin(&["epsilon", "reason"]))
                label { "Grant this total, as epsilon" (fields.line(("epsilon", "decimal"), &asked, (false, None))) }
                label { "Reason, kept in the ledger" (fields.line(("reason", "text"), "", (true, Some(500)))) }
                div.row {
                    button.primary type="submit" name="do" value="grant" { "Grant" }
                    button.danger type="submit" name="do" value="decline" { "Decline" }
                }
            }
        }
    }
}
