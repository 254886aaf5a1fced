//! The first page of each role: what is left of a researcher's budget, and what waits for a steward.

use maud::{Markup, html};

use super::accounts::bar;
use super::datasets::is_inner;
use super::history::{self, HistoryLine};
use crate::kernel::budget::entry::AccountKind;
use crate::render::budget::percent;
use crate::service::Dataset;
use crate::service::stewarding::accounts::NamedAccount;
use crate::service::stewarding::outlook::{CapOutlook, LowAccount, SpendingPace};
use crate::service::stewarding::requests::RequestView;

/// What a researcher sees first.
pub struct ResearcherHome<'a> {
    /// Their own accounts.
    pub accounts: &'a [&'a NamedAccount],
    /// Their latest questions.
    pub questions: &'a [HistoryLine],
    /// The datasets that they may ask.
    pub datasets: &'a [&'a Dataset],
}

/// The first page of a researcher.
#[must_use]
pub fn researcher(home: &ResearcherHome<'_>) -> Markup {
    html! {
        h1 { "What you can still ask" }
        p.lead { "Each new question takes a share of your budget. Looking at an earlier answer, or asking for it again, is free." }
        @if home.accounts.is_empty() { p.note.warn { "You have no budget yet. A steward grants you a share of a dataset's." } }
        div.grid { @for account in home.accounts { (budget(account)) } }
        section {
            h2 { "Your latest questions" }
            @if home.questions.is_empty() { p.muted { "You have not asked anything yet." } }
            @else { (history::table(home.questions, "Your latest questions")) p { a href="/history" { "All your questions" } } }
        }
        section {
            h2 { "Datasets that you may ask" }
            ul.plain {
                @for dataset in home.datasets.iter().filter(|dataset| !is_inner(dataset)) {
                    li {
                        a href={ "/datasets/" (dataset.name) } { (dataset.title.as_deref().unwrap_or(&dataset.name)) }
                        " " span.muted { code { (dataset.name) } ": columns, values and limits" }
                    }
                }
            }
        }
    }
}

fn budget(account: &NamedAccount) -> Markup {
    let spent = account.account.fraction_spent.to_f64();
    let left = (1.0 - spent).clamp(0.0, 1.0);
    html! {
        section.card {
            h2 { code { (account.dataset) } }
            p.figure { (percent(left)) " left" }
            (bar(spent, &format!("{} of your budget for {} is spent", percent(spent), account.dataset)))
            p {
                "You have spent " (percent(spent)) " of your budget"
                @match account.answers_left {
                    Some(1) => ". One more question like your last one fits.",
                    Some(left) => { ". " (left) " more questions like your last one fit." }
                    None => ".",
                }
                @if let Some(period) = &account.period { " It is full again on " time { (period.ends.get(..10).unwrap_or("")) } "." }
                @if account.frozen { " " span.badge.bad { "frozen: nothing is answered from it now" } }
            }
            div.row {
                a.button.primary href={ "/ask?dataset=" (account.dataset) } { "Ask a question" }
                a href="/accounts" { "Ask for more budget" }
            }
        }
    }
}

/// What a steward sees first.
pub struct StewardHome<'a> {
    /// The cap of each dataset, with what is left of it and when that would be used up.
    pub caps: &'a [CapOutlook],
    /// The requests that nobody has decided.
    pub requests: &'a [RequestView],
    /// The names and titles of the statistics that wait for a confirmation.
    pub waiting: &'a [(String, String)],
    /// The accounts of which least is left.
    pub low: &'a [LowAccount],
    /// The number of accounts that run low, of which `low` names the first.
    pub low_count: usize,
}

/// The number of requests and of statistics that are named.
const NAMED: usize = 5;

/// The first page of a steward.
#[must_use]
pub fn steward(home: &StewardHome<'_>) -> Markup {
    let frozen: Vec<_> = home.caps.iter().filter(|cap| cap.is_frozen).collect();
    let is_calm = home.requests.is_empty() && home.waiting.is_empty() && frozen.is_empty();
    html! {
        h1 { "What needs you" }
        p.lead {
            @if is_calm { "Nothing waits for you." }
            @else { "Requests, statistics and datasets that wait for your decision, and how much of each cap is left." }
        }
        @for cap in frozen {
            p.note.bad {
                strong { (cap.dataset) " is frozen." } " Nothing is answered from it"
                @if cap.incidents > 0 { "; incidents since somebody looked: " (cap.incidents) }
                ". " a href="/accounts" { "Look at it" }
            }
        }
        @if !home.requests.is_empty() { (requests(home.requests)) }
        @if !home.waiting.is_empty() { (waiting(home.waiting)) }
        h2 { "Caps" }
        @if home.caps.is_empty() { p.note { "No dataset is sealed yet: tacit seal POLICY --state STATE" } }
        div.grid { @for cap in home.caps { (cap_card(cap)) } }
        p { a href="/policy" { "Change a policy, or draft one for another table" } }
        @if !home.low.is_empty() { (low(home.low, home.low_count)) }
    }
}

fn requests(open: &[RequestView]) -> Markup {
    html! {
        section.card {
            h2 { @if open.len() == 1 { "One request for budget" } @else { (open.len()) " requests for budget" } }
            ul.plain {
                @for request in open.iter().take(NAMED) {
                    li {
                        strong { (request.researcher) } " asks for a total of epsilon\u{a0}" (request.epsilon) " of "
                        code { (request.dataset) } ": " (request.reason)
                    }
                }
                @if open.len() > NAMED { li.muted { "and " (open.len() - NAMED) " more" } }
            }
            p { a.button.primary href="/requests" { "Decide" } }
        }
    }
}

fn waiting(waiting: &[(String, String)]) -> Markup {
    html! {
        section.card {
            h2 { @if waiting.len() == 1 { "One statistic to confirm" } @else { (waiting.len()) " statistics to confirm" } }
            ul.plain {
                @for (name, title) in waiting.iter().take(NAMED) { li { a href={ "/statistics/" (name) "/draw" } { (title) } } }
                @if waiting.len() > NAMED { li.muted { "and " (waiting.len() - NAMED) " more" } }
            }
            p { a href="/statistics" { "All statistics" } }
        }
    }
}

fn cap_card(cap: &CapOutlook) -> Markup {
    let spent = cap.spent.to_f64();
    let left = (1.0 - spent).clamp(0.0, 1.0);
    html! {
        section.card {
            h3 { a href={ "/datasets/" (cap.dataset) } { (cap.dataset) } @if cap.is_frozen { " " span.badge.bad { "frozen" } } }
            p.figure { (percent(left)) " left" }
            (bar(spent, &format!("{} of the cap of {} is spent", percent(spent), cap.dataset)))
            p { (runs_out(cap.pace.as_ref(), left)) }
            p.muted { (percent(cap.allocated.to_f64())) " of the cap is allocated to people, projects and statistics." }
        }
    }
}

/// When a cap is used up if it goes on as it did lately.
fn runs_out(pace: Option<&SpendingPace>, left: f64) -> Markup {
    html! {
        @if left <= 0.0 { "It is used up: only what was answered before is answered." }
        @else if let Some(pace) = pace {
            @let days = pace.days.round();
            (percent(pace.part.to_f64())) " was spent in the last " @if days <= 1.0 { "day" } @else { (days) " days" }
            ". At this pace it lasts " strong { (how_long(pace.days_left)) } "."
        } @else { "Too little was spent lately to say how long it lasts." }
    }
}

fn how_long(days: f64) -> String {
    match days {
        days if days < 1.5 => "about a day".to_owned(),
        days if days < 60.0 => format!("about {days:.0} days"),
        days if days < 730.0 => format!("about {:.0} months", days / 30.4),
        days if days < 36_500.0 => format!("about {:.0} years", days / 365.25),
        _ => "more than a hundred years".to_owned(),
    }
}

fn low(low: &[LowAccount], count: usize) -> Markup {
    html! {
        h2 { "Running low" }
        ul.plain {
            @for account in low {
                li {
                    strong { (account.name) @if account.kind == AccountKind::Project { " (project)" } }
                    ": " (percent(account.spent.to_f64())) " of the allocation of " code { (account.dataset) } " is spent"
                }
            }
            @if count > low.len() { li.muted { "and " (count - low.len()) " more" } }
        }
        p { a href="/accounts" { "All accounts" } }
    }
}
