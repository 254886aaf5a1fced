//! A simulated disk that fails as it is told, and a ledger over it.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tacit::kernel::budget::entry::{Act, Entry, GENESIS};
use tacit::kernel::budget::ledger::LedgerFault;
use tacit::kernel::budget::orders::LedgerStore;
use tacit::kernel::budget::state::LedgerState;
use tacit::kernel::budget::writer::{
    AnchorMark, CommitBatch, EncodedEntry, Journal, JournalFault, LedgerWriter, WriterCommand, WriterOrder, WriterReply,
};

/// What goes wrong at a durable step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The process ends before the step: nothing of it is on disk.
    CrashBefore,
    /// The process ends right after it: all of it is on disk, and nobody was told.
    CrashAfter,
    /// The disk is full: nothing is written, and the process goes on.
    Full,
    /// The sync fails and nothing of the step is visible, but a crash before the next step may bring it back.
    SyncLost,
    /// The sync fails although everything is on disk.
    SyncKept,
}

/// What is durable, and what will go wrong next.
#[derive(Debug, Default)]
pub struct Disk {
    pub entries: Vec<EncodedEntry>,
    pub releases: HashMap<String, Vec<u8>>,
    pub marks: Vec<(u64, [u8; 32])>,
    ghost: Option<CommitBatch>,
    /// The number of durable steps until the fault, and the fault.
    pub fault: Option<(u32, Fault)>,
    /// Whether the process has ended.
    pub is_dead: bool,
    pub steps: u64,
    /// Number of vectors whose charges are on disk.
    pub draws: u64,
}

impl Disk {
    fn step(&mut self) -> Option<Fault> {
        self.steps += 1;
        let (left, fault) = self.fault?;
        if left > 1 {
            self.fault = Some((left - 1, fault));
            return None;
        }
        self.fault = None;
        Some(fault)
    }

    fn write(&mut self, batch: &CommitBatch) {
        self.ghost = None;
        for encoded in &batch.entries {
            if let Some(Act::ChargedByPath(charged)) = Entry::read(&encoded.bytes).map(|entry| entry.act) {
                self.draws += charged.charge.drawn.len() as u64;
            }
        }
        self.entries.extend(batch.entries.iter().cloned());
        self.releases.extend(batch.releases.iter().cloned());
    }

    /// Whether a restart may bring something back that nobody was told of.
    pub fn has_ghost(&self) -> bool {
        self.ghost.is_some()
    }

    /// Restarts the machine; a step whose sync failed may turn out to be on disk.
    pub fn restart(&mut self, is_ghost_there: bool) {
        self.is_dead = false;
        self.fault = None;
        if let Some(ghost) = self.ghost.take().filter(|_| is_ghost_there) {
            self.write(&ghost);
        }
        let (seq, head) = self.marks.last().copied().unwrap_or((0, GENESIS));
        assert!(seq <= self.entries.len() as u64, "the anchor is never ahead of the ledger");
        let known = seq.checked_sub(1).map_or(GENESIS, |at| self.entries[at as usize].hash);
        assert_eq!(known, head, "and never of another one");
    }
}

#[derive(Clone, Default)]
pub struct SimDisk(pub Arc<Mutex<Disk>>);

impl SimDisk {
    pub fn lock(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for SimDisk {
    fn fold(&mut self) -> Result<LedgerState, JournalFault> {
        let disk = self.lock();
        if disk.is_dead {
            return Err(JournalFault);
        }
        let mut book = LedgerState::new();
        for encoded in &disk.entries {
            let entry = Entry::read(&encoded.bytes).expect("an entry");
            book.apply(&entry, encoded.hash).unwrap_or_else(|wrong| panic!("{wrong}"));
        }
        Ok(book)
    }

    fn commit(&mut self, batch: &CommitBatch) -> Result<(), JournalFault> {
        let mut disk = self.lock();
        if disk.is_dead {
            return Err(JournalFault);
        }
        match disk.step() {
            None => {
                disk.write(batch);
                return Ok(());
            }
            Some(Fault::CrashBefore) => disk.is_dead = true,
            Some(Fault::CrashAfter) => {
                disk.write(batch);
                disk.is_dead = true;
            }
            Some(Fault::Full) => {}
            Some(Fault::SyncLost) => {
                disk.ghost = Some(CommitBatch { entries: batch.entries.clone(), releases: batch.releases.clone() });
            }
            Some(Fault::SyncKept) => disk.write(batch),
        }
        Err(JournalFault)
    }

    fn anchor(&mut self, mark: &AnchorMark) -> Result<(), JournalFault> {
        let mut disk = self.lock();
        if disk.is_dead {
            return Err(JournalFault);
        }
        assert!(mark.seq <= disk.entries.len() as u64, "the anchor follows the ledger");
        let fault = disk.step();
        if matches!(fault, None | Some(Fault::CrashAfter | Fault::SyncKept)) {
            disk.marks.push((mark.seq, mark.head));
        }
        disk.is_dead |= matches!(fault, Some(Fault::CrashBefore | Fault::CrashAfter));
        if fault.is_none() { Ok(()) } else { Err(JournalFault) }
    }
}

/// The ledger's port over a writer of the simulated disk: it decides as the SQLite ledger does, with one order per commit.
pub struct SimLedger {
    writer: Mutex<LedgerWriter<SimDisk>>,
    book: Arc<RwLock<LedgerState>>,
    is_sound: Arc<AtomicBool>,
    disk: SimDisk,
}

impl SimLedger {
    pub fn open(disk: &SimDisk, now_ms: u64) -> Result<Self, JournalFault> {
        let mut folded = disk.clone().fold()?;
        folded.make_durable();
        let writer = LedgerWriter::over(disk.clone(), folded, now_ms)?;
        let (book, is_sound) = (writer.book(), writer.soundness());
        Ok(Self { writer: Mutex::new(writer), book, is_sound, disk: disk.clone() })
    }
}

impl LedgerStore for SimLedger {
    fn order(&self, job: WriterCommand, at_ms: u64) -> Result<WriterReply, LedgerFault> {
        let (reply, receive) = std::sync::mpsc::sync_channel(1);
        let reply = Box::new(move |done| drop(reply.send(done)));
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).perform(vec![WriterOrder { job, at_ms, reply }]);
        receive.recv().map_err(|_| LedgerFault::Closed)?
    }

    fn book(&self) -> &RwLock<LedgerState> {
        &self.book
    }

    fn soundness(&self) -> &AtomicBool {
        &self.is_sound
    }

    fn stored_release(&self, id: &str) -> Result<Option<Vec<u8>>, LedgerFault> {
        let disk = self.disk.lock();
        if disk.is_dead { Err(LedgerFault::Store) } else { Ok(disk.releases.get(id).cloned()) }
    }

    fn stored_entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, LedgerFault> {
        let disk = self.disk.lock();
        let entries = disk.entries.iter().skip(after as usize).take(limit);
        Ok(entries.map(|encoded| Entry::read(&encoded.bytes).expect("an entry")).collect())
    }
}
