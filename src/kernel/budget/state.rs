//! The book: every balance as a fold of the entries, and what can be read off it.
//!
//! Promises that [`Book::apply`] of the same entries gives the same balances, and that no entry leaves an account above its amount.
//! Reading costs the same at any length of history.

mod admit;
mod requests;
mod fold;
mod served;
mod access;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;

use super::account::{Account, AccountNo, DatasetAccount};
use super::charge::{Refusal, Standing, State};
use super::entry::{AccountMark, Balance, Digest, DrawId, Freeze, GENESIS, KeyUse, Kind, Legs};
use super::people::{Person, Role, STATISTICS};
use crate::kernel::privacy::amounts::{Delta, Price};
use crate::kernel::privacy::certificate::Certified;

pub use crate::kernel::budget::state::requests::{
    Confirmation, REQUESTS_OPEN_MAX, RequestCard, ShownRelease, StatisticCard,
};
pub use admit::Wish;
pub use fold::Inconsistent;

/// A release's place in the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReleaseNo(u32);

/// A draw's place in the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DrawNo(u32);

/// The accounts that a researcher's question posts to, from theirs to the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Branch {
    /// The researcher's.
    pub researcher: AccountNo,
    /// The project's that it hangs below.
    pub project: Option<AccountNo>,
    /// The dataset's.
    pub dataset: AccountNo,
}

/// One noisy vector that was paid for.
#[derive(Debug, Clone, Copy)]
pub struct DrawCard {
    /// The release that drew it.
    pub release: ReleaseNo,
    /// Its place among those that the release drew.
    pub index: u32,
    /// Its sensitivity, its noise and its price.
    pub certified: Certified,
}

/// One answer in the book's index.
#[derive(Debug, Clone)]
pub struct ReleaseCard {
    /// Its id.
    pub id: String,
    /// The entry that charged it.
    pub seq: u64,
    /// The account of who had it made.
    pub researcher: AccountNo,
    /// What each measurement is worth.
    pub worth: Box<[Price]>,
    /// Where it stands.
    pub state: State,
    /// The digest of the stored answer, once there is one.
    pub digest: Option<Digest>,
    dataset: AccountNo,
    drawn: Range<u32>,
    uses: Box<[DrawNo]>,
    /// The entry that ended it, 0 before.
    ended: u64,
}

impl ReleaseCard {
    /// Every vector that it was computed from.
    pub fn draws(&self) -> impl Iterator<Item = DrawNo> {
        self.drawn.clone().map(DrawNo).chain(self.uses.iter().copied())
    }
}

/// One question without its accuracy, and its answers from the oldest on.
#[derive(Debug, Clone)]
pub struct Question {
    /// Of which dataset.
    pub dataset: String,
    /// Of which edition.
    pub edition: String,
    /// Its canonical SQL, as it was first asked.
    pub sql: Box<str>,
    /// Rows of a unit that count.
    pub rows_per_unit: u32,
    answers: Vec<ReleaseNo>,
}

/// What an idempotency key stands for.
#[derive(Debug, Clone)]
struct KeyCard {
    seq: u64,
    body: Digest,
    release: ReleaseNo,
    account: AccountMark,
    legs: Legs,
    replayed: bool,
    question: Option<Box<str>>,
}

/// Researchers and projects of one dataset by name; the statistics account stands among the researchers, under a name that no
/// person can have.
#[derive(Debug, Default, Clone)]
struct Holders {
    researchers: BTreeMap<String, AccountNo>,
    projects: BTreeMap<String, AccountNo>,
}

/// All balances and indices at one entry of the chain.
#[derive(Debug, Default)]
pub struct Book {
    seq: u64,
    durable: u64,
    head: Digest,
    datasets: BTreeMap<String, DatasetAccount>,
    holders: HashMap<String, Holders>,
    accounts: Vec<Account>,
    paid: HashSet<(AccountNo, DrawNo)>,
    /// With the entry that served it first.
    served: HashMap<(AccountNo, ReleaseNo), u64>,
    shelves: HashMap<AccountNo, Vec<ReleaseNo>>,
    people: BTreeMap<String, (Role, Option<Digest>)>,
    tokens: HashMap<Digest, String>,
    /// Datasets that viewers were given; who is not named here was given none by name, and sees all.
    viewing: BTreeMap<String, BTreeSet<String>>,
    releases: Vec<ReleaseCard>,
    names: HashMap<String, ReleaseNo>,
    executing: BTreeSet<ReleaseNo>,
    draws: Vec<DrawCard>,
    views: HashMap<Digest, Vec<DrawNo>>,
    questions: HashMap<Digest, Question>,
    keys: HashMap<String, HashMap<Digest, KeyCard>>,
    debts: Vec<Balance>,
    statistics: BTreeMap<String, StatisticCard>,
    requests: BTreeMap<u64, RequestCard>,
    /// What files declare, as they were last applied.
    managed: BTreeSet<String>,
    /// Whether a recovery had nothing to believe: what is opened from then on begins with nothing left.
    is_burnt: bool,
    touched: BTreeSet<AccountNo>,
}

impl Book {
    /// An empty book before the first entry.
    #[must_use]
    pub fn new() -> Self {
        Self { head: GENESIS, ..Self::default() }
    }

    /// The number and the hash of the last entry.
    #[must_use]
    pub fn head(&self) -> (u64, Digest) {
        (self.seq, self.head)
    }

    /// Declares that all entries so far are on disk and in the anchor. An answer is served again only once its release is.
    pub fn make_durable(&mut self) {
        self.durable = self.seq;
    }

    /// Declares durable what was so in `before`, as far as it is still there.
    pub fn keep_durable(&mut self, before: &Self) {
        self.durable = before.durable.min(self.seq);
    }

    /// A dataset's account.
    #[must_use]
    pub fn dataset(&self, name: &str) -> Option<&DatasetAccount> {
        self.datasets.get(name)
    }

    /// All datasets by name.
    pub fn datasets(&self) -> impl Iterator<Item = (&String, &DatasetAccount)> {
        self.datasets.iter()
    }

    /// One account.
    #[must_use]
    pub fn account(&self, number: AccountNo) -> &Account {
        &self.accounts[number.0 as usize]
    }

    /// The account of a dataset, a project or a researcher; a dataset has one for statistics, whatever `name` is.
    #[must_use]
    pub fn find(&self, dataset: &str, kind: Kind, name: &str) -> Option<&Account> {
        self.number_of(dataset, kind, name).map(|number| self.account(number))
    }

    /// The number of an account.
    #[must_use]
    pub fn number_of(&self, dataset: &str, kind: Kind, name: &str) -> Option<AccountNo> {
        match kind {
            Kind::Dataset => self.datasets.get(dataset).map(|whole| whole.account),
            Kind::Project => self.holders.get(dataset)?.projects.get(name).copied(),
            Kind::Researcher => self.holders.get(dataset)?.researchers.get(name).copied(),
            Kind::Statistics => self.holders.get(dataset)?.researchers.get(STATISTICS).copied(),
        }
    }

    /// A researcher's account of a dataset.
    #[must_use]
    pub fn researcher(&self, dataset: &str, name: &str) -> Option<&Account> {
        self.find(dataset, Kind::Researcher, name)
    }

    /// The accounts that a researcher's question of a dataset posts to.
    #[must_use]
    pub fn branch(&self, dataset: &str, researcher: &str) -> Option<Branch> {
        let researcher = *self.holders.get(dataset)?.researchers.get(researcher)?;
        let parent = self.account(researcher).parent?;
        match self.account(parent).parent {
            None => Some(Branch { researcher, project: None, dataset: parent }),
            Some(root) => Some(Branch { researcher, project: Some(parent), dataset: root }),
        }
    }

    /// All accounts of a dataset: its own, then the projects', then the researchers', each by name.
    pub fn accounts_of(&self, dataset: &str) -> impl Iterator<Item = &Account> {
        let own = self.datasets.get(dataset).map(|whole| whole.account);
        let holders = self.holders.get(dataset);
        let projects = holders.into_iter().flat_map(|holders| holders.projects.values());
        let researchers = holders.into_iter().flat_map(|holders| holders.researchers.values());
        own.into_iter().chain(projects.copied()).chain(researchers.copied()).map(|number| self.account(number))
    }

    /// What the accounts right below `parent` take of it, without the account `but`.
    #[must_use]
    pub fn shares_below(&self, parent: AccountNo, but: Option<AccountNo>, now_ms: u64) -> Price {
        let dataset = &self.account(parent).dataset;
        let below = self.accounts_of(dataset).filter(|account| account.parent == Some(parent));
        let left_out = but.map(|number| self.account(number));
        let others = below.filter(|account| !left_out.is_some_and(|out| std::ptr::eq(*account, out)));
        others.fold(Price::ZERO, |sum, account| sum.saturating_add(account.share(now_ms)))
    }

    /// All people by name, with their role and whether they hold a token.
    pub fn people(&self) -> impl Iterator<Item = (&String, Role, bool)> {
        self.people.iter().map(|(name, (role, token))| (name, *role, token.is_some()))
    }

    /// The role of a person and whether they hold a token.
    #[must_use]
    pub fn person(&self, name: &str) -> Option<(Role, bool)> {
        self.people.get(name).map(|(role, token)| (*role, token.is_some()))
    }

    /// Whose token has this digest.
    #[must_use]
    pub fn bearer(&self, token: &Digest) -> Option<Person> {
        let name = self.tokens.get(token)?;
        let (role, _) = self.people.get(name)?;
        Some(Person { name: name.clone(), role: *role })
    }

    /// One answer's card.
    #[must_use]
    pub fn release(&self, id: &str) -> Option<&ReleaseCard> {
        self.names.get(id).map(|number| self.card(*number))
    }

    fn card(&self, number: ReleaseNo) -> &ReleaseCard {
        &self.releases[number.0 as usize]
    }

    fn is_servable(&self, number: ReleaseNo) -> bool {
        let card = self.card(number);
        card.state == State::Sealed && card.ended <= self.durable
    }

    /// All answers, charged and composed, oldest first.
    #[must_use]
    pub fn releases(&self) -> &[ReleaseCard] {
        &self.releases
    }

    /// Whether an answer may be served.
    #[must_use]
    pub fn is_stored(&self, release: &str) -> bool {
        self.names.get(release).is_some_and(|number| self.is_servable(*number))
    }

    /// Answers that were charged and neither stored nor burnt.
    pub fn executing(&self) -> impl Iterator<Item = &String> {
        self.executing.iter().map(|number| &self.card(*number).id)
    }

    /// What this key stands for, durably: an answer to serve again, or a refusal; nothing for a new key.
    #[must_use]
    pub fn under_key(&self, researcher: &str, key: &KeyUse) -> Option<Result<Standing, Refusal>> {
        let seq = self.keys.get(researcher)?.get(&key.key)?.seq;
        self.known_key(researcher, key).filter(|_| seq <= self.durable)
    }

    /// The same for the one writer, who knows what is not durable yet.
    #[must_use]
    pub fn known_key(&self, researcher: &str, key: &KeyUse) -> Option<Result<Standing, Refusal>> {
        let card = self.keys.get(researcher)?.get(&key.key)?;
        if card.body != key.body {
            return Some(Err(Refusal::KeyConflict));
        }
        if !self.is_servable(card.release) {
            return Some(Err(Refusal::Unanswered));
        }
        Some(Ok(Standing {
            release: self.card(card.release).id.clone(),
            account: card.account,
            legs: card.legs,
            replayed: card.replayed,
            question: card.question.as_deref().map(str::to_owned),
        }))
    }

    /// Questions by the digest of their plan.
    pub fn questions(&self) -> impl Iterator<Item = (&Digest, &Question)> {
        self.questions.iter()
    }

    /// Stored answers to the question of digest `view` that may be served, oldest first.
    pub fn answers(&self, view: &Digest) -> impl Iterator<Item = (ReleaseNo, &ReleaseCard)> {
        let answers = self.questions.get(view).map(|question| question.answers.as_slice()).unwrap_or_default();
        answers.iter().filter(|number| self.is_servable(**number)).map(|number| (*number, self.card(*number)))
    }

    /// Stored vectors of the measurement of digest `view` that may be used, oldest first.
    pub fn draws(&self, view: &Digest) -> impl Iterator<Item = (DrawNo, &DrawCard)> {
        let draws = self.views.get(view).map(Vec::as_slice).unwrap_or_default();
        let cards = draws.iter().map(|number| (*number, self.draw(*number)));
        cards.filter(|(_, card)| self.is_servable(card.release))
    }

    /// One draw.
    #[must_use]
    pub fn draw(&self, number: DrawNo) -> &DrawCard {
        &self.draws[number.0 as usize]
    }

    /// What a release drew, in its order.
    #[must_use]
    pub fn drawn_by(&self, card: &ReleaseCard) -> Vec<Certified> {
        card.drawn.clone().map(|number| self.draw(DrawNo(number)).certified).collect()
    }

    /// A draw's name outside of the book.
    #[must_use]
    pub fn draw_id(&self, number: DrawNo) -> DrawId {
        let card = self.draw(number);
        DrawId { release: self.card(card.release).id.clone(), index: card.index }
    }

    /// Whether an account has paid for a draw. A dataset has paid for all of them.
    #[must_use]
    pub fn has_paid(&self, account: AccountNo, draw: DrawNo) -> bool {
        self.paid.contains(&(account, draw))
    }

    /// Whether an answer was served on an account before.
    #[must_use]
    pub fn was_served(&self, account: AccountNo, release: ReleaseNo) -> bool {
        self.served.contains_key(&(account, release))
    }

    /// The balances of all accounts.
    #[must_use]
    pub fn balances(&self) -> Vec<Balance> {
        self.accounts.iter().map(|account| self.balance(account)).chain(self.debts.iter().cloned()).collect()
    }

    /// The balances that changed since this was last asked.
    #[must_use]
    pub fn take_touched(&mut self) -> Vec<Balance> {
        let touched = std::mem::take(&mut self.touched);
        touched.into_iter().map(|number| self.balance(self.account(number))).collect()
    }

    /// Whether a dataset is frozen, and the incidents since its steward last looked; `None` for a dataset that was never opened.
    #[must_use]
    pub fn freeze(&self, dataset: &str) -> Option<Freeze> {
        let whole = self.datasets.get(dataset)?;
        let (dataset, is_frozen, incidents) = (dataset.to_owned(), whole.is_frozen(), whole.incidents);
        Some(Freeze { dataset, is_frozen, incidents })
    }

    /// Whether a dataset that is not open here may have been open, and frozen, in entries that a recovery went without.
    #[must_use]
    pub fn may_have_been_open(&self, dataset: &str) -> bool {
        let is_owed = self.debts.iter().any(|debt| debt.kind == Kind::Dataset && debt.dataset == dataset);
        !self.datasets.contains_key(dataset) && (self.is_burnt || is_owed)
    }

    fn balance(&self, account: &Account) -> Balance {
        let whole = self.datasets.get(&account.dataset).filter(|_| account.kind == Kind::Dataset);
        Balance {
            dataset: account.dataset.clone(),
            kind: account.kind,
            name: account.name.clone(),
            spent: account.spent,
            cells: whole.map_or(0, |whole| whole.cells),
            threshold_delta: whole.map_or(Delta::ZERO, |whole| whole.threshold_delta),
        }
    }
}
