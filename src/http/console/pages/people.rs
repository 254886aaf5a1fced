//! People and their tokens, for stewards. A token is shown only once.

use maud::{Markup, html};

use super::filled::{FormFields, Forms};
use crate::kernel::budget::people::Role;
use crate::service::stewarding::accounts::timestamp;

/// One person in the list.
pub struct PersonLine {
    /// The person's name.
    pub name: String,
    /// The person's role.
    pub role: Role,
    /// The number of the person's tokens that were not revoked.
    pub tokens: usize,
    /// Whether one of them has not expired.
    pub is_active: bool,
    /// When they last did something that is in the ledger, in milliseconds since 1970 in UTC.
    pub last_act_ms: Option<u64>,
    /// Whether the person is declared in files.
    pub is_managed: bool,
    /// The datasets that a viewer was given; `None` if nobody said which.
    pub datasets: Option<Vec<String>>,
}

/// The prefix of the names of the boxes that give a viewer a dataset.
pub const TICK: &str = "sees-";
/// The field by which a form says that it lists all datasets, so that no ticked box means no dataset.
pub const LISTED: &str = "listed";

/// A token that has just been created.
pub struct Fresh<'a> {
    /// The name of its holder.
    pub name: &'a str,
    /// The text of the token.
    pub token: &'a str,
}

/// The contents of the page.
pub struct PeoplePage<'a> {
    /// The people to list, by name.
    pub people: &'a [PersonLine],
    /// The names of all datasets.
    pub datasets: &'a [String],
    /// The part of a name that was searched for.
    pub find: &'a str,
    /// The name after which the next page begins; `None` on the last page.
    pub more: Option<&'a str>,
    /// A token that has just been created.
    pub fresh: Option<&'a Fresh<'a>>,
}

/// The page of people.
#[must_use]
pub fn page(forms: Forms<'_>, page: &PeoplePage<'_>) -> Markup {
    let PeoplePage { people, datasets, find, more, fresh } = *page;
    html! {
        h1 { "People" }
        @if let Some(fresh) = fresh { (shown_once(fresh)) }
        div.grid {
            (add(forms, datasets))
            section.card {
                h2 { "Find" }
                form.stack method="get" action="/people" role="search" {
                    label { "Part of a name" input type="search" name="find" value=(find) maxlength="64"; }
                    button type="submit" { "Search" }
                }
            }
        }
        div.scroll tabindex="0" role="region" aria-label="People" {
            table.stacked {
                caption.visually-hidden { "People, by name" }
                thead { tr {
                    th scope="col" { "Name" } th scope="col" { "Role" } th scope="col" { "Sees statistics of" }
                    th scope="col" { "Last act" } th scope="col" { "Token" }
                } }
                tbody { @for person in people { (line(forms, person, datasets)) } }
            }
        }
        @if let Some(more) = more {
            nav.pages aria-label="Pages" { a href={ "/people?find=" (find) "&after=" (more) } rel="next" { "More" } }
        }
    }
}

fn add(forms: Forms<'_>, datasets: &[String]) -> Markup {
    let fields = forms.at("/people");
    html! {
        section.card {
            h2 { "Add a person" }
            form.stack method="post" action="/people" {
                (fields.begin(&["name", "role", "expires"]))
                label { "Name" (fields.line(("name", "text"), "", (true, Some(64)))) }
                label { "Role"
                    select name="role" aria-invalid=[fields.invalid("role")] aria-describedby=[fields.described("role")] {
                        @for role in [Role::Researcher, Role::Viewer, Role::Steward] {
                            option value=(role) selected[fields.is_chosen("role", role.name(), false)] { (role) }
                        }
                    }
                    (fields.says("role"))
                }
                @if !datasets.is_empty() { (boxes(&fields, datasets, &[], "Datasets, for a viewer")) }
                label { "Token good through this day (UTC); empty if it does not expire"
                    (fields.line(("expires", "date"), "", (false, None)))
                }
                button.primary type="submit" { "Add, and show the token" }
            }
        }
    }
}

/// A token that has just been created.
#[must_use]
pub fn shown_once(fresh: &Fresh<'_>) -> Markup {
    html! {
        section.note.good role="status" {
            p { "The token of " strong { (fresh.name) } ". It is shown once; only its digest is kept." }
            p.token { (fresh.token) }
        }
    }
}

/// A box for each dataset.
#[must_use]
pub fn boxes(fields: &FormFields<'_>, datasets: &[String], ticked: &[String], legend: &str) -> Markup {
    let is_ticked = |dataset: &String| fields.is_chosen(&format!("{TICK}{dataset}"), "yes", ticked.contains(dataset));
    html! {
        fieldset {
            legend { (legend) }
            input type="hidden" name=(LISTED) value="yes";
            @for dataset in datasets {
                label {
                    input type="checkbox" name={ (TICK) (dataset) } value="yes" checked[is_ticked(dataset)];
                    code { (dataset) }
                }
            }
        }
    }
}

/// The statistics that a person sees beside public ones. Those of a viewer can be changed.
fn sees(forms: Forms<'_>, person: &PersonLine, datasets: &[String]) -> Markup {
    if person.role != Role::Viewer {
        let words = if person.role == Role::Steward { "all datasets" } else { "datasets they hold an account of" };
        return html! { span.muted { (words) } };
    }
    let action = format!("/people/{}/datasets", person.name);
    let fields = forms.at(&action);
    html! {
        @match &person.datasets {
            None => { span.badge.warn { "all datasets: nobody said which" } }
            Some(given) if given.is_empty() => { span.muted { "public statistics alone" } }
            Some(given) => { (given.join(", ")) }
        }
        details open[fields.has_come_back()] {
            summary { "Change" span.visually-hidden { " what " (person.name) " sees" } }
            form.stack method="post" action=(action) {
                (fields.begin(&[]))
                (boxes(&fields, datasets, person.datasets.as_deref().unwrap_or_default(), "Datasets"))
                button type="submit" { "Save" span.visually-hidden { " what " (person.name) " sees" } }
            }
        }
    }
}

fn line(forms: Forms<'_>, person: &PersonLine, datasets: &[String]) -> Markup {
    html! {
        tr {
            th scope="row" { a href={ "/people/" (person.name) } { (person.name) } @if person.is_managed { " " span.badge { "managed by files" } } }
            td data-label="Role" { (person.role) }
            td data-label="Sees statistics of" { (sees(forms, person, datasets)) }
            td data-label="Last act" {
                @match person.last_act_ms {
                    Some(at_ms) => { time { (timestamp(at_ms).get(..10).unwrap_or_default()) } }
                    None => { span.muted { "–" } }
                }
            }
            td data-label="Token" {
                @if person.tokens > 0 {
                    @let action = format!("/people/{}/revoke", person.name);
                    @let fields = forms.at(&action);
                    details open[fields.has_come_back()] {
                        summary { "Revoke" span.visually-hidden { " every token of " (person.name) } }
                        form.inline method="post" action=(action) {
                            (fields.begin(&[]))
                            button.danger type="submit" { "Revoke now" span.visually-hidden { " for " (person.name) } }
                        }
                    }
                    @if !person.is_active { " " span.badge.bad { "expired" } }
                } @else { span.muted { "none" } }
            }
        }
    }
}
