//! Tests of a lane whose workers are played by the test.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::Duration;

use super::{Lane, Next, Queue, TableFile};
use crate::engine::Limits;
use crate::engine::pool::checks::CheckOutcome;
use crate::engine::pool::permits::Permits;
use crate::engine::port::EngineFault;
use crate::kernel::vault::private::{Exact, Private};
use crate::query::computation::{Computation, Measure, TextKey};
use crate::query::terms::edition::Manifest;
use crate::query::terms::policy::Policy;

const POLICY: &str = r#"
[dataset]
name = "t"
source = "t.csv"
privacy_unit = "who"
max_rows_per_unit = 3
max_rows = 1_000_000
accountant = "pure"
cap = { epsilon = "1" }
[[column]]
name = "flag"
type = "boolean"
"#;

const BLOCKS: u64 = 3;
/// Longer than any test waits.
const PATIENCE: Duration = Duration::from_secs(60);

fn lane() -> Lane {
    let manifest = Manifest {
        v: 1,
        edition: "ed_1".to_owned(),
        dataset: "t".to_owned(),
        terms: Policy::parse(POLICY).expect("a policy").terms,
        rows: 1,
        table: [0; 32],
        blocks: None,
        nonce: [0; 32],
        tables: Vec::new(),
    };
    Lane {
        table: TableFile::Read("nowhere".into()),
        facts: manifest.facts(),
        limits: Limits::of(&manifest, 1, Duration::ZERO),
        edition: manifest.edition,
        terms: manifest.terms,
        queue: Mutex::new(Queue::new(1)),
        changed: Condvar::new(),
        permits: Arc::new(Permits::new(1)),
        ready: AtomicUsize::new(1),
        workers: 1,
        stuck: AtomicUsize::new(0),
    }
}

fn counting() -> Computation {
    let (filter, keys, measures) = (None, Vec::new(), vec![Measure::Units]);
    Computation { rows_per_unit: 3, filter, keys, measures, units: None, text: None, left: Vec::new(), relation: None }
}

/// Asks a lane to prepare while the test plays its worker, which ends the first check as told and finds the rest sound.
fn prepared(lane: &Lane, first: CheckOutcome) -> Result<(), EngineFault> {
    lane.begin_checks(BLOCKS, false);
    let (tell, told) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || tell.send(lane.prepare(&counting())).expect("a listener"));
        let mut outcome = first;
        loop {
            if let Ok(prepared) = told.try_recv() {
                return prepared;
            }
            if let Next::Check(check, _permit) = lane.next(BLOCKS, Duration::from_millis(1)) {
                lane.checked(&check, outcome);
                outcome = CheckOutcome::Sound;
            }
        }
    })
}

#[test]
fn a_question_waits_until_what_it_reads_is_checked() {
    for first in [CheckOutcome::Sound, CheckOutcome::Lost, CheckOutcome::Unasked] {
        let lane = lane();
        assert_eq!(prepared(&lane, first), Ok(()), "{first:?}");
        assert!(lane.is_ready());
        assert_eq!(lane.prepare(&counting()), Ok(()), "what is sound is not checked again");
    }
}

#[test]
fn a_damaged_block_ends_readiness() {
    let lane = lane();
    assert_eq!(prepared(&lane, CheckOutcome::Bad(1)), Err(EngineFault));
    assert!(!lane.is_ready());
    assert_eq!(lane.prepare(&counting()), Err(EngineFault));
}

#[test]
fn queries_come_before_checks_that_nobody_waits_for() {
    let lane = lane();
    lane.begin_checks(BLOCKS, false);
    let (done, _answer) = mpsc::sync_channel(1);
    lane.push(counting(), done);
    let Next::Piece(_, permit) = lane.next(BLOCKS, PATIENCE) else { panic!("the query is first") };
    drop(permit);
    assert!(matches!(lane.next(BLOCKS, PATIENCE), Next::Check(..)));
}

#[test]
fn groups_that_are_texts_are_added_up_label_by_label() {
    let lane = lane();
    let total = Measure::Over { keys: Vec::new(), measure: Box::new(Measure::Units) };
    let text = Some(TextKey { column: 0, groups_per_unit: 1, groups_max: 10 });
    let (done, answer) = mpsc::sync_channel(1);
    lane.push(Computation { text, measures: vec![Measure::Units, total], ..counting() }, done);
    for label in ["b", "a"] {
        let Next::Piece(piece, _permit) = lane.next(16, PATIENCE) else { panic!("a piece for each label") };
        let labels = Some(vec![Some(label.to_owned())]);
        lane.finish(&piece, Ok(Private::new(Exact { vectors: vec![vec![2], vec![5]], labels })));
    }
    let exact = answer.recv().expect("an answer").expect("a sum").open_in_test();
    assert_eq!(exact.vectors, [vec![2, 2], vec![10]]);
    assert_eq!(exact.labels, Some(["a", "b"].map(|label| Some(label.to_owned())).to_vec()));
}

#[test]
fn nobody_waits_for_a_lane_that_is_closed_or_has_no_worker() {
    let lane = lane();
    lane.begin_checks(BLOCKS, false);
    lane.stuck.store(1, std::sync::atomic::Ordering::Release);
    assert_eq!(lane.prepare(&counting()), Err(EngineFault));
    lane.stuck.store(0, std::sync::atomic::Ordering::Release);
    lane.close();
    assert_eq!(lane.prepare(&counting()), Err(EngineFault));
    assert!(matches!(lane.next(BLOCKS, PATIENCE), Next::End));
}
