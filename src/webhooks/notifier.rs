//! The notifier: takes events from the ledger to the outbox, and from there to those who are to be told.
//!
//! Promises that every event in the ledger reaches the outbox exactly once, in the ledger's order, whatever restarts or crashes happen: the
//! deliveries and the place in the ledger are written in one transaction. Refusals are not in the ledger, so those that have not reached
//! the outbox are lost when the process ends. Without a webhook nothing runs.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::WebhookError;
use super::deliver::{WebhookKey, deliver};
use super::outbox::{Message, Outbox};
use super::watch::Watch;
use crate::config::{Config, Webhook};
use crate::files;
use crate::kernel::budget::ledger::{Ledger, read};
use crate::kernel::clock::{Clock, SystemClock};
use crate::ledger::WriteLock;
use crate::ledger::sqlite::outbox::{Cursor, Delivery, OutboxFault};
use crate::service::Service;
use crate::service::asking::refusals::{Notice, Refusals};

/// Maximum time that a turn spends on deliveries; what is due then waits for the next turn.
const TURN_MAX: Duration = Duration::from_secs(20);
/// The pause between two turns.
const PAUSE: Duration = Duration::from_secs(5);
/// Maximum number of entries that are read at once.
const BATCH_ENTRIES: usize = 1_000;
/// Maximum number of batches in one turn, so that deliveries have their time, too.
const BATCHES_MAX: usize = 100;
/// Maximum number of times that one turn looks for what is due.
const ROUNDS_MAX: usize = 100;

/// A webhook with the key that signs its deliveries.
pub struct Recipient {
    /// The URL, and the events that are posted to it.
    pub webhook: Webhook,
    /// The key that signs what is posted.
    pub key: WebhookKey,
}

/// Tells webhooks what happens, turn by turn.
pub struct Notifier {
    ledger: Arc<dyn Ledger>,
    refusals: Arc<Refusals>,
    recipients: Vec<Recipient>,
    outbox: Outbox,
    clock: Arc<dyn Clock>,
    /// The ledger's accounts after entry `seq`, the last one that was taken in.
    watch: Watch,
    seq: u64,
    /// The last entry that the outbox knows was taken in.
    saved_seq: u64,
    /// What was taken in and is not in the outbox yet.
    messages: Vec<Message>,
    /// Ids of deliveries that were made and could not be removed from the outbox yet. They are not made again.
    made: HashSet<String>,
}

/// The notifier of a configuration; `None` if it has no webhook. `lock` is that of the ledger.
///
/// # Errors
/// [`WebhookError`].
pub fn configured(config: &Config, service: &Arc<Service>, lock: WriteLock) -> Result<Option<Notifier>, WebhookError> {
    if config.webhooks.is_empty() {
        return Ok(None);
    }
    let recipient = |webhook: &Webhook| Ok(Recipient { webhook: webhook.clone(), key: key(&webhook.secret_file)? });
    let recipients: Vec<_> = config.webhooks.iter().map(recipient).collect::<Result<_, WebhookError>>()?;
    let outbox = Outbox::open(&config.state_dir, lock)?;
    Notifier::open(Arc::clone(service), recipients, outbox, Arc::new(SystemClock)).map(Some)
}

/// Takes turns for as long as the server runs.
pub async fn run(notifier: Notifier) {
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

/// The key of the secret in a file, without the end of its line.
fn key(path: &Path) -> Result<WebhookKey, WebhookError> {
    let shown = path.display().to_string();
    let text =
        files::text(path).map_err(|error| WebhookError::Unreadable { path: shown.clone(), kind: error.kind() })?;
    WebhookKey::of(text.trim_end_matches(['\r', '\n'])).map_err(|why| WebhookError::Secret { path: shown, why })
}

impl Notifier {
    /// A notifier that goes on where the outbox says. If the outbox does not say, or knows more entries than the ledger has, it begins at
    /// the end of the ledger: what happened before is not told.
    ///
    /// # Errors
    /// [`WebhookError::Outbox`].
    pub fn open(
        service: Arc<Service>,
        recipients: Vec<Recipient>,
        outbox: Outbox,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, WebhookError> {
        let known = outbox.cursor()?;
        let (seq, watch, is_new) = match known.and_then(|cursor| resumed(&service, &cursor)) {
            Some((seq, watch)) => (seq, watch, false),
            None => {
                let now_ms = clock.now_ms();
                let (seq, watch) = read(service.ledger(), |book| (book.head().0, Watch::new(book, now_ms)));
                (seq, watch, true)
            }
        };
        let (messages, made) = (Vec::new(), HashSet::new());
        let (ledger, refusals) = service.told();
        let notifier = Self { ledger, refusals, recipients, outbox, clock, watch, seq, saved_seq: seq, messages, made };
        if is_new {
            notifier.outbox.set_cursor(&notifier.cursor())?;
        }
        Ok(notifier)
    }

    /// Takes one turn: puts what is new into the outbox, and delivers what is due. Blocks.
    pub fn turn(&mut self) {
        for _ in 0..BATCHES_MAX {
            let taken = self.take_in();
            if !self.put() || taken < BATCH_ENTRIES {
                break;
            }
        }
        if self.deliver_due().is_err() {
            tracing::warn!("the webhooks' turn ended early: the outbox failed");
        }
    }

    /// The number of deliveries that wait.
    ///
    /// # Errors
    /// [`OutboxFault`].
    pub fn waiting(&self) -> Result<usize, OutboxFault> {
        self.outbox.count()
    }

    fn cursor(&self) -> Cursor {
        // Unwrap safety: a watch is plain data with string keys.
        let watch = serde_json::to_string(&self.watch).expect("a watch is plain data");
        Cursor { seq: self.seq, watch }
    }

    /// Takes in the next entries and what was refused, and returns the number of entries: 0 while something taken in before is not in the
    /// outbox yet.
    fn take_in(&mut self) -> usize {
        if self.is_unsaved() {
            return 0;
        }
        let ledger = self.ledger.as_ref();
        let entries = ledger.entries(self.seq, BATCH_ENTRIES).unwrap_or_else(|error| {
            tracing::warn!(%error, "the webhooks are told later");
            Vec::new()
        });
        let watch = &mut self.watch;
        let mut notices = Vec::new();
        read(ledger, |book| notices.extend(entries.iter().flat_map(|entry| watch.take(entry, book))));
        notices.extend(self.refusals.take());
        if let Some(last) = entries.last() {
            self.seq = last.seq;
        }
        self.messages = notices.iter().flat_map(|notice| addressed(&self.recipients, notice)).collect();
        entries.len()
    }

    fn is_unsaved(&self) -> bool {
        !self.messages.is_empty() || self.seq != self.saved_seq
    }

    /// Puts what was taken in into the outbox; returns whether that succeeded.
    fn put(&mut self) -> bool {
        if self.is_unsaved() {
            if let Err(error) = self.outbox.put(&self.messages, &self.cursor(), self.clock.now_ms()) {
                tracing::warn!(%error, "events are not in the outbox yet");
                return false;
            }
            self.messages.clear();
            self.saved_seq = self.seq;
        }
        true
    }

    /// Delivers what is due. A webhook that fails is left alone for the rest of the turn, so that it holds up no other.
    fn deliver_due(&mut self) -> Result<(), OutboxFault> {
        let (mut down, begun) = (HashSet::new(), Instant::now());
        for _ in 0..ROUNDS_MAX {
            let due = self.outbox.due(self.clock.now_ms())?;
            if due.is_empty() {
                break;
            }
            for delivery in &due {
                // The next turn goes on soon, and a server that stops waits for one turn at most.
                if begun.elapsed() > TURN_MAX {
                    return Ok(());
                }
                self.attempt(delivery, &mut down)?;
            }
        }
        Ok(())
    }

    fn attempt(&mut self, delivery: &Delivery, down: &mut HashSet<String>) -> Result<(), OutboxFault> {
        let Delivery { id, webhook: url, .. } = delivery;
        let Some(recipient) = self.recipients.iter().find(|recipient| recipient.webhook.url == *url) else {
            tracing::warn!(delivery = id.as_str(), "its webhook is configured no more: the delivery was dropped");
            return self.outbox.delivered(id);
        };
        let now_ms = self.clock.now_ms();
        let is_made = self.made.contains(id) || (!down.contains(url) && deliver(delivery, &recipient.key, now_ms));
        if is_made {
            self.made.insert(id.clone());
            self.outbox.delivered(id)?;
            self.made.remove(id);
            Ok(())
        } else {
            down.insert(url.clone());
            self.outbox.failed(delivery, now_ms)
        }
    }
}

/// The entry and the watch of a cursor; `None`, with a warning, if the notifier cannot go on from it.
fn resumed(service: &Service, cursor: &Cursor) -> Option<(u64, Watch)> {
    let head = read(service.ledger(), |book| book.head().0);
    if cursor.seq > head {
        tracing::warn!(head, "the ledger was set back: the webhooks are told what happens from now on");
        return None;
    }
    let watch = serde_json::from_str(&cursor.watch).ok();
    if watch.is_none() {
        tracing::warn!("the webhooks' cursor cannot be read: they are told what happens from now on");
    }
    Some((cursor.seq, watch?))
}

/// The messages that tell a notice to each webhook that wants its event.
fn addressed(recipients: &[Recipient], notice: &Notice) -> Vec<Message> {
    let wants = |webhook: &&Webhook| webhook.events.iter().any(|event| event.name() == notice.event);
    let wanting = recipients.iter().map(|recipient| &recipient.webhook).filter(wants);
    let message = |webhook: &Webhook| {
        let (event, body) = (notice.event, notice.body.to_string());
        Message { event, body, webhook: webhook.url.clone() }
    };
    wanting.map(message).collect()
}
