//! The oracle: what must hold after every durable entry, computed again from the entries alone.

use std::collections::{BTreeSet, HashMap, HashSet};

use tacit::kernel::budget::entry::{AccountKind, Act, Cause, Charge, Entry, Postings, Serving};
use tacit::kernel::budget::state::LedgerState;
use tacit::kernel::budget::steps::{DerivedSource, PathStep, PointOrigin};

use super::disk::Disk;

type View = [u8; 32];
/// The level of a point that is derived from other views, the finest level before it, and the views with the levels that it is made from.
type DerivedPoint = (u64, u64, Vec<(View, u64)>);

#[derive(Default)]
struct Owner {
    limit: u64,
    spent: u64,
    project: Option<String>,
    /// (length of the period in days, when the first one began, number of the current period, spent before it)
    renewal: Option<(u64, u64, u64, u64)>,
    /// The best level of each view that was paid for.
    knows: HashMap<View, u64>,
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

#[derive(Default)]
struct Path {
    levels: BTreeSet<u64>,
    drawn: u64,
    derived: Vec<DerivedPoint>,
}

impl Path {
    fn finest(&self) -> u64 {
        self.levels.last().copied().unwrap_or(0)
    }
}

/// Everything that was ever seen on disk, accounted for independently of the ledger's state.
#[derive(Default)]
pub struct Oracle {
    seen: usize,
    cap: u64,
    pub drawn: u64,
    owners: HashMap<String, Owner>,
    /// Who had each release made, and the points that it is made of.
    pub charged: HashMap<String, (String, Vec<PathStep>)>,
    /// The path of each view: its levels, what was drawn from data for it, and the points of other views that it is derived from.
    paths: HashMap<View, Path>,
    pub released: HashSet<String>,
    burned: HashSet<String>,
    keys: HashMap<(String, [u8; 32]), [u8; 32]>,
    /// Number of the entry that first served an answer to a researcher.
    seqs: HashMap<(String, String), u64>,
    is_frozen: bool,
    incidents: u32,
    query_max: u64,
    /// The most that each researcher named for the question that they asked last, and whether an earlier charge may still turn up, so that it is
    /// the most that they named for one of several.
    named: HashMap<String, (u64, bool)>,
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
            Act::ChargedByPath(charged) => self.charged(entry, &charged.charge, &charged.steps),
            Act::ServedByPath(served) => self.served(entry, served),
            Act::Released { release, .. } => self.released(entry.seq, release),
            Act::Burned { release, cause } => {
                assert!(self.charged.contains_key(release) && !self.released.contains(release));
                assert!(self.burned.insert(release.clone()));
                self.incidents += u32::from(*cause == Cause::Failed);
            }
            Act::Frozen { .. } => self.is_frozen = true,
            Act::Unfrozen { .. } => (self.is_frozen, self.incidents) = (false, 0),
            Act::EditionSealed { .. }
            | Act::PersonAdded { .. }
            | Act::TokenIssuedWithVerifier(_)
            | Act::TokenRevoked { .. }
            | Act::Recovered { .. } => {}
            // The simulation has no statistics, requests or declared files, and nothing that is paid for draw by draw.
            Act::Charged(_)
            | Act::Served(_)
            | Act::StatisticsGranted { .. }
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
            | Act::RoleSet { .. }
            | Act::Applied { .. } => panic!("entry {} is none of the simulation", entry.seq),
        }
    }

    fn released(&mut self, seq: u64, release: &str) {
        assert!(self.charged.contains_key(release), "what is released was charged");
        assert!(self.released.insert(release.to_owned()), "a charge has one released draw");
        assert!(!self.burned.contains(release), "what is burnt is never released");
        let (owner, steps) = self.charged[release].clone();
        self.seqs.entry((release.to_owned(), owner.clone())).or_insert(seq);
        self.lengthen(&steps);
        self.know(&owner, &steps);
    }

    fn charged(&mut self, entry: &Entry, charged: &Charge, steps: &[PathStep]) {
        let drawn: u64 = charged.drawn.iter().map(|one| one.certified.price.quanta()).sum();
        self.draws += charged.drawn.len() as u64;
        self.charges += 1;
        self.postings += 1;
        self.drawn += drawn;
        assert!(self.drawn <= self.cap, "the dataset overspends: {} of {}", self.drawn, self.cap);
        assert!(charged.uses.is_empty(), "nothing was ever paid for draw by draw");
        assert_eq!(charged.legs.dataset.quanta(), drawn);
        assert!(drawn == 0 || !(self.is_frozen || self.incidents >= 3), "nothing is drawn while it is frozen");
        assert!(charged.legs.researcher.quanta() <= self.query_max);
        self.is_path(charged, steps);
        self.is_as_named(charged, steps);
        self.pay(&charged.researcher, steps, &charged.legs, entry.at_ms);
        let known = self.charged.insert(charged.release.clone(), (charged.researcher.clone(), steps.to_vec()));
        assert!(known.is_none(), "a release is charged once");
        if let Some(key) = charged.key {
            let known = self.keys.insert((charged.researcher.clone(), key.key), key.body);
            assert!(known.is_none(), "a key is charged once");
        }
    }

    fn served(&mut self, entry: &Entry, served: &Serving) {
        assert!(self.released.contains(&served.release), "what is served was released");
        let (_, steps) = self.charged[&served.release].clone();
        self.seqs.entry((served.release.clone(), served.researcher.clone())).or_insert(entry.seq);
        assert_eq!(served.legs.dataset.quanta(), 0, "what is served draws nothing");
        let (named, _) = self.named[&served.researcher];
        assert!(served.legs.researcher.quanta() <= named, "nobody pays more than they named");
        self.postings += 1;
        self.pay(&served.researcher, &steps, &served.legs, entry.at_ms);
        self.know(&served.researcher, &steps);
        if let Some(key) = served.key {
            let known = self.keys.insert((served.researcher.clone(), key.key), key.body);
            assert!(known.is_none(), "a key is used once");
        }
    }

    /// Checks that new points lie next to the points that they are made from, and that data makes up the difference to the finest one.
    fn is_path(&self, charged: &Charge, steps: &[PathStep]) {
        let mut levels: HashMap<View, BTreeSet<u64>> = HashMap::new();
        for step in steps {
            let level = step.level.quanta();
            let stored = || self.paths.get(&step.view).map(|path| path.levels.clone()).unwrap_or_default();
            let known = levels.entry(step.view).or_insert_with(stored);
            let finest = known.last().copied().unwrap_or(0);
            match &step.origin {
                PointOrigin::Stored => assert!(known.contains(&level), "what is stored is there"),
                PointOrigin::Drawn { from, draw } => {
                    let price = charged.drawn[*draw as usize].certified.price.quanta();
                    assert_eq!((from.quanta(), from.quanta() + price), (finest, level), "data makes up the difference");
                }
                PointOrigin::Between { finer, coarser, .. } => {
                    assert_eq!(known.range(level..).next(), Some(&finer.quanta()), "made from the next finer one");
                    assert_eq!(known.range(..level).next_back().copied(), coarser.map(|one| one.quanta()));
                    assert_ne!(finer.quanta(), level, "a point is made once");
                }
                PointOrigin::Derived { from, sources } => {
                    let worth: u64 = sources.iter().map(|source| source.worth.quanta()).sum();
                    assert_eq!((from.quanta(), from.quanta() + worth), (finest, level), "sums make up the difference");
                    let is_direct = |source: &DerivedSource| {
                        let path = &self.paths[&source.view];
                        path.derived.is_empty() && path.levels.contains(&source.level.quanta())
                    };
                    assert!(sources.iter().all(is_direct), "and have noise of their own");
                }
            }
            known.insert(level);
        }
    }

    /// Takes in what somebody names for the question that they ask next. `may_return` says whether a charge that failed may still turn up.
    pub fn name(&mut self, who: &str, named: u64, may_return: bool) {
        let before = self.named.get(who).filter(|_| may_return).map(|(before, _)| *before);
        self.named.insert(who.to_owned(), (before.map_or(named, |before| before.max(named)), may_return));
    }

    /// Checks that nobody pays more than they named, and that a point of a question's only measurement has the level q that was asked for, or what
    /// sources beside it leave missing of q; so the question costs max(0, q − the best paid for), or less.
    fn is_as_named(&self, charged: &Charge, steps: &[PathStep]) {
        let ((named, is_one_of_several), leg) = (self.named[&charged.researcher], charged.legs.researcher.quanta());
        assert!(leg <= named, "{} pays {leg} and named {named}", charged.researcher);
        let is_made = |step: &&PathStep| matches!(step.origin, PointOrigin::Drawn { .. } | PointOrigin::Between { .. });
        let made: Vec<&PathStep> = steps.iter().filter(is_made).collect();
        assert!(made.iter().all(|step| step.level.quanta() <= named), "nothing is made that is finer than was named");
        let (1, [made]) = (charged.worth.len(), &made[..]) else { return };
        let most = named.saturating_sub(self.known(&self.owners[&charged.researcher], &made.view));
        let is_alone = !is_one_of_several && steps.iter().all(|step| step.view == made.view);
        // What is worth all but a billionth of what is asked for is used as it is.
        let least = if is_alone { most.saturating_sub(named / 1_000_000_000) } else { 0 };
        assert!((least..=most).contains(&leg), "{leg} is charged, and q − the best paid for is {most}");
    }

    fn lengthen(&mut self, steps: &[PathStep]) {
        for step in steps {
            let (path, level) = (self.paths.entry(step.view).or_default(), step.level.quanta());
            match &step.origin {
                PointOrigin::Drawn { from, .. } => path.drawn += level - from.quanta(),
                PointOrigin::Derived { from, sources } => {
                    let sources = sources.iter().map(|source| (source.view, source.level.quanta())).collect();
                    path.derived.push((level, from.quanta(), sources));
                }
                PointOrigin::Stored | PointOrigin::Between { .. } => {}
            }
            path.levels.insert(level);
            let derived: u64 = path.derived.iter().map(|(level, from, _)| level - from).sum();
            assert_eq!(path.finest(), path.drawn + derived, "nobody knows more than was drawn or derived");
        }
    }

    /// The best level of a view that somebody can see: what they paid for, or what follows from that.
    fn known(&self, owner: &Owner, view: &View) -> u64 {
        let mut known = owner.knows.get(view).copied().unwrap_or(0);
        for (level, from, sources) in self.paths.get(view).iter().flat_map(|path| &path.derived) {
            if known >= *from && sources.iter().all(|(source, level)| self.known(owner, source) >= *level) {
                known = known.max(*level);
            }
        }
        known
    }

    /// The accounts of a researcher and of their project.
    fn payers(&self, who: &str) -> Vec<String> {
        let project = self.owners[who].project.as_ref().map(|project| format!("project {project}"));
        [Some(who.to_owned()), project].into_iter().flatten().collect()
    }

    /// Checks that the legs are, for each view, the level that is given beyond the best one that is known.
    fn pay(&mut self, who: &str, steps: &[PathStep], legs: &Postings, at_ms: u64) {
        let mut given: HashMap<View, u64> = HashMap::new();
        for step in steps.iter().filter(|step| !matches!(step.origin, PointOrigin::Derived { .. })) {
            let level = given.entry(step.view).or_default();
            *level = step.level.quanta().max(*level);
        }
        for (payer, leg) in self.payers(who).into_iter().zip([legs.researcher, legs.project]) {
            let owner = &self.owners[&payer];
            let new: u64 = given.iter().map(|(view, level)| level.saturating_sub(self.known(owner, view))).sum();
            assert_eq!(leg.quanta(), new, "{payer} pays max(0, q − the best paid for), to the unit");
            self.owners.get_mut(&payer).expect("an account").pay(new, at_ms, &payer);
        }
    }

    fn know(&mut self, who: &str, steps: &[PathStep]) {
        for payer in self.payers(who) {
            let knows = &mut self.owners.get_mut(&payer).expect("an account").knows;
            for step in steps.iter().filter(|step| !matches!(step.origin, PointOrigin::Derived { .. })) {
                let level = knows.entry(step.view).or_default();
                *level = step.level.quanta().max(*level);
            }
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
