//! `tacit history`: the stored answers, and any of them once more. Reading them is free.

use clap::Args;
use serde::{Deserialize, Serialize};

use super::format::PrintFormat;
use super::place::tell;
use super::{CommandFailure, ServerOptions};
use crate::client::{Client, ClientError};
use crate::query::error::shown;
use crate::render::budget::epsilon;
use crate::render::text::{self, minute, short_id};
use crate::terminal::{TextColumn, TextTable, say, say_table};

#[derive(Args)]
pub(super) struct HistoryOptions {
    /// The release to print once more: its id, or the first digits of it.
    release: Option<String>,
    /// List only answers whose question or purpose contains this text.
    #[arg(long, conflicts_with = "release")]
    search: Option<String>,
    /// List only answers about this dataset.
    #[arg(long, conflicts_with = "release")]
    dataset: Option<String>,
    /// Largest number of answers to list, the newest first.
    #[arg(long, default_value_t = 20, conflicts_with = "release")]
    limit: usize,
    /// Format of the printed answer.
    #[arg(long, value_enum, default_value_t = PrintFormat::Table)]
    format: PrintFormat,
    #[command(flatten)]
    server: ServerOptions,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// A stored answer in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PastAnswer {
    pub(super) release: String,
    dataset: String,
    edition: String,
    sql: String,
    researcher: String,
    epsilon: String,
    at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
}

impl PastAnswer {
    fn holds(&self, text: &str) -> bool {
        let is_in = |whole: &str| whole.to_lowercase().contains(&text.to_lowercase());
        is_in(&self.sql) || self.purpose.as_deref().is_some_and(is_in)
    }
}

/// All stored answers that may be read, newest first.
pub(super) fn past(client: &Client) -> Result<Vec<PastAnswer>, ClientError> {
    let mut past: Vec<PastAnswer> = client.all("/v1/releases", |one: &PastAnswer| one.release.clone())?;
    past.sort_by(|one, other| other.at.cmp(&one.at));
    Ok(past)
}

pub(super) fn run(options: &HistoryOptions) -> Result<(), CommandFailure> {
    let client = options.server.client();
    if let Some(release) = &options.release {
        let format = if options.json { PrintFormat::Json } else { options.format };
        let id = whole_id(&past(&client)?, release)?;
        let bytes = client.get_for(&format!("/v1/releases/{id}"), format.media_type())?;
        return format.print(&client, &bytes, text::stored);
    }
    let mut found = past(&client)?;
    found.retain(|one| options.dataset.as_ref().is_none_or(|dataset| one.dataset == *dataset));
    found.retain(|one| options.search.as_ref().is_none_or(|text| one.holds(text)));
    let all = found.len();
    found.truncate(options.limit);
    tell(options.json, &found, || {
        say_table(&table(&found));
        if all > found.len() {
            say(format!("the newest {} of {all}; --limit shows more, --search finds some", found.len()));
        }
    })
}

/// The id of the one release that begins so.
fn whole_id(past: &[PastAnswer], start: &str) -> Result<String, CommandFailure> {
    let is_meant = |one: &&PastAnswer| {
        one.release.strip_prefix("rel_").is_some_and(|id| id.starts_with(start.trim_start_matches("rel_")))
    };
    let found: Vec<&PastAnswer> = past.iter().filter(is_meant).collect();
    let shown = shown(start);
    match found.as_slice() {
        [one] => Ok(one.release.clone()),
        [] => Err(CommandFailure::No(format!(
            "there is no release \"{shown}\" that you may see; tacit history lists them"
        ))),
        several => {
            let count = several.len();
            Err(CommandFailure::Usage(format!("{count} releases begin with \"{shown}\"; write more of its digits")))
        }
    }
}

/// Past answers as a table, with minutes in UTC.
pub(super) fn table(past: &[PastAnswer]) -> TextTable {
    let columns = vec![
        TextColumn::word("at (UTC)"),
        TextColumn::word("release"),
        TextColumn::number("ε"),
        TextColumn::word("dataset").optional(3),
        TextColumn::word("who").optional(2),
        TextColumn::text("question").wide(36),
        TextColumn::text("purpose").optional(1),
    ];
    let row = |one: &PastAnswer| {
        vec![
            minute(&one.at),
            short_id(&one.release).to_owned(),
            epsilon(&one.epsilon),
            one.dataset.clone(),
            one.researcher.clone(),
            one.sql.clone(),
            one.purpose.clone().unwrap_or_default(),
        ]
    };
    TextTable::new(columns, past.iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(ids: &[&str]) -> Vec<PastAnswer> {
        let one = |id: &&str| PastAnswer {
            release: format!("rel_{id}"),
            dataset: "visits".to_owned(),
            edition: String::new(),
            sql: "SELECT region".to_owned(),
            researcher: "ada".to_owned(),
            epsilon: "0.160863".to_owned(),
            at: "2026-11-29T00:01:48.851Z".to_owned(),
            purpose: Some("Asthma study".to_owned()),
        };
        ids.iter().map(one).collect()
    }

    #[test]
    fn the_first_digits_stand_for_a_release() {
        let past = past(&["ab12", "ab34", "cd56"]);
        for start in ["cd", "rel_cd", "cd56"] {
            assert_eq!(whole_id(&past, start).expect("one"), "rel_cd56");
        }
        assert!(matches!(whole_id(&past, "ab"), Err(CommandFailure::Usage(text)) if text.starts_with("2 releases")));
        assert!(matches!(whole_id(&past, "ef"), Err(CommandFailure::No(_))));
    }

    #[test]
    fn a_search_reads_questions_and_purposes() {
        let one = &past(&["ab"])[0];
        assert!(one.holds("REGION") && one.holds("asthma") && !one.holds("copd"));
    }
}
