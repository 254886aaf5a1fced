//! The fold: how each entry changes the ledger's state, and which entries are refused as inconsistent.

use super::fault::FoldFault;
use super::{AnswerCost, KeyRecord, LedgerState, QuestionRecord, ReleaseNo, ReleaseRecord};
use crate::kernel::budget::account::{Account, AccountNo, DatasetAccount, EditionMark, Raise, Renewal};
use crate::kernel::budget::charge::AnswerState;
use crate::kernel::budget::entry::{
    AccountKind, AccountMark, Act, Balance, Cap, Cause, Charge, Digest, Entry, KeyUse, NewDraw, Postings, Serving,
};
use crate::kernel::budget::people::{Role, STATISTICS};
use crate::kernel::budget::steps::{PathStep, levels_given};
use crate::kernel::privacy::amounts::{Delta, Epsilon, Price};
use crate::kernel::privacy::gdp::CELLS_MAX;

/// An entry that cannot follow the ones before it, because the ledger is damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq} does not follow: {why}")]
pub struct Inconsistency {
    /// Number of the refused entry.
    pub seq: u64,
    /// What is wrong with it.
    pub why: FoldFault,
}

pub(super) type FoldResult = Result<(), FoldFault>;

/// An idempotency key as an entry uses it, with the layout of the query if a stored answer is served again.
struct KeyUsed<'a> {
    researcher: &'a str,
    key: Option<KeyUse>,
    question: Option<Option<&'a str>>,
}

/// How a stored answer that is served again is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PaidBy {
    /// Draw by draw.
    Draws,
    /// By the levels of its views.
    Levels,
}

/// An allocation as an entry sets it.
struct Allocation<'a> {
    dataset: &'a str,
    kind: AccountKind,
    name: &'a str,
    project: Option<&'a str>,
    epsilon: Epsilon,
    amount: Price,
    period_days: Option<u32>,
    at_ms: u64,
}

impl LedgerState {
    /// Applies one entry to the state.
    ///
    /// # Errors
    /// [`Inconsistency`] if the entry does not follow from the ones before; the state must not be used afterwards.
    pub fn apply(&mut self, entry: &Entry, hash: Digest) -> Result<(), Inconsistency> {
        let wrong = |why| Inconsistency { seq: entry.seq, why };
        if Some(entry.seq) != self.seq.checked_add(1) || entry.previous != self.head {
            return Err(wrong(FoldFault::NotSuccessor));
        }
        self.take(entry).map_err(wrong)?;
        (self.seq, self.head) = (entry.seq, hash);
        self.note(entry);
        self.note_use(entry);
        Ok(())
    }

    pub(super) fn take(&mut self, entry: &Entry) -> FoldResult {
        match &entry.act {
            Act::DatasetOpened { dataset, unit, cap } => self.open(dataset, unit, *cap),
            Act::EditionSealed { dataset, edition, commitment, oversubscribe, .. } => {
                let whole = self.whole(dataset)?;
                whole.edition = Some(EditionMark { id: edition.clone(), commitment: commitment.clone() });
                whole.oversubscribe = *oversubscribe;
                Ok(())
            }
            Act::CapRaised { dataset, epsilon, amount, .. } => self.raise(dataset, *epsilon, *amount, entry.at_ms),
            Act::PersonAdded { name, role, token, .. } => self.add_person(name, *role, *token, entry.at_ms),
            Act::ViewerAdded { name, token, datasets, .. } => {
                self.set_viewing(name, datasets)?;
                self.add_person(name, Role::Viewer, *token, entry.at_ms)
            }
            Act::ViewingSet { name, datasets, .. } => self.set_viewing(name, datasets),
            Act::RoleSet { name, role, datasets, .. } => self.set_role(name, *role, datasets.as_deref()),
            Act::TokenRevoked { name, .. } => self.revoke(name, None),
            Act::TokenIssued(issued) => self.issue_token(issued, None, entry.at_ms),
            Act::TokenIssuedWithVerifier(token) => self.issue_token(&token.issued, Some(&token.verifier), entry.at_ms),
            Act::NamedTokenRevoked { name, token_name, .. } => self.revoke(name, Some(token_name)),
            Act::ProjectGranted { project: name, dataset, epsilon, amount, .. } => {
                let (kind, epsilon, amount, at_ms) = (AccountKind::Project, *epsilon, *amount, entry.at_ms);
                let (project, period_days) = (None, None);
                self.allocate(&Allocation { dataset, kind, name, project, epsilon, amount, period_days, at_ms })
            }
            Act::Granted { researcher: name, dataset, project, epsilon, amount, period_days, .. }
            | Act::RequestGranted { researcher: name, dataset, project, epsilon, amount, period_days, .. } => {
                if let Act::RequestGranted { request, reason, .. } = &entry.act {
                    self.grant_request(*request, (name, dataset), reason)?;
                }
                let (kind, epsilon, amount, at_ms) = (AccountKind::Researcher, *epsilon, *amount, entry.at_ms);
                let (project, period_days) = (project.as_deref(), *period_days);
                self.allocate(&Allocation { dataset, kind, name, project, epsilon, amount, period_days, at_ms })
            }
            Act::Frozen { dataset, .. } => self.alter(dataset, |whole| whole.frozen = true),
            Act::Unfrozen { dataset, .. } => self.alter(dataset, |whole| (whole.frozen, whole.incidents) = (false, 0)),
            Act::Charged(charged) => self.charged(entry, charged, None),
            Act::ChargedByPath(charged) => self.charged(entry, &charged.charge, Some(&charged.steps)),
            Act::Released { release, digest } => self.end(entry.seq, release, AnswerState::Sealed, Some(*digest)),
            Act::Burned { release, cause } => self.burn(entry.seq, release, *cause),
            Act::Served(served) => self.serve_again(entry, served, PaidBy::Draws),
            Act::ServedByPath(served) => self.serve_again(entry, served, PaidBy::Levels),
            Act::Recovered { balances, anchor_seq, .. } => {
                self.is_burnt |= anchor_seq.is_none();
                balances.iter().try_for_each(|balance| self.owe(balance))
            }
            Act::StatisticsGranted { dataset, epsilon, amount, period_days, .. } => {
                let (kind, name, project) = (AccountKind::Statistics, STATISTICS, None);
                let (epsilon, amount, period_days, at_ms) = (*epsilon, *amount, *period_days, entry.at_ms);
                self.allocate(&Allocation { dataset, kind, name, project, epsilon, amount, period_days, at_ms })
            }
            Act::Published { .. }
            | Act::RefreshSkipped { .. }
            | Act::Requested { .. }
            | Act::RequestDecided { .. }
            | Act::Applied { .. }
            | Act::StatisticConfirmed { .. } => self.take_at_desk(entry),
        }
    }

    pub(super) fn whole(&mut self, dataset: &str) -> Result<&mut DatasetAccount, FoldFault> {
        self.datasets.get_mut(dataset).ok_or(FoldFault::UnknownDataset)
    }

    /// Changes whether a dataset is frozen or how many incidents it has, and notes that the anchor must be told.
    fn alter(&mut self, dataset: &str, change: impl FnOnce(&mut DatasetAccount)) -> FoldResult {
        let whole = self.whole(dataset)?;
        change(whole);
        let account = whole.account;
        self.touched.insert(account);
        Ok(())
    }

    /// The index that the next account gets.
    fn next_account(&self) -> Result<AccountNo, FoldFault> {
        u32::try_from(self.accounts.len()).map(AccountNo).map_err(|_| FoldFault::AccountsFull)
    }

    /// Adds an account, which has the index from [`LedgerState::next_account`].
    fn add_account(&mut self, account: Account) -> AccountNo {
        let number = account.number;
        debug_assert_eq!(Ok(number), self.next_account(), "accounts are numbered in their order");
        self.accounts.push(account);
        self.touched.insert(number);
        number
    }

    fn open(&mut self, dataset: &str, unit: &str, cap: Cap) -> FoldResult {
        if self.datasets.contains_key(dataset) {
            return Err(FoldFault::DatasetOpened);
        }
        let owed = self.take_debt(dataset, AccountKind::Dataset, dataset);
        let mut account =
            Account::new(self.next_account()?, AccountKind::Dataset, (dataset, dataset), None, cap.epsilon);
        let burnt = if self.is_burnt { cap.amount } else { Price::ZERO };
        let burnt_delta = if self.is_burnt { cap.threshold_delta } else { Delta::ZERO };
        (account.amount, account.spent) = (cap.amount, owed.as_ref().map_or(burnt, |owed| owed.spent.max(burnt)));
        let whole = DatasetAccount {
            cap,
            account: self.add_account(account),
            unit: unit.to_owned(),
            cells: owed.as_ref().map_or(0, |owed| owed.cells),
            threshold_delta: owed.map_or(burnt_delta, |owed| owed.threshold_delta.max(burnt_delta)),
            edition: None,
            oversubscribe: false,
            incidents: 0,
            cut_off: 0,
            frozen: false,
            questions: 0,
            purposes: std::collections::BTreeMap::new(),
            raises: Vec::new(),
        };
        self.datasets.insert(dataset.to_owned(), whole);
        Ok(())
    }

    fn raise(&mut self, dataset: &str, epsilon: Epsilon, amount: Price, at_ms: u64) -> FoldResult {
        let number = self.whole(dataset)?.account;
        let account = &mut self.accounts[number.0 as usize];
        if amount <= account.amount {
            return Err(FoldFault::CapNotRaised);
        }
        let raise = Raise { at_ms, from: account.epsilon, to: epsilon };
        (account.epsilon, account.amount) = (epsilon, amount);
        self.whole(dataset)?.raises.push(raise);
        self.touched.insert(number);
        Ok(())
    }

    fn allocate(&mut self, to: &Allocation<'_>) -> FoldResult {
        let root = self.whole(to.dataset)?.account;
        let parent = match to.project {
            None => root,
            Some(project) => {
                self.number_of(to.dataset, AccountKind::Project, project).ok_or(FoldFault::UnknownProject)?
            }
        };
        let number = match self.number_of(to.dataset, to.kind, to.name) {
            Some(number) if self.account(number).parent == Some(parent) => number,
            Some(_) => return Err(FoldFault::OtherParent),
            None => self.open_below(to, parent)?,
        };
        let account = &mut self.accounts[number.0 as usize];
        (account.epsilon, account.amount) = (to.epsilon, to.amount);
        account.renewal = match (to.period_days, account.renewal) {
            (Some(days), Some(renewal)) if renewal.days == days => Some(renewal),
            (Some(days), _) => Some(Renewal { days, from_ms: to.at_ms, period: 0, spent_before: account.spent }),
            (None, _) => None,
        };
        self.touched.insert(number);
        Ok(())
    }

    fn open_below(&mut self, to: &Allocation<'_>, parent: AccountNo) -> Result<AccountNo, FoldFault> {
        let mut account = Account::new(self.next_account()?, to.kind, (to.name, to.dataset), Some(parent), to.epsilon);
        account.spent = self.take_debt(to.dataset, to.kind, to.name).map_or(Price::ZERO, |owed| owed.spent);
        let number = self.add_account(account);
        let holders = self.holders.entry(to.dataset.to_owned()).or_default();
        let named = match to.kind {
            AccountKind::Project => &mut holders.projects,
            AccountKind::Researcher | AccountKind::Statistics | AccountKind::Dataset => &mut holders.researchers,
        };
        named.insert(to.name.to_owned(), number);
        Ok(number)
    }

    /// Takes the charge of an answer, by its steps along noise paths or, without any, draw by draw.
    fn charged(&mut self, entry: &Entry, charged: &Charge, steps: Option<&[PathStep]>) -> FoldResult {
        let branch = self.branch(&charged.dataset, &charged.researcher).ok_or(FoldFault::NoAccount)?;
        let uses = self.resolve(&branch, &charged.uses).ok_or(FoldFault::UnknownDraw)?;
        self.check_made(&branch, (&charged.drawn, &uses), steps)?;
        let (mut drawn, mut cells) = (Price::ZERO, 0_u64);
        for one in &charged.drawn {
            drawn = drawn.checked_add(one.certified.price).ok_or(FoldFault::PriceOverflow)?;
            cells = cells.checked_add(one.certified.cells).ok_or(FoldFault::CellsOverflow)?;
        }
        let levels = steps.map(levels_given);
        let threshold_delta = charged.threshold_delta;
        let cost = AnswerCost { drawn, cells, threshold_delta, uses: &uses, levels: levels.as_deref() };
        self.is_by_order = self.check_legs(&branch, &cost, &charged.legs)?;
        if cells != charged.cells {
            return Err(FoldFault::WrongLegs);
        }
        if self.names.contains_key(&charged.release) {
            return Err(FoldFault::ReleaseCharged);
        }
        let whole = self.whole(&charged.dataset)?;
        if drawn > Price::ZERO && whole.is_frozen() {
            return Err(FoldFault::Frozen);
        }
        if charged.legs.researcher > whole.cap.query_max {
            return Err(FoldFault::OverQueryLimit);
        }
        let taken = whole.threshold_delta.checked_add(charged.threshold_delta);
        whole.threshold_delta =
            taken.filter(|all| *all <= whole.cap.threshold_delta).ok_or(FoldFault::ThresholdOverspent)?;
        whole.count(charged.purpose.as_deref());
        whole.cells =
            whole.cells.checked_add(cells).filter(|all| *all <= CELLS_MAX).ok_or(FoldFault::CellsExhausted)?;
        self.post(&branch, &charged.legs, entry.at_ms)?;
        if drawn > Price::ZERO {
            let project = branch.project.map(|project| (project, charged.legs.project));
            let ends = [Some((branch.researcher, charged.legs.researcher)), project, Some((branch.dataset, drawn))];
            for (number, leg) in ends.into_iter().flatten() {
                self.accounts[number.0 as usize].last = Some(leg);
            }
        }
        let number = self.index(entry.seq, &branch, charged, (uses.into(), steps))?;
        match steps {
            Some(steps) => self.begin_points(number, steps),
            None => {
                self.begin_draws(number);
                self.pay_for_draws(&branch, number);
            }
        }
        self.hand_over(entry.seq, &branch, number);
        let used = KeyUsed { researcher: &charged.researcher, key: charged.key, question: None };
        self.keep_key(entry.seq, used, number, charged.account, charged.legs)?;
        self.check_mark(&branch, &charged.account, entry.at_ms)
    }

    /// Posts all legs or, if one does not fit, none.
    fn post(&mut self, branch: &super::Branch, legs: &Postings, at_ms: u64) -> FoldResult {
        const TOO_MUCH: FoldFault = FoldFault::Overspent;
        if self.postings(branch, legs).any(|(account, leg)| leg > account.left_at(at_ms) && leg > Price::ZERO) {
            return Err(TOO_MUCH);
        }
        let project = branch.project.map(|project| (project, legs.project));
        let ends = [Some((branch.researcher, legs.researcher)), project, Some((branch.dataset, legs.dataset))];
        for (number, leg) in ends.into_iter().flatten().filter(|(_, leg)| *leg > Price::ZERO) {
            self.accounts[number.0 as usize].post(leg, at_ms).ok_or(TOO_MUCH)?;
            self.touched.insert(number);
        }
        Ok(())
    }

    fn check_mark(&self, branch: &super::Branch, mark: &AccountMark, at_ms: u64) -> FoldResult {
        if self.mark(self.account(branch.researcher), at_ms) == *mark { Ok(()) } else { Err(FoldFault::WrongBalance) }
    }

    fn index(
        &mut self,
        seq: u64,
        branch: &super::Branch,
        charged: &Charge,
        (uses, steps): (Box<[super::DrawNo]>, Option<&[PathStep]>),
    ) -> Result<ReleaseNo, FoldFault> {
        const TOO_MANY: FoldFault = FoldFault::ReleasesFull;
        let number = ReleaseNo(u32::try_from(self.releases.len()).map_err(|_| TOO_MANY)?);
        let first = u32::try_from(self.draws.len()).map_err(|_| TOO_MANY)?;
        for (index, one) in (0..).zip(&charged.drawn) {
            let draw = super::DrawNo(first.checked_add(index).ok_or(TOO_MANY)?);
            let NewDraw { view, certified } = *one;
            self.draws.push(super::DrawRecord { release: number, index, view, certified });
            self.views.entry(one.view).or_default().push(draw);
        }
        let last = u32::try_from(self.draws.len()).map_err(|_| TOO_MANY)?;
        let vectors = steps.into_iter().flatten().filter(|step| step.has_vector());
        self.releases.push(ReleaseRecord {
            id: charged.release.clone(),
            seq,
            researcher: branch.researcher,
            worth: charged.worth.clone().into(),
            state: AnswerState::Executing,
            digest: None,
            dataset: branch.dataset,
            drawn: first..last,
            uses,
            given: steps.map(|steps| levels_given(steps).into()),
            points: u32::try_from(vectors.clone().count()).map_err(|_| TOO_MANY)?,
            cells: vectors.fold(0, |sum, step| sum.saturating_add(step.cells)),
            is_whole: charged.threshold_delta > Delta::ZERO,
            ended: 0,
        });
        self.names.insert(charged.release.clone(), number);
        self.executing.insert(number);
        let question = self.questions.entry(charged.view).or_insert_with(|| QuestionRecord {
            dataset: charged.dataset.clone(),
            edition: charged.edition.clone(),
            sql: charged.sql.as_str().into(),
            rows_per_unit: charged.rows_per_unit,
            answers: Vec::new(),
        });
        question.answers.push(number);
        Ok(number)
    }

    /// Records that a researcher, and their project, has paid for every draw that an answer was computed from.
    fn pay_for_draws(&mut self, branch: &super::Branch, number: ReleaseNo) {
        for account in [Some(branch.researcher), branch.project].into_iter().flatten() {
            // Accesses the field directly, so that two fields of `self` are borrowed separately and nothing is copied.
            let card = &self.releases[number.0 as usize];
            self.paid.extend(card.draws().map(|draw| (account, draw)));
        }
    }

    /// Records that an answer was served to a researcher.
    fn hand_over(&mut self, seq: u64, branch: &super::Branch, number: ReleaseNo) {
        if let std::collections::hash_map::Entry::Vacant(first) = self.served.entry((branch.researcher, number)) {
            first.insert(seq);
            self.served_in_order.entry(branch.researcher).or_default().push(number);
        }
    }

    fn keep_key(
        &mut self,
        seq: u64,
        used: KeyUsed<'_>,
        release: ReleaseNo,
        account: AccountMark,
        legs: Postings,
    ) -> FoldResult {
        let Some(key) = used.key else { return Ok(()) };
        let replayed = used.question.is_some() || self.card(release).drawn.is_empty();
        let question = used.question.flatten().map(Into::into);
        let card = KeyRecord { seq, body: key.body, release, account, legs, replayed, question };
        match self.keys.entry(used.researcher.to_owned()).or_default().insert(key.key, card) {
            None => Ok(()),
            Some(_) => Err(FoldFault::KeyUsed),
        }
    }

    fn end(&mut self, seq: u64, release: &str, to: AnswerState, digest: Option<Digest>) -> FoldResult {
        let number = *self.names.get(release).ok_or(FoldFault::UnknownAnswer)?;
        let card = &mut self.releases[number.0 as usize];
        if !card.state.may_become(to) {
            return Err(FoldFault::AnswerEnded);
        }
        (card.state, card.ended, card.digest) = (to, seq, digest);
        self.executing.remove(&number);
        self.end_points(number, to == AnswerState::Sealed)
    }

    fn burn(&mut self, seq: u64, release: &str, cause: Cause) -> FoldResult {
        self.end(seq, release, AnswerState::Burned, None)?;
        let root = self.release(release).map(|card| card.dataset).ok_or(FoldFault::UnknownAnswer)?;
        let dataset = self.account(root).dataset.clone();
        self.alter(&dataset, |whole| match cause {
            Cause::Failed => whole.incidents = whole.incidents.saturating_add(1),
            Cause::Unrecorded | Cause::CutOff => whole.cut_off = whole.cut_off.saturating_add(1),
        })
    }

    fn serve_again(&mut self, entry: &Entry, served: &Serving, paid_by: PaidBy) -> FoldResult {
        let number = *self.names.get(&served.release).ok_or(FoldFault::UnknownAnswer)?;
        let card = self.card(number);
        if card.state != AnswerState::Sealed {
            return Err(FoldFault::AnswerNotStored);
        }
        let dataset = self.account(card.dataset).dataset.clone();
        let given = card.given.clone();
        let branch = self.branch(&dataset, &served.researcher).ok_or(FoldFault::NoAccount)?;
        let check = |cost: AnswerCost<'_>| self.check_legs(&branch, &cost, &served.legs);
        self.is_by_order = match paid_by {
            PaidBy::Levels if self.is_by_path(number) => self.with_cost_of_stored(number, check),
            PaidBy::Draws if given.is_none() => check(AnswerCost::of_stored(&card.draws().collect::<Vec<_>>())),
            PaidBy::Levels | PaidBy::Draws => Err(FoldFault::WrongLegs),
        }?;
        self.post(&branch, &served.legs, entry.at_ms)?;
        self.pay_for_stored(&branch, number, given.as_deref());
        self.hand_over(entry.seq, &branch, number);
        let question = Some(served.question.as_deref());
        let used = KeyUsed { researcher: &served.researcher, key: served.key, question };
        self.keep_key(entry.seq, used, number, served.account, served.legs)?;
        self.check_mark(&branch, &served.account, entry.at_ms)
    }

    /// Records what a researcher, and their project, has paid for with a stored answer: levels of paths, and draws from before there were any.
    fn pay_for_stored(&mut self, branch: &super::Branch, number: ReleaseNo, given: Option<&[(Digest, Price)]>) {
        let Some(given) = given else { return self.pay_for_draws(branch, number) };
        self.know(branch.researcher, given);
        for account in [Some(branch.researcher), branch.project].into_iter().flatten() {
            let card = &self.releases[number.0 as usize];
            self.paid.extend(card.uses.iter().map(|draw| (account, *draw)));
        }
    }

    /// Raises an account to at least a recovered balance; if the account does not exist yet, it will begin with that balance.
    fn owe(&mut self, balance: &Balance) -> FoldResult {
        let Some(number) = self.number_of(&balance.dataset, balance.kind, &balance.name) else {
            let is_it = |debt: &&mut Balance| {
                debt.dataset == balance.dataset && debt.kind == balance.kind && debt.name == balance.name
            };
            match self.debts.iter_mut().find(is_it) {
                Some(debt) => {
                    debt.spent = debt.spent.max(balance.spent);
                    debt.cells = debt.cells.max(balance.cells);
                    debt.threshold_delta = debt.threshold_delta.max(balance.threshold_delta);
                }
                None => self.debts.push(balance.clone()),
            }
            return Ok(());
        };
        let account = &mut self.accounts[number.0 as usize];
        account.spent = account.spent.max(balance.spent);
        self.touched.insert(number);
        if balance.kind == AccountKind::Dataset {
            let whole = self.whole(&balance.dataset)?;
            whole.cells = whole.cells.max(balance.cells);
            whole.threshold_delta = whole.threshold_delta.max(balance.threshold_delta);
        }
        Ok(())
    }

    fn take_debt(&mut self, dataset: &str, kind: AccountKind, name: &str) -> Option<Balance> {
        let is_it = |debt: &Balance| debt.dataset == dataset && debt.kind == kind && debt.name == name;
        let at = self.debts.iter().position(is_it)?;
        Some(self.debts.remove(at))
    }
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
