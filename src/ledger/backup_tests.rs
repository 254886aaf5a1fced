//! Backups of a ledger that is in use, and of one that is damaged.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::kernel::budget::ledger::Ledger;
use crate::kernel::budget::people::Role;
use crate::ledger::{LedgerOptions, SqliteLedger, Verified};

struct Place {
    _dir: TempDir,
    state: PathBuf,
    copy: PathBuf,
}

fn place() -> Place {
    let dir = tempfile::tempdir().expect("a folder");
    let (state, copy) = (dir.path().join("state"), dir.path().join("copies/monday"));
    Place { _dir: dir, state, copy }
}

fn open(state: &Path) -> SqliteLedger {
    SqliteLedger::open(state, 0).unwrap_or_else(|error| panic!("{error}"))
}

fn add(ledger: &SqliteLedger, people: std::ops::Range<u8>) {
    for number in people {
        let (name, token) = (format!("p{number}"), [number; 32]);
        let act = Act::PersonAdded { name, role: Role::Researcher, token, by: "ada".to_owned() };
        ledger.act(Box::new(|_| Some(act)), 1).expect("written").expect("taken");
    }
}

fn copied(place: &Place) -> BackedUp {
    backup(&place.state, None, &place.copy).unwrap_or_else(|error| panic!("{error}"))
}

fn verified(state: &Path) -> Verified {
    let verified = verify(state, None, &mut Sealed::default()).unwrap_or_else(|error| panic!("{error}"));
    verified.unwrap_or_else(|finding| panic!("{finding}"))
}

fn names(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

#[test]
fn a_ledger_that_is_held_is_copied() {
    let place = place();
    let ledger = open(&place.state);
    add(&ledger, 0..3);
    fs::write(place.state.join("notes.txt"), "a small file").expect("a file");
    fs::create_dir_all(place.state.join("editions/.sealing-ed_1")).expect("a folder");
    let done = copied(&place);
    assert_eq!((done.entries, done.releases, done.editions, done.anchor_seq), (3, 0, 0, 3));
    add(&ledger, 3..5);

    let wanted = ["THIS-IS-A-COPY.txt", "anchor.copied", "editions", "ledger.db", "ledger.key", "notes.txt"];
    let wanted = wanted.map(str::to_owned);
    assert_eq!(names(&place.copy), BTreeSet::from(wanted));
    assert_eq!((mode(&place.copy), mode(&place.copy.join("editions"))), (0o700, 0o700));
    let files: Vec<PathBuf> = names(&place.copy).iter().map(|name| place.copy.join(name)).collect();
    let files: Vec<&PathBuf> = files.iter().filter(|path| path.is_file()).collect();
    assert!(files.iter().all(|file| mode(file) == 0o600), "{files:?}");
    let bytes: u64 = files.iter().map(|file| fs::metadata(file).expect("a file").len()).sum();
    assert_eq!(done.bytes, bytes);
    assert!(names(&place.copy.join("editions")).is_empty(), "what is being sealed is not copied");

    assert_eq!(verified(&place.copy).entries, 3);
    assert_eq!(ledger.entries(0, 10).expect("entries").len(), 5);
}

#[test]
fn a_ledger_that_is_written_meanwhile_is_copied_as_of_one_moment() {
    let place = place();
    let ledger = open(&place.state);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| add(&ledger, 0..60));
        let mut least = 0;
        for copy in 0..5 {
            let to = place.copy.join(copy.to_string());
            let done = backup(&place.state, None, &to).unwrap_or_else(|error| panic!("{error}"));
            assert!(done.entries >= done.anchor_seq && done.entries >= least, "{done:?} after {least}");
            least = done.entries;
        }
        writer.join().expect("all are written");
    });
}

#[test]
fn the_anchor_comes_from_where_it_is() {
    let place = place();
    let elsewhere = place.state.with_file_name("other-disk/anchor.log");
    let ledger = SqliteLedger::open_with(&place.state, LedgerOptions::anchored(Some(&elsewhere)), 0);
    add(&ledger.unwrap_or_else(|error| panic!("{error}")), 0..2);
    assert_eq!(copied(&place).anchor_seq, 2);
    let wanted = ["THIS-IS-A-COPY.txt", "anchor.copied", "anchor.place", "ledger.db", "ledger.key"].map(str::to_owned);
    assert_eq!(names(&place.copy), BTreeSet::from(wanted));
    let note = fs::read_to_string(place.copy.join("THIS-IS-A-COPY.txt")).expect("a note");
    assert!(note.contains(&elsewhere.display().to_string()) && note.contains("tacit ledger recover"), "{note}");
}

/// A copy of a copy is a copy, whatever the first one lost; it is checked against its own copied anchor, and is equal byte for byte.
#[test]
fn a_copy_is_copied_as_a_copy() {
    let place = place();
    let elsewhere = place.state.with_file_name("other-disk/anchor.log");
    let ledger = SqliteLedger::open_with(&place.state, LedgerOptions::anchored(Some(&elsewhere)), 0);
    let ledger = ledger.unwrap_or_else(|error| panic!("{error}"));
    add(&ledger, 0..2);
    copied(&place);
    // The latest anchor knows more than the copy, which must not matter to the copy.
    add(&ledger, 2..4);
    fs::remove_file(place.copy.join("THIS-IS-A-COPY.txt")).expect("lost");
    let second = place.copy.with_file_name("tuesday");
    let done = backup(&place.copy, None, &second).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((done.entries, done.anchor_seq), (2, 2));
    assert!(
        verified(&second).is_copy && verified(&place.copy).is_copy && names(&second).contains("THIS-IS-A-COPY.txt")
    );
    for file in ["anchor.copied", "anchor.place", "ledger.key"] {
        let read = |dir: &Path| fs::read(dir.join(file)).expect("a file");
        assert_eq!(read(&second), read(&place.copy), "{file}");
    }
    assert!(matches!(SqliteLedger::open(&second, 0).err(), Some(OpenError::Copy { .. })));
    drop(ledger);
    let (mut sealed, mut again) = (Sealed::default(), Sealed::default());
    let found = verify(&second, Some(&elsewhere), &mut sealed).expect("readable").expect_err("it is older than that");
    assert!(found.why.contains("the anchor knows entry 4"), "{found}");
    let whole = verify(&place.state, None, &mut again).expect("readable").unwrap_or_else(|found| panic!("{found}"));
    assert!(!whole.is_copy, "a state directory is none");
}

#[test]
fn a_folder_with_something_in_it_stays_as_it_is() {
    let place = place();
    add(&open(&place.state), 0..1);
    fs::create_dir_all(&place.copy).expect("a folder");
    copied(&place);
    let before = names(&place.copy);
    let refused = backup(&place.state, None, &place.copy);
    assert!(matches!(refused, Err(BackupError::Occupied { .. })), "{refused:?}");
    assert_eq!(names(&place.copy), before);
}

#[test]
fn what_is_not_whole_leaves_no_copy() {
    let place = place();
    add(&open(&place.state), 0..2);
    let older = fs::read(place.state.join("ledger.db")).expect("a ledger");
    add(&open(&place.state), 2..4);
    fs::write(place.state.join("ledger.db"), older).expect("set back");
    let found = backup(&place.state, None, &place.copy).expect_err("its anchor knows more");
    assert!(
        matches!(&found, BackupError::NotWhole { .. }) && found.to_string().contains("the anchor knows"),
        "{found}"
    );
    assert!(!place.copy.exists());

    fs::remove_file(place.state.join("anchor.log")).expect("an anchor");
    let found = backup(&place.state, None, &place.copy).expect_err("no anchor");
    assert!(matches!(found, BackupError::Open(OpenError::AnchorMissing { .. })), "{found}");
    fs::remove_file(place.state.join("ledger.key")).expect("a key");
    let found = backup(&place.state, None, &place.copy).expect_err("no key");
    assert!(matches!(found, BackupError::Open(OpenError::KeyMissing { .. })), "{found}");
    let found = backup(&place.copy, None, &place.state.join("x")).expect_err("no ledger");
    assert!(matches!(found, BackupError::Open(OpenError::Unusable { .. })), "{found}");
    assert!(!place.copy.exists() && !place.state.join("x").exists());
}
