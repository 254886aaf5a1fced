//! Accounts: a researcher's own with what is left of them, or all of them as a tree with the actions of stewards.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::filled::Forms;
use crate::kernel::budget::entry::AccountKind;
use crate::kernel::privacy::amounts::Epsilon;
use crate::render::budget;
use crate::service::shares::AccountShare;
use crate::service::stewarding::accounts::{AccountPage, AccountView, NamedAccount};

fn part(account: &NamedAccount) -> f64 {
    account.account.fraction_spent.to_f64().clamp(0.0, 1.0)
}

/// What is spent and what is left in per cent, which add up to 100.
fn per_cents(account: &NamedAccount) -> (String, String) {
    const DECIMALS: usize = 2;
    let left = account.account.fraction_remaining;
    (AccountShare::per_cent_between(left, AccountShare::WHOLE, DECIMALS), left.per_cent(DECIMALS))
}

/// A bar of which a part is filled, described in words.
#[must_use]
pub fn bar(part: f64, words: &str) -> Markup {
    html! {
        svg.bar viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label=(words) {
            rect width=(format!("{:.1}", 100.0 * part.clamp(0.0, 1.0))) height="6" {}
        }
    }
}

fn notes(account: &NamedAccount, managed: &BTreeSet<String>) -> Markup {
    let named = match account.kind {
        AccountKind::Researcher => format!("grant {} {}", account.dataset, account.name),
        AccountKind::Project => format!("project {} {}", account.dataset, account.name),
        kind @ (AccountKind::Dataset | AccountKind::Statistics) => format!("{} {}", kind.name(), account.dataset),
    };
    html! {
        @if managed.contains(&named) { span.badge { "managed by files" } " " }
        @if account.frozen { span.badge.bad { "frozen" } " " }
        @if let Some(period) = &account.period {
            span.badge { "renews every " (period.days) " days, next on " time { (period.ends.get(..10).unwrap_or("")) } } " "
        }
        @if let Some(incidents) = account.dataset_state.incidents.filter(|count| *count > 0) {
            span.badge.bad { "incidents: " (incidents) } " "
        }
        @if let Some(cut_off) = account.dataset_state.cut_off.filter(|count| *count > 0) {
            span.badge.warn { "answers cut off: " (cut_off) } " "
        }
    }
}

/// What is spent of an account and what is left.
#[must_use]
pub fn figures(account: &NamedAccount, managed: &BTreeSet<String>) -> Markup {
    let (spent, left) = per_cents(account);
    let epsilon = |epsilon: Epsilon| budget::epsilon(&epsilon.to_string());
    let AccountView { epsilon_cap, epsilon_remaining, like_this_remaining, .. } = &account.account;
    html! {
        (bar(part(account), &format!("{spent} is spent")))
        p.row {
            span { strong { (left) " left" } ", " (spent) " spent, of ε\u{a0}" (epsilon(*epsilon_cap)) }
            @if let Some(fits) = like_this_remaining { span.muted { (budget::more_like_the_last(*fits)) } }
            span.muted { "largest single question that still fits: ε\u{a0}" (epsilon(*epsilon_remaining)) }
            (notes(account, managed))
        }
    }
}

/// A researcher's own accounts, each with a form to ask for more. `requests` lists their earlier requests.
#[must_use]
pub fn own(forms: Forms<'_>, accounts: &[NamedAccount], requests: &Markup) -> Markup {
    html! {
        h1 { "Your budget" }
        @if accounts.is_empty() { p.note.warn { "You hold no account yet. A steward grants an allocation of a dataset." } }
        div.grid {
            @for account in accounts {
                section.card {
                    h2 { code { (account.dataset) } @if account.kind != AccountKind::Researcher { ", " (account.kind.name()) " " (account.name) } }
                    (figures(account, &BTreeSet::new()))
                    @if account.kind == AccountKind::Researcher { (ask_for_more(forms, &account.dataset)) }
                }
            }
        }
        (requests)
        p.muted {
            "Shares of an account add up, and epsilon does not: " a href="/manual/asking" { "why" } ". "
            "An allocation is a share of the dataset's cap. The guarantee is the cap's: it binds all researchers together."
        }
    }
}

fn ask_for_more(forms: Forms<'_>, dataset: &str) -> Markup {
    let fields = forms.about("/requests", "dataset", dataset);
    html! {
        details open[fields.has_come_back()] {
            summary { "Ask for more" }
            form.stack method="post" action="/requests" {
                (fields.begin(&["epsilon", "reason"]))
                input type="hidden" name="dataset" value=(dataset);
                label { "New total, as epsilon" (fields.line(("epsilon", "decimal"), "", (true, None))) }
                label { "Reason"
                    textarea name="reason" rows="3" required maxlength="500" aria-invalid=[fields.invalid("reason")]
                        aria-describedby=[fields.described("reason")] { (fields.text("reason")) }
                    (fields.says("reason"))
                }
                button type="submit" { "Send to the steward" }
            }
        }
    }
}

/// The tree of one dataset's accounts.
fn tree(forms: Forms<'_>, page: &AccountPage, found: &str, managed: &BTreeSet<String>) -> Markup {
    let (dataset, accounts) = (page.dataset.as_str(), &page.accounts);
    let of = |kind: AccountKind| accounts.iter().filter(move |account| account.kind == kind).collect::<Vec<_>>();
    let root = of(AccountKind::Dataset);
    let researchers = of(AccountKind::Researcher);
    let below = |project: Option<&str>| {
        researchers.iter().copied().filter(move |account| account.project.as_deref() == project).collect::<Vec<_>>()
    };
    html! {
        section.card {
            h2 { (dataset) }
            @for account in &root { (figures(account, managed)) (allocated(account)) (freeze(forms, account)) }
            ul.tree {
                @for account in of(AccountKind::Statistics) { li { strong { "Published statistics" } (figures(account, managed)) } }
                @for project in of(AccountKind::Project) {
                    li {
                        strong { "Project " (project.name) } (figures(project, managed))
                        (leaves(&below(Some(&project.name)), managed))
                    }
                }
            }
            (leaves(&below(None), managed))
            @if page.projects_hidden > 0 { p.note { (page.projects_hidden) " more projects are not shown; search by name." } }
            @if let Some(next) = &page.next {
                nav.pages aria-label={ "Pages of " (dataset) } {
                    a href=(next_page(dataset, found, next)) rel="next" { "More researchers of " (dataset) }
                }
            }
            (grant(forms, dataset))
        }
    }
}

fn leaves(accounts: &[&NamedAccount], managed: &BTreeSet<String>) -> Markup {
    html! {
        ul.tree {
            @for account in accounts { li { a href={ "/people/" (account.name) } { (account.name) } (figures(account, managed)) } }
        }
    }
}

fn next_page(dataset: &str, found: &str, after: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("dataset", dataset).append_pair("find", found).append_pair("after", after);
    format!("/accounts?{}", query.finish())
}

fn allocated(account: &NamedAccount) -> Markup {
    html! {
        @if let Some(allocated) = &account.dataset_state.epsilon_allocated {
            p.muted {
                "Allocated: ε\u{a0}" (budget::epsilon(&allocated.to_string())) " of "
                (budget::epsilon(&account.account.epsilon_cap.to_string())) "."
                @if account.dataset_state.oversubscribe == Some(true) { " Allocations may sum to more than the cap." }
            }
        }
    }
}

fn freeze(forms: Forms<'_>, account: &NamedAccount) -> Markup {
    let (act, words) = if account.frozen { ("unfreeze", "Unfreeze") } else { ("freeze", "Freeze") };
    let action = format!("/datasets/{}/{act}", account.dataset);
    let fields = forms.at(&action);
    html! {
        details open[fields.has_come_back()] {
            summary { (words) }
            form.inline method="post" action=(action) {
                (fields.begin(&["reason"]))
                label { "Reason" (fields.line(("reason", "text"), "", (true, Some(500)))) }
                button.danger type="submit" { (words) }
            }
        }
    }
}

/// To whom a grant can be made: the values and the words of the choice.
const HOLDERS: [(&str, &str); 4] = [
    ("researcher", "a researcher"),
    ("project", "a project"),
    ("statistics", "published statistics"),
    ("dataset", "the lifetime cap (it only rises)"),
];

fn grant(forms: Forms<'_>, dataset: &str) -> Markup {
    let fields = forms.about("/grants", "dataset", dataset);
    html! {
        details open[fields.has_come_back()] {
            summary { "Grant" }
            form.stack method="post" action="/grants" {
                (fields.begin(&["name", "project", "epsilon", "period_days", "reason"]))
                input type="hidden" name="dataset" value=(dataset);
                label { "To"
                    select name="kind" {
                        @for (kind, words) in HOLDERS {
                            option value=(kind) selected[fields.is_chosen("kind", kind, false)] { (words) }
                        }
                    }
                }
                label { "Name of the researcher or project" (fields.line(("name", "text"), "", (false, Some(64)))) }
                label { "Below project (researchers only, optional)" (fields.line(("project", "text"), "", (false, Some(64)))) }
                label { "New total, as epsilon" (fields.line(("epsilon", "decimal"), "", (true, None))) }
                label { "Renews after this many days (optional)" (fields.line(("period_days", "numeric"), "", (false, None))) }
                label { "Reason, kept in the ledger" (fields.line(("reason", "text"), "", (true, Some(500)))) }
                div.row {
                    button.primary type="submit" { "Grant" }
                    a href={ "/what-if?dataset=" (dataset) } { "What would it buy?" }
                }
            }
        }
    }
}

/// Whether no account of a researcher or a project is shown.
fn finds_nobody(page: &AccountPage) -> bool {
    let is_somebody = |account: &NamedAccount| matches!(account.kind, AccountKind::Researcher | AccountKind::Project);
    !page.accounts.iter().any(is_somebody)
}

/// Accounts as trees, one for each dataset. `managed` names what files declare.
#[must_use]
pub fn all(
    forms: Forms<'_>,
    datasets: &[AccountPage],
    managed: &BTreeSet<String>,
    found: &str,
    done: Option<&str>,
) -> Markup {
    html! {
        h1 { "Accounts" }
        @if let Some(done) = done { p.note.good role="status" { (done) } }
        @if datasets.is_empty() { p.note { "No dataset is sealed yet: tacit seal POLICY --state STATE" } }
        form.inline method="get" action="/accounts" role="search" {
            label { "Researcher or project" input type="search" name="find" value=(found) maxlength="64"; }
            button type="submit" { "Search" }
        }
        @if !found.is_empty() && datasets.iter().all(finds_nobody) {
            p.note { "No researcher or project has “" (found) "” in their name. " a href="/accounts" { "Show all" } }
        }
        @for dataset in datasets { (tree(forms, dataset, found, managed)) }
        p.muted { "Datasets about the same people add up: for somebody who is in two of them, the guarantee is that of the sum of both caps." }
    }
}
