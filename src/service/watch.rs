//! What stewards are told of: accounts that are spent half, by four fifths and whole, requests, statistics that were not drawn,
//! questions that were refused.
//!
//! Promises that a [`Watch`] that takes every entry of a ledger once, in order, tells of everything once, whatever happened between two
//! looks: it counts from the entries alone, and the book says only what never changes. It tells balances, names and reasons, which
//! stewards see anyway, and nothing of rows. It sends nothing and knows no time but that of the entries.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::kernel::budget::account::Account;
use crate::kernel::budget::charge::Refusal;
use crate::kernel::budget::entry::{AccountKind, AccountMark, Act, Entry, Postings};
use crate::kernel::budget::people::STATISTICS;
use crate::kernel::budget::state::LedgerState;
use crate::kernel::privacy::amounts::{Epsilon, Price};
use crate::service::stewarding::accounts::{AccountView, timestamp};

/// Parts of an amount that are told, in millionths, and their events. A millionth is forgiven: what one answer costs falls short of
/// what an allocation holds by about 1e-9, so that nobody ever spends the last unit.
const PARTS: [(u64, &str); 3] = [(499_999, "spent-50"), (799_999, "spent-80"), (999_999, "spent-100")];
/// Refusals that are kept, waiting or remembered, at the most.
const REFUSALS_MAX: usize = 1_000;
/// Milliseconds in which the same refusal of the same person is told once.
const REFUSAL_PAUSE_MS: u64 = 3_600_000;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The event's word.
    pub event: &'static str,
    /// What is told, the event and its moment included.
    pub body: Value,
}

impl Notice {
    fn new(event: &'static str, at_ms: u64, more: Value) -> Self {
        let mut body = json!({"event": event, "at": timestamp(at_ms)});
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        Self { event, body }
    }
}

/// Accounts as of one entry of the ledger, with what was told of them; written down as JSON, it is taken up again after a restart.
///
/// A part of an account is told by the first charge that leaves it spent that far, once for each amount that is set and, where the
/// allocation renews, for each period.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    marks: BTreeMap<String, Mark>,
}

/// One account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    amount: Price,
    /// All in all.
    spent: Price,
    /// Before the present period; it tells periods apart in which anything is spent.
    before: Price,
    /// The ε of the amount, once it is set.
    epsilon: Option<Epsilon>,
    /// How many of [`PARTS`] were told.
    told: usize,
}

/// Which account something is said of, and when.
#[derive(Clone, Copy)]
struct Place<'a> {
    at_ms: u64,
    dataset: &'a str,
    kind: AccountKind,
    name: &'a str,
}

impl Place<'_> {
    /// Names hold no spaces, so no two places have one key.
    fn key(&self) -> String {
        format!("{} {} {}", self.kind.name(), self.dataset, self.name)
    }
}

impl Mark {
    /// An account as it is; what it has reached counts as told.
    fn of(account: &Account, now_ms: u64) -> Self {
        let (amount, spent, before) = (account.amount, account.spent, account.spent_before(now_ms));
        let mark = Self { amount, spent, before, epsilon: Some(account.epsilon), told: 0 };
        Self { told: mark.reached(), ..mark }
    }

    fn spent_now(&self) -> Price {
        self.spent.left_after(self.before)
    }

    /// How many of [`PARTS`] are spent.
    fn reached(&self) -> usize {
        let (spent, amount) = (u128::from(self.spent_now().quanta()), u128::from(self.amount.quanta()));
        let is_reached = |part: u64| amount > 0 && spent * 1_000_000 >= amount * u128::from(part);
        PARTS.iter().filter(|(part, _)| is_reached(*part)).count()
    }
}

impl Watch {
    /// Accounts as they are now: what happened before is not told.
    #[must_use]
    pub fn new(book: &LedgerState, now_ms: u64) -> Self {
        let accounts = book.datasets().flat_map(|(dataset, _)| book.accounts_of(dataset));
        let mark = |account: &Account| {
            let (dataset, kind, name) = (account.dataset.as_str(), account.kind, account.name.as_str());
            (Place { at_ms: now_ms, dataset, kind, name }.key(), Mark::of(account, now_ms))
        };
        Self { marks: accounts.map(mark).collect() }
    }

    /// What the next entry tells; `book` is at that entry or further on.
    pub fn take(&mut self, entry: &Entry, book: &LedgerState) -> Vec<Notice> {
        let at_ms = entry.at_ms;
        match &entry.act {
            Act::Charged(charged) => {
                let who = (charged.dataset.as_str(), charged.researcher.as_str());
                self.spend(at_ms, who, &charged.legs, &charged.account, book)
            }
            Act::Served(served) => {
                let Some(card) = book.release(&served.release) else { return Vec::new() };
                let who = (book.account(card.researcher).dataset.as_str(), served.researcher.as_str());
                self.spend(at_ms, who, &served.legs, &served.account, book)
            }
            Act::Requested { researcher, dataset, epsilon, reason } => {
                let more = json!({
                    "number": entry.seq, "researcher": researcher, "dataset": dataset, "epsilon": epsilon.to_string(),
                    "reason": reason
                });
                vec![Notice::new("request-filed", at_ms, more)]
            }
            Act::RefreshSkipped { statistic, why } => {
                vec![Notice::new("refresh-skipped", at_ms, json!({"statistic": statistic, "why": why}))]
            }
            settled => {
                self.settle(settled, at_ms);
                Vec::new()
            }
        }
    }

    /// Takes in what sets the amounts of datasets and projects. Those of researchers and of statistics stand in their charges.
    fn settle(&mut self, act: &Act, at_ms: u64) {
        match act {
            Act::DatasetOpened { dataset, cap, .. } => {
                self.set(Place { at_ms, dataset, kind: AccountKind::Dataset, name: dataset }, cap.amount, cap.epsilon);
            }
            Act::CapRaised { dataset, epsilon, amount, .. } => {
                self.set(Place { at_ms, dataset, kind: AccountKind::Dataset, name: dataset }, *amount, *epsilon);
            }
            Act::ProjectGranted { project, dataset, epsilon, amount, .. } => {
                self.set(Place { at_ms, dataset, kind: AccountKind::Project, name: project }, *amount, *epsilon);
            }
            Act::Recovered { balances, .. } => {
                for balance in balances {
                    let (dataset, kind, name) = (balance.dataset.as_str(), balance.kind, balance.name.as_str());
                    let mark = self.marks.entry(Place { at_ms, dataset, kind, name }.key()).or_default();
                    mark.spent = mark.spent.max(balance.spent);
                }
            }
            Act::Applied { acts, .. } => acts.iter().for_each(|single| self.settle(&single.0, at_ms)),
            Act::EditionSealed { .. }
            | Act::PersonAdded { .. }
            | Act::TokenRevoked { .. }
            | Act::Granted { .. }
            | Act::Frozen { .. }
            | Act::Unfrozen { .. }
            | Act::Charged(_)
            | Act::Released { .. }
            | Act::Burned { .. }
            | Act::Served(_)
            | Act::StatisticsGranted { .. }
            | Act::Published { .. }
            | Act::RefreshSkipped { .. }
            | Act::Requested { .. }
            | Act::RequestDecided { .. }
            | Act::RequestGranted { .. }
            | Act::StatisticConfirmed { .. }
            | Act::ViewerAdded { .. }
            | Act::ViewingSet { .. } => {}
        }
    }

    fn set(&mut self, place: Place<'_>, amount: Price, epsilon: Epsilon) {
        let mark = self.marks.entry(place.key()).or_default();
        if mark.amount != amount {
            mark.told = 0;
        }
        (mark.amount, mark.epsilon) = (amount, Some(epsilon));
    }

    /// Posts what an answer took to each account on its way to the root.
    fn spend(
        &mut self,
        at_ms: u64,
        (dataset, researcher): (&str, &str),
        legs: &Postings,
        account: &AccountMark,
        book: &LedgerState,
    ) -> Vec<Notice> {
        let (amount, spent, before) = (account.amount, account.lifetime, account.lifetime.left_after(account.spent));
        let own = Mark { amount, spent, before, epsilon: Some(account.epsilon), told: 0 };
        let kind = if researcher == STATISTICS { AccountKind::Statistics } else { AccountKind::Researcher };
        let mut notices = self.look(Place { at_ms, dataset, kind, name: researcher }, own, book);
        // Where a researcher's account hangs never changes, so a book that is further on says it as well.
        let project = book.branch(dataset, researcher).and_then(|branch| branch.project);
        let project = project.map(|number| (AccountKind::Project, book.account(number).name.as_str(), legs.project));
        for (kind, name, leg) in project.into_iter().chain([(AccountKind::Dataset, dataset, legs.dataset)]) {
            let place = Place { at_ms, dataset, kind, name };
            let known = self.marks.get(&place.key()).copied().unwrap_or_default();
            let mark = Mark { spent: known.spent.saturating_add(leg), ..known };
            notices.extend(self.look(place, mark, book));
        }
        notices
    }

    /// Takes in an account as it is after a charge, and tells what it reached first.
    fn look(&mut self, place: Place<'_>, mark: Mark, book: &LedgerState) -> Vec<Notice> {
        let slot = self.marks.entry(place.key()).or_default();
        let is_same = (slot.amount, slot.before) == (mark.amount, mark.before);
        let (told, reached) = (if is_same { slot.told } else { 0 }, mark.reached());
        *slot = Mark { told: told.max(reached), ..mark };
        let news = PARTS.get(told..reached).unwrap_or_default();
        news.iter().filter_map(|part| crossed(part.1, place, &mark, book)).collect()
    }
}

fn crossed(event: &'static str, place: Place<'_>, mark: &Mark, book: &LedgerState) -> Option<Notice> {
    let accountant = book.dataset(place.dataset)?.cap.accountant;
    let (spent, lifetime, amount) = (mark.spent_now(), mark.spent, mark.amount);
    let account = AccountMark { spent, lifetime, amount, left: amount.left_after(spent), epsilon: mark.epsilon? };
    let AccountView { epsilon_cap, epsilon_spent, fraction_spent, .. } = AccountView::of(accountant, &account);
    // The statistics account's own name is one that no person can have.
    let name = if place.kind == AccountKind::Statistics { place.kind.name() } else { place.name };
    let more = json!({
        "dataset": place.dataset, "kind": place.kind.name(), "name": name, "fraction": fraction_spent,
        "epsilon_spent": epsilon_spent, "epsilon_cap": epsilon_cap
    });
    Some(Notice::new(event, place.at_ms, more))
}

/// Questions that were refused, which the ledger does not hold: a bounded queue in memory, lost when the process ends.
#[derive(Default)]
pub struct Refusals(Mutex<Noted>);

#[derive(Default)]
struct Noted {
    waiting: VecDeque<Notice>,
    /// By person, dataset and code, when it was last told.
    told: HashMap<(String, String, &'static str), u64>,
}

impl Refusals {
    /// Notes a refusal for want of budget, once an hour for each person, dataset and code; other refusals are nobody else's business.
    pub fn note(&self, who: &str, dataset: &str, refusal: &Refusal, at_ms: u64) {
        let Some(code) = code(refusal) else { return };
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Noted { waiting, told } = &mut *noted;
        let key = (who.to_owned(), dataset.to_owned(), code);
        if told.get(&key).is_some_and(|known| known.abs_diff(at_ms) < REFUSAL_PAUSE_MS) {
            return;
        }
        if told.len() >= REFUSALS_MAX {
            told.retain(|_, known| known.abs_diff(at_ms) < REFUSAL_PAUSE_MS);
        }
        if told.len() >= REFUSALS_MAX || waiting.len() >= REFUSALS_MAX {
            return;
        }
        told.insert(key, at_ms);
        let more = json!({"researcher": who, "dataset": dataset, "code": code});
        waiting.push_back(Notice::new("refused", at_ms, more));
    }

    /// Takes what waits, oldest first.
    #[must_use]
    pub fn take(&self) -> Vec<Notice> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.waiting.drain(..).collect()
    }
}

/// The code of a refusal that a steward can do something about, as problems have it.
fn code(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::Exhausted { .. } | Refusal::CellsExhausted { .. } | Refusal::ThresholdExhausted { .. } => {
            Some("budget-exhausted")
        }
        Refusal::OverQueryLimit { .. } => Some("over-query-limit"),
        Refusal::Frozen { .. } => Some("frozen"),
        Refusal::NoAccount | Refusal::Gone | Refusal::KeyConflict | Refusal::Unanswered => None,
    }
}
