//! `tacit seal`.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::Failure;
use crate::budget::ledger::read;
use crate::clock::{Clock, SystemClock};
use crate::dataset::edition::Manifest;
use crate::dataset::policy::{Policy, PolicyError};
use crate::dataset::seal::{Report, SealError, check_source, clear_superseded, seal};
use crate::service::steward;
use crate::store::SqliteLedger;
use crate::terminal::{complain, say, table};

#[derive(Args)]
pub(super) struct Options {
    /// The policy.
    policy: PathBuf,
    /// The state directory; it is made where it is missing.
    #[arg(long)]
    state: PathBuf,
    /// Prints the report as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let policy = Policy::load(&options.policy).map_err(|error| match error {
        PolicyError::Faulty { .. } | PolicyError::TooLarge { .. } => Failure::no(error),
        PolicyError::Unreadable { .. } => Failure::could(error),
    })?;
    check_source(&policy).map_err(failure)?;
    let (manifest, report) = seal_and_publish(&policy, &options.state)?;
    if policy.terms.oversubscribe {
        complain(super::policy::OVERSUBSCRIBED);
    }
    if options.json {
        print_json(&manifest, &report)
    } else {
        print_text(&manifest, &report)
    }
    Ok(())
}

fn failure(error: SealError) -> Failure {
    match error {
        SealError::Unwritable { .. } | SealError::Chance(_) => Failure::could(error),
        SealError::Source(source) if source.is_of_the_system() => Failure::could(source),
        _ => Failure::no(error),
    }
}

fn seal_and_publish(policy: &Policy, state: &Path) -> Result<(Manifest, Report), Failure> {
    let was_there = state.exists();
    let ledger = SqliteLedger::open(state, SystemClock.now_ms()).map_err(Failure::could)?;
    steward::check_cap(&ledger, policy)?;
    let sealed = seal_with_progress(policy, state);
    let is_new = !was_there && read(&ledger, |book| book.head().0) == 0;
    if sealed.is_err() && is_new {
        // This run made the folder and holds its ledger, in which nothing stands: what was not there is not there again.
        let _ = std::fs::remove_dir_all(state);
    }
    let (manifest, report) = sealed.map_err(failure)?;
    steward::publish_edition(&ledger, policy, &manifest, SystemClock.now_ms())?;
    if let Err(error) = clear_superseded(state, &steward::current_editions(&ledger)) {
        complain(format!("tacit: an edition that is superseded could not be removed: {}", error.kind()));
    }
    Ok((manifest, report))
}

fn seal_with_progress(policy: &Policy, state: &Path) -> Result<(Manifest, Report), SealError> {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}: {human_pos} rows, {per_sec}") {
        bar.set_style(style);
    }
    bar.set_message(format!("sealing {}", policy.name));
    let sealed = seal(policy, state, &|rows| bar.set_position(rows));
    bar.finish_and_clear();
    sealed
}

fn print_text(manifest: &Manifest, report: &Report) {
    say(format!("sealed \"{}\" as edition {}", manifest.dataset, manifest.edition));
    say("for the steward's eyes alone:");
    say(format!(
        "  {} rows read, {} kept of {} units, {} cut beyond the rows per unit, {} of units that withdrew",
        report.rows_read, report.rows_kept, report.units, report.rows_cut, report.rows_excluded
    ));
    if report.ids_unmatched > 0 {
        say(format!("  {} ids of those who withdrew are in no row", report.ids_unmatched));
    }
    for (name, rows) in &report.unjoined {
        say(format!("  {rows} rows of units that are not in \"{name}\", before any were cut"));
    }
    let header = ["column", "missing", "clamped", "unlisted"].map(str::to_owned);
    let row = |(name, counts): &(String, crate::dataset::encode::ColumnCounts)| {
        vec![name.clone(), counts.nulls.to_string(), counts.clamped.to_string(), counts.unlisted.to_string()]
    };
    let named = report.columns.iter().filter(|(name, _)| !name.is_empty());
    say(table(&header, &named.map(row).collect::<Vec<_>>()));
}

fn print_json(manifest: &Manifest, report: &Report) {
    let named = report.columns.iter().filter(|(name, _)| !name.is_empty());
    let columns: Vec<_> = named.map(|(name, counts)| {
        serde_json::json!({"name": name, "missing": counts.nulls, "clamped": counts.clamped, "unlisted": counts.unlisted})
    }).collect();
    say(serde_json::json!({
        "dataset": manifest.dataset, "edition": manifest.edition, "rows_read": report.rows_read,
        "rows_kept": report.rows_kept, "rows_cut": report.rows_cut, "rows_excluded": report.rows_excluded,
        "units": report.units, "unjoined": report.unjoined.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "ids_unmatched": report.ids_unmatched, "columns": columns,
    })
    .to_string());
}
