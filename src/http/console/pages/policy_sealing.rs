//! What sealing under a policy would change, and the form that seals it.

use maud::{Markup, html};

use crate::query::terms::policy::Policy;
use crate::render::frame::csrf;
use crate::service::publishing::policies::PolicyChange;
use crate::service::publishing::uploads::Upload;

/// What sealing under a policy would change of what is served.
#[must_use]
pub fn differences(policy: &Policy, is_served: bool, changes: &[PolicyChange]) -> Markup {
    let refused = changes.iter().any(|change| change.is_refused);
    html! {
        section {
            h2 { "What would change" }
            @if refused { p.note.bad { "The policy reads well, but it cannot be sealed over what is on record:" } }
            @else if !is_served {
                p.note.good { "A valid policy. The dataset " code { (policy.name) } " is not served here yet: sealing it would open its account." }
            } @else if changes.is_empty() {
                p.note.good { "A valid policy, and the one under which " code { (policy.name) } " is served." }
            } @else {
                p.note.good { "A valid policy. Sealing under it makes a new edition of " code { (policy.name) } ":" }
            }
            ul { @for change in changes { li { (change.what) @if change.is_refused { " " span.badge.bad { "refused" } } } } }
            @if is_served && !refused { (consequences(changes)) }
        }
    }
}

/// What a new edition means for those who ask, in words.
fn consequences(changes: &[PolicyChange]) -> Markup {
    let moves_groups = changes.iter().any(|change| change.moves_groups);
    html! {
        h3 { "What that means" }
        ul {
            li {
                "Answers that are stored are of the edition before. They stay as they are and can be read, but a question that is asked again is "
                "answered from the new edition, and costs again."
            }
            li { "The cap continues over all editions: what was spent stays spent, and nobody's allocation changes." }
            @if moves_groups {
                li {
                    "Questions that group by a column whose values change get other groups. Published statistics and saved questions that name a value "
                    "which is gone are refused until they are changed."
                }
            }
            @if changes.is_empty() { li { "The same policy over a new delivery of data makes a new edition, too." } }
        }
    }
}

/// The form that seals a policy, behind what it will do.
#[must_use]
pub fn sealing(
    token: &str,
    text: &str,
    upload: Option<&Upload>,
    (policy, is_served, changes): (&Policy, bool, &[PolicyChange]),
) -> Markup {
    html! {
        section.card {
            h2 { "Seal it" }
            p { "Sealing reads every row and turns them into a new edition, which questions see from then on." }
            details {
                summary { "Seal " (policy.name) "…" }
                ul {
                    li {
                        @match upload {
                            Some(upload) => { "The rows are read from the file " code { (upload.name) } " that you uploaded." }
                            None => { "The rows are read from the source that the policy names, on the server." }
                        }
                    }
                    @if is_served {
                        li {
                            "If every row fits, the new edition takes the place of the one that questions see now"
                            @if changes.is_empty() { ", under the same policy" }
                            "."
                        }
                    } @else {
                        li {
                            "If every row fits, it opens the account of " code { (policy.name) } " with a lifetime cap of epsilon " (policy.terms.cap)
                            ", delta " (policy.terms.delta()) ". A cap can only be raised later, and its accountant stays."
                        }
                    }
                    li { "If a row does not fit, nothing changes, and you are told what does not." }
                    li { "You see a report with exact numbers, which is for stewards alone." }
                }
                form.inline method="post" action="/sealings" {
                    (csrf(token))
                    input type="hidden" name="text" value=(text);
                    input type="hidden" name="upload" value=(upload.map_or("", |upload| upload.id.as_str()));
                    button.primary type="submit" { "Seal " (policy.name) " now" }
                }
            }
        }
    }
}
