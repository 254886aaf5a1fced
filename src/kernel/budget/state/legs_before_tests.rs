//! Tests of ledgers that an earlier version of the program wrote: what it charged still folds, and nothing else does.

use super::super::paths::tests::{between, charge, charge_by_draw, drawn, empty_book, price, take};
use super::*;
use crate::kernel::budget::charge::ServeRequest;
use crate::kernel::budget::entry::{Act, NewDraw};
use crate::kernel::budget::steps::PathStep;

fn keep(book: &mut LedgerState, release: &str, act: Act) {
    take(book, act).expect(release);
    take(book, Act::Released { release: release.into(), digest: [1; 32] }).expect(release);
}

fn by_path(book: &mut LedgerState, (release, who): (&str, &str), made: (Vec<NewDraw>, Vec<PathStep>)) {
    let act = charge(book, release, who, made);
    keep(book, release, act);
}

fn by_draw(book: &mut LedgerState, (release, who): (&str, &str), drawn: (u8, u64)) {
    let act = charge_by_draw(book, release, who, drawn);
    keep(book, release, act);
}

/// A stored answer that is served to `a`, with the legs of today.
fn served(book: &LedgerState, release: &str) -> Act {
    let (release, researcher) = (release.to_owned(), "a".to_owned());
    let request = ServeRequest { release, researcher, question: None, key: None, at_ms: 0 };
    Act::ServedByPath(Box::new(book.serve(&request).expect("admitted")))
}

/// The act with another leg of `a`.
fn with_leg(book: &LedgerState, mut act: Act, units: u64) -> Act {
    let (legs, account) = match &mut act {
        Act::ChargedByPath(by_path) => (&mut by_path.charge.legs, &mut by_path.charge.account),
        Act::ServedByPath(served) => (&mut served.legs, &mut served.account),
        _ => panic!("an act that is paid for by levels"),
    };
    legs.researcher = price(units);
    *account = book.mark_after(&book.branch("d", "a").expect("an account"), legs, 0);
    act
}

/// The statistics account is given 5 of a view, a refresh draws 5 more, and its ε is raised to what is worth 9.
fn raised() -> (LedgerState, Act) {
    let mut book = empty_book();
    by_path(&mut book, ("r1", "a"), drawn(1, 0, 5));
    by_draw(&mut book, ("r2", "a"), (1, 5));
    let act = charge(&book, "r3", "a", between(1, 9, 10, Some(5)));
    (book, act)
}

/// `a` is given 3 of a view, a statistic draws 5 of it, and `a`, who asks for 5, is served the statistic's draw.
fn drawn_above(book: &mut LedgerState, view: u8) -> Act {
    let (first, second) = (format!("r{view}"), format!("s{view}"));
    by_path(book, (&first, "a"), drawn(view, 0, 3));
    by_draw(book, (&second, "b"), (view, 5));
    served(book, &second)
}

/// A statistic drew 5 of a view, `a` is given 4 of it, and then served the draw.
fn drawn_below() -> (LedgerState, Act) {
    let mut book = empty_book();
    by_draw(&mut book, ("r1", "b"), (1, 5));
    by_path(&mut book, ("r2", "a"), between(1, 4, 5, None));
    let act = served(&book, "r1");
    (book, act)
}

/// Makes a state, and the act that follows.
type History = fn() -> (LedgerState, Act);

/// Each of these is taken with the leg of the earlier rule, which may be another one than today's, and with no third one.
#[test]
fn what_an_earlier_version_charged_still_folds() {
    let above = || {
        let mut book = empty_book();
        let act = drawn_above(&mut book, 1);
        (book, act)
    };
    let histories: [(&str, History, u64, u64); 3] =
        [("raised", raised, 0, 4), ("above", above, 5, 2), ("below", drawn_below, 1, 1)];
    for (what, history, today, before) in histories {
        for (leg, expected) in [
            (today, Ok(())),
            (before, Ok(())),
            (today.max(before).saturating_sub(1), Err(FoldFault::WrongLegs)),
            (today.max(before).saturating_add(1), Err(FoldFault::WrongLegs)),
        ] {
            let (mut book, act) = history();
            let act = with_leg(&book, act, leg);
            assert_eq!(take(&mut book, act), expected, "{what}, {leg}");
            assert_eq!(book.is_by_order, leg == today && leg != before, "{what}, {leg}");
        }
    }
}

/// Nobody goes back to the earlier rule: it counts until the first entry that only today's rule explains.
#[test]
fn the_earlier_rule_ends() {
    let mut book = empty_book();
    let acts = [1, 2, 3].map(|view| drawn_above(&mut book, view));
    for (act, leg, expected) in [(&acts[0], 2, Ok(())), (&acts[1], 5, Ok(())), (&acts[2], 2, Err(FoldFault::WrongLegs))]
    {
        let act = with_leg(&book, act.clone(), leg);
        assert_eq!(take(&mut book, act), expected);
    }
}

/// What an earlier version charged is known afterwards, and costs nothing again.
#[test]
fn what_was_paid_by_the_earlier_rule_is_known() {
    let (mut book, act) = raised();
    let act = with_leg(&book, act, 4);
    keep(&mut book, "r3", act);
    let account = book.branch("d", "a").expect("an account").researcher;
    assert_eq!(book.level_paid(account, &[1; 32]), price(10));
    assert_eq!(book.account(account).spent, price(14));
    let act = charge(&book, "r4", "a", drawn(1, 10, 12));
    let Act::ChargedByPath(charged) = &act else { panic!("a charge") };
    assert_eq!(charged.charge.legs.researcher, price(2));
    take(&mut book, act).expect("charged");
}
