//! The watch: decides which entries of the ledger stewards are told of. They are charges that leave an account half, four fifths or
//! completely spent, requests for budget, and statistics that were due and not drawn.
//!
//! Promises that a [`Watch`] that takes every entry of a ledger once, in order, reports every event once, however late it takes them: it
//! computes balances from the entries alone, and reads from the book only what never changes. It reports balances, names and reasons,
//! which stewards see anyway, and nothing about rows. It sends nothing, and its only clock is the time of the entries.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::kernel::budget::account::Account;
use crate::kernel::budget::entry::{AccountKind, AccountMark, Act, Charge, Entry, Postings};
use crate::kernel::budget::people::STATISTICS;
use crate::kernel::budget::state::LedgerState;
use crate::kernel::privacy::amounts::{Epsilon, Price};
use crate::service::asking::refusals::Notice;
use crate::service::stewarding::accounts::AccountView;

/// The parts of an amount that are reported, in millionths, with their events. Each is a millionth less than its name says: the cost of
/// an answer falls short of the allocation that it was computed for by about 1e-9, so nobody ever spends the last bit of an amount.
const PARTS: [(u64, &str); 3] = [(499_999, "spent-50"), (799_999, "spent-80"), (999_999, "spent-100")];

/// The accounts after one entry of the ledger, with what has been reported of each. It is stored as JSON, so that it can go on after a
/// restart.
///
/// A part of an amount is reported by the first charge that reaches it: once for each amount that is set and, if the allocation renews,
/// once in each period.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    marks: BTreeMap<String, Mark>,
}

/// What is known of one account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    amount: Price,
    /// What has been spent since the account was opened.
    spent: Price,
    /// What had been spent before the present period. It differs between any two periods in which something is spent.
    before: Price,
    /// The amount as an ε; `None` until it is set.
    epsilon: Option<Epsilon>,
    /// How many of [`PARTS`] have been reported.
    told: usize,
}

/// The account that an entry is about, and the time of the entry.
#[derive(Clone, Copy)]
struct Subject<'a> {
    at_ms: u64,
    dataset: &'a str,
    kind: AccountKind,
    name: &'a str,
}

impl Subject<'_> {
    /// The account's key among the marks. Names have no spaces, so no two accounts share a key.
    fn key(&self) -> String {
        format!("{} {} {}", self.kind.name(), self.dataset, self.name)
    }
}

impl Mark {
    /// The present state of an account. The parts that it has reached count as reported.
    fn of(account: &Account, now_ms: u64) -> Self {
        let (amount, spent, before) = (account.amount, account.spent, account.spent_before(now_ms));
        let mark = Self { amount, spent, before, epsilon: Some(account.epsilon), told: 0 };
        Self { told: mark.reached(), ..mark }
    }

    /// What has been spent in the present period.
    fn spent_now(&self) -> Price {
        self.spent.left_after(self.before)
    }

    /// How many of [`PARTS`] have been reached in the present period.
    fn reached(&self) -> usize {
        let (spent, amount) = (u128::from(self.spent_now().quanta()), u128::from(self.amount.quanta()));
        let is_reached = |part: u64| amount > 0 && spent * 1_000_000 >= amount * u128::from(part);
        PARTS.iter().filter(|(part, _)| is_reached(*part)).count()
    }
}

impl Watch {
    /// Begins with the present state of all accounts: what happened before is not reported.
    #[must_use]
    pub fn new(book: &LedgerState, now_ms: u64) -> Self {
        let accounts = book.datasets().flat_map(|(dataset, _)| book.accounts_of(dataset));
        let mark = |account: &Account| {
            let (dataset, kind, name) = (account.dataset.as_str(), account.kind, account.name.as_str());
            (Subject { at_ms: now_ms, dataset, kind, name }.key(), Mark::of(account, now_ms))
        };
        Self { marks: accounts.map(mark).collect() }
    }

    /// Takes the next entry and returns what it reports. `book` may be further on than that entry.
    pub fn take(&mut self, entry: &Entry, book: &LedgerState) -> Vec<Notice> {
        let at_ms = entry.at_ms;
        match &entry.act {
            Act::Charged(charged) => self.charged(at_ms, charged, book),
            Act::ChargedByPath(charged) => self.charged(at_ms, &charged.charge, book),
            Act::Served(served) | Act::ServedByPath(served) => {
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

    fn charged(&mut self, at_ms: u64, charged: &Charge, book: &LedgerState) -> Vec<Notice> {
        let who = (charged.dataset.as_str(), charged.researcher.as_str());
        self.spend(at_ms, who, &charged.legs, &charged.account, book)
    }

    /// Takes the acts that set the amounts of datasets and projects. The amounts of researchers and of statistics are in their charges.
    fn settle(&mut self, act: &Act, at_ms: u64) {
        match act {
            Act::DatasetOpened { dataset, cap, .. } => {
                self.set(
                    Subject { at_ms, dataset, kind: AccountKind::Dataset, name: dataset },
                    cap.amount,
                    cap.epsilon,
                );
            }
            Act::CapRaised { dataset, epsilon, amount, .. } => {
                self.set(Subject { at_ms, dataset, kind: AccountKind::Dataset, name: dataset }, *amount, *epsilon);
            }
            Act::ProjectGranted { project, dataset, epsilon, amount, .. } => {
                self.set(Subject { at_ms, dataset, kind: AccountKind::Project, name: project }, *amount, *epsilon);
            }
            Act::Recovered { balances, .. } => {
                for balance in balances {
                    let (dataset, kind, name) = (balance.dataset.as_str(), balance.kind, balance.name.as_str());
                    let mark = self.marks.entry(Subject { at_ms, dataset, kind, name }.key()).or_default();
                    mark.spent = mark.spent.max(balance.spent);
                }
            }
            Act::Applied { acts, .. } => acts.iter().for_each(|single| self.settle(&single.0, at_ms)),
            Act::EditionSealed { .. }
            | Act::PersonAdded { .. }
            | Act::TokenRevoked { .. }
            | Act::TokenIssued(_)
            | Act::TokenIssuedWithVerifier(_)
            | Act::NamedTokenRevoked { .. }
            | Act::Granted { .. }
            | Act::Frozen { .. }
            | Act::Unfrozen { .. }
            | Act::Charged(_)
            | Act::ChargedByPath(_)
            | Act::Released { .. }
            | Act::Burned { .. }
            | Act::Served(_)
            | Act::ServedByPath(_)
            | Act::StatisticsGranted { .. }
            | Act::Published { .. }
            | Act::RefreshSkipped { .. }
            | Act::Requested { .. }
            | Act::RequestDecided { .. }
            | Act::RequestGranted { .. }
            | Act::StatisticConfirmed { .. }
            | Act::ViewerAdded { .. }
            | Act::ViewingSet { .. }
            | Act::RoleSet { .. } => {}
        }
    }

    /// Sets an amount. If it differs from the one before, its parts are reported anew.
    fn set(&mut self, subject: Subject<'_>, amount: Price, epsilon: Epsilon) {
        let mark = self.marks.entry(subject.key()).or_default();
        if mark.amount != amount {
            mark.told = 0;
        }
        (mark.amount, mark.epsilon) = (amount, Some(epsilon));
    }

    /// Adds what an answer cost to each account that pays for it: the researcher's or the statistics', the project's, and the dataset's.
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
        let mut notices = self.look(Subject { at_ms, dataset, kind, name: researcher }, own, book);
        // The project that a researcher's account belongs to never changes, so a book that is further on names the same one.
        let project = book.branch(dataset, researcher).and_then(|branch| branch.project);
        let project = project.map(|number| (AccountKind::Project, book.account(number).name.as_str(), legs.project));
        for (kind, name, leg) in project.into_iter().chain([(AccountKind::Dataset, dataset, legs.dataset)]) {
            let subject = Subject { at_ms, dataset, kind, name };
            let known = self.marks.get(&subject.key()).copied().unwrap_or_default();
            let mark = Mark { spent: known.spent.saturating_add(leg), ..known };
            notices.extend(self.look(subject, mark, book));
        }
        notices
    }

    /// Stores the state of an account after a charge, and reports the parts that this charge was the first to reach.
    fn look(&mut self, subject: Subject<'_>, mark: Mark, book: &LedgerState) -> Vec<Notice> {
        let slot = self.marks.entry(subject.key()).or_default();
        let is_same = (slot.amount, slot.before) == (mark.amount, mark.before);
        let (told, reached) = (if is_same { slot.told } else { 0 }, mark.reached());
        *slot = Mark { told: told.max(reached), ..mark };
        let news = PARTS.get(told..reached).unwrap_or_default();
        news.iter().filter_map(|part| crossed(part.1, subject, &mark, book)).collect()
    }
}

/// The notice that an account has reached a part; `None` if its dataset or its amount is not known.
fn crossed(event: &'static str, subject: Subject<'_>, mark: &Mark, book: &LedgerState) -> Option<Notice> {
    let accountant = book.dataset(subject.dataset)?.cap.accountant;
    let (spent, lifetime, amount) = (mark.spent_now(), mark.spent, mark.amount);
    let account = AccountMark { spent, lifetime, amount, left: amount.left_after(spent), epsilon: mark.epsilon? };
    let AccountView { epsilon_cap, epsilon_spent, fraction_spent, .. } = AccountView::of(accountant, &account);
    // The name of the statistics' account in the ledger is one that no person can have; its kind says more.
    let name = if subject.kind == AccountKind::Statistics { subject.kind.name() } else { subject.name };
    let more = json!({
        "dataset": subject.dataset, "kind": subject.kind.name(), "name": name, "fraction": fraction_spent,
        "epsilon_spent": epsilon_spent, "epsilon_cap": epsilon_cap
    });
    Some(Notice::new(event, subject.at_ms, more))
}
