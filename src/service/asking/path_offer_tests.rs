//! Random histories of several people who ask for the same views: prices, to the unit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::super::derivations::Ancestor;
use super::super::offer::{AvailableParts, Offer};
use super::super::parts::use_ids;
use super::*;
use crate::kernel::budget::charge::{ChargeRequest, ServeRequest};
use crate::kernel::budget::entry::{Act, Cap, Cause, Entry, PathCharge, Postings};
use crate::kernel::budget::steps::levels_given;
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Delta, Epsilon};
use crate::kernel::privacy::certificate::{MeasurementSpec, Subject, certify};
use crate::kernel::privacy::extent::Extent;
use crate::kernel::privacy::sensitivity::Aggregation;
use crate::query::derive::Derivation;

const PEOPLE: [&str; 4] = ["ada", "bob", "cyd", "dan"];
const UNIT: u64 = 1_000_000_000;
/// People in a project; what one of them pays, it pays as well, once.
const PROJECT: [&str; 2] = ["cyd", "dan"];

/// Number of views that are asked for.
const VIEWS: u8 = 6;

/// The views whose cells add up to a view's, with how many of them make one cell. Views 0, 1 and 2 follow from no other; 2 is followed by none.
fn ancestors(view: u8) -> &'static [(u8, u64)] {
    match view {
        3 => &[(0, 4), (1, 2)],
        4 => &[(0, 2)],
        5 => &[(3, 1), (4, 2), (0, 4)],
        _ => &[],
    }
}

/// What somebody asks for: levels of one or two views.
#[derive(Debug, Clone)]
struct Wish {
    who: usize,
    levels: BTreeMap<u8, u64>,
    /// Whether the answer is lost after it was charged.
    is_lost: bool,
}

fn wish(who: usize, view: u8, level: u64) -> Wish {
    Wish { who, levels: BTreeMap::from([(view, level)]), is_lost: false }
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    // Levels from a few, so that they are met again, and from many, so that they lie anywhere.
    let level = prop_oneof![(1_u64..9).prop_map(|tenth| tenth * UNIT), 1_000_u64..10 * UNIT];
    let levels = prop::collection::btree_map(0..VIEWS, level, 1..3);
    let wish = (0..PEOPLE.len(), levels, prop::bool::weighted(0.1));
    let wish = wish.prop_map(|(who, levels, is_lost)| Wish { who, levels, is_lost });
    prop::collection::vec(wish, 1..20)
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

/// A point that is derived from others: the finest level before it, its own, and the views with the levels that it is made from.
type DerivedLevel = (u64, u64, Vec<(u8, u64)>);

/// What must hold, computed from the wishes and from what was given.
#[derive(Default)]
struct Model {
    /// The best level of each view that each payer paid for.
    known: BTreeMap<(String, u8), u64>,
    /// The most of each view that each payer was answered, by whatever its answer was made of.
    answered: BTreeMap<(String, u8), u64>,
    spent: BTreeMap<String, u64>,
    drawn: BTreeMap<u8, u64>,
    levels: BTreeMap<u8, BTreeSet<u64>>,
    derived: BTreeMap<u8, Vec<DerivedLevel>>,
    /// The levels of which views each release gives.
    given: BTreeMap<String, Vec<(u8, u64)>>,
}

impl Model {
    fn payers(who: &str) -> Vec<String> {
        let project = PROJECT.contains(&who).then(|| "project".to_owned());
        [Some(who.to_owned()), project].into_iter().flatten().collect()
    }

    /// The best level of a view that a payer can see.
    fn known(&self, payer: &str, view: u8) -> u64 {
        let mut known = self.known.get(&(payer.to_owned(), view)).copied().unwrap_or(0);
        for (from, level, sources) in self.derived.get(&view).into_iter().flatten() {
            if known >= *from && sources.iter().all(|(source, level)| self.known(payer, *source) >= *level) {
                known = known.max(*level);
            }
        }
        known
    }

    fn finest(&self, view: u8) -> u64 {
        self.levels.get(&view).and_then(|levels| levels.last()).copied().unwrap_or(0)
    }

    /// What a payer pays for these levels: for each view what lies beyond the best one that they can see.
    fn leg(&self, payer: &str, levels: &[(u8, u64)]) -> u64 {
        levels.iter().map(|(view, level)| level.saturating_sub(self.known(payer, *view))).sum()
    }

    fn legs(&self, who: &str, (levels, drawn): (&[(u8, u64)], u64)) -> Postings {
        let project = if PROJECT.contains(&who) { self.leg("project", levels) } else { 0 };
        let price = Price::from_quanta;
        Postings { dataset: price(drawn), project: price(project), researcher: price(self.leg(who, levels)) }
    }

    /// Takes in an answer that was stored: its points are on their paths, and its payers know what it gives.
    fn store(&mut self, who: &str, (given, steps): (&[(u8, u64)], &[PathStep])) {
        for step in steps.iter().filter(|step| step.is_new()) {
            let (view, level) = (step.view[0], step.level.quanta());
            match &step.origin {
                PointOrigin::Drawn { from, .. } => *self.drawn.entry(view).or_default() += level - from.quanta(),
                PointOrigin::Derived { from, sources } => {
                    let sources = sources.iter().map(|source| (source.view[0], source.level.quanta())).collect();
                    self.derived.entry(view).or_default().push((from.quanta(), level, sources));
                }
                PointOrigin::Stored | PointOrigin::Between { .. } => {}
            }
            assert!(self.levels.entry(view).or_default().insert(level), "a point is made once");
        }
        for payer in Self::payers(who) {
            for (view, level) in given {
                let known = self.known.entry((payer.clone(), *view)).or_default();
                *known = (*known).max(*level);
            }
        }
    }
}

fn needed(view: u8) -> NeededMeasurement {
    let ancestor =
        |(view, cells): &(u8, u64)| Ancestor { view: [*view; 32], derivation: Arc::new(Derivation::of_total(*cells)) };
    NeededMeasurement {
        view: [view; 32],
        sought: spec(),
        is_whole: false,
        is_independent: false,
        ancestors: ancestors(view).iter().map(ancestor).collect(),
    }
}

fn levels_of(steps: &[PathStep]) -> Vec<(u8, u64)> {
    levels_given(steps).into_iter().map(|(view, level)| (view[0], level.quanta())).collect()
}

/// Asks as the service does, and checks what is charged against the model. Returns what the researcher pays.
fn ask(book: &mut LedgerState, model: &mut Model, number: usize, wish: &Wish) -> u64 {
    let who = PEOPLE[wish.who];
    let wanted: Vec<NeededMeasurement> = wish.levels.keys().map(|view| needed(*view)).collect();
    let asked: Vec<Price> = wish.levels.values().map(|level| Price::from_quanta(*level)).collect();
    let question = wish.levels.keys().fold([9_u8; 32], |mut digest, view| {
        digest[usize::from(*view)] = 1;
        digest
    });
    let branch = book.branch("d", who).expect("an account");
    let of = (Some(question), wanted.as_slice());
    let offer = AvailableParts::new(book, branch, accountant(), of, Delta::ZERO, 0).offer(&asked).expect("an offer");
    let (given, steps, drawn) = match &offer {
        Offer::Stored { release, .. } => (model.given[release].clone(), Vec::new(), 0),
        Offer::Combined { parts, steps, .. } => {
            let steps = steps.clone().expect("a path");
            (levels_of(&steps), steps, parts.iter().map(|part| part.fresh.quanta()).sum())
        }
    };
    let legs = model.legs(who, (&given, drawn));
    assert_eq!(offer.legs(), legs, "{wish:?}: a view costs what lies beyond the best that was paid for");
    let is_served = matches!(offer, Offer::Stored { .. });
    may_cost(model, wish, is_served, legs.researcher.quanta());
    for (view, level) in &given {
        let asked = wish.levels.get(view).copied().unwrap_or(0);
        let is_one = is_served || *level <= asked.max(model.known(who, *view));
        assert!(is_one, "{wish:?}: view {view} is given at {level}");
    }
    let is_paid = take(book, (number, wish), (offer, legs), (question, &wanted));
    for (payer, leg) in Model::payers(who).into_iter().zip([legs.researcher, legs.project]) {
        *model.spent.entry(payer.clone()).or_default() += leg.quanta();
        for (view, level) in wish.levels.iter().filter(|_| is_paid) {
            let answered = model.answered.entry((payer.clone(), *view)).or_default();
            *answered = (*answered).max(*level);
        }
    }
    *model.spent.entry("dataset".to_owned()).or_default() += drawn;
    if is_paid {
        model.given.entry(format!("r{number}")).or_insert_with(|| given.clone());
        model.store(who, (&given, &steps));
    }
    legs.researcher.quanta()
}

/// Checks what an answer may cost a researcher, whatever others have asked.
fn may_cost(model: &Model, wish: &Wish, is_served: bool, leg: u64) {
    let who = PEOPLE[wish.who];
    let typed: u64 = wish.levels.values().sum();
    assert!(leg <= typed, "nobody pays more than they named");
    let beyond = |(view, level): (&u8, &u64)| level.saturating_sub(model.known(who, *view));
    let most: u64 = wish.levels.iter().map(beyond).sum();
    let has_no_other = |view: &u8| ancestors(*view).iter().all(|(other, _)| model.known(who, *other) == 0);
    // A stored answer may be of other sources than the asker would have, and cost less.
    assert!(leg <= most, "{wish:?}: {leg}, and max(0, q − the best paid for) of each view is {most}");
    // What is worth all but a billionth of what is asked for is used as it is.
    let is_as_asked = most - leg <= typed / UNIT;
    assert!(is_as_asked || is_served || !wish.levels.keys().all(has_no_other), "{wish:?}: {leg} instead of {most}");
    let was_answered = |(view, level): (&u8, &u64)| {
        model.answered.get(&(who.to_owned(), *view)).is_some_and(|answered| answered >= level)
    };
    assert!(leg == 0 || !wish.levels.iter().all(was_answered), "{wish:?}: what was free stays free, and this is {leg}");
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

    /// In every order of asking by several people, of views that follow from one another, each pays for each view the level that they are given
    /// beyond the best one that they have paid for, to the unit, and the dataset what nobody had. That is max(0, q − the best paid for), or less
    /// if they have what the view follows from; and it is nothing if they were answered as much before, whatever others asked in between. What is
    /// lost after it was charged is paid for and not known.
    #[test]
    fn prices_are_what_lies_beyond_the_best_that_was_paid_for(history in wishes()) {
        let (mut book, mut model) = (book(), Model::default());
        for (number, wish) in history.iter().enumerate() {
            ask(&mut book, &mut model, number, wish);
        }
        let spent = |kind, name| book.find("d", kind, name).expect("an account").spent.quanta();
        use crate::kernel::budget::entry::AccountKind;
        let sum = |of: &BTreeMap<String, u64>, name: &str| of.get(name).copied().unwrap_or(0);
        for name in PEOPLE {
            prop_assert_eq!(spent(AccountKind::Researcher, name), sum(&model.spent, name));
        }
        prop_assert_eq!(spent(AccountKind::Project, "p"), sum(&model.spent, "project"));
        prop_assert_eq!(spent(AccountKind::Dataset, "d"), sum(&model.spent, "dataset"));
        for (view, levels) in &model.levels {
            let path = book.path(&[*view; 32]).expect("a path");
            prop_assert_eq!(path.finest().quanta(), model.finest(*view));
            prop_assert!(levels.iter().all(|level| path.has(Price::from_quanta(*level))));
            let derived: u64 = model.derived.get(view).into_iter().flatten().map(|(from, level, _)| level - from).sum();
            let drawn = model.drawn.get(view).copied().unwrap_or(0);
            prop_assert_eq!(path.finest().quanta(), drawn + derived, "nobody knows more than was drawn or derived");
        }
    }
}

/// Somebody else's finer cells, from which a total is derived, leave those who have cells and a total of their own with what they had. It was
/// dearer when the noise of a path counted as that of each of its points.
#[test]
fn what_others_derive_takes_nothing_away() {
    let (ada, bob, cyd, dan) = (0, 1, 2, 3);
    let (mut book, mut model) = (book(), Model::default());
    let history = [
        // Ada's total, and her cells, four of which make up a total and are worth 2 of it.
        (wish(ada, 3, 2 * UNIT), 2 * UNIT),
        (wish(ada, 0, 8 * UNIT), 8 * UNIT),
        (wish(ada, 3, 4 * UNIT), 0),
        // Bob's finer cells, and Cyd's total, which is derived from them.
        (wish(bob, 0, 16 * UNIT), 16 * UNIT),
        (wish(cyd, 3, 5 * UNIT), 5 * UNIT),
        (wish(ada, 3, 4 * UNIT), 0),
        (wish(ada, 3, 3 * UNIT), 0),
        // Above what is hers alone, the path has the noise of the cells; she pays for its level, and then has that.
        (wish(ada, 3, 9 * UNIT / 2), 5 * UNIT / 2),
        (wish(ada, 3, 9 * UNIT / 2), 0),
        (wish(ada, 3, 4 * UNIT), 0),
        (wish(dan, 3, 4 * UNIT), 4 * UNIT),
    ];
    for (number, (wish, leg)) in history.iter().enumerate() {
        assert_eq!(ask(&mut book, &mut model, number, wish), *leg, "{wish:?}");
    }
    assert_eq!(model.spent["dataset"], 18 * UNIT, "nothing is drawn that follows from the cells");
}

/// Draws that people paid for one by one, before there were paths: what somebody drew stands beside points that it is no part of, so that they
/// pay for the rest alone, and for no more than they asked for.
#[test]
fn what_was_drawn_by_itself_stands_beside_the_path() {
    let (mut book, wanted) = (book(), [needed(2)]);
    let mut number = 0_u32;
    let mut ask = |book: &mut LedgerState, who: &str, is_fresh: bool, level: u64| {
        number += 1;
        let (question, release) = ([9_u8; 32], format!("r{number}"));
        let branch = book.branch("d", who).expect("an account");
        let of = ((!is_fresh).then_some(question), &wanted[..]);
        let asked = [Price::from_quanta(level)];
        let offer =
            AvailableParts::new(book, branch, accountant(), of, Delta::ZERO, 0).offer(&asked).expect("an offer");
        let Offer::Combined { parts, steps, legs } = offer else { panic!("nothing is served as it is") };
        let made_of = (parts.as_slice(), steps.as_deref().unwrap_or_default());
        let uses = use_ids(&parts);
        let request = ChargeRequest { uses, ..request(&release, who, question, made_of, &wanted) };
        let request = ChargeRequest { steps: steps.clone(), ..request };
        let charge = book.charge(&request).expect("admitted");
        assert_eq!(charge.legs, legs);
        let act = match steps {
            Some(steps) => Act::ChargedByPath(Box::new(PathCharge { charge, steps })),
            None => Act::Charged(Box::new(charge)),
        };
        apply(book, act);
        apply(book, Act::Released { release, digest: [1; 32] });
        (legs.researcher.quanta(), legs.dataset.quanta())
    };
    assert_eq!(ask(&mut book, "ada", true, UNIT), (UNIT, UNIT));
    assert_eq!(ask(&mut book, "bob", true, 5 * UNIT), (5 * UNIT, 5 * UNIT));
    // A copy of Ada's draw, which Bob's is no part of.
    assert_eq!(ask(&mut book, "bob", false, 11 * UNIT / 2), (UNIT / 2, 0));
    assert_eq!(ask(&mut book, "bob", false, 6 * UNIT), (UNIT / 2, 0));
    assert_eq!(ask(&mut book, "ada", false, 4 * UNIT), (3 * UNIT, 0));
    assert_eq!(ask(&mut book, "ada", false, 7 * UNIT), (3 * UNIT, UNIT));
    // Cyd's draw lies above all of that. They pay for it once, whether it stands beside a point or is in it.
    assert_eq!(ask(&mut book, "cyd", true, 3 * UNIT), (3 * UNIT, 3 * UNIT));
    assert_eq!(ask(&mut book, "cyd", false, 19 * UNIT / 2), (13 * UNIT / 2, 0));
    assert_eq!(ask(&mut book, "cyd", false, 12 * UNIT), (5 * UNIT / 2, 2 * UNIT));
    // Dan's is below the point that they ask for at once.
    assert_eq!(ask(&mut book, "dan", true, 3 * UNIT), (3 * UNIT, 3 * UNIT));
    assert_eq!(ask(&mut book, "dan", false, 20 * UNIT), (17 * UNIT, 5 * UNIT));
}
