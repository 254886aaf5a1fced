//! `tacit statistics`: what query files would cost, and a steward's agreement to them; at a server, or on a state directory.
//!
//! Checking spends nothing, and no agreement is made that costs more than the steward named.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::CommandFailure;
use super::place::{PlaceOptions, open};
use crate::files;
use crate::kernel::clock::{Clock, SystemClock};
use crate::kernel::privacy::amounts::Epsilon;
use crate::query::file::QueryFile;
use crate::service::publishing::statistics::check::datasets_on_record;
use crate::service::publishing::statistics::{StatisticFault, confirm, read_file};
use crate::service::stewarding::declared::DeclaredFile;
use crate::service::stewarding::people::AT_STATE_DIRECTORY;
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
    let files = query_files(dir)?;
    let checked = place.steward()?.check_statistics(&files)?;
    if place.json {
        say(Value::from(checked.clone()).to_string());
    } else {
        tell(&checked);
    }
    let faults: Vec<String> = checked.iter().filter_map(|one| fault(dir, one)).collect();
    if faults.is_empty() { Ok(()) } else { Err(CommandFailure::No(faults.join("\n"))) }
}

/// The query files directly in a folder, with their texts, by name.
fn query_files(dir: &Path) -> Result<Vec<DeclaredFile>, CommandFailure> {
    let could = |path: &Path, error: &std::io::Error| {
        CommandFailure::Could(format!("{}: cannot be read: {}", path.display(), error.kind()))
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|error| could(dir, &error))? {
        paths.push(entry.map_err(|error| could(dir, &error))?.path());
    }
    paths.retain(|path| path.is_file() && path.extension().is_some_and(|ending| ending == "sql"));
    if paths.is_empty() {
        let message = format!("{}: holds no *.sql; name the folder of the query files", dir.display());
        return Err(CommandFailure::Usage(message));
    }
    paths.sort();
    let read = |path: PathBuf| {
        let text = files::text(&path).map_err(|error| could(&path, &error))?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(DeclaredFile { name, text })
    };
    paths.into_iter().map(read).collect()
}

/// What is wrong with a file, with its path and its line; `None` if nothing is.
fn fault(dir: &Path, checked: &Value) -> Option<String> {
    let message = checked.pointer("/fault/message")?.as_str()?;
    Some(format!("{}: {message}", dir.join(checked["file"].as_str().unwrap_or_default()).display()))
}

fn tell(checked: &[Value]) {
    let good: Vec<&Value> = checked.iter().filter(|one| one["fault"].is_null()).collect();
    for one in &good {
        say(described(one));
    }
    let waiting = good.iter().filter(|one| one["standing"] != "confirmed").count();
    let broken = checked.len() - good.len();
    let broken = if broken == 0 { String::new() } else { format!(", {broken} cannot be published") };
    say(format!("{} files: {waiting} wait for tacit statistics publish{broken}", checked.len()));
}

/// One file's price and expected errors, as text.
fn described(one: &Value) -> String {
    let text = |key: &str| one[key].as_str().unwrap_or_default();
    let share = match text("fraction").parse::<f64>() {
        Ok(part) => format!(
            ", {:.1} % of what statistics of {} may spend, of which epsilon {} is left at once",
            (1_000.0 * part).ceil() / 10.0,
            text("dataset"),
            text("epsilon_remaining")
        ),
        Err(_) => format!("; {} has no statistics account yet", text("dataset")),
    };
    let public = if one["public"] == true { "public" } else { "not public" };
    let mut lines = vec![
        format!("{}: {}", text("file"), text("title")),
        format!("  each draw costs at most epsilon {}{share}", text("epsilon")),
        format!("  drawn anew: {}; {public}; {}", text("refresh"), standing(text("standing"))),
    ];
    for column in one["columns"].as_array().into_iter().flatten().filter(|column| column["kind"] != "key") {
        let margin =
            column["margin"].as_str().map_or_else(|| "given in each row".to_owned(), |margin| format!("± {margin}"));
        let size = one["assumed_group_size"].as_u64().filter(|_| column["kind"] == "mean");
        let size = size.map_or_else(String::new, |size| format!(" in a group of {size} rows"));
        lines.push(format!("  {} {margin}{size}", column["name"].as_str().unwrap_or_default()));
    }
    lines.join("\n")
}

fn standing(word: &str) -> &str {
    match word {
        "new" => "new, waits for a steward",
        "changed" => "its question has changed, waits for a steward",
        "dearer" => "costs more than was confirmed, waits for a steward",
        other => other,
    }
}

fn publish(options: &PublishOptions) -> Result<(), CommandFailure> {
    let most = options.epsilon.as_deref().map(Epsilon::parse).transpose();
    let most = most.map_err(|fault| CommandFailure::Usage(format!("--epsilon: {fault}")))?;
    let mut published = Vec::new();
    for name in &options.names {
        let one = match &options.place.state {
            Some(state) => confirm_at(state, options, name, most)?,
            None => {
                let path = format!("/v1/statistics/{name}/publish");
                options.place.server.client().post(&path, &json!({"epsilon": options.epsilon}))?
            }
        };
        if !options.place.json {
            let text = |key: &str| one[key].as_str().unwrap_or_default();
            let released = match one["released_at"].as_str() {
                Some(at) => format!("it shows the release of {at}"),
                None => "a server will draw it at its next check".to_owned(),
            };
            say(format!("{name} is confirmed, for at most epsilon {} a draw; {released}", text("epsilon")));
        }
        published.push(one);
    }
    if options.place.json {
        say(Value::from(published).to_string());
    }
    Ok(())
}

/// Records the agreement in a state directory while no server runs on it.
fn confirm_at(
    state: &Path,
    options: &PublishOptions,
    name: &str,
    most: Option<Epsilon>,
) -> Result<Value, CommandFailure> {
    let Some(queries) = &options.queries else {
        return Err(CommandFailure::Usage(
            "with --state, name the folder of the query files with --queries, too".to_owned(),
        ));
    };
    let path = queries.join(format!("{name}.sql"));
    let text = files::text(&path)
        .map_err(|error| CommandFailure::Could(format!("{}: cannot be read: {}", path.display(), error.kind())))?;
    let ledger = open(state)?;
    let datasets = datasets_on_record(&ledger).map_err(CommandFailure::could)?;
    let file =
        QueryFile::parse(&text).map_err(|fault| CommandFailure::no(StatisticFault::of_headers(&path, &fault)))?;
    let statistic = read_file(&datasets, &path, file).map_err(CommandFailure::no)?;
    if let Some(most) = most.filter(|most| statistic.epsilon > *most) {
        let epsilon = statistic.epsilon;
        return Err(CommandFailure::No(format!("a draw of {name} costs epsilon {epsilon}, which is more than {most}")));
    }
    confirm(&ledger, &statistic, AT_STATE_DIRECTORY, SystemClock.now_ms())?;
    Ok(json!({"name": name, "epsilon": statistic.epsilon.to_string(), "standing": "confirmed"}))
}
