//! The one writer: orders in, group commits out.
//!
//! Promises that a reply leaves only after the commit that holds it, and that a commit that fails changes nothing: the book is folded
//! anew from the disk, and every order of the batch is told so.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{PoisonError, RwLock};

use super::database::Database;
use crate::budget::book::Book;
use crate::budget::charge::{ChargeRequest, Decision, Receipt, Refusal, Standing};
use crate::budget::entry::{Act, Entry, KeyUse};
use crate::budget::ledger::{LedgerFault, Outcome, Rule};

/// Orders of one commit at the most.
const BATCH_ORDERS_MAX: usize = 512;

pub(super) enum Job {
    Charge(Box<ChargeRequest>),
    Record(Outcome),
    Replay { researcher: String, key: KeyUse, standing: Standing },
    Act(Rule),
}

pub(super) struct Order {
    pub(super) job: Job,
    pub(super) at_ms: u64,
    pub(super) reply: SyncSender<Result<Done, LedgerFault>>,
}

pub(super) enum Done {
    Decided(Box<Decision>),
    Recorded,
    Replayed(Result<Standing, Refusal>),
    Acted(Result<Box<Entry>, String>),
}

/// What to reply once the batch is durable.
type Pending = (SyncSender<Result<Done, LedgerFault>>, Done);

pub(super) fn run(database: Database, book: &RwLock<Book>, orders: &Receiver<Order>, is_sound: &AtomicBool) {
    let mut sound = true;
    while let Ok(first) = orders.recv() {
        let more = orders.try_iter().take(BATCH_ORDERS_MAX - 1);
        let batch: Vec<Order> = std::iter::once(first).chain(more).collect();
        // After a commit that failed, nothing is decided until the book is what the disk says.
        sound = sound || refold(&database, book);
        if sound {
            sound = commit_batch(&database, book, batch);
        } else {
            refuse(batch.into_iter().map(|order| order.reply));
        }
        is_sound.store(sound, Ordering::Release);
    }
    is_sound.store(false, Ordering::Release);
    database.checkpoint();
}

/// Decides a batch and commits it; whether the book still is what the disk says.
fn commit_batch(database: &Database, book: &RwLock<Book>, batch: Vec<Order>) -> bool {
    let replies: Vec<_> = batch.iter().map(|order| order.reply.clone()).collect();
    match write_batch(database, book, batch) {
        Ok(pending) => {
            book.write().unwrap_or_else(PoisonError::into_inner).make_durable();
            for (reply, done) in pending {
                // Whoever asked may be gone; what was decided stands.
                let _ = reply.send(Ok(done));
            }
            true
        }
        Err(error) => {
            tracing::error!(code = ?error.sqlite_error_code(), "a commit failed; the batch is undone");
            database.roll_back();
            let sound = refold(database, book);
            refuse(replies.into_iter());
            sound
        }
    }
}

/// Makes the book what the disk says; whether that could be read.
fn refold(database: &Database, book: &RwLock<Book>) -> bool {
    let folded = database.fold();
    if let Ok(folded) = folded {
        *book.write().unwrap_or_else(PoisonError::into_inner) = folded;
        return true;
    }
    tracing::error!("the ledger cannot be read back; nothing is charged until it can");
    false
}

fn refuse(replies: impl Iterator<Item = SyncSender<Result<Done, LedgerFault>>>) {
    for reply in replies {
        let _ = reply.send(Err(LedgerFault::Store));
    }
}

fn write_batch(database: &Database, book: &RwLock<Book>, batch: Vec<Order>) -> rusqlite::Result<Vec<Pending>> {
    database.begin()?;
    let mut pending = Vec::with_capacity(batch.len());
    for order in batch {
        let mut book = book.write().unwrap_or_else(PoisonError::into_inner);
        let done = perform(database, &mut book, order.job, order.at_ms)?;
        pending.push((order.reply, done));
    }
    database.commit()?;
    Ok(pending)
}

fn perform(database: &Database, book: &mut Book, job: Job, at_ms: u64) -> rusqlite::Result<Done> {
    match job {
        Job::Charge(request) => charge(database, book, *request).map(|decision| Done::Decided(Box::new(decision))),
        Job::Record(outcome) => record(database, book, outcome, at_ms).map(|()| Done::Recorded),
        Job::Replay { researcher, key, standing } => {
            if let Some(known) = book.under_key(&researcher, &key) {
                return Ok(Done::Replayed(known));
            }
            let question = standing.question.clone().unwrap_or_default();
            let release = standing.release.clone();
            let act = Act::Replayed { release, researcher, question, key, account: standing.account };
            append(database, book, at_ms, act)?;
            Ok(Done::Replayed(Ok(standing)))
        }
        Job::Act(rule) => match rule(book) {
            Ok(act) => Ok(Done::Acted(Ok(Box::new(append(database, book, at_ms, act)?)))),
            Err(words) => Ok(Done::Acted(Err(words))),
        },
    }
}

fn charge(database: &Database, book: &mut Book, request: ChargeRequest) -> rusqlite::Result<Decision> {
    if let Some(known) = request.key.and_then(|key| book.under_key(&request.researcher, &key)) {
        return Ok(known.map_or_else(Decision::Refused, Decision::Stored));
    }
    let charged = match book.charge(&request) {
        Ok(charged) => charged,
        Err(refusal) => return Ok(Decision::Refused(refusal)),
    };
    assert!(charged.account.spent <= charged.account.amount, "an admitted charge fits its account");
    let standing =
        Standing { release: charged.release.clone(), account: charged.account, replayed: false, question: None };
    append(database, book, request.at_ms, Act::Charged(Box::new(charged)))?;
    Ok(Decision::Charged(Receipt::of_durable_charge(request.certificate, standing)))
}

fn record(database: &Database, book: &mut Book, outcome: Outcome, at_ms: u64) -> rusqlite::Result<()> {
    let act = match outcome {
        Outcome::Released { release, body } => {
            database.insert_release(&release, &body)?;
            Act::Released { release, digest: Entry::hash(&body) }
        }
        Outcome::Burned { release, cause } => Act::Burned { release, cause: cause.to_owned() },
    };
    append(database, book, at_ms, act).map(|_| ())
}

/// Puts one entry on the chain: into the database's open transaction and into the book.
fn append(database: &Database, book: &mut Book, at_ms: u64, act: Act) -> rusqlite::Result<Entry> {
    let (seq, head) = book.head();
    let entry = Entry::following(seq, head, at_ms, act);
    let bytes = entry.canonical_bytes();
    let hash = Entry::hash(&bytes);
    database.insert_entry(&entry, &bytes, &hash)?;
    book.apply(&entry, hash).map_err(|inconsistent| {
        tracing::error!(seq = inconsistent.seq, why = inconsistent.why, "an entry was not taken");
        rusqlite::Error::InvalidQuery
    })?;
    Ok(entry)
}

/// EXECUTING → BURNED for whatever a crash cut off; the charges stand.
pub(super) fn burn_cut_off(database: &mut Database, book: &mut Book, at_ms: u64) -> rusqlite::Result<()> {
    let cut_off: Vec<String> = book.executing().cloned().collect();
    if cut_off.is_empty() {
        return Ok(());
    }
    database.begin()?;
    for release in cut_off {
        append(
            database,
            book,
            at_ms,
            Act::Burned { release, cause: "the server ended before it was stored".to_owned() },
        )?;
    }
    database.commit()?;
    book.make_durable();
    Ok(())
}
