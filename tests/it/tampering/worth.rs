//! A ledger that somebody who holds its key wrote anew, whole and signed, so that only what its answers are worth is wrong.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use ed25519_dalek::{Signer, SigningKey};
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use tacit::kernel::budget::entry::{Act, Entry, PathCharge};
use tacit::kernel::budget::steps::PointOrigin;
use tacit::kernel::path::PathGap;
use tacit::kernel::privacy::amounts::Price;
use tacit::kernel::privacy::sensitivity::{Aggregation, Sensitivity};
use tacit::kernel::vault::noise::OpenDp;
use tempfile::TempDir;

use super::{check, copy};
use crate::support::{GAUSSIAN, Lab, PURE, block_on, call, policy, visits};

const CELLS: &str = "SELECT region, diagnosis, COUNT(*) AS n FROM visits GROUP BY region, diagnosis";
const TOTAL: &str = "SELECT COUNT(*) AS n FROM visits";
const REGIONS: &str = "SELECT region, COUNT(*) AS n FROM visits GROUP BY region";

/// A closed ledger with cells of one researcher, totals of another that are derived from them, and what the first has from their own cells.
fn derived() -> TempDir {
    let (lab, bob) = crate::sharing::two(GAUSSIAN, "4");
    block_on(async {
        let ask = async |token: &str, sql: &str, epsilon: &str| {
            let body = json!({"sql": sql, "epsilon": epsilon}).to_string();
            let reply = call(&lab.router, Method::POST, "/v1/queries", Some(token), &[], body).await;
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.json());
        };
        ask(&lab.researcher, CELLS, "1").await;
        ask(&bob, TOTAL, "0.2").await;
        ask(&lab.researcher, REGIONS, "0.1").await;
    });
    let Lab { dir, .. } = lab;
    dir
}

/// Changes the first charge that `change` wants to change, and writes everything after it anew: hashes, head and anchor. Returns its number.
fn forge(state: &Path, change: &dyn Fn(&mut Act) -> bool) -> u64 {
    let database = Connection::open(state.join("ledger.db")).expect("the database");
    for trigger in ["entries_stay", "entries_last"] {
        database.execute_batch(&format!("DROP TRIGGER IF EXISTS {trigger}")).expect("no trigger");
    }
    let entries: Vec<Entry> = {
        let mut select = database.prepare("SELECT body FROM entries ORDER BY seq").expect("entries");
        let bodies = select.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
        bodies.map(|body| Entry::read(&body.expect("a body")).expect("an entry")).collect()
    };
    let (mut previous, mut forged) = (entries[0].previous, None);
    for entry in entries {
        let mut act = entry.act.clone();
        if forged.is_none() && change(&mut act) {
            forged = Some(entry.seq);
        }
        let body = Entry { previous, act, ..entry }.canonical_bytes();
        previous = Entry::hash(&body);
        let written = "UPDATE entries SET body = ?1, hash = ?2 WHERE seq = ?3";
        database.execute(written, params![body, previous, entry.seq.cast_signed()]).expect("written");
    }
    sign(state, &database, previous);
    forged.expect("a charge that can be changed")
}

/// Signs the head and an anchor of one line for this hash.
fn sign(state: &Path, database: &Connection, hash: [u8; 32]) {
    let seed: [u8; 32] = fs::read(state.join("ledger.key")).expect("the key").try_into().expect("a seed");
    let key = SigningKey::from_bytes(&seed);
    let seq: i64 = database.query_row("SELECT seq FROM head", [], |row| row.get(0)).expect("a head");
    let head = key.sign(&[b"tacit ledger head 1\0".as_slice(), &seq.to_be_bytes(), &hash].concat()).to_bytes();
    database.execute("UPDATE head SET hash = ?1, signature = ?2", params![hash, head]).expect("signed");
    let anchor = fs::read_to_string(state.join("anchor.log")).expect("the anchor");
    let (line, _) = anchor.lines().last().and_then(|line| line.split_once('\t')).expect("a line");
    let mut line: Value = serde_json::from_str(line).expect("JSON");
    line["head"] = hex::encode(hash).into();
    let line = line.to_string();
    let signature = key.sign(&[b"tacit anchor line 1\0", line.as_bytes()].concat()).to_bytes();
    fs::write(state.join("anchor.log"), format!("{line}\t{}\n", hex::encode(signature))).expect("written");
}

/// Raises what the first derived point is worth by a millionth, and with it all that hangs on it in its charge.
fn dearer_source(by_path: &mut PathCharge) -> bool {
    let mut raised = None;
    for step in &mut by_path.steps {
        match (&mut step.origin, raised) {
            (PointOrigin::Derived { sources, .. }, None) => {
                let more = Price::from_quanta(sources[0].worth.quanta() / 1_000_000);
                sources[0].worth = sources[0].worth.saturating_add(more);
                let before = step.level;
                step.level = before.saturating_add(more);
                raised = Some((before, step.level));
            }
            (PointOrigin::Between { finer, coarser, noise }, Some((before, after))) if *finer == before => {
                *finer = after;
                // A unit of the tests' dataset has at most four rows.
                let sensitivity = Sensitivity::of(Aggregation::Count, 4).expect("bounded");
                let gap = PathGap { level: step.level, finer: after, coarser: *coarser };
                *noise = gap.noise(sensitivity).expect("a law");
            }
            (_, Some((before, after))) if step.level == before => step.level = after,
            _ => {}
        }
    }
    raised.is_some()
}

/// Raises what the first measurement is said to be worth.
fn dearer_answer(by_path: &mut PathCharge) -> bool {
    by_path.charge.worth[0] = by_path.charge.worth[0].saturating_add(Price::from_quanta(1_000_000));
    true
}

/// Says that a measurement of what follows from others is worth more than they are.
fn dearer_sum(by_path: &mut PathCharge) -> bool {
    let is_stored = by_path.steps.iter().all(|step| step.origin == PointOrigin::Stored);
    is_stored && dearer_answer(by_path)
}

/// Leaves out the points that an answer is made of. Nothing was paid for them in this answer, so that its legs are right.
fn uncovered(by_path: &mut PathCharge) -> bool {
    let is_stored = by_path.steps.iter().all(|step| step.origin == PointOrigin::Stored);
    if is_stored {
        by_path.steps.clear();
    }
    is_stored
}

/// Says that an answer is worth nothing.
fn worthless(by_path: &mut PathCharge) -> bool {
    by_path.charge.worth[0] = Price::ZERO;
    true
}

/// What somebody changes in a charge.
type Forgery = fn(&mut PathCharge) -> bool;

#[test]
fn what_answers_are_worth_is_computed_anew() {
    let dir = derived();
    let state = dir.path().join("state");
    check(&state).unwrap_or_else(|finding| panic!("{finding}"));
    let changed = dir.path().join("changed");
    let forgeries: [(&str, Forgery); 5] = [
        ("a derived point", dearer_source),
        ("a point of its own path", dearer_answer),
        ("a sum of cells", dearer_sum),
        ("nothing", uncovered),
        ("an answer", worthless),
    ];
    for (what, change) in forgeries {
        copy(&state, &changed);
        // What is written anew as it was is whole: nothing but the change is found.
        forge(&changed, &|act| matches!(act, Act::ChargedByPath(_)));
        check(&changed).unwrap_or_else(|finding| panic!("{finding}"));
        let seq = forge(&changed, &|act| if let Act::ChargedByPath(by_path) = act { change(by_path) } else { false });
        let found = check(&changed).expect_err(what);
        assert_eq!(
            (found.seq, found.why.as_str()),
            (Some(seq), "what it is made of is not worth what it says"),
            "{what}"
        );
        fs::remove_dir_all(&changed).expect("removed");
    }
}

/// A closed ledger with one answer that has no path, because its noise is Laplace's.
fn pathless() -> TempDir {
    let lab = Lab::new(&policy(PURE), &visits(200), Arc::new(OpenDp), "4");
    assert_eq!(block_on(lab.sql(TOTAL, "0.2")).status, StatusCode::OK);
    let Lab { dir, .. } = lab;
    dir
}

/// A fresh answer without a path is worth what was drawn for it.
#[test]
fn what_is_drawn_afresh_is_worth_what_it_costs() {
    let dir = pathless();
    let state = dir.path().join("state");
    check(&state).unwrap_or_else(|finding| panic!("{finding}"));
    let seq = forge(&state, &|act| match act {
        Act::Charged(charged) => {
            charged.worth[0] = charged.worth[0].saturating_add(charged.worth[0]);
            true
        }
        _ => false,
    });
    let found = check(&state).expect_err("a forgery");
    assert_eq!((found.seq, found.why.as_str()), (Some(seq), "what it is made of is not worth what it says"));
}
