//! `tacit plan` and `tacit apply`: make people, grants, projects and statistics match what files declare, at a server or on a
//! state directory.
//!
//! A plan changes nothing, and tokens are printed once.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::Failure;
use super::people::{Place, open};
use crate::files;
use crate::kernel::clock::{Clock, SystemClock};
use crate::service::stewarding::declared::{self, DeclaredFile, Outcome};
use crate::service::stewarding::people::AT_STATE_DIRECTORY;
use crate::terminal::{say, table};

#[derive(Args)]
pub(super) struct PlanOptions {
    /// The folder of the files. Every *.toml directly in it is read; subfolders are not.
    dir: PathBuf,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(super) struct ApplyOptions {
    /// The folder of the files. Every *.toml directly in it is read; subfolders are not.
    dir: PathBuf,
    /// The reason for the changes, which is kept in the ledger.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    place: Place,
}

pub(super) fn plan(options: &PlanOptions) -> Result<(), Failure> {
    let PlanOptions { dir, place } = options;
    let files = declared_files(dir)?;
    let planned = match &place.state {
        Some(state) => {
            let declared = declared::parse(&files).map_err(Failure::no)?;
            shown(declared::plan(&open(state)?, &declared, SystemClock.now_ms())?)?
        }
        None => place.server.client().post("/v1/plan", &json!({"files": files}))?,
    };
    tell(&planned, place);
    Ok(())
}

pub(super) fn apply(options: &ApplyOptions) -> Result<(), Failure> {
    let ApplyOptions { dir, reason, place } = options;
    let files = declared_files(dir)?;
    let applied = match &place.state {
        Some(state) => {
            let declared = declared::parse(&files).map_err(Failure::no)?;
            let now_ms = SystemClock.now_ms();
            shown(declared::apply(&open(state)?, &declared, reason, AT_STATE_DIRECTORY, now_ms)?)?
        }
        None => place.server.client().post("/v1/apply", &json!({"files": files, "reason": reason}))?,
    };
    tell(&applied, place);
    Ok(())
}

fn shown(outcome: Outcome) -> Result<Value, Failure> {
    serde_json::to_value(outcome).map_err(Failure::could)
}

/// The TOML files directly in a folder, by name. Hidden files are skipped, as a shell's `*.toml` does.
fn declared_files(dir: &Path) -> Result<Vec<DeclaredFile>, Failure> {
    let could = |path: &Path, error: &std::io::Error| {
        Failure::Could(format!("{}: cannot be read: {}", path.display(), error.kind()))
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
        return Err(Failure::Usage(message));
    }
    found.sort();
    let read = |(name, path): (String, PathBuf)| {
        let text = files::text(&path).map_err(|error| could(&path, &error))?;
        Ok(DeclaredFile { name, text })
    };
    found.into_iter().map(read).collect()
}

fn tell(outcome: &Value, place: &Place) {
    if place.json {
        say(outcome.to_string());
        return;
    }
    let list = |key: &str| outcome[key].as_array().cloned().unwrap_or_default();
    let changes = list("changes");
    if changes.is_empty() {
        say("nothing to change");
        return;
    }
    for change in &changes {
        say(change.as_str().unwrap_or_default());
    }
    let rows = |items: Vec<Value>, keys: &[&str]| {
        let row = |item: &Value| keys.iter().map(|key| item[*key].as_str().unwrap_or_default().to_owned()).collect();
        items.iter().map(row).collect::<Vec<Vec<String>>>()
    };
    let caps = rows(list("caps"), &["dataset", "epsilon_cap", "allocated_before", "allocated_after"]);
    if !caps.is_empty() {
        say(table(&["dataset", "cap", "allocated before", "allocated after"].map(str::to_owned), &caps));
    }
    let tokens = rows(list("tokens"), &["name", "role", "token"]);
    if !tokens.is_empty() {
        say("these tokens are shown once:");
        say(table(&["name", "role", "token"].map(str::to_owned), &tokens));
    }
}
