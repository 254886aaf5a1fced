//! A ledger that somebody edits, replaces by an older copy, or deprives of its anchor: `verify` finds it, and no server starts on it.

mod anchored;
mod worth;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use axum::http::StatusCode;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rusqlite::{Connection, params};
use serde_json::json;
use tacit::kernel::budget::entry::{AccountKind, Act, Entry};
use tacit::kernel::budget::ledger::{Ledger, read};
use tacit::kernel::privacy::amounts::Price;
use tacit::kernel::vault::noise::OpenDp;
use tacit::ledger::replan::Replanner;
use tacit::ledger::{LedgerFinding, LedgerOptions, OpenError, SqliteLedger, Verified, recover, verify};
use tempfile::TempDir;

use crate::support::{GAUSSIAN, Lab, block_on, grant, policy, visits};

const CASES: u64 = 1_000;
const FILES: [&str; 3] = ["ledger.db", "ledger.key", "anchor.log"];

/// A closed ledger of some forty entries: people, grants, charges, releases, shared and derived answers.
fn closed() -> TempDir {
    let (lab, bob) = crate::sharing::two(GAUSSIAN, "4");
    block_on(async {
        for epsilon in ["0.2", "0.3", "0.4"] {
            for sql in [
                "SELECT region, COUNT(*) AS n, SUM(cost) AS s FROM visits GROUP BY region",
                "SELECT COUNT(*) AS n FROM visits WHERE region = 'north'",
                "SELECT AVG(age) AS a FROM visits WHERE diagnosis = 'flu'",
            ] {
                assert_eq!(lab.sql(sql, epsilon).await.status, StatusCode::OK);
                let body = json!({"sql": sql, "epsilon": epsilon}).to_string();
                let key = format!("{epsilon}-{}", sql.len());
                let key = [("idempotency-key", key.as_str())];
                let method = axum::http::Method::POST;
                crate::support::call(&lab.router, method, "/v1/queries", Some(&bob), &key, body).await;
            }
        }
    });
    let Lab { dir, .. } = lab;
    dir
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for file in FILES {
        fs::copy(from.join(file), to.join(file)).expect("a copy");
    }
}

fn check(state: &Path) -> Result<Verified, LedgerFinding> {
    verify(state, None, &mut Replanner::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// A change in words, and the entry that the finding must name, if any.
struct Change {
    what: String,
    named: Option<i64>,
}

fn change(what: impl Into<String>, named: Option<i64>) -> Change {
    Change { what: what.into(), named }
}

fn flip(mut bytes: Vec<u8>, rng: &mut StdRng) -> Vec<u8> {
    let at = rng.random_range(0..bytes.len());
    bytes[at] ^= 1 << rng.random_range(0..8);
    bytes
}

/// Changes one thing behind the ledger's back.
fn tamper(state: &Path, rng: &mut StdRng) -> Change {
    let database = Connection::open(state.join("ledger.db")).expect("the database");
    let triggers = ["entries_stay", "entries_last", "releases_stay", "releases_last"];
    for trigger in triggers {
        database.execute_batch(&format!("DROP TRIGGER {trigger}")).expect("no trigger");
    }
    let count: i64 = database.query_row("SELECT count(*) FROM entries", [], |row| row.get(0)).expect("a count");
    let seq = rng.random_range(1..=count);
    let body: Vec<u8> =
        database.query_row("SELECT body FROM entries WHERE seq = ?1", [seq], |row| row.get(0)).expect("a body");
    match rng.random_range(0..12) {
        0 | 1 => {
            let body = flip(body, rng);
            database.execute("UPDATE entries SET body = ?1 WHERE seq = ?2", params![body, seq]).expect("flipped");
            change("a bit of an entry", Some(seq))
        }
        2 => {
            // Whoever changes an entry can hash it again; then the entry is different, or the next one still names the old hash.
            let body = flip(body, rng);
            let hash = Entry::hash(&body).to_vec();
            let both = "UPDATE entries SET body = ?1, hash = ?2 WHERE seq = ?3";
            database.execute(both, params![body, hash, seq]).expect("flipped");
            change("a bit of an entry, hashed anew", None)
        }
        3 => {
            let hash = flip(Entry::hash(&body).to_vec(), rng);
            database.execute("UPDATE entries SET hash = ?1 WHERE seq = ?2", params![hash, seq]).expect("flipped");
            change("a bit of a hash", Some(seq))
        }
        4 => {
            let column = ["at_ms = at_ms + 1", "act = act || 'x'"][rng.random_range(0..2)];
            database.execute(&format!("UPDATE entries SET {column} WHERE seq = ?1"), [seq]).expect("changed");
            change("a column beside an entry", Some(seq))
        }
        5 => {
            database.execute("DELETE FROM entries WHERE seq = ?1", [seq]).expect("deleted");
            change("an entry deleted", Some((seq + 1).min(count)).filter(|_| seq < count))
        }
        6 => {
            database.execute("DELETE FROM entries WHERE seq >= ?1", [seq]).expect("cut off");
            change("cut off", None)
        }
        7 => put_elsewhere(&database, rng, seq, count),
        8 => {
            let column = ["seq = seq - 1", "hash = zeroblob(32)", "signature = zeroblob(64)"][rng.random_range(0..3)];
            database.execute(&format!("UPDATE head SET {column}"), []).expect("changed");
            change("the signed head", Some(count))
        }
        9 => {
            let path = state.join("anchor.log");
            let text = fs::read(&path).expect("the anchor");
            // Changes a digit in any line except the last, which a crash may leave incomplete, and never a line end.
            let last = text[..text.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("lines");
            let digits: Vec<usize> = (0..last).filter(|at| text[*at].is_ascii_digit()).collect();
            let mut changed = text.clone();
            let at = digits[rng.random_range(0..digits.len())];
            changed[at] = if text[at] == b'9' { b'0' } else { text[at] + 1 };
            fs::write(&path, changed).expect("changed");
            change("a digit of the anchor", None)
        }
        _ => of_releases(&database, rng, seq),
    }
}

/// Changes, deletes or inserts a stored answer.
fn of_releases(database: &Connection, rng: &mut StdRng, seq: i64) -> Change {
    let one = "FROM releases ORDER BY id LIMIT 1 OFFSET ?1 % (SELECT count(*) FROM releases)";
    let (id, body): (String, Vec<u8>) = database
        .query_row(&format!("SELECT id, body {one}"), [seq], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("one");
    match rng.random_range(0..4) {
        0 => {
            database.execute("DELETE FROM releases WHERE id = ?1", [id]).expect("deleted");
            change("a stored answer deleted", None)
        }
        1 => {
            database.execute("INSERT INTO releases VALUES (?1 || 'x', ?2)", params![id, body]).expect("inserted");
            change("a stored answer inserted", None)
        }
        _ => {
            let body = flip(body, rng);
            database.execute("UPDATE releases SET body = ?1 WHERE id = ?2", params![body, id]).expect("flipped");
            change("a bit of a stored answer", None)
        }
    }
}

/// Puts an entry where it does not belong: again at the end, or in the place of another.
fn put_elsewhere(database: &Connection, rng: &mut StdRng, seq: i64, count: i64) -> Change {
    if rng.random_range(0..2) == 0 {
        let last = count + 1;
        let again = "INSERT INTO entries SELECT ?1, at_ms, act, body, hash FROM entries WHERE seq = ?2";
        database.execute(again, params![last, seq]).expect("inserted");
        return change("an entry once more at the end", Some(last));
    }
    let other = 1 + seq % count;
    let swap = format!(
        "CREATE TEMP TABLE two AS SELECT * FROM entries WHERE seq IN ({seq}, {other});
         DELETE FROM entries WHERE seq IN ({seq}, {other});
         INSERT INTO entries SELECT {seq} + {other} - seq, at_ms, act, body, hash FROM two;"
    );
    database.execute_batch(&swap).expect("swapped");
    change("two entries swapped", Some(seq.min(other)))
}

#[test]
fn verify_finds_each_of_a_thousand_changes() {
    let dir = closed();
    let state = dir.path().join("state");
    let whole = check(&state).unwrap_or_else(|finding| panic!("{finding}"));
    assert!(whole.entries > 30 && whole.releases > 8, "{whole:?}");
    assert_eq!(whole.anchor_seq, whole.entries);
    let changed = dir.path().join("changed");
    let mut opened = HashMap::<String, u32>::new();
    for seed in 0..CASES {
        copy(&state, &changed);
        let Change { what, named } = tamper(&changed, &mut StdRng::seed_from_u64(seed));
        let Err(found) = check(&changed) else { panic!("seed {seed}: {what} was not found") };
        let seq = found.seq.map(u64::cast_signed);
        assert!(named.is_none() || seq == named, "seed {seed}: {what} at {named:?}: {found}");
        // A server refuses any change to the chain or its head. It does start with a changed stored answer, which it refuses to serve.
        if SqliteLedger::open(&changed, 0).is_ok() {
            *opened.entry(what).or_default() += 1;
        }
        fs::remove_dir_all(&changed).expect("removed");
    }
    println!("{CASES} changes found; a server opens after {opened:?}");
    assert!(opened.keys().all(|what| ["a bit of a stored answer", "a digit of the anchor"].contains(&what.as_str())));
}

/// Prices are checked, not only the chain: an entry that a modified program charged too little for is found.
#[test]
fn verify_prices_every_plan_anew() {
    let dir = closed();
    let ledger = SqliteLedger::open(&dir.path().join("state"), 0).expect("a ledger");
    let charges: Vec<_> =
        ledger.entries(0, 1_000).expect("entries").into_iter().filter(|entry| entry.act.charge().is_some()).collect();
    let mut replanner = Replanner::default();
    use tacit::ledger::{EntryFault, Repricer};
    for entry in ledger.entries(0, 1_000).expect("entries") {
        replanner.learn(&entry);
    }
    for entry in &charges {
        assert_eq!(replanner.check(entry), Ok(()));
        let charged = entry.act.charge().expect("a charge");
        if charged.drawn.is_empty() {
            continue;
        }
        for (change, fault) in [
            (0, EntryFault::Underpriced),
            (1, EntryFault::OtherSensitivity),
            (2, EntryFault::UnknownMeasurement),
            (3, EntryFault::OtherQuestion),
            (4, EntryFault::UnknownEdition),
        ] {
            let mut act = entry.act.clone();
            let forged = match &mut act {
                Act::Charged(charged) => &mut **charged,
                Act::ChargedByPath(by_path) => &mut by_path.charge,
                _ => unreachable!("a charge"),
            };
            let drawn = &mut forged.drawn[0];
            match change {
                0 => drawn.certified.price = Price::from_quanta(drawn.certified.price.quanta() - 1_000),
                1 => drawn.certified.cells += 1,
                2 => drawn.view[0] ^= 1,
                3 => forged.view[0] ^= 1,
                _ => forged.edition.push('x'),
            }
            let is_by_path = matches!(act, Act::ChargedByPath(_));
            let forged = Entry { act, ..entry.clone() };
            assert_eq!(replanner.check(&forged), Err(fault), "{is_by_path}");
        }
    }
}

/// A ledger with `charges` answers, and copies of it as it was some charges earlier.
fn with_copies(charges: usize, ages: &[usize]) -> (Lab, Vec<(usize, TempDir)>) {
    let text = policy("accountant = \"pure\"\ncap = { epsilon = \"100\" }");
    let lab = Lab::new(&text, &visits(20), Arc::new(OpenDp), "100");
    let mut copies = Vec::new();
    for number in 0..charges {
        if ages.contains(&(charges - number)) {
            let to = tempfile::tempdir().expect("a folder");
            let database = Connection::open(lab.dir.path().join("state/ledger.db")).expect("the database");
            database
                .execute("VACUUM INTO ?1", [to.path().join("ledger.db").to_str().expect("a path")])
                .expect("a copy");
            copies.push((charges - number, to));
        }
        let sql = format!("SELECT COUNT(*) FROM visits WHERE cost >= {}.{:02}", number / 100, number % 100);
        assert_eq!(block_on(lab.sql(&sql, "0.01")).status, StatusCode::OK);
    }
    (lab, copies)
}

#[test]
fn a_copy_from_before_is_refused_and_recovered_from_the_anchor() {
    let (lab, copies) = with_copies(1_010, &[1, 10, 1_000]);
    let (spent, cells) = read(lab.service.ledger(), |book| {
        (
            book.find("visits", AccountKind::Dataset, "visits").expect("visits").spent,
            book.dataset("visits").expect("visits").cells,
        )
    });
    let Lab { dir, service, router, .. } = lab;
    drop((service, router));
    let state = dir.path().join("state");
    let refused = recover(&state, None, "nothing", "s", 0).expect_err("nothing to recover");
    assert!(matches!(refused, OpenError::NothingToRecover { .. }), "{refused}");
    for (age, copy) in copies {
        let restored = dir.path().join(format!("restored-{age}"));
        fs::create_dir(&restored).expect("a folder");
        for file in ["ledger.key", "anchor.log"] {
            fs::copy(state.join(file), restored.join(file)).expect("a copy");
        }
        fs::copy(copy.path().join("ledger.db"), restored.join("ledger.db")).expect("a copy");
        let refused = SqliteLedger::open(&restored, 0).err().expect("an older copy");
        assert!(matches!(refused, OpenError::SetBack { .. }), "{age}: {refused}");
        let found = check(&restored).expect_err("an older copy");
        assert!(found.why.contains("the anchor knows entry"), "{found}");
        if age == 1 {
            serve_refuses(dir.path(), &restored);
        }
        let recovered =
            recover(&restored, None, "restored Monday's backup", "sam", 7).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(recovered.ledger_seq + 2 * age as u64, recovered.anchor_seq.expect("an anchor"));
        let ledger = SqliteLedger::open(&restored, 0).unwrap_or_else(|error| panic!("{error}"));
        let again = read(&ledger, |book| {
            let whole = book.find("visits", AccountKind::Dataset, "visits").expect("visits");
            let ada = book.researcher("visits", "ada").expect("ada");
            (whole.spent, ada.spent, book.dataset("visits").expect("visits").cells)
        });
        assert_eq!(again, (spent, spent, cells), "nothing that was spent came back");
        let entries = ledger.entries(recovered.ledger_seq, 10).expect("entries");
        assert!(
            matches!(&entries[0].act, Act::Recovered { reason, by, .. } if reason.contains("Monday") && by == "sam")
        );
        drop(ledger);
        check(&restored).unwrap_or_else(|finding| panic!("{finding}"));
    }
}

/// The binary says why, exits with code 3 and opens no port.
fn serve_refuses(dir: &Path, restored: &Path) {
    let config = dir.join("restored.toml");
    let text = format!("listen = \"127.0.0.1:0\"\nstate_dir = {restored:?}\npolicies = [\"policy.toml\"]\n");
    fs::write(&config, text).expect("a configuration");
    let output = Command::new(env!("CARGO_BIN_EXE_tacit"))
        .args(["serve", "--config"])
        .arg(&config)
        .output()
        .expect("the binary");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("it is an older copy") && said.contains("tacit ledger recover"), "{said}");
}

#[test]
fn without_an_anchor_what_is_left_is_burnt() {
    let dir = closed();
    let state = dir.path().join("state");
    fs::remove_file(state.join("anchor.log")).expect("removed");
    let refused = SqliteLedger::open(&state, 0).err().expect("no anchor");
    assert!(matches!(refused, OpenError::AnchorMissing { .. }), "{refused}");
    assert!(check(&state).expect_err("no anchor").why.contains("the anchor is missing"));
    let recovery =
        recover(&state, None, "the disk of the anchor died", "sam", 0).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(recovery.anchor_seq, None);
    let ledger = SqliteLedger::open(&state, 0).unwrap_or_else(|error| panic!("{error}"));
    let left = |ledger: &SqliteLedger| {
        read(ledger, |book| book.find("visits", AccountKind::Dataset, "visits").expect("visits").left_at(0))
    };
    assert_eq!(left(&ledger), Price::ZERO);
    // Only an explicit grant with a reason makes budget available again.
    let to = tacit::service::stewarding::grants::Holder::Dataset;
    let (dataset, reason, by) = ("visits".to_owned(), "decided by the board".to_owned(), "sam".to_owned());
    let epsilon = tacit::kernel::privacy::amounts::Epsilon::parse("5").expect("ε");
    let raise = tacit::service::stewarding::grants::Grant { to, dataset, epsilon, reason, by };
    tacit::service::stewarding::grants::grant(&ledger, raise, 0).expect("raised");
    assert!(left(&ledger) > Price::ZERO);
}

#[test]
fn an_anchor_or_a_key_of_somebody_else_is_refused() {
    let (dir, other) = (closed(), closed());
    let (state, foreign) = (dir.path().join("state"), other.path().join("state"));
    let keep = |file: &str| fs::read(state.join(file)).expect("a file");
    let (anchor, key) = (keep("anchor.log"), keep("ledger.key"));
    fs::copy(foreign.join("anchor.log"), state.join("anchor.log")).expect("a copy");
    assert!(matches!(SqliteLedger::open(&state, 0).err(), Some(OpenError::AnchorForged { .. })));
    fs::write(state.join("anchor.log"), &anchor).expect("put back");
    fs::copy(foreign.join("ledger.key"), state.join("ledger.key")).expect("a copy");
    assert!(SqliteLedger::open(&state, 0).err().expect("another key").to_string().contains("signature of its head"));
    fs::remove_file(state.join("ledger.key")).expect("removed");
    assert!(matches!(SqliteLedger::open(&state, 0).err(), Some(OpenError::KeyMissing { .. })));
    fs::write(state.join("ledger.key"), &key).expect("put back");
    // A ledger file that is missing altogether is noticed, too.
    fs::remove_file(state.join("ledger.db")).expect("removed");
    assert!(matches!(SqliteLedger::open(&state, 0).err(), Some(OpenError::SetBack { ledger_seq: 0, .. })));
    let mut torn = anchor.clone();
    torn.truncate(anchor.len() - 3);
    fs::copy(dir.path().join("state/anchor.log"), dir.path().join("whole.log")).expect("a copy");
    fs::write(
        foreign.join("anchor.log"),
        fs::read(foreign.join("anchor.log"))
            .map(|mut text| {
                text.extend(b"{\"v\":1,\"se");
                text
            })
            .expect("text"),
    )
    .expect("a torn line");
    let ledger = SqliteLedger::open(&foreign, 0).unwrap_or_else(|error| panic!("half a line is no line: {error}"));
    drop(ledger);
    check(&foreign).unwrap_or_else(|finding| panic!("{finding}"));
}

/// An anchor on another disk is found again, also by commands that do not name it, and notices what one beside the ledger would not.
#[test]
fn an_anchor_elsewhere_notices_a_whole_folder_that_was_set_back() {
    let lab = Lab::new(&policy(GAUSSIAN), &visits(20), Arc::new(OpenDp), "1");
    let Lab { dir, service, router, .. } = lab;
    drop((service, router));
    let (state, elsewhere) = (dir.path().join("state"), dir.path().join("other-disk/anchor.log"));
    drop(
        SqliteLedger::open_with(&state, LedgerOptions::anchored(Some(&elsewhere)), 0)
            .unwrap_or_else(|error| panic!("{error}")),
    );
    let backup = dir.path().join("backup");
    fs::create_dir(&backup).expect("a folder");
    for file in
        fs::read_dir(&state).expect("files").map(|file| file.expect("a file")).filter(|file| file.path().is_file())
    {
        fs::copy(file.path(), backup.join(file.file_name())).expect("a copy");
    }
    let ledger = SqliteLedger::open(&state, 0).unwrap_or_else(|error| panic!("{error}"));
    grant(&ledger, "ada", "visits", "0.5");
    drop(ledger);
    let found = check(&state).unwrap_or_else(|finding| panic!("{finding}"));
    assert_eq!(found.anchor_seq, found.entries, "the anchor elsewhere is the one that is written");
    for file in fs::read_dir(&backup).expect("files").map(|file| file.expect("a file")) {
        fs::copy(file.path(), state.join(file.file_name())).expect("set back");
    }
    assert!(matches!(SqliteLedger::open(&state, 0).err(), Some(OpenError::SetBack { .. })));
}

/// An anchor that was moved after a clean stop is found where the configuration says; one that is merely missing is not replaced.
#[test]
fn an_anchor_can_be_moved() {
    let dir = closed();
    let (state, moved) = (dir.path().join("state"), dir.path().join("disk2/anchor.log"));
    fs::create_dir(dir.path().join("disk2")).expect("a folder");
    let refused =
        SqliteLedger::open_with(&state, LedgerOptions::anchored(Some(&dir.path().join("typo/anchor.log"))), 0);
    drop(refused.unwrap_or_else(|error| panic!("a new place beside one that vouches: {error}")));
    let back = dir.path().join("typo/anchor.log");
    fs::rename(&back, &moved).expect("moved");
    assert!(matches!(SqliteLedger::open(&state, 0).err(), Some(OpenError::AnchorMissing { .. })));
    drop(
        SqliteLedger::open_with(&state, LedgerOptions::anchored(Some(&moved)), 0)
            .unwrap_or_else(|error| panic!("{error}")),
    );
    drop(SqliteLedger::open(&state, 0).unwrap_or_else(|error| panic!("it is remembered: {error}")));
    check(&state).unwrap_or_else(|finding| panic!("{finding}"));
}

/// The balances that a recovery sets are never less than what any line claims, and they bind accounts that are opened later.
#[test]
fn a_recovery_gives_nothing_back() {
    let dir = closed();
    let state = dir.path().join("state");
    // With another key no line is credible, and what the lines claim is a lower bound.
    fs::remove_file(state.join("ledger.key")).expect("removed");
    let recovery = recover(&state, None, "the key was lost", "sam", 0).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        recovery.anchor_seq.is_none()
            && recovery.balances.iter().any(|balance| balance.kind == AccountKind::Researcher)
    );
    let again = recover(&state, None, "once more", "sam", 0).expect_err("nothing more to recover");
    assert!(matches!(again, OpenError::NothingToRecover { .. }), "{again}");
    let ledger = SqliteLedger::open(&state, 0).unwrap_or_else(|error| panic!("{error}"));
    let opened = Box::new(|book: &tacit::kernel::budget::state::LedgerState| {
        let (dataset, unit) = ("later".to_owned(), "row".to_owned());
        Some(Act::DatasetOpened { dataset, unit, cap: book.dataset("visits").expect("visits").cap })
    });
    ledger.act(opened, 0).expect("written").expect("opened");
    let left = read(&ledger, |book| book.find("later", AccountKind::Dataset, "later").expect("later").left_at(0));
    assert_eq!(left, Price::ZERO, "a dataset that the lost entries may have opened has nothing left");
    drop(ledger);
    let empty = dir.path().join("empty");
    drop(SqliteLedger::open(&empty, 0).unwrap_or_else(|error| panic!("{error}")));
    fs::remove_file(empty.join("ledger.key")).expect("removed");
    fs::copy(state.join("anchor.log"), empty.join("anchor.log")).expect("an anchor of something");
    assert!(matches!(recover(&empty, None, "r", "s", 0).err(), Some(OpenError::NothingToRecoverOnto { .. })));
}
