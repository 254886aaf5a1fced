//! Random histories of several people who ask for the same views: prices, to the unit.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::offer::{AvailableParts, Offer};
use super::*;
use crate::kernel::budget::charge::{ChargeRequest, ServeRequest};
use crate::kernel::budget::entry::{Act, Cap, Cause, Entry, PathCharge, Postings};
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Delta, Epsilon};
use crate::kernel::privacy::certificate::{MeasurementSpec, Subject, certify};
use crate::kernel::privacy::extent::Extent;
use crate::kernel::privacy::sensitivity::Aggregation;

const PEOPLE: [&str; 4] = ["ada", "bob", "cyd", "dan"];
/// People in a project; what one of them pays, it pays as well, once.
const PROJECT: [&str; 2] = ["cyd", "dan"];

/// What somebody asks for: levels of one or two views.
#[derive(Debug, Clone)]
struct Wish {
    who: usize,
    levels: BTreeMap<u8, u64>,
    /// Whether the answer is lost after it was charged.
    is_lost: bool,
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    // Levels from a few, so that they are met again, and from many, so that they lie anywhere.
    let level = prop_oneof![(1_u64..9).prop_map(|tenth| tenth * 1_000_000_000), 1_000_u64..10_000_000_000];
    let levels = prop::collection::btree_map(0_u8..3, level, 1..3);
    let wish = (0..PEOPLE.len(), levels, prop::bool::weighted(0.1));
    let wish = wish.prop_map(|(who, levels, is_lost)| Wish { who, levels, is_lost });
    prop::collection::vec(wish, 1..14)
}

fn apply(book: &mut LedgerState, act: Act) {
    let (seq, head) = book.head();
    let entry = Entry::following(seq, head, 0, act);
    let bytes = entry.canonical_bytes();
    assert_eq!(Entry::read(&bytes).as_ref(), Some(&entry), "bytes read back");
    book.apply(&entry, Entry::hash(&bytes)).unwrap_or_else(|wrong| panic!("{wrong}"));
    book.make_durable();
}

fn accountant() -> Accountant {
    Accountant::Gaussian { delta: Delta::parse("1e-6").expect("δ") }
}

fn book() -> LedgerState {
    let (epsilon, amount) = (Epsilon::parse("20").expect("ε"), Price::from_quanta(1 << 60));
    let (accountant, threshold_delta) = (accountant(), Delta::ZERO);
    let cap = Cap { accountant, epsilon, amount, query_max: amount, query_epsilon_max: epsilon, threshold_delta };
    let mut book = LedgerState::new();
    let (dataset, reason, by) = ("d".to_owned(), "r".to_owned(), "s".to_owned());
    apply(&mut book, Act::DatasetOpened { dataset: dataset.clone(), unit: "row".into(), cap });
    let project = "p".to_owned();
    let granted = (reason.clone(), by.clone());
    apply(&mut book, Act::ProjectGranted { project, dataset: dataset.clone(), epsilon, amount, reason, by });
    for name in PEOPLE {
        let (researcher, project) = (name.to_owned(), PROJECT.contains(&name).then(|| "p".to_owned()));
        let (dataset, period_days, (reason, by)) = (dataset.clone(), None, granted.clone());
        apply(&mut book, Act::Granted { researcher, dataset, project, epsilon, amount, period_days, reason, by });
    }
    book
}

fn spec() -> MeasurementSpec {
    let extent = Extent::of(Aggregation::Count, 1_000).expect("bounded");
    MeasurementSpec { sensitivity: Sensitivity::of(Aggregation::Count, 1).expect("bounded"), cells: 1, extent }
}

/// What must hold, computed from the wishes alone.
#[derive(Default)]
struct Model {
    drawn: BTreeMap<u8, u64>,
    known: BTreeMap<(String, u8), u64>,
    spent: BTreeMap<String, u64>,
    levels: BTreeMap<u8, BTreeSet<u64>>,
}

impl Model {
    fn payers(who: &str) -> Vec<String> {
        let project = PROJECT.contains(&who).then(|| "project".to_owned());
        [Some(who.to_owned()), project].into_iter().flatten().collect()
    }

    /// What each payer has to pay for these levels: for each view what lies beyond the best one that they have paid for.
    fn leg(&self, payer: &str, levels: &BTreeMap<u8, u64>) -> u64 {
        let known = |view: &u8| self.known.get(&(payer.to_owned(), *view)).copied().unwrap_or(0);
        levels.iter().map(|(view, level)| level.saturating_sub(known(view))).sum()
    }

    fn legs(&self, who: &str, levels: &BTreeMap<u8, u64>) -> Postings {
        let drawn = |view: &u8| self.drawn.get(view).copied().unwrap_or(0);
        let dataset: u64 = levels.iter().map(|(view, level)| level.saturating_sub(drawn(view))).sum();
        let project = if PROJECT.contains(&who) { self.leg("project", levels) } else { 0 };
        let price = Price::from_quanta;
        Postings { dataset: price(dataset), project: price(project), researcher: price(self.leg(who, levels)) }
    }
}

/// Asks as the service does, and checks what is charged against the model.
fn ask(book: &mut LedgerState, model: &mut Model, number: usize, wish: &Wish) {
    let who = PEOPLE[wish.who];
    let wanted: Vec<NeededMeasurement> = wish
        .levels
        .keys()
        .map(|view| NeededMeasurement {
            view: [*view; 32],
            sought: spec(),
            is_whole: false,
            is_independent: false,
            ancestors: Vec::new(),
        })
        .collect();
    let asked: Vec<Price> = wish.levels.values().map(|level| Price::from_quanta(*level)).collect();
    let question = wish.levels.keys().fold([9_u8; 32], |mut digest, view| {
        digest[usize::from(*view)] = 1;
        digest
    });
    let branch = book.branch("d", who).expect("an account");
    let of = (Some(question), wanted.as_slice());
    let offer = AvailableParts::new(book, branch, accountant(), of, Delta::ZERO, 0).offer(&asked).expect("an offer");
    // What is stored within a billionth of what is asked for is used as it is.
    let near = |view: &u8, level: u64| {
        let stored = model.levels.get(view).into_iter().flatten().copied();
        stored.filter(|stored| *stored <= level && stored + level / 1_000_000_000 >= level).max().unwrap_or(level)
    };
    let levels: BTreeMap<u8, u64> = wish.levels.iter().map(|(view, level)| (*view, near(view, *level))).collect();
    let wanted_legs = model.legs(who, &levels);
    assert_eq!(offer.legs(), wanted_legs, "{wish:?}");
    let typed: u64 = wish.levels.values().sum();
    assert!(offer.legs().researcher.quanta() <= typed, "nobody pays more than they named");
    let is_paid = take(book, (number, wish), (offer, wanted_legs), (question, &wanted));
    // Who has paid for more gets that, and nothing new is made.
    let known = |view: &u8| model.known.get(&(who.to_owned(), *view)).copied().unwrap_or(0);
    let made: Vec<(u8, u64)> = levels
        .iter()
        .filter(|(view, level)| is_paid && **level > known(view))
        .map(|(view, level)| (*view, *level))
        .collect();
    for (payer, leg) in Model::payers(who).into_iter().zip([wanted_legs.researcher, wanted_legs.project]) {
        *model.spent.entry(payer.clone()).or_default() += leg.quanta();
        for (view, level) in levels.iter().filter(|_| is_paid) {
            let known = model.known.entry((payer.clone(), *view)).or_default();
            *known = (*known).max(*level);
        }
    }
    *model.spent.entry("dataset".to_owned()).or_default() += wanted_legs.dataset.quanta();
    for (view, level) in made {
        let drawn = model.drawn.entry(view).or_default();
        *drawn = (*drawn).max(level);
        model.levels.entry(view).or_default().insert(level);
    }
}

/// Takes an offer, and says whether its answer was stored.
fn take(
    book: &mut LedgerState,
    (number, wish): (usize, &Wish),
    (offer, wanted_legs): (Offer, Postings),
    (question, wanted): (Digest, &[NeededMeasurement]),
) -> bool {
    let who = PEOPLE[wish.who];
    let release = format!("r{number}");
    match offer {
        Offer::Stored { release, .. } => {
            let request = ServeRequest { release, researcher: who.to_owned(), question: None, key: None, at_ms: 0 };
            let served = book.serve(&request).expect("admitted");
            assert_eq!(served.legs, wanted_legs);
            apply(book, Act::ServedByPath(Box::new(served)));
            true
        }
        Offer::Combined { parts, steps, .. } => {
            let steps = steps.expect("a path");
            let is_new = steps.iter().any(PathStep::is_new);
            let request = request(&release, who, question, (&parts, &steps), wanted);
            let charge = book.charge(&request).expect("admitted");
            assert_eq!(charge.legs, wanted_legs);
            apply(book, Act::ChargedByPath(Box::new(PathCharge { charge, steps })));
            let is_lost = wish.is_lost && is_new;
            let act = match is_lost {
                true => Act::Burned { release, cause: Cause::CutOff },
                false => Act::Released { release, digest: [1; 32] },
            };
            apply(book, act);
            !is_lost
        }
    }
}

fn request(
    release: &str,
    who: &str,
    view: Digest,
    (parts, steps): (&[AnswerPart], &[PathStep]),
    wanted: &[NeededMeasurement],
) -> ChargeRequest {
    let fresh: Vec<_> = parts.iter().zip(wanted).filter(|(part, _)| part.fresh > Price::ZERO).collect();
    let prices: Vec<Price> = fresh.iter().map(|(part, _)| part.fresh).collect();
    let subject = Subject { dataset: "d".into(), edition: "ed".into() };
    let sought: Vec<MeasurementSpec> = fresh.iter().map(|(_, wanted)| wanted.sought).collect();
    ChargeRequest {
        release: release.to_owned(),
        researcher: who.to_owned(),
        certificate: certify(accountant(), subject, &sought, &prices).expect("certified"),
        drawn: fresh.iter().map(|(_, wanted)| wanted.view).collect(),
        uses: Vec::new(),
        steps: Some(steps.to_vec()),
        worth: parts.iter().map(|part| part.worth).collect(),
        view,
        sql: String::new(),
        rows_per_unit: 1,
        purpose: None,
        key: None,
        at_ms: 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// In every order of asking by several people, each pays max(0, q − the best they have paid for) for each view, to the unit, and the
    /// dataset what nobody had. What is lost after it was charged is paid for and not known.
    #[test]
    fn prices_are_what_lies_beyond_the_best_that_was_paid_for(history in wishes()) {
        let (mut book, mut model) = (book(), Model::default());
        for (number, wish) in history.iter().enumerate() {
            ask(&mut book, &mut model, number, wish);
        }
        let spent = |kind, name| book.find("d", kind, name).expect("an account").spent.quanta();
        use crate::kernel::budget::entry::AccountKind;
        for name in PEOPLE {
            let wanted = model.spent.get(name).copied().unwrap_or(0);
            prop_assert_eq!(spent(AccountKind::Researcher, name), wanted);
        }
        prop_assert_eq!(spent(AccountKind::Project, "p"), model.spent.get("project").copied().unwrap_or(0));
        prop_assert_eq!(spent(AccountKind::Dataset, "d"), model.spent.get("dataset").copied().unwrap_or(0));
        for (view, levels) in &model.levels {
            let path = book.path(&[*view; 32]).expect("a path");
            prop_assert_eq!(path.finest().quanta(), levels.last().copied().unwrap_or(0));
            prop_assert!(levels.iter().all(|level| path.has(Price::from_quanta(*level))));
        }
    }
}
