//! Looking around and asking from the command line, on the real binary: lists, the prompt on a pipe and on a terminal, completions, and
//! the configuration that the demo leaves behind.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::binary::{check, prepared};

const COUNT: &str = "SELECT region, COUNT(*) AS n FROM visits GROUP BY region";

/// A server that is stopped when it is dropped.
struct Running {
    process: Child,
    url: String,
}

impl Running {
    fn start(dir: &Path, config: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tacit"));
        command.current_dir(dir).args(["serve", "--config", config]).stderr(Stdio::piped());
        let mut process = command.spawn().expect("the binary");
        let mut lines = BufReader::new(process.stderr.take().expect("stderr")).lines();
        let line = lines.next().expect("a line").expect("text");
        let url = line.strip_prefix("tacit serves on ").unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { process, url }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A command of the person with this token.
fn command(dir: &Path, running: &Running, token: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tacit"));
    command.current_dir(dir).env("TACIT_URL", &running.url).env("TACIT_TOKEN", token).args(arguments);
    command.env("XDG_DATA_HOME", dir.join("data")).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command
}

/// What a command prints after reading `input`.
fn fed(mut command: Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().expect("the binary");
    running.stdin.take().expect("stdin").write_all(input.as_bytes()).expect("written");
    running.wait_with_output().expect("an end")
}

fn all(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What ada has spent, as a part of her account.
fn spent(dir: &Path, running: &Running, token: &str) -> f64 {
    let output = command(dir, running, token, &["account", "ada", "--json"]).output().expect("the binary");
    let accounts: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    accounts[0]["fraction_spent"].as_str().expect("a part").parse().expect("a number")
}

#[test]
fn one_can_look_around_from_the_command_line() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let token = prepared(dir);
    let sam = check(dir, &["researcher", "add", "sam", "--role", "steward", "--state", "state", "--json"], 0, "token");
    let sam: Value = serde_json::from_str(&sam).expect("JSON");
    let running = Running::start(dir, "tacit.toml");
    let run = |arguments: &[&str], code: i32, words: &str| {
        let output = command(dir, &running, &token, arguments).output().expect("the binary");
        let text = all(&output);
        assert!(output.status.code() == Some(code) && text.contains(words), "{arguments:?}: {text}");
        text
    };
    run(&["history"], 0, "question");
    let answer = run(&["ask", COUNT, "--epsilon", "0.1"], 0, " left");
    let id = answer.split("release ").nth(1).expect("an id").trim().trim_end_matches(')').to_owned();
    assert_eq!(id.len(), "rel_01234567".len(), "{answer}");
    run(&["datasets"], 0, " % of ε 1 left");
    run(&["columns"], 0, "north");
    run(&["columns", "visits", "--json"], 0, "\"dataset\":\"visits\"");
    run(&["columns", "visist"], 1, "did you mean visits?");
    run(&["history", "--search", "REGION"], 0, &id);
    run(&["history", "--search", "copd"], 0, "question");
    run(&["history", &id], 0, "reading it costs nothing (it cost ε 0.1, drawn at 20");
    run(&["history", &id, "--format", "csv"], 0, "region,n,n_low,n_high");
    run(&["history", "rel_0x"], 1, "there is no release");
    run(&["statistics"], 0, "no statistic that you may read");
    run(&["statistics", "show", "older"], 1, "not-found");
    let seen: Value = serde_json::from_str(&run(&["status", "--json"], 0, "")).expect("JSON");
    assert_eq!(
        (&seen["ready"], &seen["status"]["name"], &seen["status"]["ledger"]),
        (&true.into(), &"ada".into(), &Value::Null)
    );
    run(&["status"], 0, "you         ada, a researcher");
    let stewards =
        command(dir, &running, sam["token"].as_str().expect("a token"), &["status"]).output().expect("the binary");
    assert!(all(&stewards).contains(" entries, the last one "), "{}", all(&stewards));
    let piped = fed(command(dir, &running, &token, &["ask", "-", "--epsilon", "0.1"]), COUNT);
    assert!(all(&piped).contains("it was stored, so it costs nothing"), "{}", all(&piped));
    for shell in ["bash", "zsh", "fish"] {
        run(&["completions", shell], 0, "history");
    }
}

#[test]
fn a_prompt_on_a_pipe_pays_for_what_was_confirmed_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let token = prepared(dir);
    let running = Running::start(dir, "tacit.toml");
    let say = |lines: &[&str]| {
        let output = fed(command(dir, &running, &token, &["prompt"]), &format!("{}\n", lines.join("\n")));
        assert_eq!(output.status.code(), Some(0), "{}", all(&output));
        all(&output)
    };
    let question = format!("{COUNT};");
    let said = say(&["\\d", "SELECT DISTINCT region FROM visits;", &question]);
    for words in ["as ada, a researcher", "one per patient_id", "it is public, so it cost nothing", "say how accurate"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    let said = say(&["\\e 0.1", &question, "n", &question, "\\budget", "\\quote", &question]);
    assert_eq!((said.matches("price: epsilon 0.1").count(), said.matches("nothing spent").count()), (4, 2), "{said}");
    assert_eq!(spent(dir, &running, &token), 0.0, "nothing was confirmed");
    let said =
        say(&["\\e 0.1", "SELECT region, COUNT(*) AS n", "FROM visits GROUP BY region;", "y", &question, "\\history"]);
    assert_eq!((said.matches("price: ").count(), said.matches("release rel_").count()), (1, 2), "{said}");
    assert!(spent(dir, &running, &token) > 0.0);
    let said = say(&[
        "\\confirm off",
        "\\m 90",
        "SELECT COUNT(*) AS n FROM visits;",
        "SELECT COUNT(*) AS n FROM visits WHERE regio = 'north';",
    ]);
    assert!(said.contains("release rel_") && said.contains("did you mean \"region\"?"), "{said}");
    assert!(!dir.join("data").exists(), "a pipe leaves no history");
}

/// The prompt on a terminal of its own, which Python makes.
const TERMINAL: &str = r#"
import os, pty, select, sys, time
words = sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "prompt", "--epsilon", "0.1"])
seen, begun = b"", time.time()
while words and time.time() - begun < 60:
    if select.select([terminal], [], [], 1)[0]:
        try:
            seen += os.read(terminal, 65536)
        except OSError:
            break
    if words[0].encode() in seen:
        sys.stdout.write(seen.decode()); seen = b""
        if len(words) > 1:
            os.write(terminal, words[1].encode())
        words = words[2:]
try:
    while True:
        part = os.read(terminal, 65536)
        if not part: break
        sys.stdout.write(part.decode())
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

#[test]
fn a_prompt_on_a_terminal_completes_confirms_and_keeps_a_private_history() {
    if !Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success()) {
        println!("skipped: no python3 here");
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let token = prepared(dir);
    let running = Running::start(dir, "tacit.toml");
    let mut python = Command::new("python3");
    python.current_dir(dir).args(["-c", TERMINAL, env!("CARGO_BIN_EXE_tacit")]);
    python
        .env("TACIT_URL", &running.url)
        .env("TACIT_TOKEN", &token)
        .env("XDG_DATA_HOME", dir.join("data"))
        .env("TERM", "xterm");
    let secret = format!("\\token {token}\r");
    // What is awaited, and what is then typed: a value is completed by Tab.
    python.args(["tacit> ", "SELECT COUNT(*) AS n FROM visits WHERE region = 'no\t;\r"]);
    python.args(["[y/N] ", "y\r", "tacit> ", secret.as_str(), "tacit> ", "\\q\r"]);
    let output = python.output().expect("python3");
    let said = all(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("price: epsilon 0.1") && said.contains("release rel_"), "{said}");
    assert!(spent(dir, &running, &token) > 0.0, "{said}");
    use std::os::unix::fs::PermissionsExt;
    let history = dir.join("data/tacit/history");
    let mode = |path: &Path| std::fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!((mode(&history), mode(history.parent().expect("a folder"))), (0o600, 0o700));
    let kept = std::fs::read_to_string(&history).expect("text");
    assert!(kept.contains("WHERE region = 'north';") && !kept.contains(&token) && !kept.contains("\ny\n"), "{kept}");
}

#[test]
fn a_server_takes_the_configuration_that_the_demo_leaves() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    check(
        dir,
        &["demo", "--tour", "--dir", "clinic", "--patients", "2000", "--listen", "127.0.0.1:0"],
        0,
        "budget-exhausted",
    );
    let keys: toml::Table = std::fs::read_to_string(dir.join("clinic/demo.toml")).expect("keys").parse().expect("TOML");
    let running = Running::start(dir, "clinic/tacit.toml");
    let run = |arguments: &[&str], words: &str| {
        let output =
            command(dir, &running, keys["steward"].as_str().expect("a token"), arguments).output().expect("the binary");
        assert!(output.status.success() && all(&output).contains(words), "{arguments:?}: {}", all(&output));
    };
    run(&["statistics"], "01-visits-by-region");
    run(&["statistics", "show", "01-visits-by-region"], "reading it costs nothing");
    run(&["status"], "ready       yes");
    run(&["columns"], "diagnosis");
}
