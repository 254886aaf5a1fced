//! Tests of admission and of the fold, on states made by hand.

use super::*;
use crate::kernel::budget::charge::Refusal;
use crate::kernel::budget::entry::{DrawId, NewDraw};
use crate::kernel::budget::state::{Branch, DrawNo};
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::certificate::CertifiedMeasurement;
use crate::kernel::privacy::mechanism::{Mechanism, NoiseLaw};
use crate::kernel::privacy::sensitivity::{Aggregation, Sensitivity};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

fn apply_at(book: &mut LedgerState, act: Act, at_ms: u64) -> Result<(), Inconsistency> {
    let (seq, head) = book.head();
    let entry = Entry::following(seq, head, at_ms, act);
    let bytes = entry.canonical_bytes();
    assert_eq!(Entry::read(&bytes).as_ref(), Some(&entry), "bytes read back");
    book.apply(&entry, Entry::hash(&bytes))?;
    book.make_durable();
    Ok(())
}

fn apply(book: &mut LedgerState, act: Act) -> Result<(), Inconsistency> {
    apply_at(book, act, 0)
}

fn granted(researcher: &str, units: u64, project: Option<&str>, period_days: Option<u32>) -> Act {
    Act::Granted {
        researcher: researcher.to_owned(),
        dataset: "d".into(),
        project: project.map(str::to_owned),
        epsilon: Epsilon::from_nanos(units),
        amount: Price::from_quanta(units),
        period_days,
        reason: "r".into(),
        by: "s".into(),
    }
}

/// Two researchers whose allocations together exceed the cap, as an oversubscribing steward would set them.
fn oversubscribed() -> LedgerState {
    let (epsilon, amount) = (Epsilon::from_nanos(10), Price::from_quanta(10));
    let (query_max, query_epsilon_max, threshold_delta) = (amount, epsilon, Delta::from_attos(5));
    let cap = Cap { accountant: Accountant::Pure, epsilon, amount, query_max, query_epsilon_max, threshold_delta };
    let mut book = LedgerState::new();
    apply(&mut book, Act::DatasetOpened { dataset: "d".into(), unit: "row".into(), cap }).expect("opened");
    for researcher in ["a", "b"] {
        apply(&mut book, granted(researcher, 10, None, None)).expect("granted");
    }
    book
}

fn drawn(view: u8, units: u64, cells: u64) -> NewDraw {
    let law = NoiseLaw { mechanism: Mechanism::DiscreteLaplace, fine_bits: 0, scale: 1.0 };
    let sensitivity = Sensitivity::of(Aggregation::Count, 1).expect("bounded");
    NewDraw {
        view: [view; 32],
        certified: CertifiedMeasurement { sensitivity, law, price: Price::from_quanta(units), cells },
    }
}

/// A charge as the writer would make it, of one vector if `draw` is given.
fn charged(book: &LedgerState, release: &str, who: &str, draw: Option<NewDraw>, uses: &[DrawId], at_ms: u64) -> Act {
    let branch = book.branch("d", who).expect("an account");
    let price = draw.as_ref().map_or(Price::ZERO, |one| one.certified.price);
    let cells = draw.as_ref().map_or(0, |one| one.certified.cells);
    let numbers: Vec<DrawNo> = book.resolve(&branch, uses).expect("stored");
    let legs = book.legs(&branch, &AnswerCost { drawn: price, cells, ..AnswerCost::of_stored(&numbers) });
    Act::Charged(Box::new(Charge {
        release: release.to_owned(),
        researcher: who.to_owned(),
        dataset: "d".into(),
        edition: "ed".into(),
        view: [9; 32],
        sql: String::new(),
        rows_per_unit: 1,
        purpose: None,
        worth: vec![price],
        drawn: draw.into_iter().collect(),
        uses: uses.to_vec(),
        legs,
        cells,
        threshold_delta: Delta::ZERO,
        key: None,
        account: book.mark_after(&branch, &legs, at_ms),
    }))
}

fn released(release: &str) -> Act {
    Act::Released { release: release.to_owned(), digest: [1; 32] }
}

fn admit(book: &LedgerState, who: &str, units: u64, cells: u64) -> Result<Postings, Refusal> {
    let branch: Branch = book.branch("d", who).expect("an account");
    book.admit(&branch, &AnswerCost { drawn: Price::from_quanta(units), cells, ..AnswerCost::of_stored(&[]) }, 0)
}

/// The cap binds all researchers together, whatever is left in their own accounts.
#[test]
fn the_dataset_s_cap_binds_where_accounts_would_not() {
    let mut book = oversubscribed();
    let act = charged(&book, "r1", "a", Some(drawn(1, 7, 1)), &[], 0);
    apply(&mut book, act).expect("charged");
    let (asked, left) = (Price::from_quanta(4), Price::from_quanta(3));
    assert_eq!(admit(&book, "b", 4, 1), Err(Refusal::Exhausted { asked, left, of: AccountKind::Dataset }));
    assert_eq!(admit(&book, "b", 3, 1).expect("admitted").dataset, left);
    let act = charged(&book, "r2", "b", Some(drawn(2, 4, 1)), &[], 0);
    assert!(apply(&mut book, act).is_err(), "no entry spends above the cap");
}

#[test]
fn the_cells_of_a_lifetime_are_counted() {
    let mut book = oversubscribed();
    let act = charged(&book, "r1", "a", Some(drawn(1, 1, CELLS_MAX - 5)), &[], 0);
    apply(&mut book, act).expect("charged");
    assert!(admit(&book, "b", 1, 5).is_ok());
    assert_eq!(admit(&book, "b", 1, 6), Err(Refusal::CellsExhausted { limit: CELLS_MAX }));
    let act = charged(&book, "r2", "b", Some(drawn(2, 1, 6)), &[], 0);
    assert!(apply(&mut book, act).is_err());
}

#[test]
fn an_entry_out_of_order_is_not_taken() {
    let mut book = oversubscribed();
    let (seq, _) = book.head();
    let act = Act::TokenRevoked { name: "nobody".into(), by: "s".into() };
    let entry = Entry::following(seq, [9; 32], 0, act);
    assert!(book.apply(&entry, [0; 32]).is_err());
}

/// Each account pays once for a draw that is served to it; the dataset pays when it is drawn.
#[test]
fn a_colleague_pays_their_own_account_alone() {
    let mut book = oversubscribed();
    let act = charged(&book, "r1", "a", Some(drawn(1, 7, 1)), &[], 0);
    apply(&mut book, act).expect("charged");
    apply(&mut book, released("r1")).expect("released");
    let uses = [DrawId { release: "r1".into(), index: 0 }];
    for (release, leg) in [("r2", 7), ("r3", 0)] {
        let act = charged(&book, release, "b", None, &uses, 0);
        let Act::Charged(one) = &act else { panic!("a charge") };
        assert_eq!((one.legs.dataset, one.legs.researcher), (Price::ZERO, Price::from_quanta(leg)));
        apply(&mut book, act).expect("charged");
        apply(&mut book, released(release)).expect("released");
    }
    let spent = |kind, name| book.find("d", kind, name).expect("an account").spent.quanta();
    assert_eq!(
        (spent(AccountKind::Dataset, "d"), spent(AccountKind::Researcher, "a"), spent(AccountKind::Researcher, "b")),
        (7, 7, 7)
    );
    let mut forged = charged(&book, "r4", "a", None, &uses, 0);
    if let Act::Charged(one) = &mut forged {
        one.legs.researcher = Price::from_quanta(1);
    }
    assert!(apply(&mut book, forged).is_err(), "legs are those of the draws, to the unit");
    assert!(book.branch("d", "a").is_some_and(|branch| book.resolve(&branch, &[uses[0].clone()]).is_some()));
    let gone = DrawId { release: "r1".into(), index: 1 };
    assert!(book.branch("d", "a").is_some_and(|branch| book.resolve(&branch, &[gone]).is_none()));
}

/// A project pays once for what any of its researchers learns.
#[test]
fn a_project_pays_once_for_its_researchers() {
    let mut book = oversubscribed();
    let (epsilon, amount) = (Epsilon::from_nanos(6), Price::from_quanta(6));
    let (reason, by) = ("r".to_owned(), "s".to_owned());
    let project = "p".to_owned();
    apply(&mut book, Act::ProjectGranted { project, dataset: "d".into(), epsilon, amount, reason, by }).expect("p");
    for who in ["c", "e"] {
        apply(&mut book, granted(who, 6, Some("p"), None)).expect("granted");
    }
    assert!(apply(&mut book, granted("c", 6, None, None)).is_err(), "an account stays where it hangs");
    let mut book = {
        // After a refused entry the state must not be used.
        let mut again = oversubscribed();
        let (reason, by) = ("r".to_owned(), "s".to_owned());
        let act = Act::ProjectGranted { project: "p".into(), dataset: "d".into(), epsilon, amount, reason, by };
        apply(&mut again, act).expect("p");
        for who in ["c", "e"] {
            apply(&mut again, granted(who, 6, Some("p"), None)).expect("granted");
        }
        again
    };
    let act = charged(&book, "r1", "c", Some(drawn(1, 4, 1)), &[], 0);
    apply(&mut book, act).expect("charged");
    apply(&mut book, released("r1")).expect("released");
    let act = charged(&book, "r2", "e", None, &[DrawId { release: "r1".into(), index: 0 }], 0);
    let Act::Charged(one) = &act else { panic!("a charge") };
    assert_eq!((one.legs.project.quanta(), one.legs.researcher.quanta()), (0, 4), "the project had it");
    apply(&mut book, act).expect("charged");
    let (asked, left) = (Price::from_quanta(3), Price::from_quanta(2));
    assert_eq!(admit(&book, "e", 3, 1), Err(Refusal::Exhausted { asked, left, of: AccountKind::Researcher }));
    let of = AccountKind::Project;
    apply(&mut book, granted("e", 10, Some("p"), None)).expect("granted");
    assert_eq!(admit(&book, "e", 3, 1), Err(Refusal::Exhausted { asked, left, of }));
    assert_eq!(admit(&book, "a", 6, 1).expect("the others go on").project, Price::ZERO);
}

/// An allocation that renews begins each period with nothing spent, while the lifetime cap keeps counting.
#[test]
fn a_period_renews_and_the_cap_does_not() {
    let mut book = oversubscribed();
    apply_at(&mut book, granted("c", 4, None, Some(30)), 0).expect("granted");
    let mut at_ms = 0;
    for (release, view, units, days, fits) in [
        ("r1", 1, 4, 0, true),
        ("r2", 2, 1, 29, false),
        ("r3", 3, 4, 30, true),
        ("r4", 4, 4, 60, false),
        ("r5", 5, 2, 60, true),
    ] {
        at_ms = at_ms.max(days * DAY_MS);
        let branch = book.branch("d", "c").expect("an account");
        let cost = AnswerCost { drawn: Price::from_quanta(units), cells: 1, ..AnswerCost::of_stored(&[]) };
        assert_eq!(book.admit(&branch, &cost, at_ms).is_ok(), fits, "{release}");
        if fits {
            let act = charged(&book, release, "c", Some(drawn(view, units, 1)), &[], at_ms);
            apply_at(&mut book, act, at_ms).expect(release);
        }
    }
    let account = book.researcher("d", "c").expect("an account");
    assert_eq!((account.spent.quanta(), account.spent_at(at_ms).quanta()), (10, 2), "lifetime, and this period");
    let back = book.mark(account, 0);
    assert_eq!(back.spent.quanta(), 2, "a clock that runs backwards brings no earlier period back");
    let account = Account::new(AccountNo(0), AccountKind::Researcher, ("x", "d"), None, Epsilon::from_nanos(1));
    assert_eq!(account.left_at(0), Price::ZERO);
}

/// Three failures that may depend on data freeze the dataset; failures caused by the operator do not.
#[test]
fn incidents_freeze_at_three() {
    let mut book = oversubscribed();
    for (number, cause) in [Cause::CutOff, Cause::Unrecorded, Cause::Failed, Cause::Failed].into_iter().enumerate() {
        let release = format!("r{number}");
        let act = charged(&book, &release, "a", Some(drawn(number as u8, 1, 1)), &[], 0);
        apply(&mut book, act).expect("charged");
        apply(&mut book, Act::Burned { release, cause }).expect("burnt");
        assert!(admit(&book, "b", 1, 1).is_ok());
    }
    let act = charged(&book, "r9", "a", Some(drawn(9, 1, 1)), &[], 0);
    apply(&mut book, act).expect("charged");
    apply(&mut book, Act::Burned { release: "r9".into(), cause: Cause::Failed }).expect("burnt");
    assert_eq!(admit(&book, "b", 1, 1), Err(Refusal::Frozen { incidents: 3 }));
    let (dataset, reason, by) = ("d".to_owned(), "looked".to_owned(), "s".to_owned());
    apply(&mut book, Act::Unfrozen { dataset, reason, by }).expect("unfrozen");
    assert!(admit(&book, "b", 1, 1).is_ok());
    assert!(apply(&mut book, Act::Burned { release: "r9".into(), cause: Cause::Failed }).is_err(), "once is enough");
}

/// A recovered balance binds, also for a dataset that is opened only later.
#[test]
fn what_a_recovery_brings_binds() {
    let mut book = oversubscribed();
    let balance = |dataset: &str, spent, attos| Balance {
        dataset: dataset.into(),
        kind: AccountKind::Dataset,
        name: dataset.into(),
        spent: Price::from_quanta(spent),
        cells: 3,
        threshold_delta: Delta::from_attos(attos),
    };
    // A second recovery knows more about one number and less about another.
    for (spent, attos) in [(10, 2), (4, 3), (5, 1)] {
        let balances = vec![balance("d", 8.min(spent), attos), balance("later", spent, attos)];
        let (reason, by) = ("restored".to_owned(), "s".to_owned());
        apply(&mut book, Act::Recovered { reason, by, anchor_seq: Some(7), balances }).expect("recovered");
    }
    assert!(admit(&book, "a", 3, 1).is_err());
    let cap = book.dataset("d").expect("d").cap;
    apply(&mut book, Act::DatasetOpened { dataset: "later".into(), unit: "row".into(), cap }).expect("opened");
    assert_eq!(book.find("later", AccountKind::Dataset, "later").expect("later").spent, Price::from_quanta(10));
    assert_eq!(book.dataset("later").expect("later").cells, 3);
    for dataset in ["d", "later"] {
        assert_eq!(book.dataset(dataset).expect(dataset).threshold_delta, Delta::from_attos(3), "{dataset}");
        assert_eq!(book.dataset(dataset).expect(dataset).threshold_delta_left(), Delta::from_attos(2), "{dataset}");
    }
}

/// A request of `a` for a total of 12; entry number 4 of the ledger.
fn requested() -> LedgerState {
    let mut book = oversubscribed();
    let (researcher, dataset, epsilon) = ("a".to_owned(), "d".to_owned(), Epsilon::from_nanos(12));
    apply(&mut book, Act::Requested { researcher, dataset, epsilon, reason: "r".into() }).expect("requested");
    book
}

fn request_granted(request: u64, researcher: &str) -> Act {
    let Act::Granted { researcher, dataset, project, epsilon, amount, period_days, reason, by } =
        granted(researcher, 12, None, None)
    else {
        panic!("a grant")
    };
    Act::RequestGranted { request, researcher, dataset, project, epsilon, amount, period_days, reason, by }
}

#[test]
fn a_request_is_granted_in_one_entry() {
    let mut book = requested();
    apply(&mut book, request_granted(4, "a")).expect("granted");
    assert_eq!(book.researcher("d", "a").map(|account| account.epsilon), Some(Epsilon::from_nanos(12)));
    let decision = |book: &LedgerState| book.request(4).and_then(|card| card.decision.clone());
    assert_eq!(decision(&book), Some((true, "r".to_owned())));

    // Ledgers of before hold the grant and the decision as two entries, which lead to the same state.
    let mut older = requested();
    apply(&mut older, granted("a", 12, None, None)).expect("granted");
    assert_eq!(decision(&older), None);
    let decided = Act::RequestDecided { request: 4, granted: true, reason: "r".into(), by: "s".into() };
    apply(&mut older, decided).expect("decided");
    assert_eq!((decision(&older), older.balances()), (decision(&book), book.balances()));
}

#[test]
fn a_request_is_granted_once_and_to_its_researcher() {
    for (act, fault) in
        [(request_granted(4, "b"), FoldFault::OtherRequest), (request_granted(3, "a"), FoldFault::UnknownRequest)]
    {
        assert_eq!(apply(&mut requested(), act).map_err(|wrong| wrong.why), Err(fault));
    }
    let mut book = requested();
    apply(&mut book, request_granted(4, "a")).expect("granted");
    assert_eq!(apply(&mut book, request_granted(4, "a")).map_err(|wrong| wrong.why), Err(FoldFault::RequestDecided));
}

/// The bytes of this act are on disk, so they never change.
#[test]
fn the_bytes_of_a_granted_request_are_pinned() {
    let bytes = borsh::to_vec(&request_granted(4, "a")).expect("plain data");
    let pinned = concat!(
        "17",
        "0400000000000000",
        "0100000061",
        "0100000064",
        "00",
        "0c00000000000000",
        "0c00000000000000",
        "00",
        "0100000072",
        "0100000073"
    );
    assert_eq!(hex::encode(&bytes), pinned);
}
