//! Changing a person's role: what each role would mean for them, and the button that gives it to them.

use maud::{Markup, html};

use super::filled::Forms;
use super::people::boxes;
use super::person::may;
use crate::kernel::budget::people::Role;

/// The contents of the page.
pub struct RolePage<'a> {
    /// The person's name.
    pub name: &'a str,
    /// The person's present role.
    pub role: Role,
    /// Whether the person is declared in files, which would give the role back.
    pub is_managed: bool,
    /// Whether they are the only steward who may come in, and so must remain one.
    pub is_last_steward: bool,
    /// The names of all datasets.
    pub datasets: &'a [String],
    /// The datasets whose statistics they would see as a viewer if nobody says which.
    pub seen: &'a [String],
    /// The datasets that they hold an allocation of.
    pub allocations: &'a [String],
    /// The number of their requests for budget that nobody has decided.
    pub open_requests: usize,
}

/// The page on which a steward changes a role: opening it is the first step, and a button on it the second.
#[must_use]
pub fn page(forms: Forms<'_>, page: &RolePage<'_>) -> Markup {
    let action = format!("/people/{}/role", page.name);
    let others = [Role::Researcher, Role::Viewer, Role::Steward].into_iter().filter(|role| *role != page.role);
    html! {
        p { a href={ "/people/" (page.name) } { (page.name) } }
        h1 { "The role of " (page.name) }
        p.lead { (page.name) " is a " strong { (page.role) } ". " (may(page.role)) }
        @if page.is_managed {
            p.note.warn { "Files declare " (page.name) ": when they are applied next, the role is what they say. Change it there, too." }
        }
        @if page.is_last_steward {
            p.note.bad {
                (page.name) " is the last steward who may come in, and so remains one. "
                a href="/people" { "Add another steward" } " first."
            }
        } @else {
            (stays(page))
            div.grid { @for role in others { (choice(forms, page, role, &action)) } }
        }
    }
}

/// What a change of the role leaves as it is.
fn stays(page: &RolePage<'_>) -> Markup {
    html! {
        ul {
            li { "The new role holds at once, also in the sessions that " (page.name) " has, and for all of their tokens." }
            li { "Questions that are being answered are finished, and stay charged." }
            @if !page.allocations.is_empty() {
                li {
                    "Allocations (" (page.allocations.join(", ")) ") stay as they are, with what was spent of them; whoever is no researcher "
                    "cannot use them. " a href="/accounts" { "Lower them" } " to give the budget back."
                }
            }
            @if page.open_requests > 0 {
                li { "Open requests for budget stay open: " a href="/requests" { (page.open_requests) " to decide" } "." }
            }
            li { "What " (page.name) " did stays in the ledger under their name, and so does this change." }
        }
    }
}

fn choice(forms: Forms<'_>, page: &RolePage<'_>, role: Role, action: &str) -> Markup {
    let fields = forms.about(action, "role", role.name());
    html! {
        section.card {
            h2 { "Make " (page.name) " a " (role) }
            p { (may(role)) }
            @match role {
                Role::Researcher if page.allocations.is_empty() => {
                    p.muted { "They hold no allocation yet, so they can ask nothing until you grant one." }
                }
                Role::Researcher => { p.muted { "They can ask at once: " (page.allocations.join(", ")) "." } }
                Role::Viewer => {}
                Role::Steward => { p.muted { "They see every dataset, every answer and the ledger, and may change your role, too." } }
            }
            @match page.role {
                Role::Researcher if role == Role::Viewer => {
                    p.muted { "They no longer ask, and no longer reach the answers that they were given." }
                }
                Role::Researcher => { p.muted { "They no longer ask." } }
                Role::Steward => { p.muted { "They no longer manage anything, and no longer read the ledger." } }
                Role::Viewer => {}
            }
            form.stack method="post" action=(action) {
                (fields.begin(&[]))
                input type="hidden" name="role" value=(role);
                @if role == Role::Viewer && !page.datasets.is_empty() {
                    (boxes(&fields, page.datasets, page.seen, "Datasets whose statistics they see"))
                }
                button.danger type="submit" { "Make " (page.name) " a " (role) }
            }
        }
    }
}
