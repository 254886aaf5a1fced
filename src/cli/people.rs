//! `tacit researcher` and `tacit account`: at a server, or on a state directory while no server runs on it.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Failure, ServerOptions};
use crate::client::Client;
use crate::kernel::budget::people::Role;
use crate::kernel::clock::{Clock, SystemClock};
use crate::ledger::{LEDGER_FILE, SqliteLedger};
use crate::service::stewarding::accounts::accounts;
use crate::service::stewarding::people;
use crate::terminal::{complain, say, table};

/// Items per page: the most that a server sends at once.
const PAGE: usize = 1_000;

#[derive(Args)]
pub(super) struct Place {
    /// Work on this state directory instead of asking a server.
    #[arg(long)]
    pub(super) state: Option<PathBuf>,
    #[command(flatten)]
    pub(super) server: ServerOptions,
    /// Print the result as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Subcommand)]
pub(super) enum ResearcherCommand {
    /// Add a person and print their token, once.
    ///
    /// Example: tacit researcher add ada --state state
    Add {
        /// The person's name, which nobody else has.
        name: String,
        /// The person's role: researcher, viewer or steward.
        #[arg(long, default_value = "researcher")]
        role: Role,
        /// With --role viewer, a dataset whose statistics they may see; may be given several times. Without it they see those of
        /// all datasets.
        #[arg(long = "dataset")]
        datasets: Vec<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Set which datasets' statistics a viewer may see. Everybody sees public ones.
    ///
    /// Example: tacit researcher datasets vic visits
    Datasets {
        /// The name of the viewer.
        name: String,
        /// The datasets whose statistics the viewer may see.
        #[arg(required_unless_present = "none")]
        datasets: Vec<String>,
        /// No datasets: the viewer sees public statistics alone.
        #[arg(long, conflicts_with = "datasets")]
        none: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Revoke a person's token, which ends their sessions, too. The last steward's cannot be revoked.
    ///
    /// Example: tacit researcher revoke ada --state state
    Revoke {
        /// The name of the person.
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Args)]
pub(super) struct AccountOptions {
    /// The holder whose accounts to show. By default all that you may see are shown.
    name: Option<String>,
    #[command(flatten)]
    place: Place,
}

pub(super) fn open(state: &Path) -> Result<SqliteLedger, Failure> {
    if !state.join(LEDGER_FILE).is_file() {
        return Err(Failure::Could(format!("{}: is not a state directory; tacit seal makes one", state.display())));
    }
    SqliteLedger::open(state, SystemClock.now_ms()).map_err(Failure::could)
}

pub(super) fn researcher(command: &ResearcherCommand) -> Result<(), Failure> {
    match command {
        ResearcherCommand::Add { name, role, datasets, place } => add(name, *role, datasets, place),
        ResearcherCommand::Datasets { name, datasets, place, none: _ } => set_datasets(name, datasets, place),
        ResearcherCommand::Revoke { name, place } => revoke(name, place),
    }
}

fn revoke(name: &str, place: &Place) -> Result<(), Failure> {
    match &place.state {
        Some(state) => {
            let by = people::AT_STATE_DIRECTORY;
            people::revoke_token(&open(state)?, name, by, SystemClock.now_ms()).map_err(Failure::from)?;
        }
        None => place.server.client().delete(&format!("/v1/researchers/{name}/token"))?,
    }
    if place.json {
        say(json!({"name": name, "active": false}).to_string());
    } else {
        say(format!("{name} no longer holds a token"));
    }
    Ok(())
}

fn add(name: &str, role: Role, datasets: &[String], place: &Place) -> Result<(), Failure> {
    if role != Role::Viewer && !datasets.is_empty() {
        return Err(Failure::Usage(format!("--dataset is for --role viewer, and the role is {role}")));
    }
    let given = (!datasets.is_empty()).then_some(datasets);
    let added = match &place.state {
        Some(state) => {
            let (ledger, by, now_ms) = (open(state)?, people::AT_STATE_DIRECTORY, SystemClock.now_ms());
            let token = match given {
                Some(datasets) => people::add_viewer(&ledger, name, datasets, by, now_ms),
                None => people::add_person(&ledger, name, role, by, now_ms),
            };
            new_person(name, role, given, token.map_err(Failure::from)?.text())
        }
        None => {
            let body = with_datasets(json!({"name": name, "role": role.name()}), given);
            place.server.client().post("/v1/researchers", &body)?
        }
    };
    if place.json {
        say(added.to_string());
    } else {
        say(format!("{name} is a {role}; this token is shown once:"));
        say(added.get("token").and_then(Value::as_str).unwrap_or_default());
    }
    if role == Role::Viewer && given.is_none() {
        complain(format!(
            "warning: unless {name} was given datasets before, they see the statistics of every dataset; say which with tacit \
             researcher datasets {name} DATASET"
        ));
    }
    Ok(())
}

fn new_person(name: &str, role: Role, datasets: Option<&[String]>, token: &str) -> Value {
    with_datasets(json!({"name": name, "role": role.name(), "token": token}), datasets)
}

fn with_datasets(mut person: Value, datasets: Option<&[String]>) -> Value {
    if let Some(datasets) = datasets {
        person["datasets"] = json!(datasets);
    }
    person
}

fn set_datasets(name: &str, datasets: &[String], place: &Place) -> Result<(), Failure> {
    match &place.state {
        Some(state) => {
            let by = people::AT_STATE_DIRECTORY;
            people::set_viewing(&open(state)?, name, datasets, by, SystemClock.now_ms()).map_err(Failure::from)?;
        }
        None => {
            place.server.client().put(&format!("/v1/researchers/{name}/datasets"), &json!({"datasets": datasets}))?;
        }
    }
    if place.json {
        say(json!({"name": name, "datasets": datasets}).to_string());
    } else if datasets.is_empty() {
        say(format!("{name} sees public statistics alone"));
    } else {
        say(format!("{name} sees the statistics of {}", datasets.join(", ")));
    }
    Ok(())
}

pub(super) fn account(options: &AccountOptions) -> Result<(), Failure> {
    let place = &options.place;
    let listed = match &place.state {
        Some(state) => {
            serde_json::to_value(accounts(&open(state)?, None, SystemClock.now_ms())).map_err(Failure::could)?
        }
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
    let header = ["account", "name", "dataset", "epsilon", "spent", "remaining", "fraction", "answers left", "note"];
    say(table(&header.map(str::to_owned), &shown.iter().map(account_row).collect::<Vec<_>>()));
    Ok(())
}

/// One account as a row of text. For an account that renews, "spent" is that of the present period, and the note says so.
fn account_row(account: &Value) -> Vec<String> {
    let keys = ["kind", "name", "dataset", "epsilon_cap", "epsilon_spent", "epsilon_remaining", "fraction_spent"];
    let mut row = keys.map(|key| account[key].as_str().unwrap_or("").to_owned()).to_vec();
    row.push(account["answers_left"].as_u64().map_or_else(|| "–".to_owned(), |left| left.to_string()));
    let text = |pointer: &str| account.pointer(pointer).and_then(Value::as_str).unwrap_or("?").to_owned();
    let mut notes = Vec::new();
    if account["frozen"] == true {
        notes.push("frozen".to_owned());
    }
    if let Some(project) = account["project"].as_str() {
        notes.push(format!("of project {project}"));
    }
    if account["period"].is_object() {
        let day = |pointer: &str| text(pointer).chars().take(10).collect::<String>();
        notes.push(format!("this period, {} to {}", day("/period/began"), day("/period/ends")));
        notes.push(format!("lifetime {}", text("/lifetime/epsilon_spent")));
    }
    if let Some(incidents @ 1..) = account["incidents"].as_u64() {
        notes.push(format!("{incidents} incidents"));
    }
    if let Some(cut_off @ 1..) = account["cut_off"].as_u64() {
        notes.push(format!("{cut_off} answers cut off"));
    }
    row.push(notes.join(", "));
    row
}

/// Fetches every page of the accounts.
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
