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
    /// The reader's own question, if they were served an answer to a colleague's with other words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<String>,
    researcher: String,
    epsilon: String,
    at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
}

impl PastAnswer {
    /// The question in the reader's own words.
    fn question(&self) -> &str {
        self.asked.as_deref().unwrap_or(&self.sql)
    }

    fn holds(&self, text: &str) -> bool {
        let is_in = |whole: &str| whole.to_lowercase().contains(&text.to_lowercase());
        is_in(self.question()) || self.purpose.as_deref().is_some_and(is_in)
    }
}

/// The newest stored answers that may be read and fit, at most `limit` of them, and whether there may be older ones that fit. No more pages
/// are fetched than it takes.
pub(super) fn newest(
    client: &Client,
    limit: usize,
    fits: impl Fn(&PastAnswer) -> bool,
) -> Result<(Vec<PastAnswer>, bool), ClientError> {
    /// The largest page that a server returns.
    const PAGE: usize = 1_000;
    let mut found: Vec<PastAnswer> = Vec::new();
    let (mut size, mut after) = (limit.saturating_add(1).min(PAGE), String::new());
    loop {
        let page: Vec<PastAnswer> = client.get_as(&format!("/v1/releases?order=newest&limit={size}{after}"))?;
        let last = page.last().filter(|_| page.len() == size).map(|one| format!("&after={}", one.release));
        found.extend(page.into_iter().filter(&fits));
        if found.len() > limit {
            found.truncate(limit);
            return Ok((found, true));
        }
        match last {
            Some(last) => (size, after) = (PAGE, last),
            None => return Ok((found, false)),
        }
    }
}

pub(super) fn run(options: &HistoryOptions) -> Result<(), CommandFailure> {
    let client = options.server.client();
    if let Some(release) = &options.release {
        let format = if options.json { PrintFormat::Json } else { options.format };
        let id = if is_whole(release) { release.clone() } else { whole_id(&all(&client)?, release)? };
        let bytes = client.get_for(&format!("/v1/releases/{id}"), format.media_type())?;
        return format.print(&client, &bytes, text::stored);
    }
    let fits = |one: &PastAnswer| {
        options.dataset.as_ref().is_none_or(|dataset| one.dataset == *dataset)
            && options.search.as_ref().is_none_or(|text| one.holds(text))
    };
    let (found, has_more) = newest(&client, options.limit, fits)?;
    tell(options.json, &found, || {
        say_table(&table(&found));
        if has_more {
            say(format!("the newest {}; --limit shows more, --search finds some", found.len()));
        }
    })
}

/// All stored answers that may be read.
fn all(client: &Client) -> Result<Vec<PastAnswer>, ClientError> {
    newest(client, usize::MAX, |_| true).map(|(all, _)| all)
}

/// Whether a text is a whole id of a release: `rel_` and 32 hexadecimal digits.
fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix("rel_").unwrap_or("");
    digits.len() == 32 && digits.chars().all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase())
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
            one.question().to_owned(),
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
            asked: None,
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
        let one = PastAnswer { asked: Some("SELECT sex".to_owned()), ..one.clone() };
        assert!(one.holds("sex") && !one.holds("region"), "in the reader's own words");
    }
}
