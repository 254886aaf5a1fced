//! `tacit plan` and `tacit apply`: make people, grants, projects and statistics match what files declare, at a server or on a
//! state directory.
//!
//! A plan changes nothing, and tokens are printed once.

use std::path::{Path, PathBuf};

use clap::Args;

use super::place::{PlaceOptions, tell};
use super::{CommandFailure, input};
use crate::service::stewarding::declared::{CapView, DeclaredFile, NewToken, Outcome};
use crate::terminal::{TextColumn, TextTable, say, say_table};

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
    let outcome = place.steward()?.plan(&files)?;
    tell(place.json, &outcome, || show(&outcome))
}

pub(super) fn apply(ApplyOptions { dir, reason, place }: &ApplyOptions) -> Result<(), CommandFailure> {
    let files = declared_files(dir)?;
    let outcome = place.steward()?.apply(&files, reason)?;
    tell(place.json, &outcome, || show(&outcome))
}

/// The TOML files directly in a folder, by name. Hidden files are skipped, as a shell's `*.toml` does.
fn declared_files(dir: &Path) -> Result<Vec<DeclaredFile>, CommandFailure> {
    let is_wanted = |path: &Path, name: &str| name.ends_with(".toml") && !name.starts_with('.') && !path.is_dir();
    input::files_in(dir, is_wanted, "*.toml; name the folder of the files that declare people")
}

fn show(outcome: &Outcome) {
    let Outcome { changes, caps, tokens, .. } = outcome;
    if changes.is_empty() {
        return say("nothing to change");
    }
    changes.iter().for_each(say);
    let cap_row = |cap: &CapView| {
        let amounts = [cap.epsilon_cap, cap.allocated_before, cap.allocated_after].map(|epsilon| epsilon.to_string());
        std::iter::once(cap.dataset.clone()).chain(amounts).collect()
    };
    let caps: Vec<Vec<String>> = caps.iter().map(cap_row).collect();
    if !caps.is_empty() {
        let amounts = ["cap", "allocated before", "allocated after"].map(TextColumn::number);
        let columns = std::iter::once(TextColumn::word("dataset")).chain(amounts).collect();
        say_table(&TextTable::new(columns, caps));
    }
    let token_row = |new: &NewToken| vec![new.name.clone(), new.role.name().to_owned(), new.token.clone()];
    let tokens: Vec<Vec<String>> = tokens.iter().map(token_row).collect();
    if !tokens.is_empty() {
        say("these tokens are shown once:");
        say_table(&TextTable::new(["name", "role", "token"].map(TextColumn::word).into(), tokens));
    }
}
