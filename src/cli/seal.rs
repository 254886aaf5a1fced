//! `tacit seal`: seals a policy's source into a new edition, in a state directory or through a running server.

mod remote;
mod report;

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::CommandFailure;
use crate::client::Client;
use crate::engine::seal::{Report, SealError, check_source, seal};
use crate::kernel::budget::ledger::read;
use crate::kernel::clock::{Clock, SystemClock};
use crate::kernel::random;
use crate::ledger::{OpenError, SqliteLedger};
use crate::query::terms::edition::Manifest;
use crate::query::terms::policy::{Policy, PolicyError};
use crate::service::publishing::editions::{PublicationError, PublishedEdition, seal_and_publish};
use crate::service::publishing::sealings::sources::Sources;
use crate::service::publishing::sealings::{SealingLine, seal_alone};
use crate::terminal::{complain, say};

/// What `oversubscribe = true` means, in plain words.
pub(super) const OVERSUBSCRIBED: &str = "oversubscribe = true: allocations may sum to more than the cap, and the cap stays what it is. \
     Whoever asks first may leave nothing to the others: a researcher can be refused although their own account holds more.";

#[derive(Args)]
pub(super) struct SealOptions {
    /// The policy file of the dataset.
    policy: PathBuf,
    /// The state directory, which is created if it does not exist; no server may run on it.
    #[arg(long, required_unless_present_any = ["dry_run", "server", "edition_only"], conflicts_with = "server")]
    state: Option<PathBuf>,
    /// URL of a running server, which seals beside its questions and then serves the new edition. Sources are read where it runs.
    #[arg(long, conflicts_with = "dry_run")]
    server: Option<String>,
    /// Your token as a steward of that server.
    #[arg(long, env = "TACIT_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Read every row and print the report, but write nothing into the state directory.
    #[arg(long)]
    dry_run: bool,
    /// Seal into this folder, and print what happens as lines of JSON: how a server seals. For internal use.
    #[arg(long, hide = true)]
    edition_only: Option<PathBuf>,
    /// The uploaded file that the policy names. For internal use.
    #[arg(long, hide = true, requires = "edition_only")]
    upload: Option<PathBuf>,
    /// The folder that the policy's paths are relative to. For internal use.
    #[arg(long, hide = true, requires = "edition_only")]
    beside: Option<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &SealOptions) -> Result<(), CommandFailure> {
    if let Some(folder) = &options.edition_only {
        return for_a_server(folder, Sources::checked(options.upload.clone(), options.beside.clone()));
    }
    if let Some(url) = &options.server {
        return remote::seal(&Client::new(url, options.token.as_deref()), &options.policy, options.json);
    }
    let policy = Policy::load(&options.policy).map_err(|error| match error {
        PolicyError::Faulty { .. } | PolicyError::TooLarge { .. } => CommandFailure::no(error),
        PolicyError::Unreadable { .. } => CommandFailure::could(error),
    })?;
    check_source(&policy).map_err(failure)?;
    let (manifest, report) = match &options.state {
        Some(state) if !options.dry_run => published(&policy, &options.policy, state)?,
        Some(_) | None => rehearsed(&policy)?,
    };
    if policy.terms.oversubscribe {
        complain(OVERSUBSCRIBED);
    }
    let edition = (!options.dry_run).then_some(manifest.edition.as_str());
    if options.json {
        say(report::json(&policy.name, edition, &report).to_string());
    } else {
        report::print(&policy.name, edition, &report);
    }
    Ok(())
}

/// Seals the policy in a folder into that folder, for the server that started this process.
fn for_a_server(folder: &Path, sources: Sources) -> Result<(), CommandFailure> {
    let tell = |line: &SealingLine| {
        // Unwrap safety: a line is plain data.
        say(serde_json::to_string(line).expect("a line is plain data"));
    };
    if seal_alone(folder, &sources, &tell) { Ok(()) } else { Err(CommandFailure::no("nothing was sealed")) }
}

/// Seals into a temporary folder, prints the report, and removes the folder.
pub(super) fn rehearse(policy: &Policy) -> Result<(), CommandFailure> {
    check_source(policy).map_err(failure)?;
    let (_, report) = rehearsed(policy)?;
    report::print(&policy.name, None, &report);
    Ok(())
}

/// Seals into a temporary folder that nobody else may read and that is removed afterwards.
fn rehearsed(policy: &Policy) -> Result<(Manifest, Report), CommandFailure> {
    let name = random::id("tacit-rehearsal").map_err(CommandFailure::could)?;
    let folder = std::env::temp_dir().join(name);
    fs::DirBuilder::new().mode(0o700).create(&folder).map_err(SealError::from).map_err(failure)?;
    let sealed = with_progress(policy, |progress| seal(policy, &folder, progress));
    let _ = fs::remove_dir_all(&folder);
    sealed.map_err(failure)
}

fn failure(error: SealError) -> CommandFailure {
    match error {
        SealError::Unwritable { .. } | SealError::Chance(_) => CommandFailure::could(error),
        SealError::Source(ref source) if source.is_of_the_system() => CommandFailure::could(error),
        _ => CommandFailure::no(error),
    }
}

fn published(policy: &Policy, policy_path: &Path, state: &Path) -> Result<(Manifest, Report), CommandFailure> {
    let was_there = state.exists();
    let ledger = SqliteLedger::open(state, SystemClock.now_ms()).map_err(|error| match error {
        OpenError::Held { path } => CommandFailure::Could(format!(
            "{path}: another process holds this ledger. If it is a server, seal through it: tacit seal {} --server URL --token TOKEN; its \
             sources are read where the server runs",
            policy_path.display()
        )),
        other => CommandFailure::could(other),
    })?;
    let published = with_progress(policy, |progress| seal_and_publish(&ledger, policy, state, progress, &SystemClock));
    let is_new = !was_there && read(&ledger, |book| book.head().0) == 0;
    if matches!(published, Err(PublicationError::Seal(_))) && is_new {
        // This run made the folder and holds its ledger, which is empty, so removing it leaves everything as it was.
        let _ = std::fs::remove_dir_all(state);
    }
    let PublishedEdition { manifest, report, leftover } = published.map_err(|error| match error {
        PublicationError::Seal(error) => failure(error),
        PublicationError::Ledger(error) => error.into(),
    })?;
    if let Some(kind) = leftover {
        complain(format!("tacit: a superseded edition could not be removed: {kind}"));
    }
    Ok((manifest, report))
}

/// Shows on the terminal how many rows were read while `sealing` runs.
fn with_progress<T>(policy: &Policy, sealing: impl FnOnce(&dyn Fn(u64)) -> T) -> T {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}: {human_pos} rows, {per_sec}") {
        bar.set_style(style);
    }
    bar.set_message(format!("sealing {}", policy.name));
    let sealed = sealing(&|rows| bar.set_position(rows));
    bar.finish_and_clear();
    sealed
}
