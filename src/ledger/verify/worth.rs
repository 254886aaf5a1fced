//! What answers that are made of other views' points are worth, checked once the whole ledger is folded.
//!
//! Promises that every such answer is compared with the questions that drew those views, wherever in the ledger they stand.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use crate::kernel::budget::entry::{Act, Charge, Digest, Entry, PathCharge};
use crate::kernel::budget::state::LedgerState;
use crate::kernel::budget::steps::{PathStep, PointOrigin};
use crate::ledger::fault::EntryFault;
use crate::ledger::repricer::{LedgerFinding, MadeOf, Repricer};
use crate::ledger::sqlite::database::Database;

/// Maximum number of entries that wait for one thread.
const ENTRIES_WAITING_MAX: usize = 64;
/// Largest number of charges kept in memory.
const CHARGES_KEPT_MAX: usize = 10_000;

/// Checks what the answers of these entries are worth. The finding is the first entry that is wrong.
pub(super) fn check_worths(
    database: &Database,
    book: &LedgerState,
    repricer: &dyn Repricer,
    seqs: &[u64],
) -> Result<(), LedgerFinding> {
    let check = |(entry, made_of): (Entry, MadeOf)| {
        let checked = catch_unwind(AssertUnwindSafe(|| repricer.check_worth(&entry, &made_of)));
        let why = checked.unwrap_or(Err(EntryFault::Unpriceable));
        why.map_err(|why| LedgerFinding { seq: Some(entry.seq), why: why.to_string() })
    };
    thread::scope(|scope| {
        let workers = thread::available_parallelism().map_or(2, usize::from).min(seqs.len());
        let channels: Vec<_> = (0..workers).map(|_| sync_channel(ENTRIES_WAITING_MAX)).collect();
        let (senders, receivers): (Vec<_>, Vec<Receiver<_>>) = channels.into_iter().unzip();
        let check = &check;
        let running: Vec<_> =
            receivers.into_iter().map(|entries| scope.spawn(move || entries.into_iter().try_for_each(check))).collect();
        let mut reader = ChargeReader { database, book, kept: HashMap::new() };
        let unread = |seq: u64| LedgerFinding { seq: Some(seq), why: EntryFault::Unchecked.to_string() };
        let mut unreadable = None;
        for (turn, seq) in seqs.iter().enumerate() {
            let Some(entry) = reader.entry(*seq) else {
                unreadable = Some(unread(*seq));
                break;
            };
            let made_of = reader.made_of(&entry);
            if senders[turn % workers].send((entry, made_of)).is_err() {
                break;
            }
        }
        drop(senders);
        let ended = running.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(unread(0))));
        let mut found: Vec<LedgerFinding> = ended.filter_map(Result::err).chain(unreadable).collect();
        found.sort_by_key(|finding| finding.seq);
        found.into_iter().next().map_or(Ok(()), Err)
    })
}

/// Reads the charges that drew views, each once.
struct ChargeReader<'a> {
    database: &'a Database,
    book: &'a LedgerState,
    kept: HashMap<Digest, Option<Arc<Charge>>>,
}

impl ChargeReader<'_> {
    fn entry(&self, seq: u64) -> Option<Entry> {
        self.database.entries(seq.checked_sub(1)?, 1).ok()?.into_iter().next()
    }

    /// What the ledger holds of the views that an answer is made of.
    fn made_of(&mut self, entry: &Entry) -> MadeOf {
        let Act::ChargedByPath(by_path) = &entry.act else { return MadeOf::default() };
        let PathCharge { charge, steps } = &**by_path;
        let uses = charge.uses.iter().filter_map(|id| self.book.draw_of(id));
        let draws: Vec<_> = uses.map(|draw| (draw.view, draw.certified.price)).collect();
        let sources = steps.iter().flat_map(|step| match &step.origin {
            PointOrigin::Derived { sources, .. } => sources.as_slice(),
            PointOrigin::Stored | PointOrigin::Drawn { .. } | PointOrigin::Between { .. } => &[],
        });
        let given = steps.iter().filter(|step| step.is_given()).map(|step: &PathStep| step.view);
        let views = sources.map(|source| source.view).chain(given).chain(draws.iter().map(|(view, _)| *view));
        let charges = views.filter_map(|view| Some((view, self.first_charge(view)?))).collect();
        MadeOf { charges, draws }
    }

    /// The first charge that drew a view; `None` if nothing was drawn of it.
    fn first_charge(&mut self, view: Digest) -> Option<Arc<Charge>> {
        if let Some(known) = self.kept.get(&view) {
            return known.clone();
        }
        let charge = self.book.first_drawn(&view).and_then(|seq| self.entry(seq)).and_then(|entry| match entry.act {
            Act::Charged(charge) => Some(Arc::new(*charge)),
            Act::ChargedByPath(by_path) => Some(Arc::new(by_path.charge)),
            _ => None,
        });
        if self.kept.len() >= CHARGES_KEPT_MAX {
            self.kept.clear();
        }
        self.kept.insert(view, charge.clone());
        charge
    }
}
