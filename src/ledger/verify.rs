//! Verification of a ledger at rest: everything that was written is checked again from the file alone.
//!
//! Promises to name the first entry that is wrong. The checks cover SQLite's own structure; each entry's bytes, hash, columns and place in
//! the chain; every balance, as the fold of the entries; every price against its noise and (through [`Repricer`]) against the plan it was
//! computed for; what every answer says it is worth; every stored answer against the digest in the chain; the signed head; and every line of the anchor.

mod worth;

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::anchor::{Anchor, Depth, KnownBalance, Said};
use super::copies;
use super::error::OpenError;
use super::fault::{AnswerFault, EntryFault};
use super::files::LEDGER_FILE;
use super::repricer::{LedgerFinding, Repricer};
use super::signing::Signer;
use crate::kernel::budget::entry::{Digest, Entry};
use crate::kernel::budget::state::{LedgerState, ReleaseRecord};
use crate::ledger::sqlite::database::Database;
use crate::ledger::sqlite::journal;
use crate::ledger::sqlite::open;
use crate::ledger::sqlite::stream::Bad;

/// The result of verifying a ledger without a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Number of entries in the chain.
    pub entries: u64,
    /// Number of stored answers.
    pub releases: u64,
    /// Hash of the last entry.
    pub head: Digest,
    /// The public key that the head is signed with.
    pub key: Digest,
    /// The number of the last entry that the anchor knows.
    pub anchor_seq: u64,
    /// Whether it is a copy made by `tacit backup`, which must be recovered before it can be used.
    pub is_copy: bool,
}

/// Maximum number of stored answers that wait for one thread.
const RELEASES_WAITING_MAX: usize = 64;

/// Verifies the ledger of a state directory that no process holds. A copy is compared with the anchor that was copied with it, unless
/// another one is named.
///
/// # Errors
/// [`OpenError`] if the ledger cannot be read at all; the inner error is the first finding.
pub fn verify(
    state: &Path,
    anchor: Option<&Path>,
    repricer: &mut dyn Repricer,
) -> Result<Result<Verified, LedgerFinding>, OpenError> {
    let lock = open::lock(state)?;
    let path = state.join(LEDGER_FILE);
    if !path.is_file() {
        let kind = std::io::ErrorKind::NotFound;
        return Err(OpenError::Unusable { path: path.display().to_string(), kind });
    }
    let database = match Database::open_to_read(&path) {
        Ok(database) => database,
        Err(error) => return Ok(Err(LedgerFinding::of_file(error.to_string()))),
    };
    let verified = verify_database(state, anchor, &database, repricer);
    drop(lock);
    Ok(verified)
}

fn verify_database(
    state: &Path,
    anchor: Option<&Path>,
    database: &Database,
    repricer: &mut dyn Repricer,
) -> Result<Verified, LedgerFinding> {
    if !database.is_ours() {
        return Err(LedgerFinding::of_file("the file is no ledger of this version"));
    }
    let mut following = Vec::new();
    let folded = fold(database, repricer, &mut following);
    // The first bad entry says more than a bad page; both count.
    if let Ok(Err(bad)) = folded {
        return Err(LedgerFinding { seq: Some(bad.seq), why: bad.why.to_string() });
    }
    if !database.is_intact() {
        return Err(LedgerFinding::of_file("SQLite's integrity check finds the file damaged"));
    }
    let Ok(Ok(book)) = folded else { return Err(LedgerFinding::of_file("its pages cannot be read")) };
    let (seq, head) = book.head();
    let signer = Signer::read(state).ok().flatten();
    let signer = signer.ok_or_else(|| LedgerFinding::of_file("the ledger's key is missing"))?;
    journal::check_head(database, &signer, &book).map_err(|error| match error {
        OpenError::Damaged { why, .. } => LedgerFinding { seq: Some(seq), why },
        _ => LedgerFinding::of_file("its head cannot be read"),
    })?;
    worth::check_worths(database, &book, repricer, &following)?;
    let releases = check_releases(database, &book, repricer)?;
    let unknown = |error: OpenError| LedgerFinding::of_file(error.to_string());
    let is_copy = copies::is_copy(state, database).map_err(unknown)?;
    let anchor = copies::anchor_to_read(state, anchor, database).map_err(unknown)?;
    let anchor_seq = check_anchor(&anchor, database, &signer, &book)?;
    Ok(Verified { entries: seq, releases, head, key: signer.public(), anchor_seq, is_copy })
}

/// Folds the entries and checks their prices on the way. Editions are sealed before they are queried, so a first pass over these few
/// entries teaches the repricer what the second one needs.
/// `following` gets the numbers of the entries whose worth is to be checked once everything is folded.
fn fold(
    database: &Database,
    repricer: &mut dyn Repricer,
    following: &mut Vec<u64>,
) -> Result<Result<LedgerState, Bad>, rusqlite::Error> {
    database.each_of_kind("edition-sealed", |bytes| {
        if let Some(entry) = Entry::read(&bytes) {
            repricer.learn(&entry);
        }
    })?;
    let repricer: &dyn Repricer = repricer;
    // A plan that panics because an entry was changed is a finding, not the end of the verification.
    let found = Mutex::new(Vec::new());
    let look = |entry: &Entry| {
        repricer.check(entry)?;
        if repricer.follows(entry) {
            found.lock().unwrap_or_else(PoisonError::into_inner).push(entry.seq);
        }
        Ok(())
    };
    let check = |entry: &Entry| catch_unwind(AssertUnwindSafe(|| look(entry))).unwrap_or(Err(EntryFault::Unpriceable));
    let folded = journal::fold(database, &check);
    *following = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    following.sort_unstable();
    folded
}

/// Checks that every stored answer has its digest in the chain, and every digest its answer.
fn check_releases(database: &Database, book: &LedgerState, repricer: &dyn Repricer) -> Result<u64, LedgerFinding> {
    let stored = book.releases().iter().filter_map(|card| Some((card.id.as_str(), (card, card.digest?))));
    let expected: HashMap<&str, (&ReleaseRecord, Digest)> = stored.collect();
    let check = |(id, body): (String, Vec<u8>)| {
        let Some((card, digest)) = expected.get(id.as_str()) else {
            return Err(LedgerFinding::of_file(format!("stored answer {id} is in no entry")));
        };
        let wrong =
            |why: AnswerFault| LedgerFinding { seq: Some(card.seq), why: format!("its stored answer {id} {why}") };
        if Entry::hash(&body) != *digest {
            return Err(wrong(AnswerFault::WrongDigest));
        }
        repricer.check_release(&id, &book.drawn_by(card), card.points(), &body).map_err(wrong)
    };
    let found = thread::scope(|scope| {
        let workers = thread::available_parallelism().map_or(2, usize::from);
        let channels: Vec<_> = (0..workers).map(|_| sync_channel(RELEASES_WAITING_MAX)).collect();
        let (senders, receivers): (Vec<_>, Vec<Receiver<_>>) = channels.into_iter().unzip();
        let check = &check;
        let running: Vec<_> =
            receivers.into_iter().map(|rows| scope.spawn(move || rows.into_iter().try_for_each(check))).collect();
        let mut turn = 0_usize;
        let read = database.each_release(|id, body| {
            turn += 1;
            senders[turn % workers].send((id, body)).is_ok()
        });
        drop(senders);
        let unchecked = || Err(LedgerFinding::of_file("the stored answers could not be checked"));
        let mut found: Vec<LedgerFinding> =
            running.into_iter().filter_map(|thread| thread.join().unwrap_or_else(|_| unchecked()).err()).collect();
        found.sort_by_key(|finding| finding.seq);
        if read.is_err() && found.is_empty() {
            found.push(LedgerFinding::of_file("the stored answers cannot be read"));
        }
        found.into_iter().next()
    });
    let count =
        database.count_releases().map_err(|_| LedgerFinding::of_file("the stored answers cannot be counted"))?;
    match found {
        Some(finding) => Err(finding),
        None if count != expected.len() as u64 => {
            let missing = book.releases().iter().filter(|card| card.digest.is_some());
            let gone = missing.filter(|card| !matches!(database.release(&card.id), Ok(Some(_)))).map(|card| card.seq);
            Err(LedgerFinding { seq: gone.min(), why: "its stored answer is missing".to_owned() })
        }
        None => Ok(count),
    }
}

fn check_anchor(path: &Path, database: &Database, signer: &Signer, book: &LedgerState) -> Result<u64, LedgerFinding> {
    let shown = path.display();
    let unreadable =
        |error: std::io::Error| LedgerFinding::of_file(format!("{shown}: cannot be read: {}", error.kind()));
    let said = Anchor::read(path, Some(signer), Depth::EveryLine).map_err(unreadable)?;
    let (ledger_seq, _) = book.head();
    let (seq, head, balances) = match said {
        Said::Line { seq, head, balances, is_changed: false } => (seq, head, balances),
        Said::Nothing => return Err(LedgerFinding::of_file(format!("{shown}: the anchor is missing"))),
        Said::Line { .. } | Said::Forged { .. } => {
            return Err(LedgerFinding::of_file(format!("{shown}: a line of the anchor was changed")));
        }
    };
    let is_known = seq == 0 || matches!(database.hash_of(seq), Ok(Some(hash)) if hash == head);
    if seq > ledger_seq || !is_known {
        let why = format!("{shown}: the anchor knows entry {seq} as {}; the ledger does not", hex::encode(head));
        return Err(LedgerFinding { seq: Some(ledger_seq), why });
    }
    let folded: HashSet<_> = book.balances().into_iter().collect();
    if seq == ledger_seq && balances.iter().any(|known| !folded.contains(&known.balance)) {
        return Err(LedgerFinding::of_file(format!("{shown}: the anchor's balances are not the fold's")));
    }
    let mut freezes = balances.iter().filter_map(KnownBalance::freeze);
    if seq == ledger_seq && freezes.any(|freeze| book.freeze(&freeze.dataset) != Some(freeze)) {
        return Err(LedgerFinding::of_file(format!(
            "{shown}: what the anchor knows of frozen datasets is not the fold's"
        )));
    }
    Ok(seq)
}
