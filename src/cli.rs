//! The command line.
//!
//! Promises exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 could not. It prints plain text or JSON and decides nothing.

mod ask;
mod audit;
mod backup;
mod declared;
mod grant;
mod ledger;
mod manual;
pub mod notify;
mod people;
mod policy;
mod requests;
mod schema;
mod seal;
mod serve;
mod statistics;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::client::{Client, ClientError};
use crate::demo;
use crate::service::ServiceError;
use crate::telemetry;
use crate::terminal::complain;

/// Statistics of private tables, with differential privacy and a budget.
#[derive(Parser)]
#[command(name = "tacit", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a synthetic clinic, seals it, asks about it, and serves it.
    ///
    /// Example: tacit demo --tour
    Demo(demo::Options),
    /// Serves the datasets of a configuration.
    ///
    /// Example: tacit serve --config tacit.toml
    Serve {
        /// The configuration.
        #[arg(long)]
        config: PathBuf,
    },
    /// Checks or drafts policies.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Seals a policy's source into a new edition and prints the steward's report.
    ///
    /// Example: tacit seal visits.toml --state state
    Seal(seal::Options),
    /// Asks a question, or with --quote what it would cost.
    ///
    /// Example: tacit ask "SELECT COUNT(*) FROM visits" --epsilon 0.1
    Ask(ask::Options),
    /// Copies a state directory, whether a server holds it or not, and checks the copy.
    ///
    /// A copy knows that it is one: it opens for tacit ledger verify and tacit backup alone, until tacit ledger recover takes it up.
    ///
    /// Example: tacit backup --state state --to copies/monday
    Backup(backup::Options),
    /// Says what applying a folder's files would change: people, grants, projects and statistics.
    ///
    /// Example: tacit plan access
    Plan(declared::PlanOptions),
    /// Makes people, grants, projects and statistics what a folder's files declare, all or none of it; prints new tokens, once.
    ///
    /// Example: tacit apply access --reason "new term"
    Apply(declared::ApplyOptions),
    /// Prints JSON Schemas of configurations, policies, declared files and query headers.
    ///
    /// Example: tacit schema policy
    Schema(schema::Options),
    /// Asks for a larger allocation; a steward decides.
    ///
    /// Example: tacit request visits --epsilon 2 --reason "a second study"
    Request(requests::RequestOptions),
    /// Lists requests for budget, newest first.
    Requests(requests::RequestsOptions),
    /// Grants or declines a request, once.
    ///
    /// Example: tacit decide 12 --grant --reason "approved" --state state
    Decide(requests::DecideOptions),
    /// Adds people, ends their tokens, and says what viewers see.
    #[command(subcommand)]
    Researcher(people::ResearcherCommand),
    /// Sets a researcher's allocation; the epsilon is the new total.
    ///
    /// Example: tacit grant ada visits --epsilon 1 --reason "asthma study" --state state
    Grant(grant::GrantOptions),
    /// Freezes a dataset: nothing is drawn from it until it is unfrozen.
    ///
    /// Example: tacit freeze visits --reason "an audit"
    Freeze(grant::FreezeOptions),
    /// Lets a frozen dataset go on, once its incidents were looked at.
    ///
    /// Example: tacit unfreeze visits --reason "the disk was replaced"
    Unfreeze(grant::FreezeOptions),
    /// Says what statistics would cost, and publishes them.
    #[command(subcommand)]
    Statistics(statistics::StatisticsCommand),
    /// Shows accounts: what was spent, and what could still be charged.
    ///
    /// Example: tacit account ada
    Account(people::AccountOptions),
    /// Shows and checks the ledger.
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Audits a server's privacy claims from outside; exit 1 when one is broken.
    ///
    /// Example: tacit audit --samples 100000
    Audit(audit::Options),
    /// Prints a topic of the manual, or lists the topics.
    ///
    /// Example: tacit manual asking | less
    Manual(manual::Options),
    /// Evaluates computations for the server that started it.
    #[command(hide = true)]
    Worker,
}

/// The server that a command talks to.
#[derive(Args)]
pub struct ServerOptions {
    /// The server's URL.
    #[arg(long, env = "TACIT_URL", default_value = "http://127.0.0.1:8080")]
    server: String,
    /// The token to send.
    #[arg(long, env = "TACIT_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

impl ServerOptions {
    fn client(&self) -> Client {
        Client::new(&self.server, self.token.as_deref())
    }
}

/// How a command failed.
#[derive(Debug)]
pub enum Failure {
    /// The answer is no.
    No(String),
    /// The command was used wrongly.
    Usage(String),
    /// It could not.
    Could(String),
}

impl Failure {
    fn no(error: impl ToString) -> Self {
        Self::No(error.to_string())
    }

    fn could(error: impl ToString) -> Self {
        Self::Could(error.to_string())
    }

    fn code(&self) -> ExitCode {
        match self {
            Self::No(_) => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
            Self::Could(_) => ExitCode::from(3),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Problem { ref problem } if problem["status"].as_u64().is_some_and(|status| status >= 500) => {
                Self::could(error)
            }
            ClientError::Problem { .. } => Self::no(error),
            ClientError::Away { .. } | ClientError::Foreign { .. } => Self::could(error),
        }
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        if matches!(error, ServiceError::Ledger(_)) { Self::could(error) } else { Self::no(error) }
    }
}

/// Runs the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and versions are no errors; everything else is wrong usage.
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    telemetry::start();
    match dispatch(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let (Failure::No(text) | Failure::Usage(text) | Failure::Could(text)) = &failure;
            complain(format!("tacit: {text}"));
            failure.code()
        }
    }
}

fn dispatch(command: Command) -> Result<(), Failure> {
    match command {
        Command::Demo(options) => demo::run(&options).map_err(Failure::could),
        Command::Serve { config } => serve::run(&config),
        Command::Policy(command) => policy::run(&command),
        Command::Seal(options) => seal::run(&options),
        Command::Ask(options) => ask::run(&options),
        Command::Researcher(command) => people::researcher(&command),
        Command::Grant(options) => grant::grant(&options),
        Command::Freeze(options) => grant::freeze(&options, true),
        Command::Unfreeze(options) => grant::freeze(&options, false),
        Command::Statistics(command) => statistics::run(&command),
        Command::Account(options) => people::account(&options),
        Command::Ledger(command) => ledger::run(&command),
        Command::Audit(options) => audit::run(&options),
        Command::Backup(options) => backup::run(&options),
        Command::Plan(options) => declared::plan(&options),
        Command::Apply(options) => declared::apply(&options),
        Command::Schema(options) => schema::run(&options),
        Command::Request(options) => requests::request(&options),
        Command::Requests(options) => requests::requests(&options),
        Command::Decide(options) => requests::decide(&options),
        Command::Manual(options) => {
            manual::run(&options);
            Ok(())
        }
        Command::Worker => worker::run(),
    }
}
