//! Webhooks of a server: from the ledger to the outbox, and from there to who is to be told.
//!
//! Promises that every event of the ledger reaches the outbox, in the ledger's order and at least once: the place in the ledger moves on,
//! durably, only after what stood before it is in the outbox. A restart repeats nothing; a crash between the two repeats what it cut
//! off. Refusals stand in no ledger and are lost with the process. Without a webhook nothing runs.

use std::collections::{HashSet, VecDeque};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Failure;
use crate::client::deliver::deliver;
use crate::config::{Config, Webhook};
use crate::files;
use crate::kernel::budget::ledger::read;
use crate::kernel::clock::{Clock, SystemClock};
use crate::ledger::outbox::{OUTBOX, Outbox, Waiting};
use crate::service::Service;
use crate::service::watch::{Notice, Watch};

/// The file in the outbox's folder that says how far the ledger was told.
pub const CURSOR: &str = "cursor";
/// How long a turn goes on delivering; what is due then waits for the next.
const TURN_MAX: Duration = Duration::from_secs(20);
/// Between two turns.
const PAUSE: Duration = Duration::from_secs(5);
/// Entries that are read at once.
const BATCH_ENTRIES: usize = 1_000;
/// Batches of one turn at the most, so that deliveries have theirs.
const BATCHES_MAX: usize = 100;
/// Looks at what is due in one turn at the most.
const ROUNDS_MAX: usize = 100;

/// How far the ledger was told, and what of its accounts.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor {
    seq: u64,
    watch: Watch,
}

/// A delivery on its way into the outbox.
struct Pending {
    event: &'static str,
    body: String,
    url: String,
}

/// Tells webhooks what happens, turn by turn.
pub struct Notifier {
    service: Arc<Service>,
    webhooks: Vec<(Webhook, Vec<u8>)>,
    outbox: Outbox,
    clock: Arc<dyn Clock>,
    path: PathBuf,
    cursor: Cursor,
    /// The entry that the file on disk says.
    saved_seq: u64,
    pending: VecDeque<Pending>,
}

/// The notifier of a configuration; nothing where no webhook is configured.
pub(super) fn configured(config: &Config, service: &Arc<Service>) -> Result<Option<Notifier>, Failure> {
    if config.webhooks.is_empty() {
        return Ok(None);
    }
    let with_secret = |webhook: &Webhook| -> Result<(Webhook, Vec<u8>), Failure> {
        Ok((webhook.clone(), secret(&webhook.secret_file)?))
    };
    let webhooks: Vec<_> = config.webhooks.iter().map(with_secret).collect::<Result<_, Failure>>()?;
    let dir = config.state_dir.join(OUTBOX);
    let unusable = |error: io::Error| Failure::Could(format!("{}: cannot be used: {}", dir.display(), error.kind()));
    let outbox = Outbox::open(&dir).map_err(unusable)?;
    let notifier = Notifier::open(Arc::clone(service), webhooks, outbox, dir.join(CURSOR), Arc::new(SystemClock))
        .map_err(unusable)?;
    Ok(Some(notifier))
}

/// Takes turns for as long as the server runs.
pub(super) async fn run(notifier: Notifier) {
    let notifier = Arc::new(Mutex::new(notifier));
    loop {
        let turning = Arc::clone(&notifier);
        let turn = move || turning.lock().unwrap_or_else(PoisonError::into_inner).turn();
        if tokio::task::spawn_blocking(turn).await.is_err() {
            tracing::error!("a turn of the webhooks was cut off");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The secret in a file, without the end of its line.
fn secret(path: &Path) -> Result<Vec<u8>, Failure> {
    let told = |what: String| Failure::Could(format!("{}: {what}", path.display()));
    let text = files::text(path).map_err(|error| told(format!("cannot be read: {}", error.kind())))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(told("is empty; accepted is a secret on one line".to_owned()));
    }
    Ok(text.as_bytes().to_vec())
}

impl Notifier {
    /// A notifier that goes on where the file `cursor` says; without one it begins at the end of the ledger, and makes it.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(
        service: Arc<Service>,
        webhooks: Vec<(Webhook, Vec<u8>)>,
        outbox: Outbox,
        cursor: PathBuf,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let path = cursor;
        let (head, now_ms) = (read(service.ledger(), |book| book.head().0), clock.now_ms());
        let cursor = match load(&path)? {
            Some(cursor) if cursor.seq <= head => cursor,
            known => {
                if known.is_some() {
                    tracing::warn!(head, "the ledger was set back: the webhooks are told what happens from now on");
                }
                let cursor =
                    read(service.ledger(), |book| Cursor { seq: book.head().0, watch: Watch::new(book, now_ms) });
                save(&path, &cursor)?;
                cursor
            }
        };
        let (saved_seq, pending) = (cursor.seq, VecDeque::new());
        Ok(Self { service, webhooks, outbox, clock, path, cursor, saved_seq, pending })
    }

    /// One turn: what is new goes into the outbox, and what is due is delivered. Blocks.
    pub fn turn(&mut self) {
        for _ in 0..BATCHES_MAX {
            let taken = self.take_in();
            if !self.put_pending() || taken < BATCH_ENTRIES {
                break;
            }
        }
        self.deliver_due();
    }

    /// Deliveries that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.outbox.count()
    }

    /// Takes in the next entries and what was refused, and says how many entries; none while something is on its way still.
    fn take_in(&mut self) -> usize {
        if !self.pending.is_empty() {
            return 0;
        }
        let ledger = self.service.ledger();
        let entries = ledger.entries(self.cursor.seq, BATCH_ENTRIES).unwrap_or_else(|error| {
            tracing::warn!(%error, "the webhooks are told later");
            Vec::new()
        });
        let watch = &mut self.cursor.watch;
        let mut notices = Vec::new();
        read(ledger, |book| notices.extend(entries.iter().flat_map(|entry| watch.take(entry, book))));
        notices.extend(self.service.refusals().take());
        if let Some(last) = entries.last() {
            self.cursor.seq = last.seq;
        }
        for notice in &notices {
            self.pending.extend(addressed(&self.webhooks, notice));
        }
        entries.len()
    }

    /// Puts what is on its way into the outbox, then moves the file on; whether all of it could be put.
    fn put_pending(&mut self) -> bool {
        while let Some(Pending { event, body, url }) = self.pending.front() {
            if let Err(error) = self.outbox.put(event, body, url, self.clock.now_ms()) {
                tracing::warn!(kind = ?error.kind(), "an event is not in the outbox yet");
                return false;
            }
            self.pending.pop_front();
        }
        if self.cursor.seq != self.saved_seq {
            match save(&self.path, &self.cursor) {
                Ok(()) => self.saved_seq = self.cursor.seq,
                Err(error) => {
                    tracing::warn!(kind = ?error.kind(), "a restart would repeat what the webhooks were told")
                }
            }
        }
        true
    }

    /// Delivers what is due. A webhook that fails is left alone for the rest of the turn, so that it holds up no other.
    fn deliver_due(&self) {
        let (mut down, begun) = (HashSet::new(), Instant::now());
        for _ in 0..ROUNDS_MAX {
            let due = self.outbox.due(self.clock.now_ms());
            if due.is_empty() {
                return;
            }
            for waiting in &due {
                // A slow receiver has its turn again soon; a stop waits for one turn at the most.
                if begun.elapsed() > TURN_MAX {
                    return;
                }
                self.attempt(waiting, &mut down);
            }
        }
    }

    fn attempt(&self, waiting: &Waiting, down: &mut HashSet<String>) {
        let Waiting { id, event, body, webhook: url, .. } = waiting;
        let Some((_, secret)) = self.webhooks.iter().find(|(webhook, _)| webhook.url == *url) else {
            tracing::warn!(delivery = id.as_str(), "its webhook is configured no more: the delivery was dropped");
            self.outbox.delivered(id);
            return;
        };
        let now_ms = self.clock.now_ms();
        if !down.contains(url) && deliver(url, secret, id, event, now_ms, body) {
            self.outbox.delivered(id);
        } else {
            down.insert(url.clone());
            self.outbox.failed(id, now_ms);
        }
    }
}

/// A notice for every webhook that wants it.
fn addressed(webhooks: &[(Webhook, Vec<u8>)], notice: &Notice) -> Vec<Pending> {
    let wants = |webhook: &&Webhook| webhook.events.iter().any(|event| event.name() == notice.event);
    let wanting = webhooks.iter().map(|(webhook, _)| webhook).filter(wants);
    let pending =
        |webhook: &Webhook| Pending { event: notice.event, body: notice.body.to_string(), url: webhook.url.clone() };
    wanting.map(pending).collect()
}

/// The cursor of a file; nothing where there is none, or what is there is none.
fn load(path: &Path) -> io::Result<Option<Cursor>> {
    let text = match files::text(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let cursor = serde_json::from_str(&text).ok();
    if cursor.is_none() {
        tracing::warn!("the webhooks' cursor cannot be read: they are told what happens from now on");
    }
    Ok(cursor)
}

/// Writes the file whole or not at all; when it returns, it is on disk under its name.
fn save(path: &Path, cursor: &Cursor) -> io::Result<()> {
    let partial = path.with_extension("partial");
    let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&partial)?;
    file.write_all(&serde_json::to_vec(cursor)?)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}
