//! `tacit statistics`: lists and prints what is published; for stewards, what query files would cost, and the agreement to them, at a
//! server or on a state directory.
//!
//! Reading and checking spend nothing, and no agreement is made that costs more than the steward named.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use serde_json::Value;

use super::format::PrintFormat;
use super::place::{PlaceOptions, tell};
use super::{CommandFailure, ServerOptions, input};
use crate::render::text;
use crate::service::publishing::statistics::Agreement;
use crate::service::publishing::statistics::check::{Estimate, StatisticCheck};
use crate::terminal::{Screen, TextColumn, TextTable, Tone, say, say_table};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct StatisticsOptions {
    #[command(subcommand)]
    command: Option<StatisticsCommand>,
    #[command(flatten)]
    list: ListOptions,
}

#[derive(Args)]
struct ListOptions {
    #[command(flatten)]
    server: ServerOptions,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum StatisticsCommand {
    /// List the published statistics that you may read.
    ///
    /// Example: tacit statistics list
    List(ListOptions),
    /// Print a published statistic.
    ///
    /// Example: tacit statistics show 01-visits-by-region
    Show(ShowOptions),
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
struct ShowOptions {
    /// The statistic's name; tacit statistics lists them.
    name: String,
    /// Format of the printed statistic.
    #[arg(long, value_enum, default_value_t = PrintFormat::Table)]
    format: PrintFormat,
    #[command(flatten)]
    server: ServerOptions,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct CheckOptions {
    /// The folder of the query files. Every *.sql directly in it is read; subfolders are not.
    dir: PathBuf,
    #[command(flatten)]
    place: PlaceOptions,
}

#[derive(Args)]
struct PublishOptions {
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

pub(super) fn run(options: &StatisticsOptions) -> Result<(), CommandFailure> {
    match &options.command {
        None => list(&options.list),
        Some(StatisticsCommand::List(options)) => list(options),
        Some(StatisticsCommand::Show(options)) => show_one(options),
        Some(StatisticsCommand::Check(options)) => check_all(options),
        Some(StatisticsCommand::Publish(options)) => publish(options),
    }
}

fn list(ListOptions { server, json }: &ListOptions) -> Result<(), CommandFailure> {
    let client = server.client();
    let all: Vec<Value> = client.all("/v1/statistics", |one: &Value| text_of(one, "name"))?;
    tell(*json, &all, || match all.is_empty() {
        true => say("there is no statistic that you may read"),
        false => say_table(&listed(&all)),
    })
}

fn text_of(item: &Value, field: &str) -> String {
    item[field].as_str().unwrap_or_default().to_owned()
}

/// The statistics as a table, with the day of what they show and what keeps them from being drawn anew.
pub(super) fn listed(all: &[Value]) -> TextTable {
    let columns = vec![
        TextColumn::word("name"),
        TextColumn::text("title").wide(30),
        TextColumn::word("dataset").optional(1),
        TextColumn::word("drawn"),
        TextColumn::word("refresh").optional(2),
        TextColumn::text("note"),
    ];
    let row = |one: &Value| {
        let drawn: String = text_of(one, "released_at").chars().take(10).collect();
        let note = match (one["stale_reason"].as_str(), one["standing"].as_str()) {
            (Some(reason), _) => reason,
            (None, Some("confirmed") | None) => "",
            (None, Some(_)) => "waits for a steward",
        };
        let drawn = if drawn.is_empty() { "not yet".to_owned() } else { drawn };
        let [name, title, dataset, refresh] = ["name", "title", "dataset", "refresh"].map(|field| text_of(one, field));
        vec![name, title, dataset, drawn, refresh, note.to_owned()]
    };
    TextTable::new(columns, all.iter().map(row))
}

fn show_one(ShowOptions { name, format, server, json }: &ShowOptions) -> Result<(), CommandFailure> {
    let client = server.client();
    let format = if *json { PrintFormat::Json } else { *format };
    let bytes = client.get_for(&format!("/v1/statistics/{name}"), format.media_type())?;
    if format == PrintFormat::Table {
        let (told, screen): (Value, _) = (client.json(&bytes)?, Screen::of_stdout());
        say(screen.paint(Tone::Strong, &screen.wrapped(&text_of(&told, "title"))));
    }
    format.print(&client, &bytes, text::stored)
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
