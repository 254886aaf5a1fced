//! The real binary as people run it: exit codes, mistakes, and the README's "your own table".

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::{GAUSSIAN, policy, visits};

fn tacit(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tacit"));
    command.current_dir(dir).env_remove("TACIT_URL").env_remove("TACIT_TOKEN").args(arguments);
    command.output().expect("the binary")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a command and expects an exit code and words in its output.
pub fn check(dir: &Path, arguments: &[&str], code: i32, words: &str) -> String {
    let output = tacit(dir, arguments);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    assert!(text.contains(words), "{arguments:?}: {text}");
    text
}

/// Runs the commands that come before a server starts, with typical mistakes, and returns ada's token.
pub fn prepared(dir: &Path) -> String {
    std::fs::write(dir.join("visits.csv"), visits(300)).expect("a source");
    let draft = check(dir, &["policy", "draft", "visits.csv"], 0, "A DRAFT");
    std::fs::write(dir.join("draft.toml"), draft).expect("a draft");
    check(dir, &["policy", "check", "draft.toml"], 1, "privacy_unit is still the draft's");
    std::fs::write(dir.join("visits.toml"), policy(GAUSSIAN)).expect("a policy");
    check(dir, &["policy", "check", "visits.toml"], 0, "6 columns");
    check(dir, &["seal", "visits.toml", "--state", "state"], 0, "rows read");
    let added = check(dir, &["researcher", "add", "ada", "--state", "state", "--json"], 0, "token");
    let token = serde_json::from_str::<Value>(&added).expect("JSON")["token"].as_str().expect("a token").to_owned();
    check(dir, &["researcher", "add", "ada", "--state", "state"], 1, "exists");
    check(
        dir,
        &["grant", "ada", "visits", "--epsilon", "1", "--reason", "a study", "--state", "state"],
        0,
        "epsilon 1",
    );
    check(
        dir,
        &["grant", "ada", "visits", "--epsilon", "9", "--reason", "a study", "--state", "state"],
        1,
        "largest that fits",
    );
    check(dir, &["account", "ada", "--state", "state"], 0, "ada");
    std::fs::write(
        dir.join("tacit.toml"),
        "listen = \"127.0.0.1:0\"\nstate_dir = \"state\"\npolicies = [\"visits.toml\"]\n",
    )
    .expect("a configuration");
    token
}

#[test]
fn your_own_table_in_a_few_commands() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let token = prepared(dir);
    let mut server = Command::new(env!("CARGO_BIN_EXE_tacit"))
        .current_dir(dir)
        .args(["serve", "--config", "tacit.toml"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary");
    let mut lines = BufReader::new(server.stderr.take().expect("stderr")).lines();
    let url = lines.next().expect("a line").expect("text").rsplit(' ').next().expect("an address").to_owned();
    let ask = |more: &[&str], code: i32, words: &str| {
        let mut arguments = vec![
            "ask",
            "--server",
            &url,
            "--token",
            &token,
            "SELECT region, COUNT(*) AS n FROM visits GROUP BY region",
        ];
        arguments.extend(more);
        check(dir, &arguments, code, words)
    };
    ask(&["--epsilon", "0.5", "--quote"], 0, "price: epsilon 0.5");
    ask(&["--epsilon", "0.5"], 0, "ε 0.5");
    ask(&["--epsilon", "0.5", "--format", "csv"], 0, "region,n,n_low,n_high");
    ask(&["--epsilon", "0.5", "--json"], 0, "\"replayed\":true");
    ask(&["--epsilon", "1", "--rows-per-unit", "1"], 1, "budget-exhausted");
    ask(&["--epsilon", "1", "--rows-per-unit", "1", "--quote"], 1, "not answerable");
    ask(&[], 2, "--epsilon 0.1, or --margin 25");
    ask(&["--epsilon", "0.1", "--margin", "3"], 2, "cannot be used with");
    check(dir, &["seal", "visits.toml", "--state", "state"], 3, "another process holds this ledger");
    let second = check(dir, &["serve", "--config", "tacit.toml"], 3, "another process holds this ledger");
    assert!(!second.contains("serves on"));
    check(dir, &["ledger", "list", "--server", &url, "--token", &token], 1, "forbidden");

    // SIGTERM is sent by the shell's own command, to the process that this test started.
    let killed = Command::new("sh").args(["-c", &format!("kill -TERM {}", server.id())]).status().expect("a shell");
    assert!(killed.success() && server.wait().expect("an end").success(), "a clean stop");
    check(dir, &["ledger", "list", "--state", "state"], 0, "charged");
    check(dir, &["ledger", "list", "--state", "state", "--json", "--limit", "1"], 0, "dataset-opened");
    let wal = dir.join("state/ledger.db-wal");
    assert!(!wal.exists() || wal.metadata().expect("a file").len() == 0, "a clean stop checkpoints");
}

/// A steward works on the state directory: accounts within a project, a period, a freeze, and queries of the ledger.
#[test]
fn a_steward_keeps_accounts_and_ledger_from_the_command_line() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    prepared(dir);
    let run = |line: &str, code: i32, words: &str| {
        let mut arguments: Vec<&str> = line.split(' ').collect();
        arguments.extend(["--state", "state"]);
        check(dir, &arguments, code, words)
    };
    run("researcher add bob", 0, "bob is a researcher");
    run("grant asthma visits --kind project --epsilon 1 --reason r", 0, "asthma may spend epsilon 1 on visits in all");
    run("grant bob visits --project asthma --epsilon 0.5 --period-days 30 --reason r", 0, "in every 30 days");
    run("grant bob visits --project copd --epsilon 0.5 --reason r", 1, "grant it first");
    run("grant asthma visits --kind project --period-days 3 --epsilon 1 --reason r", 2, "--kind researcher");
    run("grant visit visits --kind dataset --epsilon 9 --reason r", 2, "name it twice");
    run("grant visits visits --kind dataset --epsilon 1 --reason r", 1, "only rises");
    run("freeze visits --reason audit", 0, "visits is frozen");
    run("account bob", 0, "of project asthma, this period");
    run("account visits", 0, "frozen");
    run("unfreeze visits --reason audited", 0, "no longer frozen");
    run("ledger recover --reason none", 3, "there is nothing to recover");
    run("ledger verify", 0, "are whole, and so is the anchor");
    run("ledger verify --json", 0, "\"whole\":true");
    let ledger = dir.join("state/ledger.db");
    let mut bytes = std::fs::read(&ledger).expect("the ledger");
    let at = bytes.windows(8).position(|window| window.ends_with(b"audited")).expect("the reason");
    bytes[at + 2] ^= 1;
    std::fs::write(&ledger, bytes).expect("a changed ledger");
    run("ledger verify", 1, "its bytes do not match its hash");
    run("ledger verify --json", 1, "\"whole\":false");
    run("account", 3, "its bytes do not match its hash");
    let text = policy(GAUSSIAN).replace("max_rows = 1_000_000", "max_rows = 1_000_000\noversubscribe = true");
    std::fs::write(dir.join("over.toml"), text).expect("a policy");
    check(dir, &["policy", "check", "over.toml"], 0, "Whoever asks first may leave nothing to the others");
}

#[test]
fn mistakes_get_the_exit_codes_of_the_contract() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    check(dir, &[], 2, "Usage");
    check(dir, &["frobnicate"], 2, "unrecognized");
    check(dir, &["aks", "SELECT 1"], 2, "a similar subcommand exists: 'ask'");
    check(dir, &["ask", "SELECT 1", "--epsilon", "-1"], 2, "--epsilon: ");
    check(dir, &["policy", "check", "gone.toml"], 3, "gone.toml: cannot be read: there is no such file");
    check(dir, &["--help"], 0, "demo");
    check(dir, &["ask", "--help"], 0, "Example");
    check(dir, &["policy", "check", "gone.toml"], 3, "cannot be read");
    std::fs::write(dir.join("bad.toml"), policy(GAUSSIAN).replace("\"integer\"", "\"float\"")).expect("a policy");
    check(dir, &["policy", "check", "bad.toml"], 1, "bad.toml: line 28, column 8: type \"float\" is not known");
    check(dir, &["seal", "bad.toml", "--state", "state"], 1, "type \"float\"");
    assert!(!dir.join("state").exists(), "a bad policy makes no state");
    check(dir, &["ask", "SELECT 1", "--epsilon", "1", "--server", "http://127.0.0.1:9"], 3, "no server answers there");
    check(dir, &["datasets", "--server", "localhost:8080"], 3, "the address has no scheme; write http:// or https://");
    check(dir, &["datasets", "--server", "http://nowhere.invalid"], 3, "there is no host with this name");
    check(dir, &["account", "--state", "nowhere"], 3, "is not a state directory");
    check(dir, &["researcher", "add", "bob", "--state", "."], 3, "is not a state directory");
    check(dir, &["seal", "bad.csv", "--state", "state"], 3, "cannot be read");
    check(dir, &["serve", "--config", "gone.toml"], 3, "cannot be read");
    std::fs::write(dir.join("visits.csv"), visits(30)).expect("a source");
    std::fs::write(dir.join("visits.toml"), policy(GAUSSIAN)).expect("a policy");
    std::fs::write(dir.join("tacit.toml"), "state_dir = \"state\"\npolicies = [\"visits.toml\"]\n")
        .expect("a configuration");
    check(dir, &["serve", "--config", "tacit.toml"], 3, "has no sealed edition");
    check(dir, &["seal", "visits.toml", "--state", "state"], 0, "sealed");
    std::fs::write(dir.join("visits.toml"), policy(GAUSSIAN).replace("max = \"110\"", "max = \"111\""))
        .expect("a policy");
    check(dir, &["serve", "--config", "tacit.toml"], 3, "not the one its edition was sealed under");
    std::fs::write(dir.join("visits.toml"), policy(GAUSSIAN).replace("epsilon = \"4\"", "epsilon = \"5\""))
        .expect("a policy");
    check(dir, &["seal", "visits.toml", "--state", "state"], 1, "opened with another cap");
    std::fs::write(dir.join("visits.toml"), policy(GAUSSIAN)).expect("a policy");
    let edition =
        std::fs::read_dir(dir.join("state/editions")).expect("editions").next().expect("one").expect("one").path();
    let mut table = std::fs::read(edition.join("table.blocks")).expect("a table");
    // The index is at the end; blocks are looked at later, before their first use.
    let in_index = table.len() - 100;
    table[in_index] ^= 1;
    std::fs::write(edition.join("table.blocks"), table).expect("a damaged table");
    check(dir, &["serve", "--config", "tacit.toml"], 3, "is not what was sealed");
    std::fs::write(dir.join("state/ledger.db"), "not a database, but long enough to be looked at as one")
        .expect("a file");
    check(dir, &["serve", "--config", "tacit.toml"], 3, "it is no SQLite database");
}

#[test]
fn the_tour_ends_with_a_refusal_and_can_be_taken_twice() {
    let dir = tempfile::tempdir().expect("a folder");
    for replays in [0, 16] {
        let text =
            check(dir.path(), &["demo", "--tour", "--dir", "clinic", "--patients", "2000"], 0, "budget-exhausted");
        assert_eq!(text.matches(" noise, release rel_").count(), 16, "sixteen answers: {text}");
        assert_eq!(text.matches("it costs nothing").count(), replays);
    }
    let keys = std::fs::read_to_string(dir.path().join("clinic/demo.toml")).expect("keys");
    assert!(["url", "steward", "researcher", "viewer"].iter().all(|key| keys.contains(&format!("{key} = "))), "{keys}");
    use std::os::unix::fs::PermissionsExt;
    let mode = |file: &str| std::fs::metadata(dir.path().join(file)).expect(file).permissions().mode() & 0o777;
    assert_eq!((mode("clinic/demo.toml"), mode("clinic/state/ledger.db")), (0o600, 0o600));
}

/// Files are checked and confirmed while no server runs, viewers are given datasets, and a start reports what nobody has confirmed or
/// decided.
#[test]
fn statistics_and_viewers_from_the_command_line() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    prepared(dir);
    let run = |line: &str, code: i32, words: &str| check(dir, &line.split(' ').collect::<Vec<_>>(), code, words);
    std::fs::create_dir(dir.join("queries")).expect("a folder");
    run("statistics check queries --state state", 2, "holds no *.sql");
    run("statistics check gone --state state", 3, "cannot be read");
    let write = |name: &str, text: &str| std::fs::write(dir.join("queries").join(name), text).expect("a file");
    write("older.sql", "-- title: Older people\n-- epsilon: 0.1\nSELECT COUNT(*) AS n FROM visits WHERE age > 50");
    write("waits.sql", "-- title: Waits\n-- margin: 900\nSELECT region, COUNT(*) AS n FROM visits GROUP BY region");
    run("statistics check queries --state state", 0, "has no statistics account yet");
    run("grant visits visits --kind statistics --epsilon 1 --reason r --state state", 0, "statistics may spend");
    let said = run("statistics check queries --state state", 0, "2 files: 2 wait for tacit statistics publish");
    assert!(
        said.contains("each draw costs at most epsilon 0.1") && said.contains("  n ± ") && said.contains("new, waits"),
        "{said}"
    );
    write("broken.sql", "-- title: t\n-- margin: 9\nSELECT regio, COUNT(*) FROM visits GROUP BY regio");
    run("statistics check queries --state state", 1, "queries/broken.sql: line 3, column 8: unknown column \"regio\"");
    let listed = tacit(dir, &["statistics", "check", "queries", "--state", "state", "--json"]);
    assert_eq!(listed.status.code(), Some(1));
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    assert_eq!((&listed[0]["fault"]["line"], &listed[1]["epsilon"]), (&3.into(), &"0.1".into()), "{listed}");
    std::fs::remove_file(dir.join("queries/broken.sql")).expect("a file");

    run("statistics publish older --state state", 2, "--queries");
    run("statistics publish nothing --state state --queries queries", 3, "cannot be read");
    run(
        "statistics publish older --state state --queries queries --epsilon 0.05",
        1,
        "more than the agreed maximum of 0.05",
    );
    run(
        "statistics publish older --state state --queries queries",
        0,
        "older is confirmed, for at most epsilon 0.1 a draw",
    );
    run("statistics check queries --state state", 0, "2 files: 1 wait");
    run("statistics publish", 2, "required");

    run("researcher add vic --role viewer --dataset visits --state state", 0, "vic is a viewer");
    run("researcher add wil --role viewer --dataset nowhere --state state", 1, "there is no dataset");
    run("researcher add wil --dataset visits --state state", 2, "--dataset is for --role viewer");
    run("researcher add old --role viewer --state state", 0, "warning: unless old was given datasets before");
    run("researcher datasets ada visits --state state", 1, "ada\" is a researcher");
    run("researcher datasets vic --state state", 2, "required");
    run("researcher datasets vic --none --state state", 0, "vic sees public statistics alone");
    run("researcher datasets vic visits --state state --json", 0, "{\"name\":\"vic\",\"datasets\":[\"visits\"]}");

    warns_and_publishes_at_a_server(dir, &run);
}

type Run<'a> = &'a dyn Fn(&str, i32, &str) -> String;

/// Checks the warnings of a start, and the same commands at a running server.
fn warns_and_publishes_at_a_server(dir: &Path, run: Run<'_>) {
    let added = run("researcher add sam --role steward --state state --json", 0, "token");
    let token = serde_json::from_str::<Value>(&added).expect("JSON")["token"].as_str().expect("a token").to_owned();
    let text = std::fs::read_to_string(dir.join("tacit.toml")).expect("a configuration");
    std::fs::write(dir.join("tacit.toml"), text + "queries_dir = \"queries\"\n").expect("a configuration");
    let mut server = Command::new(env!("CARGO_BIN_EXE_tacit"))
        .current_dir(dir)
        .args(["serve", "--config", "tacit.toml"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary");
    let mut lines = BufReader::new(server.stderr.take().expect("stderr")).lines().map_while(Result::ok);
    let said: Vec<String> = lines.by_ref().take(4).collect();
    assert!(said[0].starts_with("tacit serves on http://"), "{said:?}");
    for words in ["has no [operator]", "they see the statistics of all: old;", "has confirmed their price: waits;"] {
        assert!(said.iter().any(|line| line.starts_with("warning: ") && line.contains(words)), "{words}: {said:?}");
    }
    let url = said[0].rsplit(' ').next().expect("an address").to_owned();
    let at = |line: &str, code: i32, words: &str| run(&format!("{line} --server {url} --token {token}"), code, words);
    at("statistics check queries", 0, "2 files: 1 wait for tacit statistics publish");
    at("statistics publish waits --epsilon 0.001", 1, "which is more than the agreed maximum of 0.001");
    at("statistics publish waits older", 0, "waits is confirmed, for at most epsilon");
    at("statistics publish nothing", 1, "there is no statistic");
    let checked = at("statistics check queries --json", 0, "\"standing\":\"confirmed\"");
    assert!(!checked.contains("\"standing\":\"new\""), "{checked}");
    at("researcher datasets old visits", 0, "old sees the statistics of visits");
    at("researcher add wil --role viewer --dataset visits --json", 0, "\"datasets\":[\"visits\"]");
    let killed = Command::new("sh").args(["-c", &format!("kill -TERM {}", server.id())]).status().expect("a shell");
    assert!(killed.success() && server.wait().expect("an end").success(), "a clean stop");
}
