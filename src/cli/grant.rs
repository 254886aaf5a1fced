//! `tacit grant`, `freeze` and `unfreeze`: at a server, or on a state directory that no server holds.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::Failure;
use super::people::{Place, open};
use crate::clock::{Clock, SystemClock};
use crate::privacy::units::Epsilon;
use crate::service::grants::{self, Grant, Holder};
use crate::service::steward::AT_STATE_DIRECTORY;
use crate::terminal::say;

/// Whose account a grant sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A researcher's allocation.
    Researcher,
    /// A project's allocation, which its researchers share.
    Project,
    /// The dataset's lifetime cap, which only rises.
    Dataset,
}

#[derive(Args)]
pub(super) struct GrantOptions {
    /// The researcher; with --kind project the project, with --kind dataset the dataset's name once more.
    name: String,
    /// The dataset.
    dataset: String,
    /// The new total; of every period where it renews.
    #[arg(long)]
    epsilon: String,
    /// Why; kept in the ledger.
    #[arg(long)]
    reason: String,
    /// Whose account it is.
    #[arg(long, value_enum, default_value = "researcher")]
    kind: Kind,
    /// The project that a researcher's account hangs below.
    #[arg(long)]
    project: Option<String>,
    /// Days after which a researcher's allocation renews.
    #[arg(long)]
    period_days: Option<u32>,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(super) struct FreezeOptions {
    /// The dataset.
    dataset: String,
    /// Why; kept in the ledger.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    place: Place,
}

pub(super) fn grant(options: &GrantOptions) -> Result<(), Failure> {
    let GrantOptions { name, dataset, epsilon, reason, kind, project, period_days, place } = options;
    if *kind != Kind::Researcher && (project.is_some() || period_days.is_some()) {
        return Err(Failure::Usage("--project and --period-days are for --kind researcher".to_owned()));
    }
    if *kind == Kind::Dataset && name != dataset {
        let message =
            format!("--kind dataset raises the cap of \"{name}\", and the dataset is \"{dataset}\"; name it twice");
        return Err(Failure::Usage(message));
    }
    match &place.state {
        Some(state) => {
            let epsilon = Epsilon::parse(epsilon).map_err(|fault| Failure::Usage(format!("--epsilon: {fault}")))?;
            let (project, period_days) = (project.clone(), *period_days);
            let to = match kind {
                Kind::Researcher => Holder::Researcher { name: name.clone(), project, period_days },
                Kind::Project => Holder::Project { name: name.clone() },
                Kind::Dataset => Holder::Dataset,
            };
            let (dataset, reason, by) = (dataset.clone(), reason.clone(), AT_STATE_DIRECTORY.to_owned());
            let grant = Grant { to, dataset, epsilon, reason, by };
            grants::grant(&open(state)?, grant, SystemClock.now_ms()).map_err(Failure::from)?;
        }
        None => {
            place.server.client().post("/v1/grants", &body(options))?;
        }
    }
    if place.json {
        let holder = match kind {
            Kind::Researcher => "researcher",
            Kind::Project => "project",
            Kind::Dataset => "name",
        };
        say(json!({holder: name, "dataset": dataset, "epsilon": epsilon}).to_string());
    } else {
        let each = period_days.map_or_else(|| "in all".to_owned(), |days| format!("in every {days} days"));
        match kind {
            Kind::Researcher | Kind::Project => say(format!("{name} may spend epsilon {epsilon} on {dataset} {each}")),
            Kind::Dataset => say(format!("{dataset} may spend epsilon {epsilon} in its life")),
        }
    }
    Ok(())
}

fn body(options: &GrantOptions) -> Value {
    let GrantOptions { name, dataset, epsilon, reason, project, period_days, .. } = options;
    match options.kind {
        Kind::Researcher => json!({
            "researcher": name, "project": project, "dataset": dataset, "epsilon": epsilon, "period_days": period_days,
            "reason": reason
        }),
        Kind::Project => {
            json!({"kind": "project", "project": name, "dataset": dataset, "epsilon": epsilon, "reason": reason})
        }
        Kind::Dataset => json!({"kind": "dataset", "dataset": dataset, "epsilon": epsilon, "reason": reason}),
    }
}

pub(super) fn freeze(options: &FreezeOptions, is_frozen: bool) -> Result<(), Failure> {
    let FreezeOptions { dataset, reason, place } = options;
    match &place.state {
        Some(state) => {
            let told = (reason.as_str(), AT_STATE_DIRECTORY);
            grants::set_frozen(&open(state)?, dataset, is_frozen, told, SystemClock.now_ms()).map_err(Failure::from)?;
        }
        None => {
            let act = if is_frozen { "freeze" } else { "unfreeze" };
            place.server.client().post(&format!("/v1/datasets/{dataset}/{act}"), &json!({"reason": reason}))?;
        }
    }
    let state = if is_frozen { "frozen: nothing is drawn from it" } else { "no longer frozen" };
    if place.json {
        say(json!({"dataset": dataset, "frozen": is_frozen}).to_string());
    } else {
        say(format!("{dataset} is {state}"));
    }
    Ok(())
}
