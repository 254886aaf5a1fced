//! `tacit status`: whether a server is there and answers, and what needs attention, as far as the token may see it.

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::datasets::{accounts, dataset_table};
use super::place::tell;
use super::{CommandFailure, ServerOptions};
use crate::client::catalogue::Catalogue;
use crate::client::{Client, ClientError};
use crate::http::api::health::StatusBody;
use crate::kernel::clock::{Clock, SystemClock};
use crate::terminal::{Screen, Tone, say, say_table};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

#[derive(Args)]
pub(super) struct StatusOptions {
    #[command(flatten)]
    server: ServerOptions,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// What a token may see of a server.
#[derive(Serialize)]
struct ServerState {
    server: String,
    ready: bool,
    /// The reason why it is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Who asks, and the ledger; `None` without a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<StatusBody>,
    datasets: Vec<Value>,
    accounts: Vec<Value>,
    statistics: Vec<Value>,
}

pub(super) fn run(options: &StatusOptions) -> Result<(), CommandFailure> {
    let client = options.server.client();
    let reason = match client.get_for("/readyz", "*/*") {
        Ok(_) => None,
        Err(ClientError::Problem { problem }) => Some(problem["detail"].as_str().unwrap_or_default().to_owned()),
        Err(other) => return Err(other.into()),
    };
    let state = seen(&client, client.url(), reason)?;
    tell(options.json, &state, || show(&client, &state))?;
    match state.ready {
        true => Ok(()),
        false => Err(CommandFailure::No("the server does not answer questions".to_owned())),
    }
}

fn seen(client: &Client, url: &str, reason: Option<String>) -> Result<ServerState, CommandFailure> {
    let mut state = ServerState {
        server: url.to_owned(),
        ready: reason.is_none(),
        reason,
        status: None,
        datasets: Vec::new(),
        accounts: Vec::new(),
        statistics: Vec::new(),
    };
    let name = |item: &Value| item["name"].as_str().unwrap_or_default().to_owned();
    state.statistics = client.all("/v1/statistics", name)?;
    if client.has_token() {
        state.status = Some(client.get_as("/v1/status")?);
        state.datasets = client.all("/v1/datasets", name)?;
        let accounts = accounts(client)?;
        state.accounts = accounts.iter().filter_map(|account| serde_json::to_value(account).ok()).collect();
    }
    Ok(state)
}

fn show(client: &Client, state: &ServerState) {
    let screen = Screen::of_stdout();
    let line = |name: &str, text: &str| say(screen.wrapped(&format!("{name:<12}{text}")));
    line("server", &state.server);
    match &state.reason {
        None => line("ready", "yes"),
        Some(reason) => line("ready", &screen.paint(Tone::Warning, &format!("no: {reason}"))),
    }
    match &state.status {
        None => line("you", "nobody: name your token with --token or TACIT_TOKEN to see more"),
        Some(status) => {
            line("version", &status.version);
            line("you", &format!("{}, a {}", status.name, status.role));
            if let Some(ledger) = &status.ledger {
                let age = ledger
                    .last_at
                    .as_deref()
                    .and_then(age)
                    .map_or_else(String::new, |age| format!(", the last one {age} ago"));
                line("ledger", &format!("{} entries{age}", ledger.entries));
                line("requests", &format!("{} wait for a decision", ledger.requests_open));
            }
        }
    }
    line("statistics", &statistics(&state.statistics));
    if let (Some(_), Ok(catalogue), Ok(accounts)) = (&state.status, Catalogue::fetch(client), accounts(client)) {
        for account in accounts.iter().filter(|account| account.frozen) {
            let text = format!("{} of {} is frozen: nothing more is charged", account.name, account.dataset);
            line("attention", &screen.paint(Tone::Warning, &text));
        }
        say("");
        say_table(&dataset_table(&catalogue, &accounts));
    }
}

/// The statistics in one line: how many, and how many of them wait.
fn statistics(all: &[Value]) -> String {
    let waiting = all.iter().filter(|one| one["standing"].as_str().is_some_and(|standing| standing != "confirmed"));
    let (waiting, stale) = (waiting.count(), all.iter().filter(|one| one["stale"] == true).count());
    let count = if all.len() == 1 { "1 is published".to_owned() } else { format!("{} are published", all.len()) };
    let notes = [(waiting, "wait for a steward"), (stale, "were not drawn when they were due")];
    let notes = notes.iter().filter(|(number, _)| *number > 0).map(|(number, words)| format!("; {number} {words}"));
    count + &notes.collect::<String>()
}

/// The time since a moment, in words; `None` if the text is no moment.
fn age(moment: &str) -> Option<String> {
    let at: jiff::Timestamp = moment.parse().ok()?;
    let at_ms = u64::try_from(at.as_millisecond()).ok()?;
    Some(span(SystemClock.now_ms().saturating_sub(at_ms)))
}

fn span(ms: u64) -> String {
    let (number, unit) = match ms {
        ..MINUTE_MS => (ms / 1_000, "second"),
        MINUTE_MS..HOUR_MS => (ms / MINUTE_MS, "minute"),
        HOUR_MS..DAY_MS => (ms / HOUR_MS, "hour"),
        DAY_MS.. => (ms / DAY_MS, "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn spans_are_told_in_their_largest_unit() {
        for (ms, words) in [
            (0, "0 seconds"),
            (1_000, "1 second"),
            (61_000, "1 minute"),
            (2 * HOUR_MS, "2 hours"),
            (9 * DAY_MS, "9 days"),
        ] {
            assert_eq!(span(ms), words);
        }
    }

    #[test]
    fn statistics_are_counted() {
        let all = [json!({"standing": "confirmed", "stale": false}), json!({"standing": "new", "stale": true})];
        assert_eq!(statistics(&all), "2 are published; 1 wait for a steward; 1 were not drawn when they were due");
        assert_eq!(statistics(&all[..1]), "1 is published");
    }
}
