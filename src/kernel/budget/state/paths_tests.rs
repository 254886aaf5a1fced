//! Tests of noise paths in the fold: which steps follow from the stored points, and which do not.

use super::super::AccountNo;
use super::super::noise_path::{KnownView, NoiseRoot};
use super::*;
use crate::kernel::budget::charge::{ChargeRequest, Refusal};
use crate::kernel::budget::entry::{Act, Cap, Charge, Entry, PathCharge, Serving};
use crate::kernel::budget::state::AnswerCost;
use crate::kernel::privacy::amounts::{Delta, Epsilon};
use crate::kernel::privacy::certificate::{CertifiedMeasurement, MeasurementSpec, Subject, certify};
use crate::kernel::privacy::extent::Extent;
use crate::kernel::privacy::sensitivity::Aggregation;

const UNIT: u64 = 1_000_000_000;

fn accountant() -> Accountant {
    Accountant::Gaussian { delta: Delta::parse("1e-6").expect("δ") }
}

pub(in super::super) fn take(book: &mut LedgerState, act: Act) -> Result<(), FoldFault> {
    let (seq, head) = book.head();
    let entry = Entry::following(seq, head, 0, act);
    book.apply(&entry, Entry::hash(&entry.canonical_bytes())).map_err(|inconsistent| inconsistent.why)?;
    book.make_durable();
    Ok(())
}

pub(in super::super) fn price(units: u64) -> Price {
    Price::from_quanta(units.saturating_mul(UNIT))
}

fn certified(units: u64) -> CertifiedMeasurement {
    let extent = Extent::of(Aggregation::Count, 10).expect("bounded");
    let sensitivity = Sensitivity::of(Aggregation::Count, 1).expect("bounded");
    let subject = Subject { dataset: "d".into(), edition: "ed".into() };
    let sought = [MeasurementSpec { sensitivity, cells: 1, extent }];
    let certificate = certify(accountant(), subject, &sought, &[price(units)]).expect("certified");
    certificate.measurements()[0]
}

fn step(view: u8, level: u64, origin: PointOrigin) -> PathStep {
    PathStep { view: [view; 32], level: price(level), cells: 1, origin }
}

pub(in super::super) fn drawn(view: u8, from: u64, level: u64) -> (Vec<NewDraw>, Vec<PathStep>) {
    let draw = NewDraw { view: [view; 32], certified: certified(level.saturating_sub(from)) };
    (vec![draw], vec![step(view, level, PointOrigin::Drawn { from: price(from), draw: 0 })])
}

pub(in super::super) fn between(
    view: u8,
    level: u64,
    finer: u64,
    coarser: Option<u64>,
) -> (Vec<NewDraw>, Vec<PathStep>) {
    let (finer, coarser) = (price(finer), coarser.map(price));
    let gap = PathGap { level: price(level), finer, coarser };
    let noise = gap.noise(certified(1).sensitivity).expect("a law");
    (Vec::new(), vec![step(view, level, PointOrigin::Between { finer, coarser, noise })])
}

fn derived(view: u8, from: u64, source: (u8, u64), worth: u64) -> (Vec<NewDraw>, Vec<PathStep>) {
    let source = DerivedSource { view: [source.0; 32], level: price(source.1), worth: price(worth) };
    let origin = PointOrigin::Derived { from: price(from), sources: vec![source] };
    let level = from.saturating_add(worth);
    (Vec::new(), vec![step(view, level, origin), step(view, level, PointOrigin::Stored)])
}

/// The charge of an answer with these draws and steps, with the legs that the state asks for.
pub(in super::super) fn charge(
    book: &LedgerState,
    release: &str,
    who: &str,
    (drawn, steps): (Vec<NewDraw>, Vec<PathStep>),
) -> Act {
    let branch = book.branch("d", who).expect("an account");
    let sum = drawn.iter().map(|one| one.certified.price).fold(Price::ZERO, Price::saturating_add);
    let levels = levels_given(&steps);
    let cells = drawn.len() as u64;
    let cost = AnswerCost { drawn: sum, cells, levels: Some(&levels), ..AnswerCost::of_stored(&[]) };
    let legs = book.legs(&branch, &cost);
    let charge = Charge {
        release: release.to_owned(),
        researcher: who.to_owned(),
        dataset: "d".into(),
        edition: "ed".into(),
        view: [9; 32],
        sql: String::new(),
        rows_per_unit: 1,
        purpose: None,
        worth: vec![price(1)],
        drawn,
        uses: Vec::new(),
        legs,
        cells,
        threshold_delta: Delta::ZERO,
        key: None,
        account: book.mark_after(&branch, &legs, 0),
    };
    Act::ChargedByPath(Box::new(PathCharge { charge, steps }))
}

/// The charge of an answer that is paid for draw by draw, with one draw of a view.
pub(in super::super) fn charge_by_draw(book: &LedgerState, release: &str, who: &str, (view, units): (u8, u64)) -> Act {
    let steps = drawn(view, 0, units);
    let Act::ChargedByPath(by_path) = charge(book, release, who, steps) else { panic!("a charge") };
    let mut charge = by_path.charge;
    let branch = book.branch("d", who).expect("an account");
    charge.legs = book.legs(&branch, &AnswerCost { drawn: price(units), cells: 1, ..AnswerCost::of_stored(&[]) });
    charge.account = book.mark_after(&branch, &charge.legs, 0);
    Act::Charged(Box::new(charge))
}

/// A book with accounts and nothing drawn.
pub(in super::super) fn empty_book() -> LedgerState {
    let (epsilon, amount) = (Epsilon::parse("20").expect("ε"), Price::from_quanta(1 << 60));
    let (accountant, threshold_delta) = (accountant(), Delta::ZERO);
    let cap = Cap { accountant, epsilon, amount, query_max: amount, query_epsilon_max: epsilon, threshold_delta };
    let mut book = LedgerState::new();
    take(&mut book, Act::DatasetOpened { dataset: "d".into(), unit: "row".into(), cap }).expect("opened");
    for name in ["a", "b"] {
        let (researcher, dataset, project, period_days) = (name.to_owned(), "d".to_owned(), None, None);
        let (reason, by) = ("r".to_owned(), "s".to_owned());
        let granted = Act::Granted { researcher, dataset, project, epsilon, amount, period_days, reason, by };
        take(&mut book, granted).expect("granted");
    }
    book
}

/// A book in which view 1 has points at the levels 2 (a copy), 4 and 6, all of them paid for by `a`.
fn book() -> LedgerState {
    let mut book = empty_book();
    for (release, steps) in [("r1", drawn(1, 0, 4)), ("r2", between(1, 2, 4, None)), ("r3", drawn(1, 4, 6))] {
        let act = charge(&book, release, "a", steps);
        take(&mut book, act).expect(release);
        take(&mut book, Act::Released { release: release.into(), digest: [1; 32] }).expect(release);
    }
    book
}

#[test]
fn steps_follow_from_the_points_next_to_them() {
    let mut unused = drawn(1, 6, 7);
    unused.1 = vec![step(1, 6, PointOrigin::Stored)];
    for (what, steps, expected) in [
        ("a finer draw", drawn(1, 6, 7), Ok(())),
        ("a draw of another view", drawn(2, 0, 3), Ok(())),
        ("a copy", between(1, 1, 2, None), Ok(())),
        ("a bridge", between(1, 3, 4, Some(2)), Ok(())),
        ("what follows from another view", derived(3, 0, (1, 6), 3), Ok(())),
        ("a draw that forgets a finer point", drawn(1, 4, 7), Err(FoldFault::MisplacedPoint)),
        ("a draw from nothing", drawn(1, 0, 7), Err(FoldFault::MisplacedPoint)),
        ("a copy of the finest, not of the next finer", between(1, 1, 6, None), Err(FoldFault::MisplacedPoint)),
        ("a bridge that forgets its coarser end", between(1, 3, 4, None), Err(FoldFault::MisplacedPoint)),
        ("a bridge over a point", between(1, 3, 6, Some(2)), Err(FoldFault::MisplacedPoint)),
        ("a second point at a level", between(1, 4, 6, Some(2)), Err(FoldFault::MisplacedPoint)),
        (
            "a point that is not there",
            (Vec::new(), vec![step(1, 5, PointOrigin::Stored)]),
            Err(FoldFault::UnknownPoint),
        ),
        ("a draw that no step uses", unused, Err(FoldFault::MisplacedPoint)),
        ("a view that follows from itself", derived(1, 6, (1, 6), 1), Err(FoldFault::MisplacedPoint)),
        ("what follows from nothing", derived(3, 0, (2, 6), 1), Err(FoldFault::UnknownPoint)),
        ("what forgets a finer point", derived(1, 4, (2, 6), 1), Err(FoldFault::UnknownPoint)),
    ] {
        let mut book = book();
        let act = charge(&book, "r", "b", steps);
        assert_eq!(take(&mut book, act), expected, "{what}");
    }
}

/// A view that follows from another one adds nothing to it, and is not followed on.
#[test]
fn noise_is_used_once() {
    let mut book = book();
    let act = charge(&book, "r4", "a", derived(3, 0, (1, 6), 3));
    let Act::ChargedByPath(charged) = &act else { panic!("a charge") };
    assert_eq!(charged.charge.legs.researcher, price(3), "nobody is given the point before it is stored");
    take(&mut book, act).expect("charged");
    take(&mut book, Act::Released { release: "r4".into(), digest: [1; 32] }).expect("stored");
    let branch = book.branch("d", "a").expect("an account");
    assert_eq!(book.level_paid(branch.researcher, &[3; 32]), price(3));
    // Whoever has paid for what it is derived from has paid for it.
    let act = charge(&book, "r5", "b", (Vec::new(), vec![step(1, 6, PointOrigin::Stored)]));
    take(&mut book, act).expect("charged");
    take(&mut book, Act::Released { release: "r5".into(), digest: [1; 32] }).expect("stored");
    let other = book.branch("d", "b").expect("an account").researcher;
    assert_eq!(book.level_paid(other, &[3; 32]), price(3));
    assert_eq!(book.known_view(other, &[3; 32]), KnownView { level: price(3), draws: Vec::new() });
    for (what, steps) in [("twice", derived(3, 3, (1, 6), 3)), ("on", derived(4, 0, (3, 3), 1))] {
        let act = charge(&book, "r6", "a", steps);
        let mut book = copy(&book);
        assert_eq!(take(&mut book, act), Err(FoldFault::MisplacedPoint), "{what}");
    }
}

/// What a view is derived from is derived from nothing: in one answer, one after the other, and while an answer is under way. Otherwise what an
/// account knows of a view could be asked of that view again, without an end.
#[test]
fn views_are_not_derived_from_one_another() {
    let mut book = book();
    let act = charge(&book, "r4", "a", drawn(2, 0, 6));
    take(&mut book, act).expect("charged");
    take(&mut book, Act::Released { release: "r4".into(), digest: [1; 32] }).expect("stored");
    let mut both = derived(1, 6, (2, 6), 1);
    both.1.extend(derived(2, 6, (1, 6), 1).1);
    let act = charge(&book, "r5", "a", both);
    assert_eq!(take(&mut copy(&book), act), Err(FoldFault::MisplacedPoint), "each from the other");
    let mut chain = derived(3, 0, (1, 6), 1);
    chain.1.extend(derived(1, 6, (2, 6), 1).1);
    let act = charge(&book, "r5", "a", chain);
    assert_eq!(take(&mut copy(&book), act), Err(FoldFault::MisplacedPoint), "what another follows from in the answer");

    let act = charge(&book, "r5", "a", derived(1, 6, (2, 6), 1));
    take(&mut book, act).expect("charged");
    let act = charge(&book, "r6", "b", derived(3, 0, (1, 6), 1));
    assert_eq!(take(&mut copy_with_head(&book), act), Err(FoldFault::MisplacedPoint), "what is under way");
    let act = charge(&book, "r6", "b", derived(2, 6, (3, 6), 1));
    assert_eq!(take(&mut copy_with_head(&book), act), Err(FoldFault::MisplacedPoint), "what another follows from");
}

/// A copy of what the test needs of a state.
fn copy(book: &LedgerState) -> LedgerState {
    LedgerState {
        paths: book.paths.clone(),
        levels: book.levels.clone(),
        draws: book.draws.clone(),
        views: book.views.clone(),
        releases: book.releases.clone(),
        names: book.names.clone(),
        ..book.sketch()
    }
}

/// A path is made longer by one answer at a time; one that failed leaves it as it was.
#[test]
fn one_answer_at_a_time_makes_points_of_a_path() {
    let mut book = book();
    let first = charge(&book, "r4", "a", drawn(1, 6, 8));
    take(&mut book, first).expect("charged");
    let branch = book.branch("d", "a").expect("an account");
    assert_eq!(book.level_paid(branch.researcher, &[1; 32]), price(6), "it has not got what it pays for");
    for steps in [drawn(1, 6, 9), between(1, 3, 4, Some(2))] {
        let other = charge(&book, "r5", "b", steps);
        assert_eq!(take(&mut copy_with_head(&book), other), Err(FoldFault::PathTaken));
    }
    let stored = charge(&book, "r5", "b", (Vec::new(), vec![step(1, 4, PointOrigin::Stored)]));
    take(&mut book, stored).expect("what is stored may be had meanwhile");
    let cause = crate::kernel::budget::entry::Cause::CutOff;
    take(&mut book, Act::Burned { release: "r4".into(), cause }).expect("burnt");
    assert_eq!(book.path(&[1; 32]).map(NoisePath::finest), Some(price(6)));
    let again = charge(&book, "r6", "a", drawn(1, 6, 8));
    let Act::ChargedByPath(charged) = &again else { panic!("a charge") };
    assert_eq!(charged.charge.legs.researcher, price(2), "a burnt answer is paid for again");
    take(&mut book, again).expect("charged");
}

fn copy_with_head(book: &LedgerState) -> LedgerState {
    let (under_way, executing) = (book.under_way.clone(), book.executing.clone());
    LedgerState { under_way, executing, ..copy(book) }
}

/// Legs are what lies beyond the best that was paid for, to the unit, and an answer that was charged by path is served by path.
#[test]
fn other_legs_are_not_taken() {
    let mut forged = charge(&book(), "r4", "b", between(1, 3, 4, Some(2)));
    if let Act::ChargedByPath(charged) = &mut forged {
        assert_eq!((charged.charge.legs.researcher, charged.charge.legs.dataset), (price(3), Price::ZERO));
        charged.charge.legs.researcher = Price::from_quanta(3 * UNIT - 1);
    }
    assert_eq!(take(&mut book(), forged), Err(FoldFault::WrongLegs));
    let book = book();
    let request = crate::kernel::budget::charge::ServeRequest {
        release: "r1".into(),
        researcher: "b".into(),
        question: None,
        key: None,
        at_ms: 0,
    };
    let served: Serving = book.serve(&request).expect("admitted");
    assert_eq!(served.legs.researcher, price(4));
    assert_eq!(take(&mut self::book(), Act::ServedByPath(Box::new(served.clone()))), Ok(()));
    assert_eq!(take(&mut self::book(), Act::Served(Box::new(served))), Err(FoldFault::WrongLegs));
}

/// The draws of two people, who drew one view independently of each other before there were paths. Each is credited with what they paid for: who
/// drew first, with the first point; who drew later, with a draw that no point of the path is made of alone. They were once credited with the
/// sum of their draws as a level. Then the point just above that level cost them nothing, and told them of the other's draw, too.
#[test]
fn independent_draws_are_credited_in_the_order_of_the_path() {
    let mut book = empty_book();
    for (release, who, units) in [("r1", "a", 1), ("r2", "b", 5)] {
        let act = charge_by_draw(&book, release, who, (1, units));
        take(&mut book, act).expect(release);
        take(&mut book, Act::Released { release: release.into(), digest: [1; 32] }).expect(release);
    }
    let (a, b) = (book.branch("d", "a").expect("an account"), book.branch("d", "b").expect("an account"));
    assert_eq!(book.path(&[1; 32]).map(|path| (path.has(price(1)), path.finest())), Some((true, price(6))));
    let known = |who: AccountNo| book.known_view(who, &[1; 32]);
    assert_eq!(known(a.researcher), KnownView { level: price(1), draws: Vec::new() });
    assert_eq!(known(b.researcher), KnownView { level: Price::ZERO, draws: vec![DrawNo(1)] });
    let leg = |who: AccountNo, level: u64, draws: &[DrawNo]| {
        let levels = [([1; 32], price(level))];
        book.leg_by_path(who, if level > 0 { &levels } else { &[] }, draws)
    };
    // Whoever has the point below their draw sees the one above it, and pays for what they had not got.
    assert_eq!((leg(a.researcher, 6, &[]), leg(b.researcher, 5, &[])), (price(5), price(1)), "the level beyond theirs");
    assert_eq!(leg(b.researcher, 6, &[]), price(1));
    // A draw that a point is made of tells nothing to whoever has the point.
    assert_eq!((leg(a.researcher, 5, &[DrawNo(1)]), leg(a.researcher, 6, &[DrawNo(1)])), (price(5), price(5)));
    assert_eq!(leg(a.researcher, 0, &[DrawNo(1)]), price(5));
    assert_eq!((leg(b.researcher, 1, &[DrawNo(0)]), leg(b.researcher, 0, &[DrawNo(0)])), (price(1), price(1)));
    // Whoever has paid for all draws of a point has paid for the point.
    let request = crate::kernel::budget::charge::ServeRequest {
        release: "r1".into(),
        researcher: "b".into(),
        question: None,
        key: None,
        at_ms: 0,
    };
    let served = book.serve(&request).expect("admitted");
    assert_eq!(served.legs.researcher, price(1));
    take(&mut book, Act::ServedByPath(Box::new(served))).expect("served");
    assert_eq!(book.known_view(b.researcher, &[1; 32]), KnownView { level: price(6), draws: Vec::new() });
}

/// A draw that was paid for beside the path is not paid for again in a point that is made of it.
#[test]
fn a_draw_is_paid_for_once() {
    let mut book = empty_book();
    let by_path = charge(&book, "r1", "b", drawn(1, 0, 2));
    take(&mut book, by_path).expect("charged");
    take(&mut book, Act::Released { release: "r1".into(), digest: [1; 32] }).expect("stored");
    let by_draw = charge_by_draw(&book, "r2", "a", (1, 3));
    take(&mut book, by_draw).expect("charged");
    take(&mut book, Act::Released { release: "r2".into(), digest: [1; 32] }).expect("stored");
    let account = book.branch("d", "a").expect("an account").researcher;
    let leg = |book: &LedgerState, level: u64| book.leg_by_path(account, &[([1; 32], price(level))], &[]);
    // Up to 2, the draw is no part of the point; from there on, it is.
    for (level, units) in [(1, 1), (2, 2), (3, 2), (5, 2), (6, 3), (8, 5)] {
        assert_eq!(leg(&book, level), price(units), "{level}");
    }
    let above = charge(&book, "r3", "a", drawn(1, 5, 8));
    take(&mut book, above).expect("charged");
    take(&mut book, Act::Released { release: "r3".into(), digest: [1; 32] }).expect("stored");
    assert_eq!(book.account(account).spent, price(8));
    assert_eq!(book.known_view(account, &[1; 32]), KnownView { level: price(8), draws: Vec::new() });
    assert_eq!(leg(&book, 8), Price::ZERO);
}

/// The parts of a point's noise are those below it, and stay what they are when the path is made finer.
#[test]
fn roots_are_those_of_a_point() {
    let mut book = book();
    let own = BTreeSet::from([NoiseRoot::View([1; 32])]);
    let act = charge_by_draw(&book, "r4", "b", (1, 3));
    take(&mut book, act).expect("charged");
    take(&mut book, Act::Released { release: "r4".into(), digest: [1; 32] }).expect("stored");
    assert_eq!(
        (book.roots(&[1; 32], price(6)), book.path(&[1; 32]).map(NoisePath::finest)),
        (own.clone(), Some(price(9)))
    );
    let with_draw: BTreeSet<_> = own.iter().copied().chain([NoiseRoot::Draw(DrawNo(2))]).collect();
    assert_eq!(book.roots(&[1; 32], price(7)), with_draw);
    let act = charge(&book, "r5", "a", drawn(3, 0, 2));
    take(&mut book, act).expect("charged");
    take(&mut book, Act::Released { release: "r5".into(), digest: [1; 32] }).expect("stored");
    let act = charge(&book, "r6", "a", derived(3, 2, (1, 9), 3));
    take(&mut book, act).expect("charged");
    take(&mut book, Act::Released { release: "r6".into(), digest: [1; 32] }).expect("stored");
    assert_eq!(book.roots(&[3; 32], price(2)), BTreeSet::from([NoiseRoot::View([3; 32])]));
    let all = with_draw.into_iter().chain([NoiseRoot::View([3; 32])]).collect();
    assert_eq!(book.roots(&[3; 32], Price::from_quanta(2 * UNIT + 1)), all);
}

/// Whether what an entry charges would be charged now.
fn is_admitted(book: &LedgerState, act: Act) -> bool {
    let (charge, steps) = match act {
        Act::ChargedByPath(by_path) => (by_path.charge, Some(by_path.steps)),
        Act::Charged(charge) => (*charge, None),
        _ => panic!("a charge"),
    };
    let subject = Subject { dataset: "d".into(), edition: "ed".into() };
    let extent = Extent::of(Aggregation::Count, 10).expect("bounded");
    let spec = MeasurementSpec { sensitivity: certified(1).sensitivity, cells: 1, extent };
    let prices: Vec<Price> = charge.drawn.iter().map(|one| one.certified.price).collect();
    let request = ChargeRequest {
        release: charge.release,
        researcher: charge.researcher,
        certificate: certify(accountant(), subject, &vec![spec; prices.len()], &prices).expect("certified"),
        drawn: charge.drawn.iter().map(|one| one.view).collect(),
        uses: Vec::new(),
        steps,
        worth: charge.worth,
        view: charge.view,
        sql: charge.sql,
        rows_per_unit: 1,
        purpose: None,
        key: None,
        at_ms: 0,
    };
    match book.charge(&request) {
        Ok(_) => true,
        Err(Refusal::Gone) => false,
        Err(other) => panic!("{other:?}"),
    }
}

/// What is drawn without steps makes the finest point finer when it is stored. So it waits for the answer that makes a point of the path, and
/// that one for it; whichever server comes second is refused, and plans anew.
#[test]
fn draws_without_steps_take_their_paths_too() {
    let mut book = book();
    let by_path = charge(&book, "r4", "a", drawn(1, 6, 8));
    let by_draw = charge_by_draw(&book, "r5", "b", (1, 3));
    assert!(is_admitted(&book, by_path.clone()) && is_admitted(&book, by_draw.clone()));
    take(&mut book, by_path).expect("charged");
    assert!(!is_admitted(&book, charge_by_draw(&book, "r5", "b", (1, 3))));
    assert!(is_admitted(&book, charge_by_draw(&book, "r5", "b", (2, 3))), "another view");
    let mut book = self::book();
    take(&mut book, by_draw).expect("charged");
    for steps in [drawn(1, 6, 8), between(1, 3, 4, Some(2))] {
        assert!(!is_admitted(&book, charge(&book, "r4", "a", steps)), "a point of a path that is taken");
    }
    let stored = charge(&book, "r4", "a", (Vec::new(), vec![step(1, 4, PointOrigin::Stored)]));
    assert!(is_admitted(&book, stored.clone()));
    take(&mut book, stored).expect("what is stored may be had meanwhile");
    // Ledgers from before there were paths have draws of one view beside each other.
    let other = charge_by_draw(&book, "r6", "a", (1, 4));
    assert!(is_admitted(&book, other.clone()));
    take(&mut book, other).expect("charged");
    take(&mut book, Act::Released { release: "r5".into(), digest: [1; 32] }).expect("stored");
    assert!(!is_admitted(&book, charge(&book, "r7", "a", drawn(1, 9, 10))), "the other one is still drawn");
    let cause = crate::kernel::budget::entry::Cause::CutOff;
    take(&mut book, Act::Burned { release: "r6".into(), cause }).expect("burnt");
    let free = charge(&book, "r7", "a", drawn(1, 9, 10));
    assert!(is_admitted(&book, free.clone()));
    take(&mut book, free).expect("charged");
}

/// Earlier versions of the program charged both beside each other, and their ledgers still fold.
#[test]
fn draws_beside_steps_that_were_charged_still_fold() {
    let mut book = book();
    let (by_path, by_draw) = (charge(&book, "r4", "a", drawn(1, 6, 8)), charge_by_draw(&book, "r5", "b", (1, 3)));
    take(&mut book, by_path).expect("charged");
    assert!(!is_admitted(&book, by_draw.clone()));
    let by_draw = charge_by_draw(&book, "r5", "b", (1, 3));
    take(&mut book, by_draw).expect("charged");
    for release in ["r5", "r4"] {
        take(&mut book, Act::Released { release: release.into(), digest: [1; 32] }).expect("stored");
    }
    let path = book.path(&[1; 32]).expect("a path");
    assert!(path.has(price(8)) && path.has(price(9)) && !path.is_taken());
}
