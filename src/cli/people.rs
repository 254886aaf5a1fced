//! `tacit researcher`, `grant`, `account`, `ledger`: at a server, or on a state directory that no server holds.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Failure, ServerOptions};
use crate::budget::ledger::Ledger;
use crate::budget::people::Role;
use crate::client::Client;
use crate::clock::{Clock, SystemClock};
use crate::privacy::units::Epsilon;
use crate::service::account::accounts;
use crate::service::steward;
use crate::store::{LEDGER_FILE, SqliteLedger};
use crate::terminal::{say, table};

/// Items of a page, the most that a server gives.
const PAGE: usize = 1_000;

#[derive(Args)]
pub(super) struct Place {
    /// Opens this state directory instead of asking a server.
    #[arg(long)]
    state: Option<PathBuf>,
    #[command(flatten)]
    server: ServerOptions,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
pub(super) enum ResearcherCommand {
    /// Adds a person and prints their token, once.
    ///
    /// Example: tacit researcher add ada --state state
    Add {
        /// The name.
        name: String,
        /// What they may do.
        #[arg(long, default_value = "researcher")]
        role: Role,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Args)]
pub(super) struct GrantOptions {
    /// The researcher.
    name: String,
    /// The dataset.
    dataset: String,
    /// The new total.
    #[arg(long)]
    epsilon: String,
    /// Why; kept in the ledger.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(super) struct AccountOptions {
    /// Whose accounts; all that you may see by default.
    name: Option<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(Subcommand)]
pub(super) enum LedgerCommand {
    /// Lists entries, oldest first.
    ///
    /// Example: tacit ledger list --state state
    List {
        /// Entries at the most.
        #[arg(long, default_value_t = 100)]
        limit: usize,
        /// Begin after the entry of this number.
        #[arg(long, default_value_t = 0)]
        after: u64,
        #[command(flatten)]
        place: Place,
    },
}

fn open(state: &Path) -> Result<SqliteLedger, Failure> {
    if !state.join(LEDGER_FILE).is_file() {
        return Err(Failure::Could(format!("{}: is no state directory; tacit seal makes one", state.display())));
    }
    SqliteLedger::open(state, SystemClock.now_ms()).map_err(Failure::could)
}

pub(super) fn researcher(command: &ResearcherCommand) -> Result<(), Failure> {
    let ResearcherCommand::Add { name, role, place } = command;
    let added = match &place.state {
        Some(state) => {
            let token =
                steward::add_person(&open(state)?, name, *role, steward::AT_STATE_DIRECTORY, SystemClock.now_ms())
                    .map_err(Failure::from)?;
            json!({"name": name, "role": role.name(), "token": token.text()})
        }
        None => place.server.client().post("/v1/researchers", &json!({"name": name, "role": role.name()}))?,
    };
    if place.json {
        say(added.to_string());
    } else {
        say(format!("{name} is a {role}; this token is shown once:"));
        say(added.get("token").and_then(Value::as_str).unwrap_or_default());
    }
    Ok(())
}

pub(super) fn grant(options: &GrantOptions) -> Result<(), Failure> {
    let GrantOptions { name, dataset, epsilon, reason, place } = options;
    match &place.state {
        Some(state) => {
            let epsilon = Epsilon::parse(epsilon).map_err(|fault| Failure::Usage(format!("--epsilon: {fault}")))?;
            let grant = steward::Grant {
                researcher: name.clone(),
                dataset: dataset.clone(),
                epsilon,
                reason: reason.clone(),
                by: steward::AT_STATE_DIRECTORY.to_owned(),
            };
            steward::grant(&open(state)?, grant, SystemClock.now_ms()).map_err(Failure::from)?;
        }
        None => {
            let body = json!({"researcher": name, "dataset": dataset, "epsilon": epsilon, "reason": reason});
            place.server.client().post("/v1/grants", &body)?;
        }
    }
    if place.json {
        say(json!({"researcher": name, "dataset": dataset, "epsilon": epsilon}).to_string());
    } else {
        say(format!("{name} may spend epsilon {epsilon} on {dataset} in all"));
    }
    Ok(())
}

pub(super) fn account(options: &AccountOptions) -> Result<(), Failure> {
    let place = &options.place;
    let listed = match &place.state {
        Some(state) => serde_json::to_value(accounts(&open(state)?, None)).map_err(Failure::could)?,
        None => all_accounts(&place.server.client())?,
    };
    let wanted = |account: &&Value| options.name.as_deref().is_none_or(|name| account["name"] == name);
    let shown: Vec<_> = listed.as_array().into_iter().flatten().filter(wanted).cloned().collect();
    if let (Some(name), true) = (&options.name, shown.is_empty()) {
        return Err(Failure::No(format!("\"{name}\" holds no account that you may see")));
    }
    if place.json {
        say(Value::from(shown).to_string());
        return Ok(());
    }
    let keys = ["kind", "name", "dataset", "epsilon_cap", "epsilon_spent", "epsilon_remaining", "fraction_spent"];
    let header = ["account", "name", "dataset", "epsilon", "spent", "remaining", "fraction"].map(str::to_owned);
    let row = |account: &Value| keys.map(|key| account[key].as_str().unwrap_or("").to_owned()).to_vec();
    say(table(&header, &shown.iter().map(row).collect::<Vec<_>>()));
    Ok(())
}

/// Every page of the accounts.
fn all_accounts(client: &Client) -> Result<Value, Failure> {
    let mut accounts: Vec<Value> = Vec::new();
    let mut path = format!("/v1/accounts?limit={PAGE}");
    loop {
        let page = client.get(&path)?.as_array().cloned().unwrap_or_default();
        let full = page.len() == PAGE;
        accounts.extend(page);
        let Some(last) = accounts.last().filter(|_| full) else { return Ok(Value::from(accounts)) };
        let part = |key: &str| last[key].as_str().unwrap_or_default().to_owned();
        path = format!("/v1/accounts?limit={PAGE}&after={}:{}:{}", part("kind"), part("dataset"), part("name"));
    }
}

pub(super) fn ledger(command: &LedgerCommand) -> Result<(), Failure> {
    let LedgerCommand::List { limit, after, place } = command;
    let entries = match &place.state {
        Some(state) => {
            let entries = open(state)?.entries(*after, *limit).map_err(Failure::could)?;
            serde_json::to_value(entries).map_err(Failure::could)?
        }
        None => place.server.client().get(&format!("/v1/ledger?limit={limit}&after={after}"))?,
    };
    if place.json {
        say(entries.to_string());
        return Ok(());
    }
    let header = ["seq", "at", "act", "who", "dataset", "release"].map(str::to_owned);
    let cell = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned).replace("null", "");
    let row = |entry: &Value| {
        let who = if entry["researcher"].is_null() { &entry["name"] } else { &entry["researcher"] };
        let at = if entry["at"].is_null() { &entry["at_ms"] } else { &entry["at"] };
        [&entry["seq"], at, &entry["act"], who, &entry["dataset"], &entry["release"]].map(cell).to_vec()
    };
    say(table(&header, &entries.as_array().into_iter().flatten().map(row).collect::<Vec<_>>()));
    Ok(())
}
