//! Restored copies: a backup that is restored after more was spent does not start, and everything in a state directory is accessible to its
//! owner only.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use tacit::kernel::budget::ledger::read;
use tacit::kernel::budget::people::Role;
use tacit::kernel::vault::noise::OpenDp;
use tacit::ledger::backup::backup;
use tacit::ledger::replan::Replanner;
use tacit::ledger::sqlite::outbox::Cursor;
use tacit::ledger::{LedgerOptions, OUTBOX, OpenError, Recovery, SqliteLedger, recover, verify};
use tacit::query::terms::policy::Policy;
use tacit::service::stewarding::people;
use tacit::webhooks::outbox::{Message, Outbox};

use crate::binary::check;
use crate::crash::{agent, ask, start};
use crate::support::{BrokenNoise, GAUSSIAN, Lab, block_on, policy, seal_and_publish, visits};

const ANCHORED: &str = "anchor = \"other/anchor.log\"\n";
/// Every command that opens a state directory, except those that verify or copy it.
const REFUSED: [&str; 17] = [
    "account",
    "account ada",
    "researcher add bob",
    "researcher token ada laptop --expires 2099-12-31",
    "researcher tokens ada",
    "researcher revoke ada --only laptop",
    "researcher revoke ada",
    "grant ada visits --epsilon 0.1 --reason r",
    "freeze visits --reason r",
    "unfreeze visits --reason r",
    "requests",
    "decide 1 --grant --reason r",
    "ledger list",
    "plan access",
    "apply access --reason r",
    "seal visits.toml",
    "seal visits.toml --json",
];

fn configure(dir: &Path, anchor: &str) {
    let text = format!("listen = \"127.0.0.1:0\"\nstate_dir = \"state\"\npolicies = [\"visits.toml\"]\n{anchor}");
    fs::write(dir.join("tacit.toml"), text).expect("a configuration");
}

/// Prepares a sealed dataset with a cap of 1, and ada, who may spend all of it; returns her token.
fn prepared(dir: &Path) -> String {
    fs::write(dir.join("visits.csv"), visits(60)).expect("a source");
    fs::write(dir.join("visits.toml"), policy("accountant = \"pure\"\ncap = { epsilon = \"1\" }")).expect("a policy");
    fs::create_dir(dir.join("access")).expect("a folder");
    let person = "[[person]]\nname = \"ada\"\nrole = \"researcher\"\n";
    fs::write(dir.join("access/people.toml"), person).expect("a declared file");
    check(dir, &["seal", "visits.toml", "--state", "state"], 0, "rows read");
    let added = check(dir, &["researcher", "add", "ada", "--state", "state", "--json"], 0, "token");
    let grant = ["grant", "ada", "visits", "--epsilon", "1", "--reason", "a study", "--state", "state"];
    check(dir, &grant, 0, "epsilon 1");
    let added: Value = serde_json::from_str(&added).expect("JSON");
    added["token"].as_str().expect("a token").to_owned()
}

/// Asks each question at its ε, at a server that is stopped afterwards; returns the status of each answer.
fn asked(dir: &Path, token: &str, questions: &[(&str, &str)], meanwhile: impl FnOnce()) -> Vec<u16> {
    let mut server = start(&dir.join("tacit.toml"));
    let one = |(condition, epsilon): &(&str, &str)| {
        let sql = format!("SELECT COUNT(*) FROM visits WHERE {condition}");
        let body = json!({"sql": sql, "epsilon": epsilon}).to_string();
        let (status, said) =
            ask(&agent(), &server.url, token, &condition.replace(" > ", "-"), &body).expect("an answer");
        assert!(status != 400, "{}", String::from_utf8_lossy(&said));
        status
    };
    let statuses = questions.iter().map(one).collect();
    meanwhile();
    server.child.kill().expect("ended");
    server.child.wait().expect("an end");
    statuses
}

/// All files below a folder, with their bytes.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = walk(dir).into_iter().filter(|path| path.is_file());
    files.map(|path| (path.clone(), fs::read(&path).expect("a file"))).collect()
}

/// A folder and everything below it.
fn walk(dir: &Path) -> Vec<PathBuf> {
    let mut found = vec![dir.to_owned()];
    for entry in fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

/// Deletes the state directory and replaces it with the whole copy.
fn restore(dir: &Path) {
    let _ = fs::remove_dir_all(dir.join("state"));
    for from in walk(&dir.join("monday")) {
        let to = dir.join("state").join(from.strip_prefix(dir.join("monday")).expect("below"));
        if from.is_dir() {
            fs::create_dir(&to).expect("a folder");
        } else {
            fs::copy(&from, &to).expect("a file");
        }
    }
}

fn recovered(dir: &Path, words: &str) {
    check(dir, &["ledger", "recover", "--state", "state", "--reason", "the disk was lost"], 0, words);
}

fn left(dir: &Path) -> Vec<String> {
    let accounts = check(dir, &["account", "--state", "state", "--json"], 0, "visits");
    let accounts: Value = serde_json::from_str(&accounts).expect("JSON");
    let accounts = accounts.as_array().expect("accounts");
    accounts.iter().map(|account| account["epsilon_remaining"].as_str().expect("a decimal").to_owned()).collect()
}

/// A server spends 0.1, is copied, spends the rest, and loses its disk. The restored copy does not start, whatever the configuration says
/// about the anchor; no command writes to it; and both ways to continue count everything that was spent.
#[test]
fn a_restored_copy_does_not_start_in_any_of_three_ways() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let token = prepared(dir);
    configure(dir, ANCHORED);
    assert_eq!(asked(dir, &token, &[("age > 30", "0.1")], || {}), [200]);
    // The copy is made while the server runs.
    let copy = || {
        check(dir, &["backup", "--state", "state", "--to", "monday"], 0, "to go on from it");
    };
    assert_eq!(asked(dir, &token, &[("age > 30", "0.1")], copy), [200]);
    assert_eq!(asked(dir, &token, &[("age > 40", "0.9")], || {}), [200]);
    let anchor = dir.join("other/anchor.log");
    let latest = fs::read(&anchor).expect("an anchor on another disk");

    for (anchored, is_there) in [("", true), (ANCHORED, true), (ANCHORED, false)] {
        restore(dir);
        configure(dir, anchored);
        fs::write(&anchor, &latest).expect("as it was");
        if !is_there {
            fs::remove_file(&anchor).expect("lost, too");
        }
        let before = contents(&dir.join("state"));
        let said = check(dir, &["serve", "--config", "tacit.toml"], 3, "is a copy made by tacit backup");
        for words in
            ["tacit ledger recover --state state --anchor LATEST", "tacit ledger recover --state state --reason"]
        {
            assert!(said.contains(words), "{said}");
        }
        for line in REFUSED {
            let mut arguments: Vec<&str> = line.split(' ').collect();
            arguments.extend(["--state", "state"]);
            check(dir, &arguments, 3, "tacit ledger recover --state state --anchor LATEST");
        }
        assert_eq!(contents(&dir.join("state")), before, "nothing was written");
        check(dir, &["ledger", "verify", "--state", "state", "--json"], 0, "\"copy\":true");
        let _ = fs::remove_dir_all(dir.join("tuesday"));
        check(dir, &["backup", "--state", "state", "--to", "tuesday"], 0, "are copied and checked");

        recovered(
            dir,
            if is_there {
                "every account was charged what the anchor says it had spent"
            } else {
                "of every cap is burned"
            },
        );
        assert_eq!(left(dir), ["0", "0"], "nothing that was spent comes back");
        let text = check(dir, &["ledger", "verify", "--state", "state", "--json"], 0, "\"copy\":false");
        assert!(text.contains("\"whole\":true"), "{text}");
        if anchored.is_empty() {
            // What the copy already holds is still free; nothing else can be bought.
            assert_eq!(asked(dir, &token, &[("age > 30", "0.1"), ("age > 50", "0.001")], || {}), [200, 403]);
        }
    }
}

fn recovered_from(copy: &Path, anchor: &Path) -> Recovery {
    once_free(|| recover(copy, Some(anchor), "restored", "sam", 9)).unwrap_or_else(|error| panic!("{error}"))
}

/// Retries while a lock is held: a process started by another test holds this test's files until it executes its own program.
fn once_free<T>(mut open: impl FnMut() -> Result<T, OpenError>) -> Result<T, OpenError> {
    loop {
        match open() {
            Err(OpenError::Held { .. }) => std::thread::yield_now(),
            other => return other,
        }
    }
}

/// Incidents since the copy are not forgotten: the dataset is frozen, as after a third incident, until its steward has looked into them.
#[test]
fn incidents_since_the_copy_freeze_its_dataset() {
    let lab = Lab::new(&policy(GAUSSIAN), &visits(60), Arc::new(BrokenNoise), "4");
    let (state, copies) = (lab.dir.path().join("state"), lab.dir.path().join("copies"));
    let fail = |condition: &str| {
        let failed = block_on(lab.sql(&format!("SELECT COUNT(*) FROM visits WHERE {condition}"), "0.1"));
        assert_eq!(failed.code(), "unanswered");
    };
    let copy = |name: &str| backup(&state, None, &copies.join(name)).unwrap_or_else(|error| panic!("{error}"));
    copy("before");
    fail("age > 20");
    fail("age > 30");
    copy("after");
    let Lab { dir, service, router, .. } = lab;
    drop((service, router));
    let anchor = fs::read(state.join("anchor.log")).expect("an anchor");
    for (name, is_frozen, incidents) in [("before", true, 0), ("after", false, 2)] {
        let latest = copies.join("latest.log");
        fs::write(&latest, &anchor).expect("the latest anchor");
        let recovery = recovered_from(&copies.join(name), &latest);
        assert_eq!(recovery.frozen.len(), usize::from(is_frozen), "{name}");
        let found = once_free(|| verify(&copies.join(name), None, &mut Replanner::default()));
        assert!(matches!(found, Ok(Ok(_))), "{name}: {found:?}");
        let ledger = once_free(|| SqliteLedger::open(&copies.join(name), 0)).unwrap_or_else(|error| panic!("{error}"));
        let standing = read(&ledger, |book| {
            let whole = book.dataset("visits").expect("visits");
            (whole.is_frozen(), whole.incidents)
        });
        assert_eq!(standing, (is_frozen, incidents), "{name}");
    }
    drop(dir);
}

/// A dataset that the copy does not know is frozen when it is sealed again, as it may have existed before.
#[test]
fn a_dataset_that_a_recovery_went_without_is_opened_frozen() {
    let dir = tempfile::tempdir().expect("a folder");
    let (state, copy) = (dir.path().join("state"), dir.path().join("copy"));
    fs::write(dir.path().join("visits.csv"), visits(20)).expect("a source");
    fs::write(dir.path().join("policy.toml"), policy(GAUSSIAN)).expect("a policy");
    let policy = Policy::load(&dir.path().join("policy.toml")).unwrap_or_else(|error| panic!("{error}"));
    let publish = |state: &Path| {
        let ledger = SqliteLedger::open(state, 0).unwrap_or_else(|error| panic!("{error}"));
        seal_and_publish(&ledger, &policy, state);
        read(&ledger, |book| book.dataset("visits").expect("visits").is_frozen())
    };
    let ledger = SqliteLedger::open(&state, 0).unwrap_or_else(|error| panic!("{error}"));
    people::add_person(&ledger, "sam", Role::Steward, "a test", 0).expect("a person");
    backup(&state, None, &copy).unwrap_or_else(|error| panic!("{error}"));
    drop(ledger);
    assert!(!publish(&state), "a new dataset is not frozen");
    recovered_from(&copy, &state.join("anchor.log"));
    assert!(publish(&copy), "this one may have been");
}

fn rights(dir: &Path) -> Vec<(PathBuf, u32)> {
    let mode = |path: &PathBuf| fs::symlink_metadata(path).expect("it is there").permissions().mode() & 0o777;
    walk(dir).into_iter().map(|path| (path.clone(), mode(&path))).collect()
}

/// A copy has nothing of the outbox: what waited when it was made may have been delivered since, and nobody is told twice. Nor does its
/// file hold the address of a webhook, which is often a secret.
#[test]
fn a_copy_tells_no_webhook_what_the_original_may_have_told() {
    let lab = Lab::new(&policy(GAUSSIAN), &visits(60), Arc::new(OpenDp), "4");
    let (state, copy) = (lab.dir.path().join("state"), lab.dir.path().join("copy"));
    let open = |state: &Path, lock| Outbox::open(state, lock).unwrap_or_else(|error| panic!("{error}"));
    let outbox = open(&state, lab.write_lock.clone());
    let url = "https://hooks.example/services/a-secret-part";
    let message = Message { event: "refused", body: "{}".to_owned(), webhook: url.to_owned() };
    outbox.put(&vec![message; 100], &Cursor { seq: 1, watch: "{\"marks\":{}}".to_owned() }, 0).expect("put");
    backup(&state, None, &copy).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(outbox.count(), Ok(100), "the original keeps its own");
    let names = |state: &Path| {
        let found = contents(state)
            .into_iter()
            .filter(|(_, bytes)| bytes.windows(url.len()).any(|part| part == url.as_bytes()));
        found.map(|(path, _)| path).collect::<Vec<_>>()
    };
    assert!(!names(&state).is_empty(), "the control");
    assert!(names(&copy).is_empty(), "{:?}", names(&copy));
    drop(outbox);
    let Lab { dir, service, router, .. } = lab;
    drop((service, router));
    recovered_from(&copy, &state.join("anchor.log"));
    let ledger = once_free(|| SqliteLedger::open(&copy, 0)).unwrap_or_else(|error| panic!("{error}"));
    let outbox = open(&copy, ledger.write_lock());
    assert_eq!((outbox.count(), outbox.cursor()), (Ok(0), Ok(None)));
    drop(dir);
}

/// Everything in a state directory and its copies is accessible to its owner only, including what older versions left behind, once it is
/// opened again.
#[test]
fn everything_in_a_state_directory_is_its_owner_s_alone() {
    let lab = Lab::new(&policy(GAUSSIAN), &visits(60), Arc::new(OpenDp), "4");
    let (state, copy) = (lab.dir.path().join("state"), lab.dir.path().join("copy"));
    block_on(lab.sql("SELECT region, COUNT(*) AS n FROM visits GROUP BY region", "0.5")).rows();
    let alone = |dir: &Path, files: usize| {
        let found = rights(dir);
        for (path, mode) in &found {
            assert_eq!(*mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        }
        let count = found.iter().filter(|(path, _)| path.is_file()).count();
        assert!(count >= files, "{count} files: {found:?}");
    };
    // While it is open, there are the ledger, its side files, key, anchor, lock, and three files of the edition.
    alone(&state, 9);
    backup(&state, None, &copy).unwrap_or_else(|error| panic!("{error}"));
    alone(&copy, 7);
    let Lab { dir, service, router, .. } = lab;
    drop((service, router));
    recovered_from(&copy, &state.join("anchor.log"));
    alone(&copy, 6);
    alone(&state, 8);
    let older = dir.path().join("older");
    drop(
        SqliteLedger::open_with(&older, LedgerOptions::anchored(Some(&older.join("moved.log"))), 0)
            .unwrap_or_else(|error| panic!("{error}")),
    );
    fs::rename(state.join("editions"), older.join("editions")).expect("moved");
    fs::create_dir(older.join(OUTBOX)).expect("a folder");
    fs::write(older.join(OUTBOX).join("cursor"), "{}").expect("a file");
    for (path, _) in rights(&older).iter().filter(|(path, _)| *path != older) {
        let open = if path.is_dir() { 0o755 } else { 0o644 };
        fs::set_permissions(path, fs::Permissions::from_mode(open)).expect("as older versions left it");
    }
    fs::write(older.join("notes.txt"), "somebody else's").expect("a file");
    fs::set_permissions(older.join("notes.txt"), fs::Permissions::from_mode(0o644)).expect("as it is");
    drop(SqliteLedger::open(&older, 0).unwrap_or_else(|error| panic!("{error}")));
    let still_open = rights(&older).into_iter().filter(|(_, mode)| mode & 0o077 != 0);
    assert_eq!(still_open.map(|(path, _)| path).collect::<Vec<_>>(), [older.join("notes.txt")]);
}
