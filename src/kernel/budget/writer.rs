//! The ledger's writer: takes orders and commits them in batches. It is the one place that decides and appends.
//!
//! Promises that a reply leaves only after the commit that holds it, that a stored answer leaves only after the anchor also holds the
//! ledger's head, and that a failed commit changes nothing: the state is folded again from the journal, and every order of the batch is
//! told that it failed. It knows no disk: that is behind [`Journal`], so that a simulation can run it over a failing disk.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::charge::{AnswerState, ChargeDecision, ChargeRequest, Receipt, ServeRequest, Standing};
use super::entry::{AccountKind, Act, Balance, Cause, Digest, Entry, Freeze, PathCharge, Postings};
use super::ledger::{EvaluationOutcome, LedgerFault, Rule};
use super::steps::PathStep;
use crate::kernel::budget::state::LedgerState;
use crate::kernel::privacy::amounts::Price;

/// An entry, encoded for the journal to write.
#[derive(Debug, Clone)]
pub struct EncodedEntry {
    /// Number of the entry in the chain.
    pub seq: u64,
    /// When it was appended, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
    /// Name of the kind of its act, as [`Act::kind`] gives it.
    pub kind: &'static str,
    /// The entry's canonical bytes.
    pub bytes: Vec<u8>,
    /// BLAKE3 hash of the canonical bytes.
    pub hash: Digest,
}

/// What one commit writes, all or none of it.
#[derive(Debug, Default)]
pub struct CommitBatch {
    /// Entries, in the order of the chain.
    pub entries: Vec<EncodedEntry>,
    /// Encoded answers, each with its release id.
    pub releases: Vec<(String, Vec<u8>)>,
}

/// What is appended to the anchor after a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorMark {
    /// Number of the ledger's last entry.
    pub seq: u64,
    /// Hash of the ledger's last entry.
    pub head: Digest,
    /// When the mark is made, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
    /// Balances: all of them, or those that changed since the previous mark.
    pub balances: Vec<Balance>,
    /// For each dataset among the balances, whether it is frozen.
    pub freezes: Vec<Freeze>,
    /// Whether it holds all balances, so that no earlier mark is needed.
    pub is_whole: bool,
}

impl AnchorMark {
    /// Makes the mark of a ledger state at `at_ms`, with these of its balances.
    #[must_use]
    pub fn of(book: &LedgerState, balances: Vec<Balance>, is_whole: bool, at_ms: u64) -> Self {
        let (seq, head) = book.head();
        let datasets = balances.iter().filter(|balance| balance.kind == AccountKind::Dataset);
        let freezes = datasets.filter_map(|balance| book.freeze(&balance.dataset)).collect();
        Self { seq, head, at_ms, balances, freezes, is_whole }
    }
}

/// The journal failed; its own error text is not passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journal failed")]
pub struct JournalFault;

/// The port to the disk: where entries and the anchor are kept.
pub trait Journal: Send {
    /// Folds every entry that is on disk into a ledger state.
    ///
    /// # Errors
    /// [`JournalFault`] if the entries cannot be read or do not follow from one another.
    fn fold(&mut self) -> Result<LedgerState, JournalFault>;

    /// Writes a batch; when this returns, the batch is on disk.
    ///
    /// # Errors
    /// [`JournalFault`]; whether the batch was written is known only once the journal is folded again.
    fn commit(&mut self, batch: &CommitBatch) -> Result<(), JournalFault>;

    /// Appends a mark to the anchor; when this returns, the mark is on disk.
    ///
    /// # Errors
    /// [`JournalFault`] if it cannot be written or synced.
    fn anchor(&mut self, mark: &AnchorMark) -> Result<(), JournalFault>;

    /// Whether the next mark should hold all balances, because the anchor has grown long enough to be rewritten.
    fn wants_whole(&self) -> bool {
        false
    }
}

impl Journal for Box<dyn Journal> {
    fn fold(&mut self) -> Result<LedgerState, JournalFault> {
        self.as_mut().fold()
    }

    fn commit(&mut self, batch: &CommitBatch) -> Result<(), JournalFault> {
        self.as_mut().commit(batch)
    }

    fn anchor(&mut self, mark: &AnchorMark) -> Result<(), JournalFault> {
        self.as_mut().anchor(mark)
    }

    fn wants_whole(&self) -> bool {
        self.as_ref().wants_whole()
    }
}

/// What an order asks the writer to do.
pub enum WriterCommand {
    /// Charge for an answer; if a body is given, nothing is drawn and the body is stored in the same commit.
    Charge(Box<ChargeRequest>, Option<Vec<u8>>),
    /// Serve a stored answer again.
    Serve(Box<ServeRequest>),
    /// Record how a charged answer ended.
    Record(EvaluationOutcome),
    /// Append a steward's act, if its rule allows it.
    Act(Rule),
}

/// What the writer did with an order.
#[derive(Debug)]
pub enum WriterReply {
    /// A charge or the serving of a stored answer was decided.
    Decided(Box<ChargeDecision>),
    /// The outcome of an answer was recorded.
    Recorded,
    /// The answer had already ended, because the journal failed meanwhile; nothing was written.
    Missed,
    /// A steward's act was appended; `None` if its rule made none.
    Acted(Option<Box<Entry>>),
}

/// One order, with the callback that takes the reply.
pub struct WriterOrder {
    /// What the order asks for.
    pub job: WriterCommand,
    /// Time of the order, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
    /// Takes the reply. If the caller is gone by then, the decision stands all the same.
    pub reply: Box<dyn FnOnce(Result<WriterReply, LedgerFault>) + Send>,
}

/// A reply that is held back until the batch is durable.
struct Pending {
    reply: Box<dyn FnOnce(Result<WriterReply, LedgerFault>) + Send>,
    done: WriterReply,
    /// Whether an answer may leave with the reply, so that it also waits for the anchor.
    leaves: bool,
}

/// What the writer can currently do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readiness {
    /// Everything: the state equals the journal, and the anchor can be written.
    Ready,
    /// Only record how answers end, which are already paid for; nothing leaves until the anchor can be written.
    Unanchored,
    /// Nothing: the state in memory is not what is on disk.
    Broken,
}

/// The state of the ledger's one writer.
pub struct LedgerWriter<J> {
    book: Arc<RwLock<LedgerState>>,
    journal: J,
    /// Whether all orders are accepted; shared with whoever asks whether the server is ready.
    is_sound: Arc<AtomicBool>,
    /// Whether the state in memory equals what the journal holds.
    is_folded: bool,
    is_anchored: bool,
    /// Ids of releases whose receipts were handed out and not yet used.
    live: HashSet<String>,
}

impl<J: Journal> LedgerWriter<J> {
    /// Opens a writer over what the journal holds. Answers that were executing when the last process ended are burned.
    ///
    /// # Errors
    /// [`JournalFault`] if the journal cannot be read or written.
    pub fn open(mut journal: J, now_ms: u64) -> Result<Self, JournalFault> {
        let book = journal.fold()?;
        Self::over(journal, book, now_ms)
    }

    /// Opens a writer like [`LedgerWriter::open`], over a state that was already folded from the journal.
    ///
    /// # Errors
    /// [`JournalFault`] if the journal cannot be written.
    pub fn over(journal: J, book: LedgerState, now_ms: u64) -> Result<Self, JournalFault> {
        let book = Arc::new(RwLock::new(book));
        let is_sound = Arc::new(AtomicBool::new(true));
        let mut writer = Self { book, journal, is_sound, is_folded: true, is_anchored: false, live: HashSet::new() };
        let mut batch = CommitBatch::default();
        writer.burn_orphans(&mut batch, now_ms)?;
        if !batch.entries.is_empty() {
            writer.journal.commit(&batch)?;
        }
        writer.anchor(now_ms)?;
        Ok(writer)
    }

    /// The ledger state, shared with readers.
    #[must_use]
    pub fn book(&self) -> Arc<RwLock<LedgerState>> {
        Arc::clone(&self.book)
    }

    /// Whether all orders are accepted, as a flag shared with readers.
    #[must_use]
    pub fn soundness(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_sound)
    }

    /// Decides a batch of orders, commits it and replies. If it panics, nothing of the batch takes effect: the state is folded again, and
    /// the callers get an error.
    pub fn perform(&mut self, orders: Vec<WriterOrder>) {
        let performed = catch_unwind(AssertUnwindSafe(|| self.perform_all(orders)));
        if performed.is_err() {
            tracing::error!("the ledger's writer panicked");
            (self.is_folded, self.is_anchored) = (false, false);
            self.is_sound.store(false, Ordering::Release);
        }
    }

    fn perform_all(&mut self, orders: Vec<WriterOrder>) {
        let now_ms = orders.iter().map(|order| order.at_ms).max().unwrap_or_default();
        let mut batch = CommitBatch::default();
        let readiness = self.readiness(&mut batch, now_ms);
        self.is_sound.store(readiness == Readiness::Ready, Ordering::Release);
        let (mut pending, mut is_whole) = (Vec::with_capacity(orders.len()), readiness != Readiness::Broken);
        for WriterOrder { job, at_ms, reply } in orders {
            let is_taken = readiness == Readiness::Ready || matches!(job, WriterCommand::Record(_));
            if let (false, WriterCommand::Record(outcome)) = (is_whole, &job) {
                // The receipt is used up, whatever became of the answer.
                self.live.remove(outcome.release());
            }
            match if is_whole && is_taken { self.decide(&mut batch, job, at_ms) } else { Err(LedgerFault::Store) } {
                Ok((done, leaves)) => pending.push(Pending { reply, done, leaves }),
                Err(fault) => {
                    is_whole &= !is_taken;
                    reply(Err(fault));
                }
            }
        }
        let is_news = !batch.entries.is_empty();
        if readiness == Readiness::Broken {
            // Every order has already been told that it failed.
        } else if !is_whole || (is_news && self.journal.commit(&batch).is_err()) {
            self.is_folded = self.refold();
            self.is_sound.store(self.is_folded, Ordering::Release);
            pending.into_iter().for_each(|pending| (pending.reply)(Err(LedgerFault::Store)));
        } else {
            self.reply(pending, now_ms, is_news);
        }
    }

    /// After a failed commit, nothing is decided until the state has been folded from disk again, and nothing new is accepted until the
    /// anchor holds its head.
    fn readiness(&mut self, batch: &mut CommitBatch, now_ms: u64) -> Readiness {
        self.is_folded = self.is_folded || self.refold();
        if !self.is_folded {
            return Readiness::Broken;
        }
        let is_anchored = self.is_anchored || self.anchor(now_ms).is_ok();
        self.is_folded = self.burn_orphans(batch, now_ms).is_ok();
        match (self.is_folded, is_anchored) {
            (false, _) => Readiness::Broken,
            (true, false) => Readiness::Unanchored,
            (true, true) => Readiness::Ready,
        }
    }

    /// Replies to orders whose effects are durable; answers leave only once the anchor holds the head, too.
    fn reply(&mut self, pending: Vec<Pending>, now_ms: u64, is_news: bool) {
        let (leaving, staying): (Vec<_>, Vec<_>) = pending.into_iter().partition(|pending| pending.leaves);
        for Pending { reply, done, .. } in staying {
            if let WriterReply::Decided(decision) = &done
                && let ChargeDecision::Charged(receipt) = decision.as_ref()
            {
                self.live.insert(receipt.release().to_owned());
            }
            reply(Ok(done));
        }
        // Replies without an answer need no anchor yet: if a charge is lost before its answer left, nobody has learnt anything.
        let is_due = !leaving.is_empty() && (is_news || !self.is_anchored);
        let anchored = match (is_due, self.is_anchored) {
            (true, _) => self.anchor(now_ms),
            (false, true) => Ok(()),
            // The callers were already told, or nobody waits; the next order tries again.
            (false, false) => Err(JournalFault),
        };
        self.is_sound.store(anchored.is_ok(), Ordering::Release);
        for Pending { reply, done, .. } in leaving {
            reply(anchored.map(|()| done).map_err(|_| LedgerFault::Unanchored));
        }
    }

    /// Brings the anchor to the head, after which stored answers may be served. If a line with the changed balances cannot be appended,
    /// because somebody moved the file, a line with all balances may begin a new file.
    fn anchor(&mut self, at_ms: u64) -> Result<(), JournalFault> {
        let is_whole = !self.is_anchored || self.journal.wants_whole();
        match self.mark(is_whole, at_ms) {
            Err(JournalFault) if !is_whole => self.mark(true, at_ms),
            marked => marked,
        }
    }

    fn mark(&mut self, is_whole: bool, at_ms: u64) -> Result<(), JournalFault> {
        let mark = {
            let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
            let touched = book.take_touched();
            let balances = if is_whole { book.balances() } else { touched };
            AnchorMark::of(&book, balances, is_whole, at_ms)
        };
        let anchored = self.journal.anchor(&mark);
        self.is_anchored = anchored.is_ok();
        if self.is_anchored {
            self.book.write().unwrap_or_else(PoisonError::into_inner).make_durable();
        }
        anchored
    }

    /// Replaces the state in memory by the fold of the journal; returns whether the journal could be read.
    fn refold(&mut self) -> bool {
        self.is_anchored = false;
        match self.journal.fold() {
            Ok(mut folded) => {
                let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
                folded.keep_durable(&book);
                *book = folded;
                true
            }
            Err(JournalFault) => {
                tracing::error!("the ledger cannot be read back; nothing is charged until it can");
                false
            }
        }
    }

    /// Burns charges whose receipt nobody holds (EXECUTING → BURNED), because the process ended or the commit was reported as failed.
    fn burn_orphans(&mut self, batch: &mut CommitBatch, at_ms: u64) -> Result<(), JournalFault> {
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        let orphans: Vec<String> = book.executing().filter(|release| !self.live.contains(*release)).cloned().collect();
        for release in orphans {
            append(batch, &mut book, at_ms, Act::Burned { release, cause: Cause::CutOff }).map_err(|_| JournalFault)?;
        }
        Ok(())
    }

    /// Decides an order; returns what was done, and whether an answer leaves with the reply. After an error the state must be folded again.
    fn decide(
        &mut self,
        batch: &mut CommitBatch,
        job: WriterCommand,
        at_ms: u64,
    ) -> Result<(WriterReply, bool), LedgerFault> {
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        match job {
            WriterCommand::Charge(request, body) => {
                let leaves = body.is_some();
                let decision = charge(batch, &mut book, *request, body)?;
                Ok((WriterReply::Decided(Box::new(decision)), leaves))
            }
            WriterCommand::Serve(request) => {
                Ok((WriterReply::Decided(Box::new(serve(batch, &mut book, &request)?)), true))
            }
            WriterCommand::Record(outcome) => {
                let release = outcome.release();
                self.live.remove(release);
                if !book.release(release).is_some_and(|card| card.state == AnswerState::Executing) {
                    return Ok((WriterReply::Missed, false));
                }
                record(batch, &mut book, outcome, at_ms)?;
                Ok((WriterReply::Recorded, true))
            }
            WriterCommand::Act(rule) => match rule(&book) {
                Some(act) => Ok((WriterReply::Acted(Some(Box::new(append(batch, &mut book, at_ms, act)?))), true)),
                None => Ok((WriterReply::Acted(None), false)),
            },
        }
    }
}

fn charge(
    batch: &mut CommitBatch,
    book: &mut LedgerState,
    request: ChargeRequest,
    body: Option<Vec<u8>>,
) -> Result<ChargeDecision, LedgerFault> {
    if let Some(known) = request.key.and_then(|key| book.known_key(&request.researcher, &key)) {
        return Ok(known.map_or_else(ChargeDecision::Refused, ChargeDecision::Stored));
    }
    let charged = match book.charge(&request) {
        Ok(charged) => charged,
        Err(refusal) => return Ok(ChargeDecision::Refused(refusal)),
    };
    assert!(
        charged.account.spent <= charged.account.amount || charged.legs == Postings::default(),
        "what is admitted fits"
    );
    let is_new = request.steps.iter().flatten().any(PathStep::is_new);
    assert_eq!(body.is_some(), charged.drawn.is_empty() && !is_new, "what draws nothing is stored at once");
    let (release, legs, account) = (charged.release.clone(), charged.legs, charged.account);
    let replayed = charged.drawn.is_empty();
    let standing = Standing { release: release.clone(), account, legs, replayed, question: None };
    let steps = request.steps.clone().unwrap_or_default();
    let act = match request.steps {
        Some(steps) => Act::ChargedByPath(Box::new(PathCharge { charge: charged, steps })),
        None => Act::Charged(Box::new(charged)),
    };
    append(batch, book, request.at_ms, act)?;
    let Some(body) = body else {
        return Ok(ChargeDecision::Charged(Receipt::of_durable_charge(request.certificate, steps, standing)));
    };
    record(batch, book, EvaluationOutcome::Released { release, body }, request.at_ms)?;
    Ok(ChargeDecision::Stored(standing))
}

fn serve(
    batch: &mut CommitBatch,
    book: &mut LedgerState,
    request: &ServeRequest,
) -> Result<ChargeDecision, LedgerFault> {
    if let Some(known) = request.key.and_then(|key| book.known_key(&request.researcher, &key)) {
        return Ok(known.map_or_else(ChargeDecision::Refused, ChargeDecision::Stored));
    }
    let served = match book.serve(request) {
        Ok(served) => served,
        Err(refusal) => return Ok(ChargeDecision::Refused(refusal)),
    };
    assert_eq!(served.legs.dataset, Price::ZERO, "nothing is drawn");
    let (release, question) = (served.release.clone(), served.question.clone());
    let standing = Standing { release, account: served.account, legs: served.legs, replayed: true, question };
    let act = if book.is_served_by_path(&request.release) { Act::ServedByPath } else { Act::Served };
    append(batch, book, request.at_ms, act(Box::new(served)))?;
    Ok(ChargeDecision::Stored(standing))
}

fn record(
    batch: &mut CommitBatch,
    book: &mut LedgerState,
    outcome: EvaluationOutcome,
    at_ms: u64,
) -> Result<(), LedgerFault> {
    let act = match outcome {
        EvaluationOutcome::Released { release, body } => {
            let digest = Entry::hash(&body);
            batch.releases.push((release.clone(), body));
            Act::Released { release, digest }
        }
        EvaluationOutcome::Burned { release, cause } => Act::Burned { release, cause },
    };
    append(batch, book, at_ms, act).map(|_| ())
}

/// Appends one entry to the chain, in the batch and in the state. After an error the state must be folded again.
///
/// # Errors
/// [`LedgerFault::Store`] for an act that cannot follow the entries before it.
pub fn append(batch: &mut CommitBatch, book: &mut LedgerState, at_ms: u64, act: Act) -> Result<Entry, LedgerFault> {
    let (seq, head) = book.head();
    let entry = Entry::following(seq, head, at_ms, act);
    let bytes = entry.canonical_bytes();
    let hash = Entry::hash(&bytes);
    book.apply(&entry, hash).map_err(|inconsistent| {
        tracing::error!(seq = inconsistent.seq, why = %inconsistent.why, "an entry was not taken");
        LedgerFault::Store
    })?;
    batch.entries.push(EncodedEntry { seq: entry.seq, at_ms, kind: entry.act.kind(), bytes, hash });
    Ok(entry)
}
