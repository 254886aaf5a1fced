//! `tacit ask`: asks a question, or for its quote. Without a question it opens the prompt, where a person can type one.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::format::PrintFormat;
use super::{CommandFailure, ServerOptions, input, prompt};
use crate::query::file::QueryFile;
use crate::render::text;
use crate::service::asking::body::QuoteBody;
use crate::service::asking::free::is_free;
use crate::terminal::{Screen, is_conversation, say};

#[derive(Args)]
pub(super) struct AskOptions {
    /// The SQL of the question; - reads it from standard input. Without it, a terminal shows the prompt.
    #[arg(conflicts_with = "file")]
    sql: Option<String>,
    /// A file with the SQL; its headers may set the accuracy.
    #[arg(long)]
    file: Option<PathBuf>,
    /// The epsilon to spend at most.
    #[arg(long, conflicts_with = "margin", allow_negative_numbers = true)]
    epsilon: Option<String>,
    /// The 95 % half-width that counts and sums should have.
    #[arg(long, allow_negative_numbers = true)]
    margin: Option<String>,
    /// How many rows of each unit count, if fewer than the policy allows.
    #[arg(long)]
    rows_per_unit: Option<u32>,
    /// Number of rows that a group is assumed to have, if the margin of a mean depends on it.
    #[arg(long)]
    group_size: Option<u64>,
    /// The purpose of the question. It is kept in the ledger and shown to the public.
    #[arg(long)]
    purpose: Option<String>,
    /// Show what the question would cost, and spend nothing.
    #[arg(long)]
    quote: bool,
    /// Format of the printed answer.
    #[arg(long, value_enum, default_value_t = PrintFormat::Table)]
    format: PrintFormat,
    /// Short for --format json.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerOptions,
}

pub(super) fn run(options: &AskOptions) -> Result<(), CommandFailure> {
    if options.sql.is_none() && options.file.is_none() && is_conversation() {
        let accuracy = prompt::AskedAccuracy::given(options.epsilon.as_deref(), options.margin.as_deref());
        return prompt::open(&options.server, accuracy);
    }
    let body = body(options)?;
    let client = options.server.client();
    let format = if options.json { PrintFormat::Json } else { options.format };
    if options.quote {
        let bytes = client.post_for("/v1/quotes", &body, "application/json")?;
        let quote: QuoteBody = client.json(&bytes)?;
        say(match format {
            PrintFormat::Json => String::from_utf8_lossy(&bytes).into_owned(),
            PrintFormat::Table | PrintFormat::Csv | PrintFormat::Arrow => text::quote(&quote, &Screen::of_stdout()),
        });
        let too_small = || CommandFailure::No("the budget left is too small for this question".to_owned());
        return quote.answerable.then_some(()).ok_or_else(too_small);
    }
    format.print(&client, &client.post_for("/v1/queries", &body, format.media_type())?, text::answer)
}

fn body(options: &AskOptions) -> Result<Value, CommandFailure> {
    let mut epsilon = options.epsilon.clone();
    let mut margin = options.margin.clone();
    let (text, named) = match (options.sql.as_deref(), &options.file) {
        (Some("-"), _) => (input::standard_input()?, "standard input".to_owned()),
        (Some(sql), _) => (sql.to_owned(), String::new()),
        (None, Some(path)) => (input::text(path)?, path.display().to_string()),
        (None, None) => {
            let message = "write the SQL, name a file with --file, or - for standard input";
            return Err(CommandFailure::Usage(message.to_owned()));
        }
    };
    let is_file = !named.is_empty();
    let sql = match QueryFile::parse(&text) {
        Ok(file) if is_file && epsilon.is_none() && margin.is_none() => {
            (epsilon, margin) = (file.epsilon, file.margin);
            file.sql
        }
        Ok(file) if is_file => file.sql,
        Err(fault) if is_file && text.starts_with("-- ") && epsilon.is_none() && margin.is_none() => {
            return Err(CommandFailure::Usage(format!("{named}: {fault}")));
        }
        Ok(_) | Err(_) => text,
    };
    if let Some(text) = epsilon.as_deref().filter(|text| text.starts_with('-')) {
        input::epsilon(text)?;
    }
    if epsilon.is_none() && margin.is_none() && !is_free(&sql) {
        return Err(CommandFailure::Usage(
            "say how accurate the answer should be: --epsilon 0.1, or --margin 25".to_owned(),
        ));
    }
    let fields = json!({
        "sql": sql, "epsilon": epsilon, "margin": margin, "rows_per_unit": options.rows_per_unit, "group_size": options.group_size,
        "purpose": options.purpose,
    });
    Ok(fields)
}
