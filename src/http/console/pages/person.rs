//! One person for stewards: what they may do, their tokens, when they were last here, and their accounts.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::accounts::figures;
use super::filled::Forms;
use super::people::Fresh;
use crate::kernel::budget::people::Role;
use crate::render::budget::percent;
use crate::service::stewarding::accounts::{NamedAccount, timestamp};
use crate::service::stewarding::month::{MONTH_DAYS, MonthView};
use crate::service::stewarding::tokens::TokenView;

/// The contents of the page.
pub struct PersonPage<'a> {
    /// The person's name.
    pub name: &'a str,
    /// The person's role.
    pub role: Role,
    /// Whether the person is declared in files.
    pub is_managed: bool,
    /// The datasets that a viewer was given; `None` if nobody said which.
    pub datasets: Option<&'a [String]>,
    /// The tokens that were not revoked.
    pub tokens: &'a [TokenView],
    /// Number and time of the last entry of the ledger that the person made.
    pub last_act: Option<(u64, u64)>,
    /// When the server started, in milliseconds since 1970 in UTC.
    pub started_ms: u64,
    /// The accounts of the person and of their projects, each with what was asked on it in the last month.
    pub accounts: &'a [(NamedAccount, Option<MonthView>)],
    /// What was done just now.
    pub done: Option<&'a str>,
    /// A token that has just been created.
    pub fresh: Option<&'a Fresh<'a>>,
}

/// A moment in UTC, to the minute.
#[must_use]
pub fn minute(at_ms: u64) -> String {
    timestamp(at_ms).get(..16).unwrap_or_default().replace('T', " ")
}

/// What a role may do, in words.
#[must_use]
pub fn may(role: Role) -> &'static str {
    match role {
        Role::Steward => "Manages people, budgets, datasets and statistics, and reads the ledger.",
        Role::Researcher => "Asks the datasets that they have an allocation of.",
        Role::Viewer => "Reads published statistics.",
    }
}

/// The page of one person.
#[must_use]
pub fn page(forms: Forms<'_>, page: &PersonPage<'_>) -> Markup {
    html! {
        p { a href="/people" { "People" } }
        h1 { (page.name) }
        @if let Some(done) = page.done { p.note.good role="status" { (done) } }
        @if let Some(fresh) = page.fresh { (super::people::shown_once(fresh)) }
        dl.facts {
            dt { "Role" } dd { (page.role) ". " (may(page.role)) @if page.is_managed { " " span.badge { "managed by files" } } " " a href={ "/people/" (page.name) "/role" } { "Change the role" } }
            @if page.role == Role::Viewer {
                dt { "Sees" }
                dd {
                    @match page.datasets {
                        None => { "statistics of all datasets: nobody said which" }
                        Some([]) => { "public statistics alone" }
                        Some(datasets) => { "statistics of " (datasets.join(", ")) }
                    }
                }
            }
            dt { "Last here" } dd { (last_here(page)) }
            dt { "Last act" }
            dd {
                @match page.last_act {
                    Some((number, at_ms)) => { time { (minute(at_ms)) } " UTC, entry " (number) " of the ledger" }
                    None => { "none" }
                }
                ". " a href={ "/ledger?person=" (page.name) } { "All entries about " (page.name) }
            }
        }
        (tokens(forms, page))
        @if page.role == Role::Researcher { (accounts(page)) }
    }
}

/// When a token of the person was last used, or how long that was not the case.
fn last_here(page: &PersonPage<'_>) -> Markup {
    html! {
        @match page.tokens.iter().filter_map(|token| token.used_ms).max() {
            Some(used_ms) => { time { (minute(used_ms)) } " UTC" }
            None => { "not since the server started on " time { (minute(page.started_ms)) } " UTC; uses before that are not kept" }
        }
    }
}

fn tokens(forms: Forms<'_>, page: &PersonPage<'_>) -> Markup {
    let action = format!("/people/{}/tokens", page.name);
    let fields = forms.at(&action);
    html! {
        section {
            h2 { "Tokens" }
            @if page.tokens.is_empty() { p.note.warn { (page.name) " holds no token, and so cannot come in." } } @else {
                div.scroll tabindex="0" role="region" aria-label="Tokens" {
                    table.stacked {
                        caption.visually-hidden { "Tokens of " (page.name) ", oldest first" }
                        thead { tr {
                            th scope="col" { "Name" } th scope="col" { "Given (UTC)" } th scope="col" { "Expires (UTC)" }
                            th scope="col" { "Last used (UTC)" } th scope="col" { "Revoke" }
                        } }
                        tbody { @for held in page.tokens { (line(forms, page.name, held)) } }
                    }
                }
            }
            section.card {
                h3 { "Give another token" }
                form.stack method="post" action=(action) {
                    (fields.begin(&["token_name", "expires"]))
                    label { "Name of the token, such as the device or program that uses it"
                        (fields.line(("token_name", "text"), "", (true, Some(64))))
                    }
                    label { "Good through this day (UTC); empty if it does not expire"
                        (fields.line(("expires", "date"), "", (false, None)))
                    }
                    button.primary type="submit" { "Give, and show the token" }
                }
            }
        }
    }
}

fn line(forms: Forms<'_>, holder: &str, held: &TokenView) -> Markup {
    let action = format!("/people/{holder}/tokens/revoke");
    let fields = forms.about(&action, "token_name", &held.record.name);
    html! {
        tr {
            th scope="row" { (held.record.name) }
            td data-label="Given (UTC)" { time { (minute(held.record.issued_ms)) } }
            td data-label="Expires (UTC)" {
                @match held.record.expires_ms { Some(at_ms) => { time { (minute(at_ms)) } } None => { "never" } }
                @if held.has_expired { " " span.badge.bad { "expired" } }
            }
            td data-label="Last used (UTC)" {
                @match held.used_ms { Some(at_ms) => { time { (minute(at_ms)) } } None => { span.muted { "–" } } }
            }
            td data-label="Revoke" {
                details open[fields.has_come_back()] {
                    summary { "Revoke" span.visually-hidden { " the token " (held.record.name) } }
                    form.inline method="post" action=(action) {
                        (fields.begin(&[]))
                        input type="hidden" name="token_name" value=(held.record.name);
                        button.danger type="submit" { "Revoke now" span.visually-hidden { ": " (held.record.name) } }
                    }
                }
            }
        }
    }
}

/// What the questions of the last month would take if they came again.
fn again(month: Option<&MonthView>) -> Markup {
    html! {
        @match month {
            None => { p.muted { "Nothing was asked in the last " (MONTH_DAYS) " days." } }
            Some(month) => {
                p.muted {
                    "Questions of the last " (MONTH_DAYS) " days: " (month.questions) ". If they came again: "
                    (percent(month.of_account.to_f64())) " of the account."
                }
            }
        }
    }
}

fn accounts(page: &PersonPage<'_>) -> Markup {
    html! {
        section {
            h2 { "Accounts" }
            @if page.accounts.is_empty() {
                p.note { (page.name) " has no allocation. " a href="/accounts" { "Grant one" } "." }
            }
            div.grid {
                @for (account, month) in page.accounts {
                    section.card {
                        h3 { (account.dataset) @if account.name != page.name { ", " (account.kind.name()) " " (account.name) } }
                        (figures(account, &BTreeSet::new()))
                        (again(month.as_ref()))
                    }
                }
            }
        }
    }
}
