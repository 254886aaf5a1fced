//! The oracle: what must hold after every durable entry, computed again from the entries alone.

use std::collections::{HashMap, HashSet};

use tacit::kernel::budget::entry::{AccountKind, Act, Cause, Charge, Entry, Postings};
use tacit::kernel::budget::state::LedgerState;

use super::disk::Disk;

type Draw = (String, u32);

#[derive(Default)]
struct Owner {
    limit: u64,
    spent: u64,
    project: Option<String>,
    /// (length of the period in days, when the first one began, number of the current period, spent before it)
    renewal: Option<(u64, u64, u64, u64)>,
    owns: HashSet<Draw>,
}

impl Owner {
    fn pay(&mut self, leg: u64, at_ms: u64, whose: &str) {
        let mut before = 0;
        if let Some((days, began, period, spent_before)) = &mut self.renewal {
            let now = at_ms.saturating_sub(*began) / (*days * 86_400_000);
            if leg > 0 && now > *period {
                (*period, *spent_before) = (now, self.spent);
            }
            before = if now > *period { self.spent } else { *spent_before };
        }
        self.spent += leg;
        assert!(leg == 0 || self.spent - before <= self.limit, "{whose} overspends: {} of {}", self.spent, self.limit);
    }
}

/// Everything that was ever seen on disk, accounted for independently of the ledger's state.
#[derive(Default)]
pub struct Oracle {
    seen: usize,
    cap: u64,
    pub drawn: u64,
    owners: HashMap<String, Owner>,
    prices: HashMap<Draw, u64>,
    /// Who had each release made, and the draws it is computed from.
    pub charged: HashMap<String, (String, HashSet<Draw>)>,
    pub released: HashSet<String>,
    burned: HashSet<String>,
    keys: HashMap<(String, [u8; 32]), [u8; 32]>,
    /// Number of the entry that first served an answer to a researcher.
    seqs: HashMap<(String, String), u64>,
    is_frozen: bool,
    incidents: u32,
    query_max: u64,
    pub charges: u64,
    /// Number of entries that post to accounts.
    pub postings: u64,
    pub draws: u64,
}

impl Oracle {
    /// Takes in the entries that are new on the disk.
    pub fn look(&mut self, disk: &Disk) {
        for encoded in &disk.entries[self.seen..] {
            let entry = Entry::read(&encoded.bytes).expect("an entry");
            assert_eq!(Entry::hash(&encoded.bytes), encoded.hash);
            self.take(&entry);
            if let Act::Released { release, digest } = &entry.act {
                let body = disk.releases.get(release).expect("a stored answer");
                assert_eq!(Entry::hash(body), *digest, "the stored answer is the one in the chain");
            }
        }
        self.seen = disk.entries.len();
    }

    fn take(&mut self, entry: &Entry) {
        match &entry.act {
            Act::DatasetOpened { cap, .. } => {
                (self.cap, self.query_max) = (cap.amount.quanta(), cap.query_max.quanta())
            }
            Act::CapRaised { amount, .. } => {
                assert!(amount.quanta() > self.cap, "a cap only rises");
                self.cap = amount.quanta();
            }
            Act::ProjectGranted { project, amount, .. } => {
                self.owners.entry(format!("project {project}")).or_default().limit = amount.quanta();
            }
            Act::Granted { researcher, project, amount, period_days, .. } => {
                let owner = self.owners.entry(researcher.clone()).or_default();
                (owner.limit, owner.project) = (amount.quanta(), project.clone());
                let days = period_days.map(u64::from);
                owner.renewal = match (days, owner.renewal) {
                    (Some(days), Some(renewal)) if renewal.0 == days => Some(renewal),
                    (Some(days), _) => Some((days, entry.at_ms, 0, owner.spent)),
                    (None, _) => None,
                };
            }
            Act::Charged(charged) => self.charged(entry, charged),
            Act::Served(served) => {
                assert!(self.released.contains(&served.release), "what is served was released");
                let (_, draws) = self.charged[&served.release].clone();
                self.seqs.entry((served.release.clone(), served.researcher.clone())).or_insert(entry.seq);
                assert_eq!(served.legs.dataset.quanta(), 0, "what is served draws nothing");
                self.postings += 1;
                self.hand_over(&served.researcher, &draws, &served.legs, entry.at_ms);
                if let Some(key) = served.key {
                    let known = self.keys.insert((served.researcher.clone(), key.key), key.body);
                    assert!(known.is_none(), "a key is used once");
                }
            }
            Act::Released { release, .. } => {
                assert!(self.charged.contains_key(release), "what is released was charged");
                assert!(self.released.insert(release.clone()), "a charge has one released draw");
                assert!(!self.burned.contains(release), "what is burnt is never released");
                let (owner, _) = &self.charged[release];
                self.seqs.entry((release.clone(), owner.clone())).or_insert(entry.seq);
            }
            Act::Burned { release, cause } => {
                assert!(self.charged.contains_key(release) && !self.released.contains(release));
                assert!(self.burned.insert(release.clone()));
                self.incidents += u32::from(*cause == Cause::Failed);
            }
            Act::Frozen { .. } => self.is_frozen = true,
            Act::Unfrozen { .. } => (self.is_frozen, self.incidents) = (false, 0),
            Act::EditionSealed { .. } | Act::PersonAdded { .. } | Act::TokenRevoked { .. } | Act::Recovered { .. } => {}
            // The simulation has no statistics, requests or declared files.
            Act::StatisticsGranted { .. }
            | Act::Published { .. }
            | Act::RefreshSkipped { .. }
            | Act::Requested { .. }
            | Act::RequestDecided { .. }
            | Act::RequestGranted { .. }
            | Act::StatisticConfirmed { .. }
            | Act::ViewerAdded { .. }
            | Act::ViewingSet { .. }
            | Act::TokenIssued(_)
            | Act::NamedTokenRevoked { .. }
            | Act::Applied { .. } => panic!("entry {} is none of the simulation", entry.seq),
        }
    }

    fn charged(&mut self, entry: &Entry, charged: &Charge) {
        let mut own = HashSet::new();
        let mut drawn = 0;
        for (index, one) in (0..).zip(&charged.drawn) {
            let draw = (charged.release.clone(), index);
            self.prices.insert(draw.clone(), one.certified.price.quanta());
            drawn += one.certified.price.quanta();
            own.insert(draw);
        }
        self.draws += charged.drawn.len() as u64;
        self.charges += 1;
        self.postings += 1;
        self.drawn += drawn;
        assert!(self.drawn <= self.cap, "the dataset overspends: {} of {}", self.drawn, self.cap);
        own.extend(charged.uses.iter().map(|id| (id.release.clone(), id.index)));
        assert_eq!(charged.legs.dataset.quanta(), drawn);
        assert!(drawn == 0 || !(self.is_frozen || self.incidents >= 3), "nothing is drawn while it is frozen");
        assert!(charged.legs.researcher.quanta() <= self.query_max);
        self.hand_over(&charged.researcher, &own, &charged.legs, entry.at_ms);
        let known = self.charged.insert(charged.release.clone(), (charged.researcher.clone(), own));
        assert!(known.is_none(), "a release is charged once");
        if let Some(key) = charged.key {
            let known = self.keys.insert((charged.researcher.clone(), key.key), key.body);
            assert!(known.is_none(), "a key is charged once");
        }
    }

    /// Checks that the legs are the prices of what is new to the researcher and to their project.
    fn hand_over(&mut self, who: &str, draws: &HashSet<Draw>, legs: &Postings, at_ms: u64) {
        let project = self.owners[who].project.clone().map(|project| format!("project {project}"));
        let payers = [(Some(who.to_owned()), legs.researcher), (project, legs.project)];
        for (payer, leg) in payers.into_iter().filter_map(|(payer, leg)| payer.map(|payer| (payer, leg))) {
            let owner = self.owners.get_mut(&payer).expect("an account");
            let new: u64 = draws.iter().filter(|draw| !owner.owns.contains(*draw)).map(|draw| self.prices[draw]).sum();
            assert_eq!(leg.quanta(), new, "{payer} pays for what is new, to the unit");
            owner.owns.extend(draws.iter().cloned());
            owner.pay(new, at_ms, &payer);
        }
    }

    /// Number of the entry that first served an answer to a researcher.
    pub fn seq_of(&self, release: &str, who: &str) -> u64 {
        self.seqs[&(release.to_owned(), who.to_owned())]
    }

    /// Checks that the balances in the ledger's state are those computed here.
    pub fn agrees(&self, book: &LedgerState) {
        let spent = |kind, name: &str| book.find("visits", kind, name).expect("an account").spent.quanta();
        assert_eq!(spent(AccountKind::Dataset, "visits"), self.drawn, "no charge is lost and none invented");
        for (name, owner) in &self.owners {
            let (kind, name) = match name.strip_prefix("project ") {
                Some(project) => (AccountKind::Project, project),
                None => (AccountKind::Researcher, name.as_str()),
            };
            assert_eq!(spent(kind, name), owner.spent, "{name}");
        }
    }

    /// Whether every charge has ended, as it must have after a start.
    pub fn is_settled(&self) -> bool {
        self.charged.keys().all(|release| self.released.contains(release) != self.burned.contains(release))
    }
}
