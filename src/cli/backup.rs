//! `tacit backup`: makes a checked copy of a state directory, even while a server runs on it.

use std::path::PathBuf;

use serde_json::json;

use super::CommandFailure;
use crate::ledger::backup::{BackedUp, BackupError, backup};
use crate::terminal::say;

/// Options of `tacit backup`: what to copy, and where to.
#[derive(clap::Args)]
pub(super) struct BackupOptions {
    /// The state directory to copy.
    #[arg(long)]
    state: PathBuf,
    /// The anchor's path, if it is not where the ledger last had it. The copy of a copy gets the anchor that came with it.
    #[arg(long)]
    anchor: Option<PathBuf>,
    /// The folder for the copy, which must be empty or not exist yet.
    #[arg(long)]
    to: PathBuf,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &BackupOptions) -> Result<(), CommandFailure> {
    let done = backup(&options.state, options.anchor.as_deref(), &options.to).map_err(failure)?;
    let BackedUp { entries, releases, editions, anchor_seq, bytes } = done;
    if options.json {
        let body = json!({
            "to": options.to.display().to_string(), "entries": entries, "releases": releases, "editions": editions,
            "anchor_seq": anchor_seq, "bytes": bytes
        });
        say(body.to_string());
        return Ok(());
    }
    let editions = if editions == 1 { "1 edition".to_owned() } else { format!("{editions} editions") };
    say(format!(
        "{}: {entries} entries, {releases} stored answers and {editions}, {bytes} bytes, are copied and checked",
        options.to.display()
    ));
    say("  it holds the ledger's key and sealed rows: keep it as safe as the state directory\n  \
         it opens for tacit ledger verify and tacit backup alone; to go on from it, put it into a folder of its own and run:\n  \
         tacit ledger recover --state DIR --anchor LATEST --reason \"...\"");
    Ok(())
}

fn failure(error: BackupError) -> CommandFailure {
    match error {
        BackupError::Occupied { .. } => CommandFailure::Usage(format!("--to: {error}")),
        BackupError::NotWhole { .. } | BackupError::Edition(_) => CommandFailure::no(error),
        BackupError::Open(_) | BackupError::Uncopied { .. } => CommandFailure::could(error),
    }
}
