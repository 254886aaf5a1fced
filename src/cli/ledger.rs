//! `tacit ledger`: what happened, whether it is whole, and how one that was set back is taken up again.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::Failure;
use super::people::{Place, open};
use crate::budget::ledger::Ledger;
use crate::clock::{Clock, SystemClock};
use crate::service::reprice::Replanner;
use crate::service::steward::AT_STATE_DIRECTORY;
use crate::store::{Recovery, Verified, recover, verify};
use crate::terminal::{say, table};

#[derive(Subcommand)]
pub(super) enum LedgerCommand {
    /// Lists entries, oldest first.
    ///
    /// Example: tacit ledger list --state state
    List {
        /// Entries at the most.
        #[arg(long, default_value_t = 100)]
        limit: usize,
        /// Begin after the entry of this number.
        #[arg(long, default_value_t = 0)]
        after: u64,
        #[command(flatten)]
        place: Place,
    },
    /// Checks a ledger that no server holds: the chain, every balance, every price, every stored answer, the anchor.
    ///
    /// Example: tacit ledger verify --state state
    Verify {
        #[command(flatten)]
        files: Files,
    },
    /// Takes up a copy that tacit backup made, or a ledger that was set back or has lost its anchor; recorded, and never for free.
    ///
    /// Every account is charged what the latest anchor knows it had spent: the one that --anchor names, or the one where the ledger
    /// last had it. If that is gone, whatever is left of every dataset's cap is burnt. A dataset that was frozen, had incidents that
    /// the copy does not know of, or of which nobody can tell, is frozen until tacit unfreeze.
    ///
    /// Example: tacit ledger recover --state state --anchor /mnt/other/anchor.log --reason "restored Monday's backup"
    Recover {
        /// Why; kept in the ledger.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        files: Files,
    },
}

/// A state directory and its anchor.
#[derive(clap::Args)]
pub(super) struct Files {
    /// The state directory.
    #[arg(long)]
    state: PathBuf,
    /// The anchor, where it is not where the ledger last had it. To verify a copy is to read the anchor that it brought along.
    #[arg(long)]
    anchor: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &LedgerCommand) -> Result<(), Failure> {
    match command {
        LedgerCommand::List { limit, after, place } => list(*limit, *after, place),
        LedgerCommand::Verify { files } => check(files),
        LedgerCommand::Recover { reason, files } => take_up(files, reason),
    }
}

fn list(limit: usize, after: u64, place: &Place) -> Result<(), Failure> {
    let entries = match &place.state {
        Some(state) => {
            let entries = open(state)?.entries(after, limit).map_err(Failure::could)?;
            serde_json::to_value(entries).map_err(Failure::could)?
        }
        None => place.server.client().get(&format!("/v1/ledger?limit={limit}&after={after}"))?,
    };
    if place.json {
        say(entries.to_string());
        return Ok(());
    }
    let header = ["seq", "at", "act", "who", "dataset", "release"].map(str::to_owned);
    let cell = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned).replace("null", "");
    let row = |entry: &Value| {
        let who = if entry["researcher"].is_null() { &entry["name"] } else { &entry["researcher"] };
        let at = if entry["at"].is_null() { &entry["at_ms"] } else { &entry["at"] };
        [&entry["seq"], at, &entry["act"], who, &entry["dataset"], &entry["release"]].map(cell).to_vec()
    };
    say(table(&header, &entries.as_array().into_iter().flatten().map(row).collect::<Vec<_>>()));
    Ok(())
}

fn check(files: &Files) -> Result<(), Failure> {
    let mut replanner = Replanner::default();
    let verified = verify(&files.state, files.anchor.as_deref(), &mut replanner).map_err(Failure::could)?;
    let Verified { entries, releases, head, key, anchor_seq, is_copy } = match verified {
        Ok(verified) => verified,
        Err(finding) => {
            if files.json {
                say(json!({"whole": false, "seq": finding.seq, "found": finding.why}).to_string());
            }
            return Err(Failure::No(format!("{}: the ledger is not whole: {finding}", files.state.display())));
        }
    };
    let (head, key) = (hex::encode(head), hex::encode(key));
    if files.json {
        let body = json!({
            "whole": true, "entries": entries, "releases": releases, "head": head, "key": key, "anchor_seq": anchor_seq,
            "copy": is_copy
        });
        say(body.to_string());
    } else {
        say(format!(
            "{entries} entries and {releases} stored answers are whole, and so is the anchor, up to entry {anchor_seq}"
        ));
        say(format!("  head {head}\n  key  {key}"));
        if is_copy {
            say("  it is a copy made by tacit backup: what was spent since is not in it");
        }
    }
    Ok(())
}

fn take_up(files: &Files, reason: &str) -> Result<(), Failure> {
    if reason.trim().is_empty() {
        return Err(Failure::Usage("--reason: a recovery has a reason".to_owned()));
    }
    let now_ms = SystemClock.now_ms();
    let recovered = recover(&files.state, files.anchor.as_deref(), reason, AT_STATE_DIRECTORY, now_ms);
    let Recovery { ledger_seq, anchor_seq, balances, frozen, anchor } = recovered.map_err(Failure::could)?;
    if files.json {
        let body = json!({
            "ledger_seq": ledger_seq, "anchor_seq": anchor_seq, "balances": balances, "frozen": frozen,
            "anchor": anchor.display().to_string()
        });
        say(body.to_string());
        return Ok(());
    }
    match anchor_seq {
        Some(seq) => say(format!(
            "the ledger ended at entry {ledger_seq}, and the anchor knew entry {seq}: every account has spent what the anchor knew"
        )),
        None => say(format!(
            "the ledger ended at entry {ledger_seq}, and no anchor can be believed: what was left of every cap is burnt"
        )),
    }
    say(format!("the anchor is now {}", anchor.display()));
    for dataset in &frozen {
        let state = files.state.display();
        say(format!("{dataset} is frozen until: tacit unfreeze {dataset} --state {state} --reason \"...\""));
    }
    say("tokens and grants are as they were at that entry: end and lower anew what was ended and lowered since");
    Ok(())
}
