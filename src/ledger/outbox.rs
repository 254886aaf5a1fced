//! The outbox: what webhooks are to be told, kept on disk until they were told or a week has passed.
//!
//! Promises that what was put into it is delivered at least once or dropped with a warning, that a crash leaves no half of a file that
//! counts, and that it is bounded. One process has it open at a time: whoever holds the ledger of the state directory. It posts
//! nothing itself, and logs neither bodies nor addresses.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::kernel::random;

/// The folder of the outbox in a state directory.
pub const OUTBOX: &str = "outbox";
/// Deliveries that wait, at the most; a new one takes the place of the oldest.
pub const WAITING_MAX: usize = 10_000;
/// Deliveries that are due at once, at the most; the others are due when these are done.
pub const DUE_MAX: usize = 100;
/// Milliseconds between a first attempt that failed and the next one; twice as many after each further one.
const PAUSE_MS_MIN: u64 = 10_000;
/// Milliseconds between two attempts at the most.
const PAUSE_MS_MAX: u64 = 3_600_000;
/// Milliseconds after which a delivery that never succeeded is given up.
const AGE_MS_MAX: u64 = 7 * 24 * 3_600_000;
const ENDING: &str = ".json";
const PARTIAL: &str = ".partial";

/// One delivery that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// The random id of the delivery, the same at every attempt.
    pub id: String,
    /// The event's word.
    pub event: String,
    /// When it was put here, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
    /// The JSON text to be sent, to the byte.
    pub body: String,
    /// The URL to post it to.
    pub webhook: String,
    /// Attempts that failed.
    pub attempts: u32,
    /// When it is due, in milliseconds since 1970 in UTC.
    pub next_ms: u64,
}

/// A folder of deliveries, one file each.
pub struct Outbox {
    dir: PathBuf,
    slots: Mutex<Slots>,
}

/// What waits, by its number, which is its file's name: numbers grow, whatever the clock does.
#[derive(Default)]
struct Slots {
    waiting: BTreeMap<u64, Slot>,
    next_number: u64,
}

/// What is kept of a delivery in memory: its body stays on disk.
struct Slot {
    id: String,
    next_ms: u64,
}

impl Slots {
    fn number_of(&self, id: &str) -> Option<u64> {
        self.waiting.iter().find(|(_, slot)| slot.id == id).map(|(number, _)| *number)
    }
}

impl Outbox {
    /// Opens or makes the folder `dir`, with mode 700. What a crash left half-written is removed; what is no delivery stays where it is
    /// and is not sent.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(dir: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let mut slots = Slots::default();
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.ends_with(PARTIAL) {
                fs::remove_file(&path)?;
            }
            let Some(number) = name.strip_suffix(ENDING).and_then(|number| number.parse::<u64>().ok()) else {
                continue;
            };
            slots.next_number = slots.next_number.max(number.saturating_add(1));
            match read(&path) {
                Ok(Waiting { id, next_ms, .. }) => {
                    slots.waiting.insert(number, Slot { id, next_ms });
                }
                Err(error) => tracing::warn!(number, kind = ?error.kind(), "a file of the outbox is no delivery"),
            }
        }
        Ok(Self { dir: dir.to_owned(), slots: Mutex::new(slots) })
    }

    /// Puts a delivery to `webhook` into the outbox, due at once, and returns its id; it is on disk then. Where the outbox is full, the
    /// oldest one is dropped for it.
    ///
    /// # Errors
    /// Those of the file system; then nothing was put.
    pub fn put(&self, event: &str, body: &str, webhook: &str, now_ms: u64) -> io::Result<String> {
        let id = random::id("evt").map_err(io::Error::other)?;
        let (event, body, webhook) = (event.to_owned(), body.to_owned(), webhook.to_owned());
        let waiting = Waiting { id: id.clone(), event, at_ms: now_ms, body, webhook, attempts: 0, next_ms: now_ms };
        let mut slots = self.slots();
        let number = slots.next_number;
        write(&self.path(number), &waiting)?;
        slots.next_number = number.saturating_add(1);
        slots.waiting.insert(number, Slot { id: id.clone(), next_ms: now_ms });
        while slots.waiting.len() > WAITING_MAX {
            let Some((oldest, slot)) = slots.waiting.pop_first() else { break };
            tracing::warn!(
                delivery = slot.id,
                waiting_max = WAITING_MAX,
                "the outbox is full: its oldest delivery was dropped"
            );
            self.remove(oldest);
        }
        Ok(id)
    }

    /// What is due, oldest first, at most [`DUE_MAX`]. Each is due again at once until it is said what became of it.
    #[must_use]
    pub fn due(&self, now_ms: u64) -> Vec<Waiting> {
        let mut slots = self.slots();
        let mut due = Vec::new();
        let mut gone = Vec::new();
        for (number, slot) in slots.waiting.iter().filter(|(_, slot)| slot.next_ms <= now_ms) {
            match read(&self.path(*number)) {
                Ok(waiting) => due.push(waiting),
                Err(error) => {
                    tracing::warn!(delivery = slot.id, kind = ?error.kind(), "a delivery cannot be read and was dropped");
                    gone.push(*number);
                }
            }
            if due.len() == DUE_MAX {
                break;
            }
        }
        for number in gone {
            slots.waiting.remove(&number);
        }
        due
    }

    /// Takes a delivery out that was made. One that is not there changes nothing.
    pub fn delivered(&self, id: &str) {
        let mut slots = self.slots();
        if let Some(number) = slots.number_of(id) {
            slots.waiting.remove(&number);
            self.remove(number);
        }
    }

    /// Puts a delivery off that failed, for longer each time; after seven days it is dropped. One that is not there changes nothing.
    pub fn failed(&self, id: &str, now_ms: u64) {
        let mut slots = self.slots();
        let Some(number) = slots.number_of(id) else { return };
        let path = self.path(number);
        match read(&path).map(|waiting| put_off(waiting, now_ms)) {
            Ok(Some(waiting)) => {
                if let Some(slot) = slots.waiting.get_mut(&number) {
                    slot.next_ms = waiting.next_ms;
                }
                if let Err(error) = write(&path, &waiting) {
                    tracing::warn!(delivery = id, kind = ?error.kind(), "it is not on disk that an attempt failed");
                }
            }
            Ok(None) => {
                tracing::warn!(
                    delivery = id,
                    age_ms_max = AGE_MS_MAX,
                    "a delivery failed for too long and was dropped"
                );
                slots.waiting.remove(&number);
                self.remove(number);
            }
            Err(error) => {
                tracing::warn!(delivery = id, kind = ?error.kind(), "a delivery cannot be read and was dropped");
                slots.waiting.remove(&number);
            }
        }
    }

    /// How many deliveries wait.
    #[must_use]
    pub fn count(&self) -> usize {
        self.slots().waiting.len()
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        // A thread that panicked left them as of the last change; the files are the truth.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, number: u64) -> PathBuf {
        // As many digits as any number has, so that names sort as numbers do.
        self.dir.join(format!("{number:020}{ENDING}"))
    }

    fn remove(&self, number: u64) {
        let removed = fs::remove_file(self.path(number)).and_then(|()| File::open(&self.dir)?.sync_all());
        if let Err(error) = removed {
            tracing::warn!(number, kind = ?error.kind(), "a file of the outbox was not removed: it may be delivered again");
        }
    }
}

/// A delivery after one more attempt that failed; nothing where it has waited for too long.
fn put_off(mut waiting: Waiting, now_ms: u64) -> Option<Waiting> {
    if now_ms.saturating_sub(waiting.at_ms) >= AGE_MS_MAX {
        return None;
    }
    let pause_ms = PAUSE_MS_MIN.saturating_mul(2_u64.saturating_pow(waiting.attempts)).min(PAUSE_MS_MAX);
    waiting.attempts = waiting.attempts.saturating_add(1);
    waiting.next_ms = now_ms.saturating_add(pause_ms);
    Some(waiting)
}

fn read(path: &Path) -> io::Result<Waiting> {
    serde_json::from_slice(&fs::read(path)?).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Writes a file whole or not at all; when it returns, it is on disk under its name.
fn write(path: &Path, waiting: &Waiting) -> io::Result<()> {
    let partial = path.with_extension("partial");
    let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&partial)?;
    file.write_all(&serde_json::to_vec(waiting)?)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    super::anchor::sync_dir(path)
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
