//! `tacit ledger`: lists what happened, verifies the ledger, and recovers one that was set back to an earlier state.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::CommandFailure;
use super::place::{PlaceOptions, tell};
use crate::kernel::clock::{Clock, SystemClock};
use crate::ledger::replan::Replanner;
use crate::ledger::{Recovery, Verified, recover, verify};
use crate::render::text::short_id;
use crate::service::stewarding::entries::SearchText;
use crate::service::stewarding::people::AT_STATE_DIRECTORY;
use crate::terminal::{TextColumn, TextTable, say, say_table};

#[derive(Subcommand)]
pub(super) enum LedgerCommand {
    /// List entries, oldest first: all, or those about a person, a dataset, some days or one kind of act.
    ///
    /// Example: tacit ledger list --person ada --from 2026-03-01 --to 2026-03-31 --state state
    List {
        #[command(flatten)]
        search: SearchOptions,
        /// Largest number of entries to list.
        #[arg(long, default_value_t = 100)]
        limit: usize,
        /// Begin after the entry with this number.
        #[arg(long, default_value_t = 0)]
        after: u64,
        #[command(flatten)]
        place: PlaceOptions,
    },
    /// Verify a ledger while no server runs on it: the chain, every balance, every price, every stored answer, the anchor.
    ///
    /// Example: tacit ledger verify --state state
    Verify {
        #[command(flatten)]
        files: Files,
    },
    /// Put into service a copy made by tacit backup, or a ledger that was set back or has lost its anchor. The recovery is
    /// recorded, and never gives budget back.
    ///
    /// Every account is charged what the latest anchor says it had spent. That anchor is the one that --anchor names, or else the
    /// one at the place where the ledger last had it. If it is gone, whatever is left of every dataset's cap is burned. A dataset
    /// is frozen until tacit unfreeze if it was frozen, if it had incidents that the copy does not know of, or if neither can be
    /// known.
    ///
    /// Example: tacit ledger recover --state state --anchor /mnt/other/anchor.log --reason "restored Monday's backup"
    Recover {
        /// The reason for the recovery, which is kept in the ledger.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        files: Files,
    },
}

/// Options that choose entries, as on the console's page of the ledger.
#[derive(clap::Args)]
pub(super) struct SearchOptions {
    /// Only entries of acts by this person, or about them.
    #[arg(long)]
    person: Option<String>,
    /// Only entries about this dataset.
    #[arg(long)]
    dataset: Option<String>,
    /// Only entries of this kind, like granted or charged.
    #[arg(long)]
    act: Option<String>,
    /// Only entries of this day (in UTC) and later ones, like 2026-03-01.
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// Only entries of this day (in UTC) and earlier ones, like 2026-03-31.
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
}

impl SearchOptions {
    fn text(&self) -> SearchText<'_> {
        let Self { person, dataset, act, from, to } = self;
        let [person, dataset, act, from, to] =
            [person, dataset, act, from, to].map(|given| given.as_deref().unwrap_or(""));
        SearchText { act, person, dataset, from, to, words: "" }
    }
}

/// Options that name a state directory and its anchor.
#[derive(clap::Args)]
pub(super) struct Files {
    /// The state directory of the ledger.
    #[arg(long)]
    state: PathBuf,
    /// The anchor's path, if it is not where the ledger last had it. A copy is verified against the anchor that came with it.
    #[arg(long)]
    anchor: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &LedgerCommand) -> Result<(), CommandFailure> {
    match command {
        LedgerCommand::List { search, limit, after, place } => list(&search.text(), *limit, *after, place),
        LedgerCommand::Verify { files } => check(files),
        LedgerCommand::Recover { reason, files } => take_up(files, reason),
    }
}

fn list(sought: &SearchText<'_>, limit: usize, after: u64, place: &PlaceOptions) -> Result<(), CommandFailure> {
    let entries = place.steward()?.entries(sought, after, limit)?;
    tell(place.json, &entries, || show(&entries))
}

fn show(entries: &[Value]) {
    let columns = vec![
        TextColumn::number("seq"),
        TextColumn::word("at"),
        TextColumn::word("act"),
        TextColumn::word("who"),
        TextColumn::word("dataset").optional(2),
        TextColumn::word("release").optional(1),
    ];
    let cell = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned).replace("null", "");
    let row = |entry: &Value| {
        let who = if entry["researcher"].is_null() { &entry["name"] } else { &entry["researcher"] };
        let at = if entry["at"].is_null() { &entry["at_ms"] } else { &entry["at"] };
        let mut cells = [&entry["seq"], at, &entry["act"], who, &entry["dataset"], &entry["release"]].map(cell);
        cells[5] = short_id(&cells[5]).to_owned();
        cells.to_vec()
    };
    say_table(&TextTable::new(columns, entries.iter().map(row)));
}

fn check(files: &Files) -> Result<(), CommandFailure> {
    let mut replanner = Replanner::default();
    let verified = verify(&files.state, files.anchor.as_deref(), &mut replanner).map_err(CommandFailure::could)?;
    let Verified { entries, releases, head, key, anchor_seq, is_copy } = match verified {
        Ok(verified) => verified,
        Err(finding) => {
            if files.json {
                say(json!({"whole": false, "seq": finding.seq, "found": finding.why}).to_string());
            }
            return Err(CommandFailure::No(format!("{}: the ledger is not whole: {finding}", files.state.display())));
        }
    };
    let (head, key) = (hex::encode(head), hex::encode(key));
    let body = json!({
        "whole": true, "entries": entries, "releases": releases, "head": head, "key": key, "anchor_seq": anchor_seq,
        "copy": is_copy
    });
    tell(files.json, &body, || {
        say(format!(
            "{entries} entries and {releases} stored answers are whole, and so is the anchor, up to entry {anchor_seq}"
        ));
        say(format!("  head {head}\n  key  {key}"));
        if is_copy {
            say("  this is a copy made by tacit backup; it does not contain what was spent since");
        }
    })
}

fn take_up(files: &Files, reason: &str) -> Result<(), CommandFailure> {
    if reason.trim().is_empty() {
        return Err(CommandFailure::Usage("--reason: a recovery needs a reason".to_owned()));
    }
    let now_ms = SystemClock.now_ms();
    let recovered = recover(&files.state, files.anchor.as_deref(), reason, AT_STATE_DIRECTORY, now_ms);
    let Recovery { ledger_seq, anchor_seq, balances, frozen, anchor } = recovered.map_err(CommandFailure::could)?;
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
            "the ledger ended at entry {ledger_seq}, and the anchor knew entry {seq}: every account was charged what the anchor says it had spent"
        )),
        None => say(format!(
            "the ledger ended at entry {ledger_seq}, and no anchor can be trusted: what was left of every cap is burned"
        )),
    }
    say(format!("the anchor is now {}", anchor.display()));
    for dataset in &frozen {
        let state = files.state.display();
        say(format!("{dataset} is frozen until: tacit unfreeze {dataset} --state {state} --reason \"...\""));
    }
    say(
        "tokens and grants are as they were at that entry: revoke again the tokens, and lower again the grants, that were revoked or lowered since",
    );
    Ok(())
}
