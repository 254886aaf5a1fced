//! `tacit statistics`: what query files would cost, and a steward's agreement to them; at a server, or on a state directory.
//!
//! Checking spends nothing, and no agreement is made that costs more than the steward named.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::place::{PlaceOptions, tell};
use super::{CommandFailure, input};
use crate::service::publishing::statistics::Agreement;
use crate::service::publishing::statistics::check::{Estimate, StatisticCheck};
use crate::terminal::say;

#[derive(Subcommand)]
pub(super) enum StatisticsCommand {
    /// Check what each query file of a folder would cost as a statistic, and how exact it would be. Free: nothing is drawn.
    ///
    /// Example: tacit statistics check queries --state state
    Check(CheckOptions),
    /// Confirm the price of statistics, and draw them; from then on they are drawn on their schedules.
    ///
    /// Example: tacit statistics publish 01-visits-by-region
    Publish(PublishOptions),
}

#[derive(Args)]
pub(super) struct CheckOptions {
    /// The folder of the query files. Every *.sql directly in it is read; subfolders are not.
    dir: PathBuf,
    #[command(flatten)]
    place: PlaceOptions,
}

#[derive(Args)]
pub(super) struct PublishOptions {
    /// The statistics, by the names of their files without .sql.
    #[arg(required = true)]
    names: Vec<String>,
    /// The most that a draw of any of them may cost, as epsilon.
    #[arg(long)]
    epsilon: Option<String>,
    /// With --state, the folder of the query files; a server draws the statistics when it starts.
    #[arg(long, requires = "state")]
    queries: Option<PathBuf>,
    #[command(flatten)]
    place: PlaceOptions,
}

pub(super) fn run(command: &StatisticsCommand) -> Result<(), CommandFailure> {
    match command {
        StatisticsCommand::Check(options) => check_all(options),
        StatisticsCommand::Publish(options) => publish(options),
    }
}

fn check_all(CheckOptions { dir, place }: &CheckOptions) -> Result<(), CommandFailure> {
    let is_query = |path: &Path, _: &str| path.is_file() && path.extension().is_some_and(|ending| ending == "sql");
    let files = input::files_in(dir, is_query, "*.sql; name the folder of the query files")?;
    let checked = place.steward()?.check_statistics(&files)?;
    tell(place.json, &checked, || show(&checked))?;
    let faults: Vec<String> = checked.iter().filter_map(|one| fault(dir, one)).collect();
    if faults.is_empty() { Ok(()) } else { Err(CommandFailure::No(faults.join("\n"))) }
}

/// What is wrong with a file, with its path and its line; `None` if nothing is.
fn fault(dir: &Path, checked: &StatisticCheck) -> Option<String> {
    let message = &checked.fault.as_ref()?.message;
    Some(format!("{}: {message}", dir.join(&checked.file).display()))
}

fn show(checked: &[StatisticCheck]) {
    let good: Vec<_> = checked.iter().filter_map(|one| Some((one.file.as_str(), one.estimate.as_ref()?))).collect();
    for (file, estimate) in &good {
        say(described(file, estimate));
    }
    let waiting = good.iter().filter(|(_, estimate)| estimate.standing != Agreement::Given).count();
    let broken = checked.len() - good.len();
    let broken = if broken == 0 { String::new() } else { format!(", {broken} cannot be published") };
    say(format!("{} files: {waiting} wait for tacit statistics publish{broken}", checked.len()));
}

/// One file's price and expected errors, as text.
fn described(file: &str, estimate: &Estimate) -> String {
    let Estimate { title, dataset, epsilon, .. } = estimate;
    let share = match (estimate.fraction, estimate.epsilon_remaining) {
        (Some(part), Some(left)) => format!(
            ", {} of what statistics of {dataset} may spend, of which epsilon {left} is left at once",
            part.per_cent()
        ),
        _ => format!("; {dataset} has no statistics account yet"),
    };
    let public = if estimate.public { "public" } else { "not public" };
    let mut lines = vec![
        format!("{file}: {title}"),
        format!("  each draw costs at most epsilon {epsilon}{share}"),
        format!("  drawn anew: {}; {public}; {}", estimate.refresh.name(), standing(estimate.standing)),
    ];
    for column in estimate.columns.iter().filter(|column| column.kind != "key") {
        let margin = column.margin.map_or_else(|| "given in each row".to_owned(), |margin| format!("± {margin}"));
        let size = estimate.assumed_group_size.filter(|_| column.kind == "mean");
        let size = size.map_or_else(String::new, |size| format!(" in a group of {size} rows"));
        lines.push(format!("  {} {margin}{size}", column.name));
    }
    lines.join("\n")
}

fn standing(agreement: Agreement) -> &'static str {
    match agreement {
        Agreement::Given => "confirmed",
        Agreement::New => "new, waits for a steward",
        Agreement::Changed => "its question has changed, waits for a steward",
        Agreement::Dearer => "costs more than was confirmed, waits for a steward",
    }
}

fn publish(PublishOptions { names, epsilon, queries, place }: &PublishOptions) -> Result<(), CommandFailure> {
    let most = epsilon.as_deref().map(input::epsilon).transpose()?;
    if place.state.is_some() && queries.is_none() {
        let message = "with --state, name the folder of the query files with --queries, too";
        return Err(CommandFailure::Usage(message.to_owned()));
    }
    let steward = place.publisher(queries.as_deref())?;
    let mut published = Vec::new();
    for name in names {
        let one = steward.publish_statistic(name, most)?;
        if !place.json {
            let released = match one.released_at() {
                Some(at) => format!("it shows the release of {at}"),
                None => "a server will draw it at its next check".to_owned(),
            };
            say(format!("{name} is confirmed, for at most epsilon {} a draw; {released}", one.epsilon));
        }
        published.push(one);
    }
    tell(place.json, &published, || ())
}
