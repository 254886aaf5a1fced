//! GET /metrics: measurements for the stewards' monitoring, as Prometheus text.
//!
//! Promises that nothing here is computed from rows, that it contains no durations, and that it
//! has a bounded number of lines: it shows counts of entries, balances, and statuses of responses.
//! It answers stewards, and programs on this machine whose request came through no proxy.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::sync::Arc;

use axum::extract::{Extension, FromRequestParts, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use crate::http::auth::{Reading, with_role};
use crate::http::counts::Counts;
use crate::http::problem::Problem;
use crate::http::shared::Shared;
use crate::http::{App, aside};
use crate::kernel::budget::account::{Account, DatasetAccount};
use crate::kernel::budget::entry::{AccountKind, AccountMark};
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::Role;
use crate::kernel::budget::state::LedgerState;
use crate::kernel::privacy::accountant::Accountant;
use crate::net::listener::Peer;
use crate::service::Service;
use crate::service::publishing::statistics::{Agreement, State as Standing, Statistic};
use crate::service::stewarding::accounts::AccountView;

/// The largest number of accounts that are shown individually; if there are more, those of researchers are left out.
const ACCOUNTS_MAX: usize = 1_000;
const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// The headers of requests that came through a proxy: the proxy's address says nothing about who asks.
const PASSED_ON: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// The host names by which programs on this machine reach the server.
const HERE: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Someone who may see the metrics: a steward, or a program on this machine without a token.
pub struct Scraper;

impl FromRequestParts<App> for Scraper {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, service: &App) -> Result<Self, Problem> {
        let Reading(person) = Reading::from_request_parts(parts, service).await?;
        let is_here = parts.extensions.get::<Peer>().is_some_and(|Peer(address)| address.ip().is_loopback());
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        // A web page that was made to resolve its own host name to this machine is not a program on this machine.
        let is_here = is_here && HERE.iter().any(|name| host == *name || host.starts_with(&format!("{name}:")));
        let is_passed_on = PASSED_ON.iter().any(|name| parts.headers.contains_key(*name));
        match person {
            Some(person) => with_role(person, &[Role::Steward]).map(|_| Self),
            None if is_here && !is_passed_on => Ok(Self),
            None => Err(Problem::unauthenticated()),
        }
    }
}

/// Shows the metrics, in the text format 0.0.4 of Prometheus. Programs on the server's own machine need no token.
#[utoipa::path(
    get, path = "/metrics", security(("token" = []), ()),
    responses(
        (status = 200, description = "The metrics", body = String, content_type = "text/plain"),
        (status = 401, body = Problem), (status = 403, body = Problem)
    )
)]
pub async fn show(
    State(service): State<App>,
    _scraper: Scraper,
    Extension(shared): Extension<Arc<Shared>>,
) -> Result<Response, Problem> {
    let write = move |service: &Service| {
        let text = text(service, &shared.counts);
        Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response())
    };
    aside::built(&service, "", write).await?
}

/// A consistent snapshot of the ledger's state.
struct Seen {
    entries: u64,
    people: BTreeMap<(&'static str, bool), usize>,
    accounts: Vec<SeenAccount>,
    datasets: Vec<(String, DatasetAccount)>,
    executing: usize,
    releases: usize,
    requests_open: usize,
}

struct SeenAccount {
    accountant: Accountant,
    dataset: String,
    kind: AccountKind,
    name: String,
    mark: AccountMark,
}

impl Seen {
    fn of(book: &LedgerState, now_ms: u64) -> Self {
        let mut people: BTreeMap<(&'static str, bool), usize> =
            Role::ALL.iter().flat_map(|role| [((role.name(), false), 0), ((role.name(), true), 0)]).collect();
        for (_, role, is_active) in book.people() {
            *people.entry((role.name(), is_active)).or_default() += 1;
        }
        Self {
            entries: book.head().0,
            people,
            accounts: accounts(book, now_ms),
            datasets: book.datasets().map(|(name, whole)| (name.clone(), whole.clone())).collect(),
            executing: book.executing().count(),
            releases: book.releases().len(),
            requests_open: book.requests().filter(|(_, card)| card.decision.is_none()).count(),
        }
    }
}

fn accounts(book: &LedgerState, now_ms: u64) -> Vec<SeenAccount> {
    let number: usize = book.datasets().map(|(dataset, _)| book.accounts_of(dataset).count()).sum();
    let is_shown = |account: &Account| number <= ACCOUNTS_MAX || account.kind != AccountKind::Researcher;
    let mut seen = Vec::new();
    for (dataset, whole) in book.datasets() {
        for account in book.accounts_of(dataset).filter(|account| is_shown(account)) {
            let (accountant, dataset, kind) = (whole.cap.accountant, dataset.clone(), account.kind);
            // The internal name of the statistics account is one that no person can have.
            let name = if kind == AccountKind::Statistics { kind.name().to_owned() } else { account.name.clone() };
            seen.push(SeenAccount { accountant, dataset, kind, name, mark: book.mark(account, now_ms) });
        }
    }
    seen
}

/// The text of the metrics.
struct Lines(String);

impl Lines {
    /// Begins a metric.
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<_> = labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    /// Writes a metric with a single value.
    fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn text(service: &Service, counts: &Counts) -> String {
    let seen = read(service.ledger(), |book| Seen::of(book, service.now_ms()));
    let mut lines = Lines(String::new());
    lines.family("tacit_info", "gauge", "The version that runs");
    lines.sample("tacit_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    lines.single("tacit_ready", "gauge", "Whether questions are answered", u8::from(service.is_ready()));
    lines.single("tacit_datasets", "gauge", "Datasets that are served", service.datasets().count());
    lines.single("tacit_ledger_entries_total", "counter", "Entries of the ledger", seen.entries);
    lines.single(
        "tacit_releases_total",
        "counter",
        "Answers that were charged, those that failed included",
        seen.releases,
    );
    lines.single("tacit_executing", "gauge", "Answers that were charged and have not ended", seen.executing);
    lines.single("tacit_requests_open", "gauge", "Requests for budget that are not decided yet", seen.requests_open);
    lines.family("tacit_people", "gauge", "People by role, and whether they hold a token");
    for ((role, is_active), number) in &seen.people {
        let active = if *is_active { "true" } else { "false" };
        lines.sample("tacit_people", &[("role", *role), ("active", active)], number);
    }
    write_accounts(&mut lines, &seen.accounts);
    write_datasets(&mut lines, &seen.datasets);
    write_statistics(&mut lines, service);
    lines.family("tacit_http_responses_total", "counter", "Responses by the class of their status");
    for (class, count) in counts.by_class() {
        lines.sample("tacit_http_responses_total", &[("class", class)], count);
    }
    lines.0
}

fn write_accounts(lines: &mut Lines, accounts: &[SeenAccount]) {
    let views: Vec<_> = accounts.iter().map(|seen| (seen, AccountView::of(seen.accountant, &seen.mark))).collect();
    let mut metric = |name: &str, help: &str, value: fn(&AccountView) -> String| {
        lines.family(name, "gauge", help);
        for (seen, view) in &views {
            let labels = [("dataset", seen.dataset.as_str()), ("kind", seen.kind.name()), ("name", seen.name.as_str())];
            lines.sample(name, &labels, value(view));
        }
    };
    let period = "in the present period if it renews";
    metric("tacit_epsilon_spent", &format!("What an account spent, {period}"), |view| view.epsilon_spent.to_string());
    metric("tacit_epsilon_cap", &format!("What an account may spend, {period}"), |view| view.epsilon_cap.to_string());
    metric("tacit_fraction_spent", &format!("Fraction spent of what an account may spend, {period}"), |view| {
        view.fraction_spent.to_string()
    });
}

fn write_datasets(lines: &mut Lines, datasets: &[(String, DatasetAccount)]) {
    let mut metric = |name: &str, kind: &str, help: &str, value: fn(&DatasetAccount) -> u64| {
        lines.family(name, kind, help);
        for (dataset, whole) in datasets {
            lines.sample(name, &[("dataset", dataset.as_str())], value(whole));
        }
    };
    let incidents = "Failures after a charge since a steward last looked";
    metric("tacit_incidents", "gauge", incidents, |whole| u64::from(whole.incidents));
    let cut_off = "Answers that a kill, a power cut or a failing disk cut off";
    metric("tacit_cut_off_total", "counter", cut_off, |whole| whole.cut_off);
    metric("tacit_frozen", "gauge", "Whether a dataset is frozen, so that nothing is drawn", |whole| {
        u64::from(whole.is_frozen())
    });
}

fn write_statistics(lines: &mut Lines, service: &Service) {
    let states: Vec<_> = service.statistics().map(|statistic| (statistic, service.state_of(statistic))).collect();
    let mut metric = |name: &str, help: &str, value: fn(&Standing) -> Option<String>| {
        lines.family(name, "gauge", help);
        for (Statistic { name: statistic, .. }, state) in &states {
            if let Some(value) = value(state) {
                lines.sample(name, &[("statistic", statistic.as_str())], value);
            }
        }
    };
    metric("tacit_statistic_released_timestamp_seconds", "When the release that a statistic shows was made", |state| {
        state.shown.as_ref().map(|(_, at_ms)| seconds(*at_ms))
    });
    metric("tacit_statistic_next_refresh_timestamp_seconds", "When the next period of a statistic begins", |state| {
        state.next_ms.map(seconds)
    });
    metric("tacit_statistic_stale", "Whether a statistic was due and was not drawn since", |state| {
        Some(u8::from(state.skipped.is_some()).to_string())
    });
    metric("tacit_statistic_waiting", "Whether a statistic waits for a steward to confirm its price", |state| {
        Some(u8::from(state.agreement != Agreement::Given).to_string())
    });
}

/// Formats a time as seconds since 1970, with milliseconds.
fn seconds(at_ms: u64) -> String {
    format!("{}.{:03}", at_ms / 1_000, at_ms % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_values_are_escaped() {
        let mut lines = Lines(String::new());
        lines.sample("metric", &[("label", "a\\b\"c\nd"), ("other", "é")], 1);
        lines.sample("metric", &[], "0.5");
        assert_eq!(lines.0, "metric{label=\"a\\\\b\\\"c\\nd\",other=\"é\"} 1\nmetric 0.5\n");
        assert_eq!(seconds(1_790_000_000_007), "1790000000.007");
    }
}
