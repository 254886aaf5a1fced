//! Recovery: how a ledger that is older than its anchor, has lost its anchor or its key, or is a copy from a backup is put back into use.
//!
//! Promises that nothing is refunded that an available anchor knows to be spent; that without a credible anchor nothing is left to spend;
//! and that a dataset is frozen until its steward looks if it was frozen, if it had incidents that the ledger does not know of, or if
//! nobody can tell. All of this is recorded in the ledger as acts. Until it is done, the ledger does not open.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::anchor::{Anchor, Depth, KnownBalance, Said, make_folder};
use super::copies;
use super::error::OpenError;
use super::files::LEDGER_FILE;
use super::place::{AnchorPlaces, CheckedLedger};
use super::signing::Signer;
use crate::kernel::budget::entry::{AccountKind, Act, Balance, Freeze};
use crate::kernel::budget::state::LedgerState;
use crate::kernel::budget::writer::{AnchorMark, CommitBatch, append};
use crate::ledger::error::{anchor_unusable, damaged, unusable};
use crate::ledger::sqlite::database::Database;
use crate::ledger::sqlite::journal;
use crate::ledger::sqlite::open::{fold, lock};

/// The result of a recovery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Number of the ledger's last entry before the recovery.
    pub ledger_seq: u64,
    /// The last entry that the anchor knows; `None` if no anchor was credible.
    pub anchor_seq: Option<u64>,
    /// Lower bounds that were set on the accounts' balances.
    pub balances: Vec<Balance>,
    /// Names of datasets that the recovery froze.
    pub frozen: Vec<String>,
    /// Where the anchor is now.
    pub anchor: PathBuf,
}

/// What the available anchors know.
struct Evidence {
    /// The last entry that the latest credible anchor knows; `None` if no anchor is credible.
    seq: Option<u64>,
    known: Vec<KnownBalance>,
    /// The anchors' files, locked so that no other process writes them meanwhile.
    _held: Vec<File>,
}

/// Puts a ledger back into use that is older than its anchor, has lost its anchor or its key, or is a copy made by `tacit backup`. Balances
/// are raised to what the anchors know, both the named one and the one where the ledger last had it; if neither is credible, whatever is
/// left of every dataset's cap is burned. The chain itself must be intact. A new anchor is begun where it was named, or where it was.
///
/// # Errors
/// [`OpenError`], also if there is nothing to recover because the ledger opens as it is.
pub fn recover(
    state: &Path,
    anchor: Option<&Path>,
    reason: &str,
    by: &str,
    now_ms: u64,
) -> Result<Recovery, OpenError> {
    let lock = lock(state)?;
    let path = state.join(LEDGER_FILE);
    let database = Database::open(&path)?;
    let places = AnchorPlaces::of(state, anchor, &database)?;
    let is_copy = copies::is_copy(state, &database)?;
    let mut book = fold(&path, &database)?;
    let signer = Signer::read(state).map_err(|error| unusable(state, &error))?;
    if !is_copy {
        check_need(&path, &database, signer.as_ref(), &book, &places)?;
    }
    let floor = if is_copy { copies::copied_seq(state, signer.as_ref()) } else { 0 };
    let evidence = Evidence::gather(&places, signer.as_ref(), floor)?;
    let place = places.chosen();
    make_folder(&place).map_err(|error| unusable(&place, &error))?;
    let signer = match signer {
        Some(signer) => signer,
        None => Signer::create(state).map_err(|error| unusable(state, &error))?,
    };
    // The ledger is written first: until the new anchor exists, the old one refuses it.
    let (batch, recovery) = decide(&mut book, &evidence, (reason, by), place, now_ms)
        .ok_or_else(|| damaged(&path, "it cannot be written"))?;
    journal::commit(&database, &signer, &batch).map_err(|_| damaged(&path, "it cannot be written"))?;
    let mark = AnchorMark::of(&book, book.balances(), true, now_ms);
    Anchor::begin(&recovery.anchor, &mark, &signer).map_err(|error| unusable(&recovery.anchor, &error))?;
    copies::adopt(state, &database, places.remember(&recovery.anchor)?)?;
    database.checkpoint();
    drop((evidence, lock));
    Ok(recovery)
}

/// Refuses to recover a ledger that opens as it is, or that is empty.
fn check_need(
    path: &Path,
    database: &Database,
    signer: Option<&Signer>,
    book: &LedgerState,
    places: &AnchorPlaces,
) -> Result<(), OpenError> {
    let shown = path.display().to_string();
    if book.head().0 == 0 {
        return Err(OpenError::NothingToRecoverOnto { path: shown });
    }
    let Some(signer) = signer.filter(|signer| journal::check_head(database, signer, book).is_ok()) else {
        return Ok(());
    };
    match (CheckedLedger { database, signer, book }).vouched(places) {
        Ok(()) => Err(OpenError::NothingToRecover { path: shown }),
        // A named anchor does not exist while another one vouches: burning budget because of a typing error would be too harsh.
        Err(error @ OpenError::AnchorNotMoved { .. }) => Err(error),
        Err(_) => Ok(()),
    }
}

/// Decides what is written: the recovery, and the freezes that are known or must be assumed.
fn decide(
    book: &mut LedgerState,
    evidence: &Evidence,
    (reason, by): (&str, &str),
    anchor: PathBuf,
    now_ms: u64,
) -> Option<(CommitBatch, Recovery)> {
    let (ledger_seq, _) = book.head();
    let mut balances: Vec<Balance> = evidence.known.iter().map(|known| known.balance.clone()).collect();
    if evidence.seq.is_none() {
        // What an unsigned line claims was spent can only be too little; the remainder is burned anyway.
        balances.splice(0..0, burnt(book));
    }
    let freezes = freezes(book, evidence);
    let mut batch = CommitBatch::default();
    let (own_reason, own_by) = (reason.to_owned(), by.to_owned());
    let recovered =
        Act::Recovered { reason: own_reason, by: own_by, anchor_seq: evidence.seq, balances: balances.clone() };
    append(&mut batch, book, now_ms, recovered).ok()?;
    let mut frozen = Vec::with_capacity(freezes.len());
    for (dataset, why) in freezes {
        let (by, reason) = (by.to_owned(), format!("recovered ({reason}): {why}"));
        append(&mut batch, book, now_ms, Act::Frozen { dataset: dataset.clone(), reason, by }).ok()?;
        frozen.push(dataset);
    }
    Some((batch, Recovery { ledger_seq, anchor_seq: evidence.seq, balances, frozen, anchor }))
}

/// The datasets to freeze until their steward looks, each with the reason.
fn freezes(book: &LedgerState, evidence: &Evidence) -> Vec<(String, String)> {
    let mut frozen = Vec::new();
    for (dataset, whole) in book.datasets().filter(|(_, whole)| !whole.is_frozen()) {
        let is_of =
            |known: &&KnownBalance| known.balance.kind == AccountKind::Dataset && known.balance.dataset == *dataset;
        let known = evidence.known.iter().find(is_of).filter(|_| evidence.seq.is_some());
        let why = match known.and_then(KnownBalance::freeze) {
            None => "nobody knows whether it was frozen".to_owned(),
            Some(Freeze { is_frozen: true, .. }) => "the anchor knows that it was frozen".to_owned(),
            Some(Freeze { incidents, .. }) if incidents > whole.incidents => {
                format!("the anchor knows of {incidents} incidents")
            }
            Some(_) => continue,
        };
        frozen.push((dataset.clone(), why));
    }
    frozen
}

impl Evidence {
    /// Reads the named anchor and the one where the ledger last had it. An anchor that was copied, or that knows less than entry `floor`,
    /// is not the latest: it is refused if it was named, and not believed otherwise. An anchor that another process writes belongs to a
    /// ledger that is in use.
    fn gather(places: &AnchorPlaces, signer: Option<&Signer>, floor: u64) -> Result<Self, OpenError> {
        let (asked, known) = (places.asked.as_deref(), places.known.as_deref());
        let (mut believed, mut claimed): (Vec<(u64, Vec<KnownBalance>)>, Vec<KnownBalance>) = (Vec::new(), Vec::new());
        let mut held = Vec::new();
        for path in asked.into_iter().chain(known.filter(|known| asked != Some(known))) {
            let is_asked = asked == Some(path);
            let said = match hear(path, signer) {
                // An unreachable disk must not stand in the way of the anchor that is named.
                Err(OpenError::Unusable { .. }) if !is_asked && asked.is_some() => continue,
                said => said?,
            };
            held.extend(said.held);
            match said.said {
                None if is_asked => return Err(OpenError::AnchorCopied { path: path.display().to_string() }),
                None | Some(Said::Nothing) => {}
                Some(Said::Forged { balances }) => claimed.extend(balances),
                Some(Said::Line { seq, balances, .. }) if seq >= floor => believed.push((seq, balances)),
                Some(Said::Line { seq, .. }) if is_asked => {
                    let path = path.display().to_string();
                    return Err(OpenError::AnchorOlder { path, anchor_seq: seq, copied_seq: floor });
                }
                Some(Said::Line { balances, .. }) => claimed.extend(balances),
            }
        }
        let seq = believed.iter().map(|(seq, _)| *seq).max();
        let known = if seq.is_some() { believed.into_iter().flat_map(|(_, known)| known).collect() } else { claimed };
        Ok(Self { seq, known: highest(known), _held: held })
    }
}

/// What was read from one anchor.
struct Heard {
    /// `None` if the anchor is a copy.
    said: Option<Said>,
    held: Option<File>,
}

fn hear(path: &Path, signer: Option<&Signer>) -> Result<Heard, OpenError> {
    let unreadable = |error: std::io::Error| anchor_unusable(path, &error);
    if Anchor::is_copied(path).map_err(unreadable)? {
        return Ok(Heard { said: None, held: None });
    }
    let held = Anchor::hold(path).map_err(unreadable)?;
    let said = Anchor::read(path, signer, Depth::EveryLine).map_err(unreadable)?;
    Ok(Heard { said: Some(said), held })
}

/// Merges what is known of each account: the most that any anchor knows was spent, and the strictest freeze if all of them record one.
fn highest(all: Vec<KnownBalance>) -> Vec<KnownBalance> {
    let mut most: BTreeMap<(String, AccountKind, String), KnownBalance> = BTreeMap::new();
    for known in all {
        let Balance { dataset, kind, name, .. } = known.balance.clone();
        match most.entry((dataset, kind, name)) {
            std::collections::btree_map::Entry::Vacant(first) => {
                first.insert(known);
            }
            std::collections::btree_map::Entry::Occupied(mut before) => before.get_mut().raise(&known),
        }
    }
    most.into_values().collect()
}

/// A balance for every dataset that is spent up to its cap.
fn burnt(book: &LedgerState) -> Vec<Balance> {
    let datasets = book.datasets().map(|(name, whole)| (name, whole, book.account(whole.account)));
    datasets
        .map(|(name, whole, account)| Balance {
            dataset: name.clone(),
            kind: AccountKind::Dataset,
            name: name.clone(),
            spent: account.amount.max(account.spent),
            cells: whole.cells,
            threshold_delta: whole.cap.threshold_delta,
        })
        .collect()
}

#[cfg(test)]
#[path = "recovery_tests.rs"]
mod tests;
