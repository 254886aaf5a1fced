//! Streaming entries from the file into the ledger's state, checked on all cores and taken in order.
//!
//! Promises that every entry's bytes are exactly one entry's, match their hash, and agree with the columns beside them.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use super::database::{Database, EntryRow};
use crate::kernel::budget::entry::{Digest, Entry};
use crate::ledger::fault::EntryFault;

/// Number of entries that are passed between threads at once.
const CHUNK_ROWS: usize = 1_024;
/// Approximate size of a row, in bytes.
const ROW_BYTES: usize = 512;
/// Maximum number of chunks that wait for one thread.
const CHUNKS_WAITING_MAX: usize = 4;

/// An entry that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ledger) struct Bad {
    /// Number of the entry.
    pub(in crate::ledger) seq: u64,
    /// What is wrong with it.
    pub(in crate::ledger) why: EntryFault,
}

type Checked = Result<(Entry, Digest), Bad>;

/// Rows in one buffer: millions of small allocations, made by one thread and freed by another, would take most of the time.
struct Chunk {
    text: Vec<u8>,
    rows: Vec<RowAt>,
}

/// One row of a chunk: its act's name begins at `act`, its body at `body`, which ends at `end`.
struct RowAt {
    seq: u64,
    at_ms: u64,
    hash: Digest,
    act: usize,
    body: usize,
    end: usize,
}

impl Chunk {
    fn new() -> Self {
        Self { text: Vec::with_capacity(CHUNK_ROWS * ROW_BYTES), rows: Vec::with_capacity(CHUNK_ROWS) }
    }

    fn push(&mut self, row: &EntryRow<'_>) {
        let act = self.text.len();
        self.text.extend_from_slice(row.act);
        let body = self.text.len();
        self.text.extend_from_slice(row.body);
        let end = self.text.len();
        self.rows.push(RowAt { seq: row.seq, at_ms: row.at_ms, hash: row.hash, act, body, end });
    }

    fn rows(&self) -> impl Iterator<Item = EntryRow<'_>> {
        let text = &self.text;
        self.rows.iter().map(|row| EntryRow {
            seq: row.seq,
            at_ms: row.at_ms,
            hash: row.hash,
            act: &text[row.act..row.body],
            body: &text[row.body..row.end],
        })
    }
}

/// The channels of a worker thread: chunks to check, checked entries, and taken entries, which come back to be freed by the same thread.
struct Work {
    chunks: Receiver<Chunk>,
    checked: SyncSender<Vec<Checked>>,
    taken: Receiver<Vec<Checked>>,
}

/// Calls `take` with every entry in order, after `check` has looked at it on another thread, until one of them returns an error.
///
/// The outer error means that the file cannot be read.
pub(in crate::ledger) fn each_checked(
    database: &Database,
    check: &(dyn Fn(&Entry) -> Result<(), EntryFault> + Sync),
    take: impl FnMut(&Entry, Digest) -> Result<(), Bad> + Send,
) -> Result<Result<(), Bad>, rusqlite::Error> {
    let workers = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        let mut to_check = Vec::with_capacity(workers);
        let mut to_take = Vec::with_capacity(workers);
        for _ in 0..workers {
            let (send_chunk, chunks) = sync_channel(CHUNKS_WAITING_MAX);
            let (checked, receive_checked) = sync_channel(CHUNKS_WAITING_MAX);
            let (send_taken, taken) = channel();
            to_check.push(send_chunk);
            to_take.push((receive_checked, send_taken));
            scope.spawn(move || check_all(&Work { chunks, checked, taken }, check));
        }
        let taker = scope.spawn(move || take_all(&to_take, take));
        let read = send_all(database, &to_check);
        drop(to_check);
        let taken = taker.join().unwrap_or(Err(Bad { seq: 0, why: EntryFault::Unchecked }));
        read.map(|()| taken)
    })
}

/// Sends chunks to the workers in turn, so that they come back in order.
fn send_all(database: &Database, workers: &[SyncSender<Chunk>]) -> rusqlite::Result<()> {
    let (mut chunk, mut turn) = (Chunk::new(), 0);
    let mut send = |chunk: Chunk| {
        let sent = workers[turn % workers.len()].send(chunk).is_ok();
        turn += 1;
        sent
    };
    database.each_entry(|row| {
        chunk.push(&row);
        chunk.rows.len() < CHUNK_ROWS || send(std::mem::replace(&mut chunk, Chunk::new()))
    })?;
    send(chunk);
    Ok(())
}

fn check_all(work: &Work, check: &(dyn Fn(&Entry) -> Result<(), EntryFault> + Sync)) {
    for chunk in &work.chunks {
        work.taken.try_iter().for_each(drop);
        let checked = chunk.rows().map(|row| {
            let wrong = |why| Bad { seq: row.seq, why };
            let entry = read_row(&row).map_err(wrong)?;
            check(&entry).map_err(wrong)?;
            Ok((entry, row.hash))
        });
        if work.checked.send(checked.collect()).is_err() {
            return;
        }
    }
}

fn read_row(row: &EntryRow<'_>) -> Result<Entry, EntryFault> {
    if row.hash != Entry::hash(row.body) {
        return Err(EntryFault::WrongHash);
    }
    let entry = Entry::read(row.body).ok_or(EntryFault::Unreadable)?;
    if entry.seq != row.seq || entry.at_ms != row.at_ms || entry.act.kind().as_bytes() != row.act {
        return Err(EntryFault::OtherColumns);
    }
    Ok(entry)
}

/// The channel on which one worker sends checked entries, and the one on which they are sent back.
type Lane = (Receiver<Vec<Checked>>, Sender<Vec<Checked>>);

fn take_all(lanes: &[Lane], mut take: impl FnMut(&Entry, Digest) -> Result<(), Bad>) -> Result<(), Bad> {
    for turn in 0.. {
        let (checked, back) = &lanes[turn % lanes.len()];
        let Ok(chunk) = checked.recv() else { break };
        for checked in &chunk {
            let (entry, hash) = checked.as_ref().map_err(Bad::clone)?;
            take(entry, *hash)?;
        }
        // If the worker has ended, the chunk is freed here.
        let _ = back.send(chunk);
    }
    Ok(())
}
