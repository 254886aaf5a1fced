//! The book: every balance as a fold of the entries, and the rule of admission.
//!
//! Promises that [`Book::apply`] of the same entries gives the same balances, and that no admitted charge leaves an account above
//! its amount. An allocation is the researcher's share; the dataset's cap is the guarantee and binds all of them together.

use std::collections::{BTreeMap, HashMap};

use super::charge::{ChargeRequest, Refusal, Standing};
use super::entry::{AccountMark, Act, Cap, Charged, Digest, Entry, GENESIS, KeyUse};
use super::people::{Person, Role};
use crate::privacy::gdp::CELLS_MAX;
use crate::privacy::units::{Epsilon, Price};

/// What one dataset may spend and has spent.
#[derive(Debug, Clone)]
pub struct DatasetAccount {
    /// The lifetime cap.
    pub cap: Cap,
    /// Whom it protects: the unit's column, or `row`.
    pub unit: String,
    /// Newly drawn, all in all.
    pub spent: Price,
    /// Noisy cells drawn, all in all.
    pub cells: u64,
    /// The edition that queries see.
    pub edition: Option<EditionMark>,
}

/// The edition that queries see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditionMark {
    /// Its random id.
    pub id: String,
    /// What binds its bytes.
    pub commitment: String,
}

/// What one researcher may spend on one dataset and has spent.
#[derive(Debug, Clone, Copy)]
pub struct ResearcherAccount {
    /// The ε of the allocation, as granted.
    pub epsilon: Epsilon,
    /// The allocation. Below `spent` the account is frozen.
    pub amount: Price,
    /// Spent, all in all.
    pub spent: Price,
}

impl ResearcherAccount {
    /// The account as it is now.
    #[must_use]
    pub fn mark(&self) -> AccountMark {
        AccountMark { spent: self.spent, amount: self.amount, epsilon: self.epsilon }
    }
}

/// Where an answer stands; see the states in [`super::charge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Paid, nothing stored yet.
    Executing,
    /// Stored.
    Sealed,
    /// Failed; the charge stands.
    Burned,
}

/// One answer in the book's index.
#[derive(Debug, Clone)]
pub struct ReleaseCard {
    /// The entry that charged it.
    pub seq: u64,
    /// Who paid.
    pub researcher: String,
    /// Of which dataset.
    pub dataset: String,
    /// What each measurement cost.
    pub prices: Vec<Price>,
    /// Where it stands.
    pub progress: Progress,
    /// The digest of the stored release, once there is one.
    pub digest: Option<Digest>,
    /// The entry that ended it, 0 before.
    ended: u64,
}

/// What an idempotency key stands for.
#[derive(Debug, Clone)]
struct KeyCard {
    body: Digest,
    standing: Standing,
}

/// All balances and indices at one entry of the chain.
#[derive(Debug, Default)]
pub struct Book {
    seq: u64,
    durable: u64,
    head: Digest,
    datasets: BTreeMap<String, DatasetAccount>,
    researchers: BTreeMap<(String, String), ResearcherAccount>,
    people: BTreeMap<String, (Role, Option<Digest>)>,
    tokens: HashMap<Digest, String>,
    releases: HashMap<String, ReleaseCard>,
    order: BTreeMap<u64, String>,
    views: HashMap<(String, Digest), Vec<String>>,
    keys: HashMap<(String, Digest), KeyCard>,
}

/// An entry that cannot follow the ones before it; the ledger is damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq} does not follow: {why}")]
pub struct Inconsistent {
    /// The entry's number.
    pub seq: u64,
    /// What is wrong with it.
    pub why: &'static str,
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

    /// Declares that all entries so far are on disk. An answer is served again only once its release is.
    pub fn make_durable(&mut self) {
        self.durable = self.seq;
    }

    fn servable(&self, release: &str) -> Option<&ReleaseCard> {
        let servable = |card: &&ReleaseCard| card.progress == Progress::Sealed && card.ended <= self.durable;
        self.releases.get(release).filter(servable)
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

    /// A researcher's account of a dataset.
    #[must_use]
    pub fn researcher(&self, dataset: &str, name: &str) -> Option<ResearcherAccount> {
        self.researchers.get(&(dataset.to_owned(), name.to_owned())).copied()
    }

    /// What the other researchers' accounts of a dataset hold or have spent, whichever is more: lowering an account below
    /// what is spent gives nothing back.
    #[must_use]
    pub fn bound_by_others(&self, dataset: &str, researcher: &str) -> Price {
        let others = self.researchers_of(dataset).filter(|((_, name), _)| name != researcher);
        others.fold(Price::ZERO, |sum, (_, account)| sum.saturating_add(account.amount.max(account.spent)))
    }

    /// The researchers' accounts of a dataset as ((dataset, researcher), account).
    pub fn researchers_of(&self, dataset: &str) -> impl Iterator<Item = (&(String, String), &ResearcherAccount)> {
        let from = (dataset.to_owned(), String::new());
        let dataset = dataset.to_owned();
        self.researchers.range(from..).take_while(move |((of, _), _)| *of == dataset)
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
        self.releases.get(id)
    }

    /// Answers charged after entry `after`, oldest first.
    pub fn releases_after(&self, after: u64) -> impl Iterator<Item = (&String, &ReleaseCard)> {
        self.order.range(after.saturating_add(1)..).filter_map(|(_, id)| self.releases.get(id).map(|card| (id, card)))
    }

    /// Answers that were charged and neither stored nor burnt.
    pub fn executing(&self) -> impl Iterator<Item = &String> {
        self.releases.iter().filter(|(_, card)| card.progress == Progress::Executing).map(|(id, _)| id)
    }

    /// What this key stands for: an answer to serve again, or a refusal; nothing for a new key.
    #[must_use]
    pub fn under_key(&self, researcher: &str, key: &KeyUse) -> Option<Result<Standing, Refusal>> {
        let card = self.keys.get(&(researcher.to_owned(), key.key))?;
        if card.body != key.body {
            return Some(Err(Refusal::KeyConflict));
        }
        Some(self.servable(&card.standing.release).map(|_| card.standing.clone()).ok_or(Refusal::Unanswered))
    }

    /// A stored answer of this researcher to the same view with the same price or more for every measurement.
    #[must_use]
    pub fn stored(&self, researcher: &str, dataset: &str, view: &Digest, prices: &[Price]) -> Option<Standing> {
        let account = self.researcher(dataset, researcher)?;
        let ids = self.views.get(&(researcher.to_owned(), *view))?;
        let covers = |card: &&ReleaseCard| {
            card.prices.len() == prices.len() && card.prices.iter().zip(prices).all(|(paid, asked)| paid >= asked)
        };
        let found = ids.iter().find(|id| self.servable(id).filter(covers).is_some())?;
        Some(Standing { release: found.clone(), account: account.mark(), replayed: true, question: None })
    }

    /// Whether a price fits: first the query limit, then the researcher's account, then the dataset's cap.
    ///
    /// # Errors
    /// [`Refusal`], from the ledger, the policy and the price alone.
    pub fn admit(&self, researcher: &str, dataset: &str, asked: Price, cells: u64) -> Result<AccountMark, Refusal> {
        let account = self.researcher(dataset, researcher).ok_or(Refusal::NoAccount)?;
        let whole = self.datasets.get(dataset).ok_or(Refusal::NoAccount)?;
        if asked > whole.cap.query_max {
            return Err(Refusal::OverQueryLimit { asked, limit: whole.cap.query_max });
        }
        let left = account.amount.left_after(account.spent).min(whole.cap.amount.left_after(whole.spent));
        let spent = account.spent.checked_add(asked);
        let (Some(spent), true) = (spent, asked <= left) else {
            return Err(Refusal::Exhausted { asked, left });
        };
        if whole.cells.checked_add(cells).is_none_or(|cells| cells > CELLS_MAX) {
            return Err(Refusal::CellsExhausted { limit: CELLS_MAX });
        }
        Ok(AccountMark { spent, ..account.mark() })
    }

    /// The act of charging a request that is admitted now.
    ///
    /// # Errors
    /// [`Refusal`] as of [`Book::admit`].
    pub fn charge(&self, request: &ChargeRequest) -> Result<Charged, Refusal> {
        let certificate = &request.certificate;
        let subject = certificate.subject();
        let account = self.admit(&request.researcher, &subject.dataset, certificate.price(), certificate.cells())?;
        Ok(Charged {
            release: request.release.clone(),
            researcher: request.researcher.clone(),
            dataset: subject.dataset.clone(),
            edition: subject.edition.clone(),
            view: request.view,
            sql: request.sql.clone(),
            purpose: request.purpose.clone(),
            measurements: certificate.measurements().to_vec(),
            price: certificate.price(),
            cells: certificate.cells(),
            key: request.key,
            account,
        })
    }

    /// Takes one entry into the balances.
    ///
    /// # Errors
    /// [`Inconsistent`] where the entry does not follow from the ones before; the book is then of no more use.
    pub fn apply(&mut self, entry: &Entry, hash: Digest) -> Result<(), Inconsistent> {
        let wrong = |why| Inconsistent { seq: entry.seq, why };
        if Some(entry.seq) != self.seq.checked_add(1) || entry.previous != self.head {
            return Err(wrong("it is not the successor of the entry before"));
        }
        self.take(entry.seq, &entry.act).map_err(wrong)?;
        (self.seq, self.head) = (entry.seq, hash);
        Ok(())
    }

    fn take(&mut self, seq: u64, act: &Act) -> Result<(), &'static str> {
        match act {
            Act::DatasetOpened { dataset, unit, cap } => self.open(dataset, unit, *cap),
            Act::EditionSealed { dataset, edition, commitment } => {
                let account = self.datasets.get_mut(dataset).ok_or("its dataset was never opened")?;
                account.edition = Some(EditionMark { id: edition.clone(), commitment: commitment.clone() });
                Ok(())
            }
            Act::PersonAdded { name, role, token, .. } => {
                self.people.insert(name.clone(), (*role, Some(*token)));
                self.tokens.insert(*token, name.clone());
                Ok(())
            }
            Act::TokenRevoked { name, .. } => {
                let person = self.people.get_mut(name).ok_or("nobody has its name")?;
                if let Some(token) = person.1.take() {
                    self.tokens.remove(&token);
                }
                Ok(())
            }
            Act::Granted { researcher, dataset, epsilon, amount, .. } => {
                self.allocate(researcher, dataset, *epsilon, *amount)
            }
            Act::Charged(charged) => self.post(seq, charged),
            Act::Released { release, digest } => self.end(seq, release, Progress::Sealed, Some(*digest)),
            Act::Burned { release, .. } => self.end(seq, release, Progress::Burned, None),
            Act::Replayed { release, researcher, question, key, account } => {
                let question = Some(question.clone());
                let standing = Standing { release: release.clone(), account: *account, replayed: true, question };
                self.keys.insert((researcher.clone(), key.key), KeyCard { body: key.body, standing });
                Ok(())
            }
        }
    }

    fn open(&mut self, dataset: &str, unit: &str, cap: Cap) -> Result<(), &'static str> {
        let (unit, spent) = (unit.to_owned(), Price::ZERO);
        let account = DatasetAccount { cap, unit, spent, cells: 0, edition: None };
        match self.datasets.insert(dataset.to_owned(), account) {
            None => Ok(()),
            Some(_) => Err("its dataset was opened before"),
        }
    }

    fn allocate(&mut self, name: &str, dataset: &str, epsilon: Epsilon, amount: Price) -> Result<(), &'static str> {
        if !self.datasets.contains_key(dataset) {
            return Err("its dataset was never opened");
        }
        let account = self.researchers.entry((dataset.to_owned(), name.to_owned())).or_insert(ResearcherAccount {
            epsilon,
            amount: Price::ZERO,
            spent: Price::ZERO,
        });
        (account.epsilon, account.amount) = (epsilon, amount);
        Ok(())
    }

    fn post(&mut self, seq: u64, charged: &Charged) -> Result<(), &'static str> {
        let whole = self.datasets.get_mut(&charged.dataset).ok_or("its dataset was never opened")?;
        let key = (charged.dataset.clone(), charged.researcher.clone());
        let account = self.researchers.get_mut(&key).ok_or("its researcher holds no account")?;
        let spent = account.spent.checked_add(charged.price).ok_or("the account overflows")?;
        let drawn = whole.spent.checked_add(charged.price).ok_or("the dataset overflows")?;
        let cells = whole.cells.checked_add(charged.cells).ok_or("the cells overflow")?;
        if spent > account.amount || drawn > whole.cap.amount || cells > CELLS_MAX {
            return Err("it spends more than its account holds");
        }
        (account.spent, whole.spent, whole.cells) = (spent, drawn, cells);
        self.index(seq, charged);
        Ok(())
    }

    fn index(&mut self, seq: u64, charged: &Charged) {
        let id = charged.release.clone();
        let card = ReleaseCard {
            seq,
            researcher: charged.researcher.clone(),
            dataset: charged.dataset.clone(),
            prices: charged.measurements.iter().map(|one| one.price).collect(),
            progress: Progress::Executing,
            digest: None,
            ended: 0,
        };
        if let Some(key) = charged.key {
            let standing = Standing { release: id.clone(), account: charged.account, replayed: false, question: None };
            self.keys.insert((charged.researcher.clone(), key.key), KeyCard { body: key.body, standing });
        }
        self.views.entry((charged.researcher.clone(), charged.view)).or_default().push(id.clone());
        self.order.insert(seq, id.clone());
        self.releases.insert(id, card);
    }

    fn end(&mut self, seq: u64, release: &str, to: Progress, digest: Option<Digest>) -> Result<(), &'static str> {
        match self.releases.get_mut(release) {
            Some(card) if card.progress == Progress::Executing => {
                (card.progress, card.ended, card.digest) = (to, seq, digest);
                Ok(())
            }
            Some(_) => Err("its answer had ended before"),
            None => Err("its answer was never charged"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::accountant::Accountant;

    fn apply(book: &mut Book, act: Act) -> Result<(), Inconsistent> {
        let (seq, head) = book.head();
        let entry = Entry::following(seq, head, 0, act);
        let hash = Entry::hash(&entry.canonical_bytes());
        book.apply(&entry, hash)
    }

    /// Two researchers whose allocations together are above the cap, as an oversubscribing steward would have it.
    fn oversubscribed() -> Book {
        let (epsilon, amount) = (Epsilon::from_nanos(10), Price::from_units(10));
        let cap = Cap { accountant: Accountant::Pure, epsilon, amount, query_max: amount, query_epsilon_max: epsilon };
        let mut book = Book::new();
        let opened = Act::DatasetOpened { dataset: "d".into(), unit: "row".into(), cap };
        apply(&mut book, opened).expect("opened");
        for researcher in ["a", "b"] {
            let (researcher, dataset) = (researcher.to_owned(), "d".to_owned());
            let granted = Act::Granted { researcher, dataset, epsilon, amount, reason: "r".into(), by: "s".into() };
            apply(&mut book, granted).expect("granted");
        }
        book
    }

    fn charged(researcher: &str, units: u64, cells: u64) -> Act {
        let (price, epsilon) = (Price::from_units(units), Epsilon::from_nanos(10));
        Act::Charged(Box::new(Charged {
            release: format!("rel_{researcher}_{units}_{cells}"),
            researcher: researcher.to_owned(),
            dataset: "d".into(),
            edition: "ed".into(),
            view: [0; 32],
            sql: String::new(),
            purpose: None,
            measurements: Vec::new(),
            price,
            cells,
            key: None,
            account: AccountMark { spent: price, amount: price, epsilon },
        }))
    }

    /// The cap binds all researchers together, whatever their own accounts still hold.
    #[test]
    fn the_dataset_s_cap_binds_where_accounts_would_not() {
        let mut book = oversubscribed();
        apply(&mut book, charged("a", 7, 1)).expect("charged");
        let exhausted = Refusal::Exhausted { asked: Price::from_units(4), left: Price::from_units(3) };
        assert_eq!(book.admit("b", "d", Price::from_units(4), 1), Err(exhausted));
        assert_eq!(book.admit("b", "d", Price::from_units(3), 1).expect("admitted").spent, Price::from_units(3));
        assert!(apply(&mut book, charged("b", 4, 1)).is_err(), "no entry spends above the cap");
    }

    #[test]
    fn the_cells_of_a_lifetime_are_counted() {
        let mut book = oversubscribed();
        apply(&mut book, charged("a", 1, CELLS_MAX - 5)).expect("charged");
        assert!(book.admit("b", "d", Price::from_units(1), 5).is_ok());
        let exhausted = Refusal::CellsExhausted { limit: CELLS_MAX };
        assert_eq!(book.admit("b", "d", Price::from_units(1), 6), Err(exhausted));
        assert!(apply(&mut book, charged("b", 1, 6)).is_err());
    }

    #[test]
    fn an_entry_out_of_order_is_not_taken() {
        let mut book = oversubscribed();
        let (seq, _) = book.head();
        let act = Act::TokenRevoked { name: "nobody".into(), by: "s".into() };
        let entry = Entry::following(seq, [9; 32], 0, act);
        assert!(book.apply(&entry, [0; 32]).is_err());
    }
}
