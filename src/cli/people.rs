//! `tacit researcher` and `tacit account`: at a server, or on a state directory while no server runs on it.

use clap::{Args, Subcommand};
use serde_json::json;

use super::CommandFailure;
use super::place::{PlaceOptions, tell};
use crate::client::stewarding::NewPerson;
use crate::kernel::budget::people::Role;
use crate::render::budget::{balance, epsilon};
use crate::service::stewarding::accounts::NamedAccount;
use crate::service::stewarding::tokens::HeldToken;
use crate::terminal::{TextColumn, TextTable, complain, say, say_table};

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
        place: PlaceOptions,
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
        place: PlaceOptions,
    },
    /// Give a person another role, at once and in the sessions that they have. Tokens, allocations and open requests stay as they are.
    ///
    /// The last steward who may come in remains one. Example: tacit researcher role ada viewer --dataset visits
    Role {
        /// The name of the person.
        name: String,
        /// The role from now on: researcher, viewer or steward.
        role: Role,
        /// For a viewer, a dataset whose statistics they may see; may be given several times. Without it they see those of the datasets
        /// that they were given before, or hold an allocation of.
        #[arg(long = "dataset")]
        datasets: Vec<String>,
        #[command(flatten)]
        place: PlaceOptions,
    },
    /// Give a person another token and print it, once.
    ///
    /// Example: tacit researcher token ada laptop --expires 2027-01-31
    Token {
        /// The name of the person.
        name: String,
        /// The name of the token, such as the device or program that uses it.
        token: String,
        /// The last day on which it is good (in UTC), or a moment like 2027-01-31T18:00:00Z. Without it the token does not expire.
        #[arg(long)]
        expires: Option<String>,
        #[command(flatten)]
        place: PlaceOptions,
    },
    /// List the tokens of a person.
    ///
    /// Example: tacit researcher tokens ada
    Tokens {
        /// The name of the person.
        name: String,
        #[command(flatten)]
        place: PlaceOptions,
    },
    /// Revoke a person's tokens, which ends their sessions, too. The last steward keeps theirs.
    ///
    /// Example: tacit researcher revoke ada --state state
    Revoke {
        /// The name of the person.
        name: String,
        /// The name of the only token to revoke. Without it all are revoked.
        #[arg(long, value_name = "NAME")]
        only: Option<String>,
        #[command(flatten)]
        place: PlaceOptions,
    },
}

#[derive(Args)]
pub(super) struct AccountOptions {
    /// The holder whose accounts to show. By default all that you may see are shown.
    name: Option<String>,
    #[command(flatten)]
    place: PlaceOptions,
}

pub(super) fn researcher(command: &ResearcherCommand) -> Result<(), CommandFailure> {
    match command {
        ResearcherCommand::Add { name, role, datasets, place } => add(name, *role, datasets, place),
        ResearcherCommand::Datasets { name, datasets, place, none: _ } => set_datasets(name, datasets, place),
        ResearcherCommand::Role { name, role, datasets, place } => set_role(name, *role, datasets, place),
        ResearcherCommand::Token { name, token, expires, place } => issue(name, token, expires.as_deref(), place),
        ResearcherCommand::Tokens { name, place } => tokens(name, place),
        ResearcherCommand::Revoke { name, only, place } => revoke(name, only.as_deref(), place),
    }
}

fn issue(name: &str, token: &str, expires: Option<&str>, place: &PlaceOptions) -> Result<(), CommandFailure> {
    let given = place.steward()?.issue_token(name, token, expires)?;
    let until = given.expires.as_ref().map_or_else(String::new, |at| format!(", good until {at}"));
    tell(place.json, &given, || {
        say(format!("{name} holds the token {token}{until}; it is shown once:\n{}", given.token))
    })
}

fn tokens(name: &str, place: &PlaceOptions) -> Result<(), CommandFailure> {
    let held = place.steward()?.tokens(name)?;
    tell(place.json, &held, || {
        let columns = vec![
            TextColumn::word("token"),
            TextColumn::word("given"),
            TextColumn::word("expires"),
            TextColumn::word("last used").optional(1),
            TextColumn::text("note"),
        ];
        let or = |text: &Option<String>, other: &str| text.clone().unwrap_or_else(|| other.to_owned());
        let row = |one: &HeldToken| {
            let note = if one.active { "" } else { "expired" };
            vec![
                one.name.clone(),
                one.issued_at.clone(),
                or(&one.expires, "never"),
                or(&one.last_used, "–"),
                note.to_owned(),
            ]
        };
        say_table(&TextTable::new(columns, held.iter().map(row)));
    })
}

fn revoke(name: &str, only: Option<&str>, place: &PlaceOptions) -> Result<(), CommandFailure> {
    place.steward()?.revoke_token(name, only)?;
    match only {
        Some(token) => {
            tell(place.json, &json!({"name": name, "revoked": token}), || say(format!("revoked: {token} of {name}")))
        }
        None => {
            tell(place.json, &json!({"name": name, "active": false}), || say(format!("{name} no longer holds a token")))
        }
    }
}

fn add(name: &str, role: Role, datasets: &[String], place: &PlaceOptions) -> Result<(), CommandFailure> {
    if role != Role::Viewer && !datasets.is_empty() {
        return Err(CommandFailure::Usage(format!("--dataset is for --role viewer, and the role is {role}")));
    }
    let given = (!datasets.is_empty()).then(|| datasets.to_vec());
    let sees_all = role == Role::Viewer && given.is_none();
    let added = place.steward()?.add_person(&NewPerson { name: name.to_owned(), role, datasets: given })?;
    tell(place.json, &added, || say(format!("{name} is a {role}; this token is shown once:\n{}", added.token)))?;
    if sees_all {
        complain(format!(
            "warning: unless {name} was given datasets before, they see the statistics of every dataset; say which with tacit \
             researcher datasets {name} DATASET"
        ));
    }
    Ok(())
}

fn set_datasets(name: &str, datasets: &[String], place: &PlaceOptions) -> Result<(), CommandFailure> {
    place.steward()?.set_viewing(name, datasets)?;
    tell(place.json, &json!({"name": name, "datasets": datasets}), || match datasets {
        [] => say(format!("{name} sees public statistics alone")),
        datasets => say(format!("{name} sees the statistics of {}", datasets.join(", "))),
    })
}

fn set_role(name: &str, role: Role, datasets: &[String], place: &PlaceOptions) -> Result<(), CommandFailure> {
    if role != Role::Viewer && !datasets.is_empty() {
        return Err(CommandFailure::Usage(format!("--dataset is for the role viewer, and the role is {role}")));
    }
    place.steward()?.set_role(name, role, (!datasets.is_empty()).then_some(datasets))?;
    tell(place.json, &json!({"name": name, "role": role}), || {
        say(format!("{name} is a {role} now; their tokens and allocations stay as they are"))
    })
}

pub(super) fn account(options: &AccountOptions) -> Result<(), CommandFailure> {
    let place = &options.place;
    let mut shown = place.steward()?.accounts()?;
    shown.retain(|account| options.name.as_deref().is_none_or(|name| account.name == name));
    if let (Some(name), true) = (&options.name, shown.is_empty()) {
        return Err(CommandFailure::No(format!("\"{name}\" holds no account that you may see")));
    }
    tell(place.json, &shown, || say_table(&account_table(&shown)))
}

/// Accounts as a table.
pub(super) fn account_table(accounts: &[NamedAccount]) -> TextTable {
    let columns = vec![
        TextColumn::word("account").optional(3),
        TextColumn::word("name"),
        TextColumn::word("dataset"),
        TextColumn::word("left"),
        TextColumn::number("largest question").optional(2),
        TextColumn::number("more like the last").optional(1),
        TextColumn::text("note"),
    ];
    TextTable::new(columns, accounts.iter().map(account_row))
}

/// One account as a row of text. For an account that renews, "left" is that of the present period, and the note says so.
fn account_row(named: &NamedAccount) -> Vec<String> {
    let mut notes = Vec::new();
    if named.frozen {
        notes.push("frozen".to_owned());
    }
    if let Some(project) = &named.project {
        notes.push(format!("of project {project}"));
    }
    if let (Some(period), Some(lifetime)) = (&named.period, &named.lifetime) {
        let day = |moment: &str| moment.chars().take(10).collect::<String>();
        notes.push(format!("this period, {} to {}", day(&period.began), day(&period.ends)));
        notes.push(format!("ε {} spent in its life", epsilon(&lifetime.epsilon_spent.to_string())));
    }
    if let Some(incidents @ 1..) = named.dataset_state.incidents {
        notes.push(format!("{incidents} incidents"));
    }
    if let Some(cut_off @ 1..) = named.dataset_state.cut_off {
        notes.push(format!("{cut_off} answers cut off"));
    }
    vec![
        named.kind.name().to_owned(),
        named.name.clone(),
        named.dataset.clone(),
        balance(&named.account),
        format!("ε {}", named.account.epsilon_remaining),
        named.answers_left.map_or_else(|| "–".to_owned(), |left| left.to_string()),
        notes.join(", "),
    ]
}
