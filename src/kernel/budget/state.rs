//! The ledger's state: every balance as a fold of the entries, with the indices to read it by.
//!
//! Promises that [`LedgerState::apply`] of the same entries gives the same balances, and that no entry leaves an account above its amount. The
//! cost of a read does not depend on the length of the history.

mod fault;
mod admit;
mod records;
mod requests;
mod numbers;
mod noise_path;
mod paths;
mod known;
mod legs_before;
mod fold;
mod served;
mod access;
mod days;
mod recent;
mod marks;
mod trail;
mod token_records;
mod tokens;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;

use super::account::{Account, AccountNo, DatasetAccount};
use super::charge::{AnswerState, Refusal, Standing};
use super::entry::{AccountKind, AccountMark, Balance, Digest, DrawId, Freeze, GENESIS, KeyUse, Postings};
use super::people::STATISTICS;
use super::steps::PathStep;
use crate::kernel::privacy::amounts::{Delta, Price};
use crate::kernel::privacy::certificate::CertifiedMeasurement;

pub use self::records::{Confirmation, RequestRecord, ShownRelease, StatisticRecord};
pub use self::requests::REQUESTS_OPEN_MAX;
pub use admit::AnswerCost;
pub use days::RecentUse;
pub use fault::FoldFault;
pub use fold::Inconsistency;
pub use marks::{EntryFilter, FoundEntries, Parties};
pub use noise_path::{KnownView, NoisePath, NoiseRoot, PointSource};
pub use numbers::{DrawNo, ReleaseNo};
pub use token_records::TokenRecord;

/// The accounts that a researcher's query posts to, from their own to the dataset's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Branch {
    /// The researcher's account.
    pub researcher: AccountNo,
    /// The project's account, if the researcher's is below one.
    pub project: Option<AccountNo>,
    /// The dataset's account.
    pub dataset: AccountNo,
}

/// One noisy vector that was paid for.
#[derive(Debug, Clone, Copy)]
pub struct DrawRecord {
    /// The release that drew the vector.
    pub release: ReleaseNo,
    /// Index of the vector among those that the release drew.
    pub index: u32,
    /// Digest of the view that the vector is of.
    pub view: Digest,
    /// The vector's sensitivity, noise law and price.
    pub certified: CertifiedMeasurement,
}

/// One answer, as the ledger's state indexes it.
#[derive(Debug, Clone)]
pub struct ReleaseRecord {
    /// The release's random id.
    pub id: String,
    /// Number of the entry that charged it.
    pub seq: u64,
    /// The account of the researcher for whom it was made.
    pub researcher: AccountNo,
    /// The price at which each of its measurements has the accuracy it has.
    pub worth: Box<[Price]>,
    /// The state that the answer is in.
    pub state: AnswerState,
    /// Digest of the stored answer; `None` until it is stored.
    pub digest: Option<Digest>,
    dataset: AccountNo,
    drawn: Range<u32>,
    uses: Box<[DrawNo]>,
    /// The levels of the points that it is made of, for an answer that was charged by path; its own draws are in them.
    given: Option<Box<[(Digest, Price)]>>,
    /// Number of vectors that it stores beside its draws.
    points: u32,
    /// Number of cells of the points that it is made of.
    cells: u64,
    /// Whether it hides groups, so that it is only ever used as a whole.
    is_whole: bool,
    /// Number of the entry that ended it; 0 while it is executing.
    ended: u64,
}

impl ReleaseRecord {
    /// Number of cells of all vectors that the answer was computed from, apart from its draws and the draws that it uses.
    #[must_use]
    pub fn cells(&self) -> u64 {
        self.cells
    }

    /// Number of points of noise paths that the answer stores beside its draws.
    #[must_use]
    pub fn points(&self) -> u32 {
        self.points
    }

    /// All draws that the answer was computed from: those it drew, then the stored ones it uses.
    pub fn draws(&self) -> impl Iterator<Item = DrawNo> {
        self.drawn.clone().map(DrawNo).chain(self.uses.iter().copied())
    }
}

/// One query without its accuracy, together with its answers, oldest first.
#[derive(Debug, Clone)]
pub struct QuestionRecord {
    /// Name of the dataset that the query is about.
    pub dataset: String,
    /// Id of the edition that the query is about.
    pub edition: String,
    /// The query as canonical SQL, as it was first asked.
    pub sql: Box<str>,
    /// Number of rows that count per unit.
    pub rows_per_unit: u32,
    answers: Vec<ReleaseNo>,
}

/// The request that an idempotency key was used for, and what it was answered with.
#[derive(Debug, Clone)]
struct KeyRecord {
    seq: u64,
    body: Digest,
    release: ReleaseNo,
    account: AccountMark,
    legs: Postings,
    replayed: bool,
    question: Option<Box<str>>,
}

/// The researchers' and projects' accounts of one dataset, by name. The statistics account is among the researchers', under a name that no
/// person can have.
#[derive(Debug, Default, Clone)]
struct Holders {
    researchers: BTreeMap<String, AccountNo>,
    projects: BTreeMap<String, AccountNo>,
}

/// The ledger's state: all balances and indices after one entry of the chain.
#[derive(Debug, Default)]
pub struct LedgerState {
    seq: u64,
    durable: u64,
    head: Digest,
    datasets: BTreeMap<String, DatasetAccount>,
    holders: HashMap<String, Holders>,
    accounts: Vec<Account>,
    paid: HashSet<(AccountNo, DrawNo)>,
    /// Answers that were served on each account, with the number of the entry that served them first.
    served: HashMap<(AccountNo, ReleaseNo), u64>,
    /// Those answers as a list for each account, in the order of their entries.
    served_in_order: HashMap<AccountNo, Vec<ReleaseNo>>,
    people: BTreeMap<String, token_records::PersonRecord>,
    tokens: HashMap<Digest, token_records::TokenHolder>,
    /// The datasets whose statistics each viewer may see; a viewer who is not listed here may see those of every dataset.
    viewing: BTreeMap<String, BTreeSet<String>>,
    releases: Vec<ReleaseRecord>,
    names: HashMap<String, ReleaseNo>,
    executing: BTreeSet<ReleaseNo>,
    draws: Vec<DrawRecord>,
    views: HashMap<Digest, Vec<DrawNo>>,
    paths: HashMap<Digest, NoisePath>,
    /// The best level of each view that each account has paid for.
    levels: HashMap<(AccountNo, Digest), Price>,
    /// Whether an entry was folded that only today's rule of legs explains: from then on, no other rule counts.
    is_by_order: bool,
    /// The steps of answers that are executing.
    under_way: HashMap<ReleaseNo, Box<[PathStep]>>,
    questions: HashMap<Digest, QuestionRecord>,
    keys: HashMap<String, HashMap<Digest, KeyRecord>>,
    debts: Vec<Balance>,
    statistics: BTreeMap<String, StatisticRecord>,
    requests: BTreeMap<u64, RequestRecord>,
    /// Names of everything that files declare, as they were last applied.
    managed: BTreeSet<String>,
    /// Whether a recovery had no anchor to believe: every dataset opened from then on begins with nothing left.
    is_burnt: bool,
    touched: BTreeSet<AccountNo>,
    /// What each entry is about.
    trail: marks::Trail,
    /// What was asked on each account in the last month.
    recent: days::RecentDays,
}

impl LedgerState {
    /// The empty state, before the first entry.
    #[must_use]
    pub fn new() -> Self {
        Self { head: GENESIS, ..Self::default() }
    }

    /// Number and hash of the last entry.
    #[must_use]
    pub fn head(&self) -> (u64, Digest) {
        (self.seq, self.head)
    }

    /// Declares that all entries so far are on disk and in the anchor. An answer may be served again only once its release is.
    pub fn make_durable(&mut self) {
        self.durable = self.seq;
    }

    /// Takes over from `before`, as far as its entries are still there, which entries are declared durable.
    pub fn keep_durable(&mut self, before: &Self) {
        self.durable = before.durable.min(self.seq);
    }

    /// The limits and counters of a dataset; `None` if it was never opened.
    #[must_use]
    pub fn dataset(&self, name: &str) -> Option<&DatasetAccount> {
        self.datasets.get(name)
    }

    /// All datasets, ordered by name.
    pub fn datasets(&self) -> impl Iterator<Item = (&String, &DatasetAccount)> {
        self.datasets.iter()
    }

    /// The account with this index.
    #[must_use]
    pub fn account(&self, number: AccountNo) -> &Account {
        &self.accounts[number.0 as usize]
    }

    /// Finds an account by dataset, kind and name; for [`AccountKind::Dataset`] and [`AccountKind::Statistics`], `name` is ignored.
    #[must_use]
    pub fn find(&self, dataset: &str, kind: AccountKind, name: &str) -> Option<&Account> {
        self.number_of(dataset, kind, name).map(|number| self.account(number))
    }

    /// Finds the index of an account, like [`LedgerState::find`].
    #[must_use]
    pub fn number_of(&self, dataset: &str, kind: AccountKind, name: &str) -> Option<AccountNo> {
        match kind {
            AccountKind::Dataset => self.datasets.get(dataset).map(|whole| whole.account),
            AccountKind::Project => self.holders.get(dataset)?.projects.get(name).copied(),
            AccountKind::Researcher => self.holders.get(dataset)?.researchers.get(name).copied(),
            AccountKind::Statistics => self.holders.get(dataset)?.researchers.get(STATISTICS).copied(),
        }
    }

    /// Finds a researcher's account of a dataset.
    #[must_use]
    pub fn researcher(&self, dataset: &str, name: &str) -> Option<&Account> {
        self.find(dataset, AccountKind::Researcher, name)
    }

    /// Finds the accounts that a researcher's query of a dataset posts to; `None` if the researcher has no account of it.
    #[must_use]
    pub fn branch(&self, dataset: &str, researcher: &str) -> Option<Branch> {
        let researcher = *self.holders.get(dataset)?.researchers.get(researcher)?;
        let parent = self.account(researcher).parent?;
        match self.account(parent).parent {
            None => Some(Branch { researcher, project: None, dataset: parent }),
            Some(root) => Some(Branch { researcher, project: Some(parent), dataset: root }),
        }
    }

    /// All accounts of a dataset: its own, then the projects', then the researchers', each ordered by name.
    pub fn accounts_of(&self, dataset: &str) -> impl Iterator<Item = &Account> {
        let own = self.datasets.get(dataset).map(|whole| whole.account);
        let holders = self.holders.get(dataset);
        let projects = holders.into_iter().flat_map(|holders| holders.projects.values());
        let researchers = holders.into_iter().flat_map(|holders| holders.researchers.values());
        own.into_iter().chain(projects.copied()).chain(researchers.copied()).map(|number| self.account(number))
    }

    /// Sum of what the accounts directly below `parent` take from it, leaving out the account `but`.
    #[must_use]
    pub fn shares_below(&self, parent: AccountNo, but: Option<AccountNo>, now_ms: u64) -> Price {
        let dataset = &self.account(parent).dataset;
        let below = self.accounts_of(dataset).filter(|account| account.parent == Some(parent));
        let others = below.filter(|account| but != Some(account.number));
        others.fold(Price::ZERO, |sum, account| sum.saturating_add(account.share(now_ms)))
    }

    /// The answer with this release id.
    #[must_use]
    pub fn release(&self, id: &str) -> Option<&ReleaseRecord> {
        self.names.get(id).map(|number| self.card(*number))
    }

    /// The index of the answer with this release id.
    #[must_use]
    pub fn number(&self, id: &str) -> Option<ReleaseNo> {
        self.names.get(id).copied()
    }

    fn card(&self, number: ReleaseNo) -> &ReleaseRecord {
        &self.releases[number.0 as usize]
    }

    fn is_servable(&self, number: ReleaseNo) -> bool {
        let card = self.card(number);
        card.state == AnswerState::Sealed && card.ended <= self.durable
    }

    /// All answers, whether charged or composed from stored vectors, oldest first.
    #[must_use]
    pub fn releases(&self) -> &[ReleaseRecord] {
        &self.releases
    }

    /// Whether an answer may be served: it is stored, durable and anchored.
    #[must_use]
    pub fn is_stored(&self, release: &str) -> bool {
        self.names.get(release).is_some_and(|number| self.is_servable(*number))
    }

    /// Ids of answers that were charged and neither stored nor burned.
    pub fn executing(&self) -> impl Iterator<Item = &String> {
        self.executing.iter().map(|number| &self.card(*number).id)
    }

    /// What was durably answered under an idempotency key: an answer to serve again, or a refusal; `None` for a new key.
    #[must_use]
    pub fn under_key(&self, researcher: &str, key: &KeyUse) -> Option<Result<Standing, Refusal>> {
        let seq = self.keys.get(researcher)?.get(&key.key)?.seq;
        self.known_key(researcher, key).filter(|_| seq <= self.durable)
    }

    /// What was answered under an idempotency key, like [`LedgerState::under_key`], including what is not durable yet. For the writer only.
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

    /// Number of the durable entry that answered a researcher under an idempotency key.
    #[must_use]
    pub fn entry_under(&self, researcher: &str, key: &KeyUse) -> Option<u64> {
        let card = self.keys.get(researcher)?.get(&key.key)?;
        (card.body == key.body && card.seq <= self.durable).then_some(card.seq)
    }

    /// All queries, each with the digest of its canonical plan without accuracy.
    pub fn questions(&self) -> impl Iterator<Item = (&Digest, &QuestionRecord)> {
        self.questions.iter()
    }

    /// Stored answers that may be served to the query with digest `view`, oldest first.
    pub fn answers(&self, view: &Digest) -> impl Iterator<Item = (ReleaseNo, &ReleaseRecord)> {
        let answers = self.questions.get(view).map(|question| question.answers.as_slice()).unwrap_or_default();
        answers.iter().filter(|number| self.is_servable(**number)).map(|number| (*number, self.card(*number)))
    }

    /// Stored vectors that may be used for the measurement with digest `view`, oldest first.
    pub fn draws(&self, view: &Digest) -> impl Iterator<Item = (DrawNo, &DrawRecord)> {
        let draws = self.views.get(view).map(Vec::as_slice).unwrap_or_default();
        let cards = draws.iter().map(|number| (*number, self.draw(*number)));
        cards.filter(|(_, card)| self.is_servable(card.release))
    }

    /// The draw with this index.
    #[must_use]
    pub fn draw(&self, number: DrawNo) -> &DrawRecord {
        &self.draws[number.0 as usize]
    }

    /// The draw with this id; `None` if there is none.
    #[must_use]
    pub fn draw_of(&self, id: &DrawId) -> Option<&DrawRecord> {
        let drawn = &self.release(&id.release)?.drawn;
        let number = drawn.start.checked_add(id.index).filter(|number| drawn.contains(number))?;
        Some(self.draw(DrawNo(number)))
    }

    /// Number of the entry that charged the first draw of a view; `None` if nothing was drawn of it.
    #[must_use]
    pub fn first_drawn(&self, view: &Digest) -> Option<u64> {
        let first = self.views.get(view)?.first()?;
        Some(self.card(self.draw(*first).release).seq)
    }

    /// What was certified for each vector that a release drew, in order.
    #[must_use]
    pub fn drawn_by(&self, card: &ReleaseRecord) -> Vec<CertifiedMeasurement> {
        card.drawn.clone().map(|number| self.draw(DrawNo(number)).certified).collect()
    }

    /// The id under which entries refer to a draw.
    #[must_use]
    pub fn draw_id(&self, number: DrawNo) -> DrawId {
        let card = self.draw(number);
        DrawId { release: self.card(card.release).id.clone(), index: card.index }
    }

    /// Whether a researcher's or project's account has paid for a draw. (The dataset pays for every draw when it is drawn.)
    #[must_use]
    pub fn has_paid(&self, account: AccountNo, draw: DrawNo) -> bool {
        self.paid.contains(&(account, draw))
    }

    /// Whether an answer was served on an account before.
    #[must_use]
    pub fn was_served(&self, account: AccountNo, release: ReleaseNo) -> bool {
        self.served.contains_key(&(account, release))
    }

    /// The balances of all accounts, including those that a recovery recorded for accounts that are not open yet.
    #[must_use]
    pub fn balances(&self) -> Vec<Balance> {
        self.accounts.iter().map(|account| self.balance(account)).chain(self.debts.iter().cloned()).collect()
    }

    /// Takes the balances that changed since the last call.
    #[must_use]
    pub fn take_touched(&mut self) -> Vec<Balance> {
        let touched = std::mem::take(&mut self.touched);
        touched.into_iter().map(|number| self.balance(self.account(number))).collect()
    }

    /// Whether a dataset is frozen, and its number of incidents; `None` for a dataset that was never opened.
    #[must_use]
    pub fn freeze(&self, dataset: &str) -> Option<Freeze> {
        let whole = self.datasets.get(dataset)?;
        let (dataset, is_frozen, incidents) = (dataset.to_owned(), whole.is_frozen(), whole.incidents);
        Some(Freeze { dataset, is_frozen, incidents })
    }

    /// Whether a dataset that is not open may have been open, and frozen, in entries that a recovery did not have.
    #[must_use]
    pub fn may_have_been_open(&self, dataset: &str) -> bool {
        let is_owed = self.debts.iter().any(|debt| debt.kind == AccountKind::Dataset && debt.dataset == dataset);
        !self.datasets.contains_key(dataset) && (self.is_burnt || is_owed)
    }

    fn balance(&self, account: &Account) -> Balance {
        let whole = self.datasets.get(&account.dataset).filter(|_| account.kind == AccountKind::Dataset);
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
