//! The command line.
//!
//! Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 the command could not do its work. Commands print plain text or JSON
//! and decide nothing.

mod ask;
mod audit;
mod backup;
mod completions;
mod datasets;
mod declared;
mod drafter;
mod failure;
mod format;
mod grant;
mod history;
mod input;
mod ledger;
mod manual;
mod people;
mod place;
mod policy;
mod prompt;
mod requests;
mod schema;
mod seal;
mod serve;
mod statistics;
mod status;
mod suggestion;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::demo;
use crate::telemetry;
use crate::terminal::{Screen, complain};

pub use failure::CommandFailure;
pub use place::ServerOptions;

/// Ask statistics of private tables, with differential privacy and a budget.
#[derive(Parser)]
#[command(name = "tacit", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a synthetic clinic, seal it, ask questions about it, and serve it.
    ///
    /// Example: tacit demo --tour
    Demo(demo::DemoOptions),
    /// Serve the datasets of a configuration file.
    ///
    /// Example: tacit serve --config tacit.toml
    Serve {
        /// The configuration file, usually tacit.toml.
        #[arg(long)]
        config: PathBuf,
    },
    /// Check or draft a policy.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Seal a policy's source into a new edition and print the steward's report.
    ///
    /// Example: tacit seal visits.toml --state state
    Seal(seal::SealOptions),
    /// Ask a question, or with --quote what it would cost.
    ///
    /// Example: tacit ask "SELECT COUNT(*) FROM visits" --epsilon 0.1
    Ask(ask::AskOptions),
    /// Type questions one after the other, with completion and history; prices are shown and confirmed before anything is spent.
    ///
    /// Example: tacit prompt --epsilon 0.1
    Prompt(prompt::PromptOptions),
    /// List the datasets that you may ask, and what is left of your budget for each.
    ///
    /// Example: tacit datasets
    Datasets(datasets::DatasetsOptions),
    /// List a table's columns with their values or bounds.
    ///
    /// Example: tacit columns visits
    Columns(datasets::ColumnsOptions),
    /// List your answers, the newest first, or print one of them once more. Free.
    ///
    /// Example: tacit history --search diabetes
    History(history::HistoryOptions),
    /// Copy a state directory, even while a server runs on it, and check the copy.
    ///
    /// A copy is marked as such: only tacit ledger verify and tacit backup open it, until tacit ledger recover puts it into
    /// service.
    ///
    /// Example: tacit backup --state state --to copies/monday
    Backup(backup::BackupOptions),
    /// Show what applying a folder's files would change: people, grants, projects and statistics.
    ///
    /// Example: tacit plan access
    Plan(declared::PlanOptions),
    /// Make people, grants, projects and statistics match what a folder's files declare, all or nothing. New tokens are printed
    /// once.
    ///
    /// Example: tacit apply access --reason "new term"
    Apply(declared::ApplyOptions),
    /// Print JSON Schemas of configurations, policies, declared files and query headers.
    ///
    /// Example: tacit schema policy
    Schema(schema::SchemaOptions),
    /// Ask for a larger allocation; a steward decides.
    ///
    /// Example: tacit request visits --epsilon 2 --reason "a second study"
    Request(requests::RequestOptions),
    /// List requests for budget, newest first.
    Requests(requests::RequestsOptions),
    /// Grant or decline a request. Each request is decided once.
    ///
    /// Example: tacit decide 12 --grant --reason "approved" --state state
    Decide(requests::DecideOptions),
    /// Add people, revoke their tokens, and set what viewers may see.
    #[command(subcommand)]
    Researcher(people::ResearcherCommand),
    /// Set a researcher's allocation. The epsilon is the new total, not an addition.
    ///
    /// Example: tacit grant ada visits --epsilon 1 --reason "asthma study" --state state
    Grant(grant::GrantOptions),
    /// Freeze a dataset: nothing is drawn from it until it is unfrozen.
    ///
    /// Example: tacit freeze visits --reason "an audit"
    Freeze(grant::FreezeOptions),
    /// Unfreeze a dataset, after you have looked into its incidents.
    ///
    /// Example: tacit unfreeze visits --reason "the disk was replaced"
    Unfreeze(grant::FreezeOptions),
    /// List published statistics and print them; for stewards, check what they would cost, and publish them.
    ///
    /// Example: tacit statistics
    Statistics(statistics::StatisticsOptions),
    /// Show whether a server is ready, and what needs attention, as far as your token may see it.
    ///
    /// Example: tacit status
    Status(status::StatusOptions),
    /// Show accounts: what was spent, and what could still be charged.
    ///
    /// Example: tacit account ada
    Account(people::AccountOptions),
    /// List the ledger's entries, verify the ledger, or recover it.
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Audit a server's privacy claims from outside; exit with 1 if one is broken.
    ///
    /// Example: tacit audit --samples 100000
    Audit(audit::AuditOptions),
    /// Print a topic of the manual, or list the topics.
    ///
    /// Example: tacit manual asking | less
    Manual(manual::ManualOptions),
    /// Print a script by which a shell completes commands and options.
    ///
    /// Example: tacit completions bash > ~/.local/share/bash-completion/completions/tacit
    Completions(completions::CompletionsOptions),
    /// Evaluate computations for the server that started this process. For internal use.
    #[command(hide = true)]
    Worker,
    /// Draft a policy for the server that started this process. For internal use.
    #[command(hide = true)]
    Drafter {
        /// The file to draft it for.
        file: PathBuf,
    },
}

/// Runs the command line of this process and returns its exit code.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(mut error) => {
            suggestion::add(&mut error, &Cli::command(), std::env::args().nth(1).as_deref());
            // clap reports help and version as errors, too; only the others are wrong usage.
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    telemetry::start();
    match dispatch(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let (CommandFailure::No(text) | CommandFailure::Usage(text) | CommandFailure::Could(text)) = &failure;
            complain(Screen::of_stderr().wrapped(&format!("tacit: {text}")));
            failure.code()
        }
    }
}

fn dispatch(command: Command) -> Result<(), CommandFailure> {
    match command {
        Command::Demo(options) => demo::run(&options).map_err(CommandFailure::could),
        Command::Serve { config } => serve::run(&config),
        Command::Policy(command) => policy::run(&command),
        Command::Seal(options) => seal::run(&options),
        Command::Ask(options) => ask::run(&options),
        Command::Researcher(command) => people::researcher(&command),
        Command::Grant(options) => grant::grant(&options),
        Command::Freeze(options) => grant::freeze(&options, true),
        Command::Unfreeze(options) => grant::freeze(&options, false),
        Command::Prompt(options) => prompt::run(&options),
        Command::Datasets(options) => datasets::datasets(&options),
        Command::Columns(options) => datasets::columns(&options),
        Command::History(options) => history::run(&options),
        Command::Statistics(options) => statistics::run(&options),
        Command::Status(options) => status::run(&options),
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
        Command::Completions(options) => {
            completions::run(&options, Cli::command());
            Ok(())
        }
        Command::Worker => worker::run(),
        Command::Drafter { file } => drafter::run(&file),
    }
}
