//! `tacit grant`, `freeze` and `unfreeze`: at a server, or on a state directory while no server runs on it.

use clap::{Args, ValueEnum};
use serde_json::json;

use super::place::{PlaceOptions, tell};
use super::{CommandFailure, input};
use crate::client::stewarding::NewGrant;
use crate::service::stewarding::grants::Holder;
use crate::terminal::say;

/// The kind of account that a grant sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A researcher's allocation.
    Researcher,
    /// A project's allocation, which its researchers share.
    Project,
    /// The dataset's lifetime cap, which can only rise.
    Dataset,
    /// What published statistics may spend.
    Statistics,
}

#[derive(Args)]
pub(super) struct GrantOptions {
    /// The researcher. With --kind project this is the project; with --kind dataset or statistics, the dataset's name once more.
    name: String,
    /// The name of the dataset.
    dataset: String,
    /// The new total; if the allocation renews, the total of each period.
    #[arg(long)]
    epsilon: String,
    /// The reason for the grant, which is kept in the ledger.
    #[arg(long)]
    reason: String,
    /// The kind of account to set.
    #[arg(long, value_enum, default_value = "researcher")]
    kind: Kind,
    /// The project whose allocation the researcher's account shares.
    #[arg(long)]
    project: Option<String>,
    /// Days after which the allocation renews, for researchers and statistics.
    #[arg(long)]
    period_days: Option<u32>,
    #[command(flatten)]
    place: PlaceOptions,
}

#[derive(Args)]
pub(super) struct FreezeOptions {
    /// The name of the dataset.
    dataset: String,
    /// The reason, which is kept in the ledger.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    place: PlaceOptions,
}

pub(super) fn grant(options: &GrantOptions) -> Result<(), CommandFailure> {
    let GrantOptions { name, dataset, epsilon, reason, kind, project, period_days, place } = options;
    check(options)?;
    let worth = input::epsilon(epsilon)?;
    let (name_of, project, period_days_of) = (name.clone(), project.clone(), *period_days);
    let to = match kind {
        Kind::Researcher => Holder::Researcher { name: name_of, project, period_days: period_days_of },
        Kind::Project => Holder::Project { name: name_of },
        Kind::Dataset => Holder::Dataset,
        Kind::Statistics => Holder::Statistics { period_days: period_days_of },
    };
    let grant = NewGrant { to, dataset: dataset.clone(), epsilon: worth, reason: reason.clone() };
    place.steward()?.grant(&grant)?;
    let holder = match kind {
        Kind::Researcher => "researcher",
        Kind::Project => "project",
        Kind::Dataset | Kind::Statistics => "name",
    };
    tell(place.json, &json!({holder: name, "dataset": dataset, "epsilon": epsilon}), || {
        let each = period_days.map_or_else(|| "in all".to_owned(), |days| format!("in every {days} days"));
        match kind {
            Kind::Researcher | Kind::Project => say(format!("{name} may spend epsilon {epsilon} on {dataset} {each}")),
            Kind::Statistics => say(format!("statistics may spend epsilon {epsilon} on {dataset} {each}")),
            Kind::Dataset => say(format!("{dataset} may spend epsilon {epsilon} in its life")),
        }
    })
}

fn check(options: &GrantOptions) -> Result<(), CommandFailure> {
    let GrantOptions { name, dataset, kind, project, period_days, .. } = options;
    let renews = matches!(kind, Kind::Researcher | Kind::Statistics);
    if (*kind != Kind::Researcher && project.is_some()) || (!renews && period_days.is_some()) {
        let message = "--project is for --kind researcher, --period-days for --kind researcher and statistics";
        return Err(CommandFailure::Usage(message.to_owned()));
    }
    if matches!(kind, Kind::Dataset | Kind::Statistics) && name != dataset {
        let message = format!(
            "--kind dataset and --kind statistics concern the dataset itself, so name it twice: \"{name}\" is not \"{dataset}\""
        );
        return Err(CommandFailure::Usage(message));
    }
    Ok(())
}

pub(super) fn freeze(options: &FreezeOptions, is_frozen: bool) -> Result<(), CommandFailure> {
    let FreezeOptions { dataset, reason, place } = options;
    place.steward()?.set_frozen(dataset, is_frozen, reason)?;
    let state = if is_frozen { "frozen: nothing is drawn from it" } else { "no longer frozen" };
    tell(place.json, &json!({"dataset": dataset, "frozen": is_frozen}), || say(format!("{dataset} is {state}")))
}
