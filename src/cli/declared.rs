//! `tacit plan` and `tacit apply`: make people, grants, projects and statistics match what files declare, at a server or on a
//! state directory.
//!
//! A plan changes nothing, and tokens are printed once.

use std::path::{Path, PathBuf};

use clap::Args;

use super::CommandFailure;
use super::place::{PlaceOptions, json};
use crate::files;
use crate::service::stewarding::declared::{CapView, DeclaredFile, NewToken, Outcome};
use crate::terminal::{say, table};

#[derive(Args)]
pub(super) struct PlanOptions {
    /// The folder of the files. Every *.toml directly in it is read; subfolders are not.
    dir: PathBuf,
    #[command(flatten)]
    place: PlaceOptions,
}

#[derive(Args)]
pub(super) struct ApplyOptions {
    /// The folder of the files. Every *.toml directly in it is read; subfolders are not.
    dir: PathBuf,
    /// The reason for the changes, which is kept in the ledger.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    place: PlaceOptions,
}

pub(super) fn plan(PlanOptions { dir, place }: &PlanOptions) -> Result<(), CommandFailure> {
    let files = declared_files(dir)?;
    tell(place.steward()?.plan(&files)?, place)
}

pub(super) fn apply(ApplyOptions { dir, reason, place }: &ApplyOptions) -> Result<(), CommandFailure> {
    let files = declared_files(dir)?;
    tell(place.steward()?.apply(&files, reason)?, place)
}

/// The TOML files directly in a folder, by name. Hidden files are skipped, as a shell's `*.toml` does.
fn declared_files(dir: &Path) -> Result<Vec<DeclaredFile>, CommandFailure> {
    let could = |path: &Path, error: &std::io::Error| {
        CommandFailure::Could(format!("{}: cannot be read: {}", path.display(), error.kind()))
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|error| could(dir, &error))? {
        let path = entry.map_err(|error| could(dir, &error))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.ends_with(".toml") && !name.starts_with('.') && !path.is_dir() {
            found.push((name, path));
        }
    }
    if found.is_empty() {
        let message = format!("{}: holds no *.toml; name the folder of the files that declare people", dir.display());
        return Err(CommandFailure::Usage(message));
    }
    found.sort();
    let read = |(name, path): (String, PathBuf)| {
        let text = files::text(&path).map_err(|error| could(&path, &error))?;
        Ok(DeclaredFile { name, text })
    };
    found.into_iter().map(read).collect()
}

fn tell(outcome: Outcome, place: &PlaceOptions) -> Result<(), CommandFailure> {
    if place.json {
        say(json(&outcome)?.to_string());
        return Ok(());
    }
    let Outcome { changes, caps, tokens, .. } = outcome;
    if changes.is_empty() {
        say("nothing to change");
        return Ok(());
    }
    changes.into_iter().for_each(say);
    let cap_row = |cap: CapView| {
        let amounts = [cap.epsilon_cap, cap.allocated_before, cap.allocated_after].map(|epsilon| epsilon.to_string());
        std::iter::once(cap.dataset).chain(amounts).collect()
    };
    let caps: Vec<Vec<String>> = caps.into_iter().map(cap_row).collect();
    if !caps.is_empty() {
        say(table(&["dataset", "cap", "allocated before", "allocated after"].map(str::to_owned), &caps));
    }
    let token_row = |new: NewToken| vec![new.name, new.role.name().to_owned(), new.token];
    let tokens: Vec<Vec<String>> = tokens.into_iter().map(token_row).collect();
    if !tokens.is_empty() {
        say("these tokens are shown once:");
        say(table(&["name", "role", "token"].map(str::to_owned), &tokens));
    }
    Ok(())
}
