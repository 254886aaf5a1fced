//! `tacit audit`: the black-box audit of a server's privacy claims, by default of a throw-away server of its own.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{CommandFailure, input};
use crate::audit::history::History;
use crate::audit::kinds::Kind;
use crate::audit::tables::Neighbours;
use crate::audit::throwaway::{Folder, NoServer, add_colleague, open, seal_all, with, with_colleague};
use crate::audit::{self, AuditError, Finding, Scope, timing};
use crate::client::Client;
use crate::terminal::{Screen, TextColumn, TextTable, complain, say, say_table};

/// Default number of samples.
const SAMPLES: u64 = 100_000;
/// Accepted numbers of timed answers: fewer would show nothing, and more do not fit the tables' cap.
const TIMES_MIN: u64 = 500;
const TIMES_MAX: u64 = 90_000;
/// Default number of timed answers.
const TIMES: u64 = 2_000;
/// Largest epsilon of a question: above it hardly any cell has noise, and samples say little about it.
const EPSILON_MAX: f64 = 8.0;

#[derive(Args)]
pub(super) struct AuditOptions {
    /// The server to audit, on which a steward has sealed the datasets that --prepare writes. By default a throw-away server is
    /// started.
    #[arg(long, requires = "token")]
    server: Option<String>,
    /// Token of a researcher with an allocation of epsilon 100 on each of them.
    #[arg(long, env = "TACIT_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Number of samples of each side and mechanism. The default is 100,000, and 2,000 with --timing.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    samples: Option<u64>,
    /// The claim to audit: the epsilon of each question, at most 8.
    #[arg(long, default_value = "1")]
    epsilon: String,
    /// Audit only this accountant. For a throw-away server, and for --prepare.
    #[arg(long, value_enum, conflicts_with = "server")]
    accountant: Option<AccountantName>,
    /// Write the datasets' tables and policies into a folder, and audit nothing.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["server", "timing"])]
    prepare: Option<PathBuf>,
    /// Time the answers of neighbouring tables instead, with padding and without, on a throw-away server.
    #[arg(long, conflicts_with = "server")]
    timing: bool,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AccountantName {
    Gaussian,
    Pure,
}

impl AccountantName {
    fn name(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::Pure => "pure",
        }
    }
}

impl From<AuditError> for CommandFailure {
    fn from(error: AuditError) -> Self {
        // An error is not a verdict; only a broken claim counts as a no.
        Self::could(error)
    }
}

impl From<NoServer> for CommandFailure {
    fn from(error: NoServer) -> Self {
        Self::could(error)
    }
}

pub(super) fn run(options: &AuditOptions) -> Result<(), CommandFailure> {
    if let Some(dir) = &options.prepare {
        return prepare(dir, options.accountant.unwrap_or(AccountantName::Gaussian));
    }
    if options.timing {
        return time(options);
    }
    let epsilon = input::epsilon(&options.epsilon)?;
    if epsilon.to_f64() > EPSILON_MAX {
        return Err(CommandFailure::Usage(format!(
            "--epsilon is {epsilon}; accepted is at most {EPSILON_MAX}, because above it hardly any cell has noise"
        )));
    }
    let scope = Scope { epsilon, samples: options.samples.unwrap_or(SAMPLES) };
    let mut findings = Vec::new();
    let ended = match &options.server {
        Some(server) => {
            complain(format!("auditing {server}"));
            let client = Client::new(server, options.token.as_deref());
            audit::run(&client, scope, Kind::ALL, &mut findings).map_err(CommandFailure::from)
        }
        None => own(scope, options, &mut findings),
    };
    if options.json {
        say(serde_json::to_string(&findings).unwrap_or_default());
    } else if !findings.is_empty() {
        say(shown(&findings));
    }
    let broken: Vec<_> = findings.iter().filter(|one| !one.holds()).map(|one| one.mechanism.as_str()).collect();
    // A broken claim is a no, even if the audit of other mechanisms failed.
    if broken.is_empty() { ended } else { Err(CommandFailure::No(format!("a claim is broken: {}", broken.join(", ")))) }
}

fn prepare(dir: &std::path::Path, accountant: AccountantName) -> Result<(), CommandFailure> {
    for neighbours in Neighbours::ALL {
        neighbours.prepare(dir, accountant.name()).map_err(|error| {
            CommandFailure::Could(format!("{}: cannot be written: {}", dir.display(), error.kind()))
        })?;
    }
    let shown = dir.display();
    let datasets: Vec<&str> = Neighbours::ALL.iter().flat_map(|neighbours| neighbours.names()).collect();
    let each = |line: &dyn Fn(&str) -> String| datasets.iter().map(|name| line(name)).collect::<String>();
    say(format!(
        "wrote {} with their sources. Then, with STATE the state folder of the server:\n{}  \
         tacit researcher add auditor --state STATE\n{}\
         name all of these policies in the server's tacit.toml, start it, and run\n  tacit audit --server URL --token TOKEN",
        datasets.iter().map(|name| format!("{shown}/{name}.toml")).collect::<Vec<_>>().join(", "),
        each(&|name| format!("  tacit seal {shown}/{name}.toml --state STATE\n")),
        each(&|name| format!("  tacit grant auditor {name} --epsilon 100 --reason audit --state STATE\n")),
    ));
    Ok(())
}

/// Audits throw-away servers, one for each accountant.
fn own(scope: Scope, options: &AuditOptions, findings: &mut Vec<Finding>) -> Result<(), CommandFailure> {
    let accountants = match options.accountant {
        Some(one) => vec![one],
        None => vec![AccountantName::Gaussian, AccountantName::Pure],
    };
    for accountant in accountants {
        complain(format!("auditing throw-away servers ({}), {} samples per side", accountant.name(), scope.samples));
        for neighbours in Neighbours::ALL {
            let kinds: Vec<Kind> = Kind::ALL.iter().copied().filter(|kind| kind.neighbours() == *neighbours).collect();
            // Several servers, because a million samples of more than two kinds at epsilon 2 need more budget than one has.
            for kinds in kinds.chunks(2) {
                let (folder, datasets) = (Folder::new()?, neighbours.names());
                neighbours
                    .prepare(folder.path(), accountant.name())
                    .map_err(|error| CommandFailure::could(error.kind()))?;
                let token = seal_all(folder.path(), &datasets)?;
                let service = open(folder.path(), &datasets)?;
                with(service, &token, |client| audit::run(client, scope, kinds, findings))??;
            }
        }
        if accountant == AccountantName::Gaussian {
            paths(scope, findings)?;
        }
    }
    Ok(())
}

/// Audits counts that are made of earlier answers of the auditor and of a colleague.
fn paths(scope: Scope, findings: &mut Vec<Finding>) -> Result<(), CommandFailure> {
    let (folder, neighbours) = (Folder::new()?, Kind::Count.neighbours());
    let prepared = neighbours.prepare(folder.path(), AccountantName::Gaussian.name());
    prepared.map_err(|error| CommandFailure::could(error.kind()))?;
    let datasets = neighbours.names();
    let auditor = seal_all(folder.path(), &datasets)?;
    let colleague = add_colleague(folder.path(), &datasets)?;
    let service = open(folder.path(), &datasets)?;
    with_colleague(service, [&auditor, &colleague], |client, colleague| {
        for history in History::ALL {
            findings.push(audit::one_after(client, (colleague, *history), scope, Kind::Count)?);
        }
        Ok::<_, AuditError>(())
    })??;
    Ok(())
}

fn time(options: &AuditOptions) -> Result<(), CommandFailure> {
    let samples = options.samples.unwrap_or(TIMES);
    if !(TIMES_MIN..=TIMES_MAX).contains(&samples) {
        return Err(CommandFailure::Usage(format!(
            "--samples is {samples}; with --timing, accepted is {TIMES_MIN} to {TIMES_MAX}"
        )));
    }
    let findings = timing::run(samples)?;
    if options.json {
        say(serde_json::to_string(&findings).unwrap_or_default());
    } else {
        let numbers = ["AUC", "samples", "median"].map(TextColumn::number);
        let [first, last] = ["mechanism", "as expected"].map(TextColumn::word);
        let columns = std::iter::once(first).chain(numbers).chain([last]).collect();
        let row = |one: &timing::TimingFinding| {
            let verdict = if one.holds { "yes" } else { "NO" };
            let (auc, median) = (format!("{:.3}", one.auc), format!("{:.1} ms", one.median_ms));
            vec![one.mechanism.to_owned(), auc, one.samples.to_string(), median, verdict.to_owned()]
        };
        say_table(&TextTable::new(columns, findings.iter().map(row)));
    }
    match findings.iter().find(|one| !one.holds) {
        None => Ok(()),
        Some(one) if one.is_padded => {
            Err(CommandFailure::No("the padded tables can be told apart by the time of their answers".to_owned()))
        }
        Some(_) => Err(CommandFailure::Could(
            "even unpadded tables cannot be told apart here, so the test is void; ask for more --samples".to_owned(),
        )),
    }
}

fn shown(findings: &[Finding]) -> String {
    let numbers = ["claimed", "at least", "delta", "samples", "power", "charged"].map(TextColumn::number);
    let [first, last] = ["mechanism", "holds"].map(TextColumn::word);
    let columns = std::iter::once(first).chain(numbers).chain([last]).collect();
    let row = |one: &Finding| {
        vec![
            one.mechanism.clone(),
            format!("{}", one.claimed),
            format!("{:.3}", one.lower_bound),
            format!("{}", one.delta),
            one.samples.to_string(),
            format!("{:.1} %", 100.0 * one.power),
            format!("{:.6}", one.charged),
            if one.holds() { "yes" } else { "NO" }.to_owned(),
        ]
    };
    let mut text = TextTable::new(columns, findings.iter().map(row)).shown(&Screen::of_stdout());
    for one in findings {
        for point in &one.curve {
            text.push_str(&format!("\n{}: {}", one.mechanism, at(point)));
        }
    }
    for one in findings {
        text.extend(one.broken.iter().map(|what| format!("\n{} is BROKEN: {what}", one.mechanism)));
    }
    let told =
        "\nBounds hold at 99.9 %. Power: the chance that noise too small by a factor of 1.2 would have been caught.";
    text.push_str(told);
    text
}

/// One point of a privacy curve, as a line of text.
fn at(point: &audit::CurvePoint) -> String {
    let (claimed, least) = (point.claimed, point.lower_bound);
    format!("at epsilon {}, delta is claimed to be {claimed:.4} and is at least {least:.4}", point.epsilon)
}
