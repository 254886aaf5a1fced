//! People and their tokens, for stewards. A token is shown once.

use maud::{Markup, html};

use super::frame::csrf;
use crate::budget::people::Role;

/// One person.
pub struct Line {
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they hold a token.
    pub is_active: bool,
    /// Whether files declare them.
    pub is_managed: bool,
}

/// A token that was made just now.
pub struct Fresh<'a> {
    /// Whose.
    pub name: &'a str,
    /// The token.
    pub token: &'a str,
}

/// The page; `more` is the name after which the next page begins.
#[must_use]
pub fn page(token: &str, people: &[Line], find: &str, more: Option<&str>, fresh: Option<&Fresh<'_>>) -> Markup {
    html! {
        h1 { "People" }
        @if let Some(fresh) = fresh {
            section.note.good role="status" {
                p { "The token of " strong { (fresh.name) } ". It is shown once; only its digest is kept." }
                p.token { (fresh.token) }
            }
        }
        div.grid {
            section.card {
                h2 { "Add a person" }
                form.stack method="post" action="/people" {
                    (csrf(token))
                    label { "Name" input type="text" name="name" required maxlength="64" autocomplete="off"; }
                    label { "Role"
                        select name="role" {
                            @for role in [Role::Researcher, Role::Viewer, Role::Steward] { option value=(role) { (role) } }
                        }
                    }
                    button.primary type="submit" { "Add, and show the token" }
                }
            }
            section.card {
                h2 { "Find" }
                form.stack method="get" action="/people" role="search" {
                    label { "Part of a name" input type="search" name="find" value=(find) maxlength="64"; }
                    button type="submit" { "Search" }
                }
            }
        }
        div.scroll tabindex="0" role="region" aria-label="People" {
            table {
                caption.visually-hidden { "People, by name" }
                thead { tr { th scope="col" { "Name" } th scope="col" { "Role" } th scope="col" { "Token" } } }
                tbody { @for person in people { (line(token, person)) } }
            }
        }
        @if let Some(more) = more {
            nav.pages aria-label="Pages" { a href={ "/people?find=" (find) "&after=" (more) } rel="next" { "More" } }
        }
    }
}

fn line(token: &str, person: &Line) -> Markup {
    html! {
        tr {
            th scope="row" { (person.name) @if person.is_managed { " " span.badge { "managed by files" } } }
            td { (person.role) }
            td {
                @if person.is_active {
                    details {
                        summary { "Revoke" span.visually-hidden { " the token of " (person.name) } }
                        form.inline method="post" action={ "/people/" (person.name) "/revoke" } {
                            (csrf(token))
                            button.danger type="submit" { "End it now" span.visually-hidden { " for " (person.name) } }
                        }
                    }
                } @else { span.muted { "none" } }
            }
        }
    }
}
