//! `tacit prompt`: questions one after the other, as in psql.
//!
//! Promises that nothing is spent before its price was shown and confirmed, unless the person who asks has turned that off, and that the
//! history on disk is readable by its owner alone and never holds the token.

mod completion;
mod editor;
mod session;

use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};

use self::completion::Completions;
use self::editor::{LineReader, ReadLine};
use self::session::{PromptAction, PromptQuestion, PromptSession, commands};
use super::{CommandFailure, ServerOptions, datasets, history, people, statistics};
use crate::client::catalogue::Catalogue;
use crate::client::{Client, ClientError};
use crate::http::api::health::StatusBody;
use crate::render::text;
use crate::service::asking::body::{AnswerBody, QuoteBody, RowValues};
use crate::terminal::{Screen, TextColumn, TextTable, Tone, complain, say};

pub(super) use self::session::AskedAccuracy;

/// Number of past answers that `\history` lists.
const PAST_SHOWN: usize = 10;
/// Number of a category's values that `\d` lists.
const VALUES_SHOWN: usize = 12;

#[derive(Args)]
pub(super) struct PromptOptions {
    /// The epsilon of each question, until \e sets another.
    #[arg(long, conflicts_with = "margin", allow_negative_numbers = true)]
    epsilon: Option<String>,
    /// The 95 % half-width of each question, until \m sets another.
    #[arg(long, allow_negative_numbers = true)]
    margin: Option<String>,
    /// Pay for questions without asking for a confirmation.
    #[arg(long)]
    yes: bool,
    /// The purpose of the questions. It is kept in the ledger and shown to the public.
    #[arg(long)]
    purpose: Option<String>,
    #[command(flatten)]
    server: ServerOptions,
}

pub(super) fn run(options: &PromptOptions) -> Result<(), CommandFailure> {
    let accuracy = AskedAccuracy::given(options.epsilon.as_deref(), options.margin.as_deref());
    let session = PromptSession::new(accuracy, !options.yes, options.purpose.clone());
    converse(&options.server.client(), session, options.server.token())
}

/// Opens the prompt with an accuracy to begin with, if there is one.
pub(super) fn open(server: &ServerOptions, accuracy: Option<AskedAccuracy>) -> Result<(), CommandFailure> {
    converse(&server.client(), PromptSession::new(accuracy, true, None), server.token())
}

fn converse(client: &Client, mut session: PromptSession, token: Option<&str>) -> Result<(), CommandFailure> {
    let catalogue = Catalogue::fetch(client)?;
    let screen = Screen::of_stdout();
    introduce(client, &screen);
    let mut lines = LineReader::new(Completions::of(&catalogue), token)?;
    let prompt = Conversation { client, catalogue: &catalogue, screen };
    loop {
        let actions = match lines.read(session.prompt(), session.is_confirming()) {
            ReadLine::Line(line) => session.read(&line),
            ReadLine::Interrupted => session.interrupted(),
            ReadLine::End => return Ok(()),
        };
        let mut actions = std::collections::VecDeque::from(actions);
        while let Some(action) = actions.pop_front() {
            if action == PromptAction::Quit {
                return Ok(());
            }
            match prompt.perform(action, &mut session) {
                Ok(more) => actions.extend(more),
                Err(error) => complain(Screen::of_stderr().wrapped(&error.to_string())),
            }
        }
    }
}

/// Says where one is, who, and how to go on.
fn introduce(client: &Client, screen: &Screen) {
    let who = match client.get_as::<StatusBody>("/v1/status") {
        Ok(status) if status.name == status.role => format!(" as {}", status.name),
        Ok(status) => format!(" as {}, a {}", status.name, status.role),
        Err(_) => String::new(),
    };
    say(screen.wrapped(&format!("Tacit at {}{who}.", client.url())));
    say(screen
        .wrapped("A question ends with a semicolon; \\d lists what may be asked, \\? every command, and \\q leaves."));
}

/// One conversation with a server.
struct Conversation<'a> {
    client: &'a Client,
    catalogue: &'a Catalogue,
    screen: Screen,
}

impl Conversation<'_> {
    /// Does what a line asked for; returns what follows from it.
    fn perform(&self, action: PromptAction, session: &mut PromptSession) -> Result<Option<PromptAction>, ClientError> {
        match action {
            PromptAction::Quit => {}
            PromptAction::Say(text) => say(self.screen.wrapped(&text)),
            PromptAction::Commands => say(command_table().shown(&self.screen)),
            PromptAction::Describe(table) => self.describe(table.as_deref()),
            PromptAction::Budget => say(people::account_table(&datasets::accounts(self.client)?).shown(&self.screen)),
            PromptAction::Past => {
                let (past, _) = history::newest(self.client, PAST_SHOWN, |_| true)?;
                say(history::table(&past).shown(&self.screen));
            }
            PromptAction::Statistics => {
                let name = |one: &Value| one["name"].as_str().unwrap_or_default().to_owned();
                let all: Vec<Value> = self.client.all("/v1/statistics", name)?;
                say(statistics::listed(&all).shown(&self.screen));
            }
            PromptAction::Quote { question, is_all } => return self.quote(question, is_all, session),
            PromptAction::Ask(question) => self.ask(&question, session.shows_time())?,
        }
        Ok(None)
    }

    fn describe(&self, table: Option<&str>) {
        match (table, self.catalogue.datasets.len()) {
            (None, 2..) => match datasets::accounts(self.client) {
                Ok(accounts) => say(datasets::dataset_table(self.catalogue, &accounts).shown(&self.screen)),
                Err(error) => complain(error.to_string()),
            },
            (table, _) => match datasets::chosen(self.catalogue, table) {
                Ok(tables) => tables.iter().for_each(|(dataset, table)| {
                    say(datasets::described(dataset, table, VALUES_SHOWN, &self.screen));
                }),
                Err(CommandFailure::No(text) | CommandFailure::Usage(text) | CommandFailure::Could(text)) => {
                    complain(text)
                }
            },
        }
    }

    /// Shows the price of a question; unless that is all, what follows is the question itself, or a confirmation.
    fn quote(
        &self,
        question: PromptQuestion,
        is_all: bool,
        session: &mut PromptSession,
    ) -> Result<Option<PromptAction>, ClientError> {
        let quote: QuoteBody = self.client.post_as("/v1/quotes", &body(&question))?;
        let is_free = quote.price.epsilon == "0";
        if is_all || !is_free || !quote.answerable {
            say(text::quote(&quote, &self.screen));
        }
        Ok(if is_all || !quote.answerable { None } else { session.quoted(question, is_free) })
    }

    fn ask(&self, question: &PromptQuestion, shows_time: bool) -> Result<(), ClientError> {
        let begun = Instant::now();
        let answer: AnswerBody<RowValues> = self.client.post_as("/v1/queries", &body(question))?;
        let took = begun.elapsed();
        say(text::answer(&answer, &self.screen));
        if shows_time {
            say(self.screen.paint(Tone::Faint, &format!("time: {:.1} ms", took.as_secs_f64() * 1_000.0)));
        }
        Ok(())
    }
}
/// The table of the commands.
/// The commands, as `\\?` lists them.
fn command_table() -> TextTable {
    let columns = vec![TextColumn::word("command"), TextColumn::text("what it does")];
    let row = |(name, argument, about): (&str, &str, &str)| vec![format!("\\{name} {argument}"), about.to_owned()];
    TextTable::new(columns, commands().map(row))
}

/// The body of the question's quote and of the question itself.
fn body(question: &PromptQuestion) -> Value {
    let (epsilon, margin) = match &question.accuracy {
        Some(AskedAccuracy::Epsilon(epsilon)) => (Some(epsilon), None),
        Some(AskedAccuracy::Margin(margin)) => (None, Some(margin)),
        None => (None, None),
    };
    json!({"sql": question.sql, "epsilon": epsilon, "margin": margin, "purpose": question.purpose})
}
