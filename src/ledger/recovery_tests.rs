//! Recovery of copies, with every anchor that may be available, and what a recovery freezes.

use std::fs;

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::kernel::budget::entry::Cap;
use crate::kernel::budget::ledger::{Ledger, read as read_book};
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Delta, Epsilon, Price};
use crate::ledger::backup::backup;
use crate::ledger::copies::{COPIED_ANCHOR_FILE, COPY_FILE};
use crate::ledger::{LedgerOptions, SqliteLedger};

const CAP: u64 = 100;

/// Where the anchor of a test's ledger is.
#[derive(Clone, Copy, PartialEq)]
enum Anchored {
    Beside,
    Elsewhere,
}

/// A ledger of which 10 had been spent when it was copied, and 60 since.
struct Place {
    _dir: TempDir,
    state: PathBuf,
    copy: PathBuf,
    /// Path of the latest anchor.
    anchor: PathBuf,
}

fn act(ledger: &SqliteLedger, act: Act) {
    ledger.act(Box::new(|_| Some(act)), 1).expect("written").expect("taken");
}

fn open_dataset(ledger: &SqliteLedger, dataset: &str) {
    let (epsilon, amount, threshold_delta) = (Epsilon::from_nanos(CAP), Price::from_quanta(CAP), Delta::ZERO);
    let (query_max, query_epsilon_max, accountant) = (amount, epsilon, Accountant::Pure);
    let cap = Cap { accountant, epsilon, amount, query_max, query_epsilon_max, threshold_delta };
    act(ledger, Act::DatasetOpened { dataset: dataset.to_owned(), unit: "row".to_owned(), cap });
}

/// Raises what a dataset has spent, without a query.
fn spend(ledger: &SqliteLedger, dataset: &str, units: u64) {
    let (dataset, name) = (dataset.to_owned(), dataset.to_owned());
    let (kind, spent, cells, threshold_delta) = (AccountKind::Dataset, Price::from_quanta(units), units, Delta::ZERO);
    let balances = vec![Balance { dataset, kind, name, spent, cells, threshold_delta }];
    act(ledger, Act::Recovered { reason: "spent".into(), by: "s".into(), anchor_seq: Some(0), balances });
}

fn freeze(ledger: &SqliteLedger, dataset: &str) {
    act(ledger, Act::Frozen { dataset: dataset.to_owned(), reason: "r".into(), by: "s".into() });
}

fn open_at(state: &Path, anchor: Option<&Path>) -> SqliteLedger {
    SqliteLedger::open_with(state, LedgerOptions::anchored(anchor), 0).unwrap_or_else(|error| panic!("{error}"))
}

fn place(anchored: Anchored) -> Place {
    let dir = tempfile::tempdir().expect("a folder");
    let (state, copy) = (dir.path().join("state"), dir.path().join("copy"));
    let (anchor, asked) = match anchored {
        Anchored::Beside => (state.join("anchor.log"), None),
        Anchored::Elsewhere => (dir.path().join("disk/anchor.log"), Some(dir.path().join("disk/anchor.log"))),
    };
    let ledger = open_at(&state, asked.as_deref());
    open_dataset(&ledger, "d");
    spend(&ledger, "d", 10);
    backup(&state, None, &copy).unwrap_or_else(|error| panic!("{error}"));
    spend(&ledger, "d", 60);
    Place { _dir: dir, state, copy, anchor }
}

fn refused(state: &Path, anchor: Option<&Path>) -> OpenError {
    SqliteLedger::open_with(state, LedgerOptions::anchored(anchor), 0).err().expect("refused")
}

fn recovered(state: &Path, anchor: Option<&Path>) -> Recovery {
    recover(state, anchor, "a test", "sam", 7).unwrap_or_else(|error| panic!("{error}"))
}

/// What was spent of a dataset, and whether it is frozen, in a ledger that opens.
fn standing(state: &Path, dataset: &str) -> (u64, bool) {
    read_book(&open_at(state, None), |book| {
        let spent = book.find(dataset, AccountKind::Dataset, dataset).expect("an account").spent;
        (spent.quanta(), book.dataset(dataset).expect("a dataset").is_frozen())
    })
}

/// Puts the whole copy where the state directory was.
fn restore(place: &Place) {
    fs::remove_dir_all(&place.state).expect("the disk is lost");
    fs::rename(&place.copy, &place.state).expect("restored");
}

fn unstamp(state: &Path) {
    let database = Connection::open(state.join(LEDGER_FILE)).expect("a database");
    database.pragma_update(None, "application_id", 0).expect("written");
}

#[test]
fn either_mark_makes_a_copy() {
    for lost in ["nothing", "the file", "the stamp"] {
        let place = place(Anchored::Elsewhere);
        match lost {
            "the file" => fs::remove_file(place.copy.join(COPY_FILE)).expect("removed"),
            "the stamp" => unstamp(&place.copy),
            _ => {}
        }
        let before = fs::read(place.copy.join(LEDGER_FILE)).expect("a ledger");
        for anchor in [None, Some(place.anchor.as_path())] {
            let error = refused(&place.copy, anchor);
            assert!(matches!(error, OpenError::Copy { .. }), "{lost}: {error}");
            let (words, state) = (error.to_string(), place.copy.display());
            assert!(words.contains(&format!("tacit ledger recover --state {state} --anchor LATEST")), "{words}");
            assert!(words.contains(&format!("tacit ledger recover --state {state} --reason")), "{words}");
            assert!(
                words.contains(&place.anchor.display().to_string()) && words.contains("burns what is left"),
                "{words}"
            );
        }
        assert_eq!(fs::read(place.copy.join(LEDGER_FILE)).expect("a ledger"), before, "nothing was written");
        assert_eq!(recovered(&place.copy, None).anchor_seq, Some(3), "the place of the anchor is remembered");
        assert_eq!(standing(&place.copy, "d"), (60, false));
        for mark in [COPY_FILE, COPIED_ANCHOR_FILE] {
            assert!(!place.copy.join(mark).exists(), "{mark}");
        }
        // The ledger that went on with the same anchor is the older one now.
        assert!(matches!(refused(&place.state, None), OpenError::SetBack { .. }));
    }
}

/// The marker file alone, without a ledger beside it, does not make a new ledger either.
#[test]
fn a_copy_without_its_ledger_is_no_new_state_directory() {
    let place = place(Anchored::Beside);
    fs::remove_file(place.copy.join(LEDGER_FILE)).expect("removed");
    assert!(matches!(refused(&place.copy, None), OpenError::Copy { .. }));
    assert!(!place.copy.join(LEDGER_FILE).exists());
}

#[test]
fn a_copy_of_which_nothing_was_spent_since_is_taken_up_at_no_loss() {
    let place = place(Anchored::Elsewhere);
    let second = place.copy.with_file_name("second");
    backup(&place.state, None, &second).unwrap_or_else(|error| panic!("{error}"));
    let recovery = recovered(&second, None);
    assert_eq!((recovery.anchor_seq, recovery.frozen.len()), (Some(recovery.ledger_seq), 0));
    assert_eq!(standing(&second, "d"), (60, false));
    assert!(matches!(recover(&second, None, "r", "s", 0), Err(OpenError::NothingToRecover { .. })));
}

#[test]
fn without_the_latest_anchor_nothing_is_left() {
    for anchored in [Anchored::Beside, Anchored::Elsewhere] {
        let place = place(anchored);
        restore(&place);
        let _ = fs::remove_file(&place.anchor);
        let recovery = recovered(&place.state, None);
        assert_eq!((recovery.anchor_seq, recovery.frozen), (None, vec!["d".to_owned()]));
        assert_eq!(recovery.anchor, place.anchor, "it begins anew where it was");
        assert_eq!(standing(&place.state, "d"), (CAP, true));
    }
}

/// The anchor that was copied with a copy knows what the copy knows, so it cannot pass for the latest one under any name.
#[test]
fn a_copy_does_not_vouch_for_itself() {
    for name in ["anchor.log", "renamed.log"] {
        let place = place(Anchored::Beside);
        fs::rename(place.copy.join(COPIED_ANCHOR_FILE), place.copy.join(name)).expect("renamed");
        let named = place.copy.join(name);
        assert!(matches!(refused(&place.copy, None), OpenError::Copy { .. }));
        let error = recover(&place.copy, Some(&named), "r", "s", 0).expect_err("its own");
        assert!(matches!(error, OpenError::AnchorCopied { .. }), "{error}");
        assert_eq!(recovered(&place.copy, None).anchor_seq, None);
        assert_eq!(standing(&place.copy, "d"), (CAP, true));
    }
    // Nor does it vouch for a ledger without a mark, such as one assembled by hand.
    let place = place(Anchored::Beside);
    fs::copy(place.copy.join(COPIED_ANCHOR_FILE), &place.anchor).expect("put there");
    assert!(matches!(refused(&place.state, None), OpenError::AnchorCopied { .. }));
    assert_eq!(recovered(&place.state, None).anchor_seq, None);
}

#[test]
fn an_anchor_that_is_older_than_the_copy_is_not_the_latest() {
    let place = place(Anchored::Elsewhere);
    let old = place.anchor.with_file_name("old.log");
    let text = fs::read(&place.anchor).expect("an anchor");
    // The first line, written at the opening, is of entry 0.
    let end = text.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    fs::write(&old, &text[..end]).expect("an older anchor");
    let error = recover(&place.copy, Some(&old), "r", "s", 0).expect_err("it is older");
    assert!(matches!(error, OpenError::AnchorOlder { anchor_seq: 0, copied_seq: 2, .. }), "{error}");
    fs::rename(&old, &place.anchor).expect("set back");
    assert_eq!(recovered(&place.copy, None).anchor_seq, None);
    assert_eq!(standing(&place.copy, "d"), (CAP, true));
}

/// Whatever anchor is named, the remembered one counts, too; and the new one begins where it was named.
#[test]
fn every_anchor_at_hand_is_heard() {
    let place = place(Anchored::Elsewhere);
    let other = place.anchor.with_file_name("other.log");
    let stale = fs::read(place.copy.join(COPIED_ANCHOR_FILE)).expect("an anchor");
    let own = stale.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    for named in [Some(&stale[own..]), None] {
        let copy = place.copy.with_file_name(format!("copy-{}", named.is_some()));
        backup(&place.copy, None, &copy).unwrap_or_else(|error| panic!("{error}"));
        let _ = fs::remove_file(&other);
        if let Some(text) = named {
            fs::write(&other, text).expect("an anchor");
        }
        let recovery = recovered(&copy, Some(&other));
        assert_eq!((recovery.anchor_seq, &recovery.anchor), (Some(3), &other));
        assert_eq!(standing(&copy, "d"), (60, false));
    }
}

/// The live anchor beside the ledger survives when a copy is put over it, or when only its ledger is replaced.
#[test]
fn a_copy_over_a_directory_that_is_there() {
    for files in [&[LEDGER_FILE][..], &[LEDGER_FILE, "ledger.key", COPIED_ANCHOR_FILE, COPY_FILE]] {
        let place = place(Anchored::Beside);
        for file in files {
            fs::copy(place.copy.join(file), place.state.join(file)).expect("put over it");
        }
        assert!(matches!(refused(&place.state, None), OpenError::Copy { .. }));
        assert_eq!(recovered(&place.state, None).anchor_seq, Some(3));
        assert_eq!(standing(&place.state, "d"), (60, false));
    }
}

/// A recovery that a crash cuts short leaves a copy, at whatever step.
#[test]
fn half_a_recovery_opens_for_nobody() {
    let place = place(Anchored::Beside);
    let note = fs::read(place.copy.join(COPY_FILE)).expect("a note");
    recovered(&place.copy, None);
    fs::write(place.copy.join(COPY_FILE), note).expect("not removed yet");
    assert!(matches!(refused(&place.copy, None), OpenError::Copy { .. }));
    let again = recovered(&place.copy, None);
    assert_eq!(again.anchor_seq, Some(again.ledger_seq), "what the first one wrote is believed");
    assert_eq!(standing(&place.copy, "d"), (CAP, true));
}

/// Removes the marks, as in a copy by an older version, for which its own anchor vouches.
fn of_an_older_version(place: &Place) {
    let text = fs::read(place.copy.join(COPIED_ANCHOR_FILE)).expect("an anchor");
    let own = text.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    fs::write(place.copy.join("anchor.log"), &text[own..]).expect("an anchor");
    unstamp(&place.copy);
    for file in [COPIED_ANCHOR_FILE, COPY_FILE, "anchor.place"] {
        fs::remove_file(place.copy.join(file)).expect("removed");
    }
}

#[test]
fn a_copy_of_an_older_version_is_refused_where_the_anchor_is_configured() {
    let place = place(Anchored::Elsewhere);
    of_an_older_version(&place);
    let error = refused(&place.copy, Some(&place.anchor));
    assert!(matches!(error, OpenError::SetBack { .. }), "{error}");
    assert!(error.to_string().contains(&format!("recover --anchor {}", place.anchor.display())), "{error}");
    // The same holds if the configured place is gone, which cannot be told from one that the anchor is to move to.
    let lost = place.anchor.with_file_name("lost.log");
    fs::rename(&place.anchor, &lost).expect("gone");
    assert!(matches!(refused(&place.copy, Some(&place.anchor)), OpenError::AnchorNotMoved { .. }));
    let error = recover(&place.copy, Some(&place.anchor), "r", "s", 0).expect_err("one of the two");
    assert!(matches!(error, OpenError::AnchorNotMoved { .. }), "{error}");
    fs::remove_file(place.copy.join("anchor.log")).expect("taken away");
    let recovery = recovered(&place.copy, Some(&place.anchor));
    assert_eq!((recovery.anchor_seq, recovery.anchor), (None, place.anchor.clone()));
    assert_eq!(standing(&place.copy, "d"), (CAP, true));
}

/// Two ledgers must not go on from one anchor: a running server must be stopped first, and then its ledger is the older one.
#[test]
fn an_anchor_that_is_written_is_not_taken_away() {
    let place = place(Anchored::Elsewhere);
    let running = open_at(&place.state, None);
    let other = place.anchor.with_file_name("other.log");
    for anchor in [None, Some(place.anchor.as_path()), Some(other.as_path())] {
        let error = recover(&place.copy, anchor, "r", "s", 0).expect_err("a server runs");
        assert!(matches!(error, OpenError::AnchorHeld { .. }), "{error}");
    }
    spend(&running, "d", 70);
    drop(running);
    recovered(&place.copy, None);
    assert_eq!(standing(&place.copy, "d"), (70, false));
    assert!(matches!(refused(&place.state, None), OpenError::SetBack { .. }));
}

/// A file beside a ledger whose anchor was moved away is not its anchor, even if the file that names the place is lost.
#[test]
fn a_place_that_is_lost_is_missed() {
    let place = place(Anchored::Beside);
    let moved = place.anchor.with_file_name("moved.log");
    let ledger = open_at(&place.state, Some(&moved));
    spend(&ledger, "d", 70);
    drop(ledger);
    fs::remove_file(place.state.join("anchor.place")).expect("lost");
    assert!(place.anchor.exists(), "the old anchor still vouches for an older entry");
    assert!(matches!(refused(&place.state, None), OpenError::PlaceLost { .. }));
    let gone = place.anchor.with_file_name("gone.log");
    assert!(matches!(refused(&place.state, Some(&gone)), OpenError::PlaceLost { .. }));
    assert!(backup(&place.state, None, &place.copy.with_file_name("second")).is_err());
    drop(open_at(&place.state, Some(&moved)));
    assert_eq!(standing(&place.state, "d"), (70, false));
    fs::remove_file(place.state.join("anchor.place")).expect("lost again");
    let recovery = recovered(&place.state, None);
    assert_eq!((recovery.anchor_seq, recovery.anchor), (None, place.anchor.clone()));
    assert_eq!(standing(&place.state, "d"), (CAP, true));
}

/// A directory in use may move its anchor, and naming a wrong place does no harm.
#[test]
fn an_anchor_that_is_not_there_burns_nothing_that_is_in_use() {
    let place = place(Anchored::Beside);
    let new = place.anchor.with_file_name("new.log");
    let error = recover(&place.state, Some(&new), "r", "s", 0).expect_err("it would open");
    assert!(matches!(error, OpenError::NothingToRecover { .. }), "{error}");
    drop(open_at(&place.state, Some(&new)));
    assert_eq!(standing(&place.state, "d"), (60, false));
}

#[test]
fn what_was_frozen_since_the_copy_is_frozen() {
    let place = place(Anchored::Elsewhere);
    let ledger = open_at(&place.state, None);
    freeze(&ledger, "d");
    open_dataset(&ledger, "later");
    spend(&ledger, "later", 5);
    drop(ledger);
    let recovery = recovered(&place.copy, Some(&place.anchor));
    assert_eq!(recovery.frozen, ["d"]);
    assert_eq!(standing(&place.copy, "d"), (60, true));
    let ledger = open_at(&place.copy, None);
    let last = ledger.entries(recovery.ledger_seq, 10).expect("entries").pop().expect("one");
    let Act::Frozen { reason, by, .. } = last.act else { panic!("{last:?}") };
    assert_eq!((by.as_str(), reason.as_str()), ("sam", "recovered (a test): the anchor knows that it was frozen"));
    let unknown = read_book(&ledger, |book| ["d", "later", "never"].map(|name| book.may_have_been_open(name)));
    assert_eq!(unknown, [false, true, false]);
}

/// A freeze that the copy knows of stays, and the anchor records when one is lifted.
#[test]
fn an_anchor_knows_of_freezes_that_begin_and_end() {
    let place = place(Anchored::Elsewhere);
    let ledger = open_at(&place.state, None);
    freeze(&ledger, "d");
    let frozen = place.copy.with_file_name("frozen");
    backup(&place.state, None, &frozen).unwrap_or_else(|error| panic!("{error}"));
    act(&ledger, Act::Unfrozen { dataset: "d".into(), reason: "r".into(), by: "s".into() });
    drop(ledger);
    let saved = fs::read(&place.anchor).expect("an anchor");
    assert_eq!((recovered(&frozen, None).frozen.len(), standing(&frozen, "d")), (0, (60, true)));
    fs::write(&place.anchor, saved).expect("as it was");
    assert_eq!((recovered(&place.copy, None).frozen.len(), standing(&place.copy, "d")), (0, (60, false)));
}

/// Lines of older versions record no freezes: they are read as before, and everything is frozen until somebody looks.
#[test]
fn an_anchor_of_an_older_version_freezes_everything() {
    let place = place(Anchored::Elsewhere);
    let signer = Signer::read(&place.copy).expect("readable").expect("a key");
    let text = fs::read_to_string(&place.anchor).expect("an anchor");
    let older = |line: &str| {
        let mut line: Value = serde_json::from_str(line.split('\t').next().expect("a line")).expect("JSON");
        for balance in line["balances"].as_array_mut().into_iter().flatten() {
            let fields = balance.as_object_mut().expect("a balance");
            assert!(fields.remove("frozen").is_some() && fields.remove("incidents").is_some());
        }
        let line = line.to_string();
        format!("{line}\t{}\n", hex::encode(signer.sign_line(line.as_bytes())))
    };
    fs::write(&place.anchor, text.lines().map(older).collect::<String>()).expect("an older anchor");
    drop(open_at(&place.state, None));
    fs::write(&place.anchor, text.lines().map(older).collect::<String>()).expect("an older anchor");
    let recovery = recovered(&place.copy, None);
    assert_eq!((recovery.anchor_seq, recovery.frozen), (Some(3), vec!["d".to_owned()]));
    assert_eq!(standing(&place.copy, "d"), (60, true));
}
