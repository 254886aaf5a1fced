//! Entries from the file to the book, checked on all cores and taken in order.
//!
//! Promises that every entry's bytes are exactly one entry's, match their hash, and say what the columns beside them say.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::database::{Database, EntryRow};
use crate::budget::entry::{Digest, Entry};

/// Entries that go from thread to thread at once.
const CHUNK_ROWS: usize = 1_024;
/// Chunks that wait for a thread.
const CHUNKS_WAITING_MAX: usize = 4;

/// An entry that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bad {
    /// Its number; the next after the last good one where there is none.
    pub(super) seq: u64,
    /// What is wrong.
    pub(super) why: &'static str,
}

type Checked = Result<(Entry, Digest), Bad>;

/// Calls `take` with every entry in order after `check` has looked at it on another thread, until one of them says no.
///
/// `Err` of the outer result means that the file cannot be read.
pub(super) fn each_checked(
    database: &Database,
    check: &(dyn Fn(&Entry) -> Result<(), &'static str> + Sync),
    take: impl FnMut(Entry, Digest) -> Result<(), Bad> + Send,
) -> Result<Result<(), Bad>, rusqlite::Error> {
    let workers = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        let mut to_check = Vec::with_capacity(workers);
        let mut to_take = Vec::with_capacity(workers);
        for _ in 0..workers {
            let (send_rows, rows) = sync_channel::<Vec<EntryRow>>(CHUNKS_WAITING_MAX);
            let (send_checked, checked) = sync_channel::<Vec<Checked>>(CHUNKS_WAITING_MAX);
            to_check.push(send_rows);
            to_take.push(checked);
            scope.spawn(move || check_all(&rows, &send_checked, check));
        }
        let taker = scope.spawn(move || take_all(&to_take, take));
        let read = send_all(database, &to_check);
        drop(to_check);
        let taken = taker.join().unwrap_or(Err(Bad { seq: 0, why: "it could not be checked" }));
        read.map(|()| taken)
    })
}

/// Chunks go to the workers in turn, so that they come back in order.
fn send_all(database: &Database, workers: &[SyncSender<Vec<EntryRow>>]) -> rusqlite::Result<()> {
    let (mut chunk, mut turn) = (Vec::with_capacity(CHUNK_ROWS), 0);
    let mut send = |chunk: Vec<EntryRow>| {
        let sent = workers[turn % workers.len()].send(chunk).is_ok();
        turn += 1;
        sent
    };
    database.each_entry(|row| {
        chunk.push(row);
        chunk.len() < CHUNK_ROWS || send(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK_ROWS)))
    })?;
    send(chunk);
    Ok(())
}

fn check_all(
    rows: &Receiver<Vec<EntryRow>>,
    checked: &SyncSender<Vec<Checked>>,
    check: &(dyn Fn(&Entry) -> Result<(), &'static str> + Sync),
) {
    for chunk in rows {
        let chunk = chunk.into_iter().map(|row| {
            let wrong = |why| Bad { seq: row.seq, why };
            let (entry, hash) = read_row(&row).map_err(wrong)?;
            check(&entry).map_err(wrong)?;
            Ok((entry, hash))
        });
        if checked.send(chunk.collect()).is_err() {
            return;
        }
    }
}

fn read_row(row: &EntryRow) -> Result<(Entry, Digest), &'static str> {
    let hash = Entry::hash(row.body());
    if row.hash != hash {
        return Err("its bytes do not match its hash");
    }
    let entry = Entry::read(row.body()).ok_or("its bytes are no entry")?;
    if entry.seq != row.seq || entry.at_ms != row.at_ms || entry.act.kind().as_bytes() != row.act() {
        return Err("the columns beside it say something else");
    }
    Ok((entry, hash))
}

fn take_all(
    workers: &[Receiver<Vec<Checked>>],
    mut take: impl FnMut(Entry, Digest) -> Result<(), Bad>,
) -> Result<(), Bad> {
    for turn in 0.. {
        let Ok(chunk) = workers[turn % workers.len()].recv() else { break };
        for checked in chunk {
            let (entry, hash) = checked?;
            take(entry, hash)?;
        }
    }
    Ok(())
}
