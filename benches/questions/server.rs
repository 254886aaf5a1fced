//! A server process with its workers, as users run it: sealed, started and asked by its own binary, and watched through `/proc`.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// People who ask, each with a token of their own.
pub const ASKERS: usize = 4;
/// The loss of one answer: small, so that a run asks as often as it likes.
const EPSILON: &str = "0.05";

/// A binary of Tacit with a state directory of its own over the sources.
pub struct Installation {
    program: PathBuf,
    dir: PathBuf,
    state: PathBuf,
    dataset: String,
    tokens: Vec<String>,
}

/// How long something took by the clock, and the seconds of processor time that it used.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub taken: Duration,
    pub cpu: f64,
}

impl Installation {
    /// Seals the sources of a dataset below `dir`, whose policy has its name, into a new state directory; the cost of that beside it.
    pub fn seal(program: PathBuf, dir: &Path, dataset: &str, name: &str) -> (Self, Cost) {
        let state = dir.join(format!("state-{name}"));
        if state.exists() {
            fs::remove_dir_all(&state).expect("the state of an earlier run goes");
        }
        let (dir, dataset) = (dir.to_owned(), dataset.to_owned());
        let mut installation = Self { program, dir, state, dataset, tokens: Vec::new() };
        let (begun, before) = (Instant::now(), cpu_of_children());
        installation.run(&["seal", &format!("{}.toml", installation.dataset)]);
        let cost = Cost { taken: begun.elapsed(), cpu: cpu_of_children() - before };
        installation.tokens = (0..ASKERS).map(|asker| installation.add(&format!("asker-{asker}"))).collect();
        (installation, cost)
    }

    /// What a command prints, over this state directory.
    fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new(&self.program)
            .current_dir(&self.dir)
            .args(arguments)
            .arg("--state")
            .arg(&self.state)
            .output()
            .expect("a command");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).expect("text")
    }

    fn add(&self, name: &str) -> String {
        let said = self.run(&["researcher", "add", name]);
        let token = said.split_whitespace().find(|word| word.starts_with("tct_")).expect("a token").to_owned();
        self.run(&["grant", name, &self.dataset, "--epsilon", "100", "--reason", "bench"]);
        token
    }

    /// Bytes of the files of the sealed edition.
    pub fn sealed_bytes(&self) -> u64 {
        fn below(dir: &Path) -> u64 {
            let entries = fs::read_dir(dir).into_iter().flatten().flatten();
            let bytes = entries.map(|entry| match entry.metadata() {
                Ok(meta) if meta.is_dir() => below(&entry.path()),
                Ok(meta) => meta.len(),
                Err(_) => 0,
            });
            bytes.sum()
        }
        below(&self.state.join("editions"))
    }

    /// Starts a server on a free port; it listens when this returns.
    pub fn start(&self) -> Server {
        let config = self.state.with_extension("config.toml");
        let state = self.state.display();
        let policy = format!("{}.toml", self.dataset);
        let text = format!("listen = \"127.0.0.1:0\"\nstate_dir = \"{state}\"\npolicies = [\"{policy}\"]\n");
        fs::write(&config, text).expect("a configuration");
        let mut command = Command::new(&self.program);
        command.current_dir(&self.dir).arg("serve").arg("--config").arg(&config);
        let started = Instant::now();
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a server");
        let url = listening(child.stderr.take().expect("its log"));
        let agent =
            || ureq::Agent::config_builder().http_status_as_error(false).timeout_global(None).build().new_agent();
        let askers = self.tokens.iter().map(|token| Asker { agent: agent(), url: url.clone(), token: token.clone() });
        Server { child, started, askers: askers.collect() }
    }
}

/// The address that a server says it listens on. Its log is read to the end, for a log that nobody reads would stop the server once
/// the pipe is full.
fn listening(log: ChildStderr) -> String {
    let mut log = BufReader::new(log);
    let mut line = String::new();
    let url = loop {
        line.clear();
        assert!(log.read_line(&mut line).expect("a line") > 0, "the server ended before it listened");
        if let Some(url) = line.split_whitespace().find(|word| word.starts_with("http://")) {
            break url.to_owned();
        }
    };
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    url
}

/// A question that was not answered with fresh noise.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub status: u16,
    pub code: String,
}

/// A person with a connection that is kept.
pub struct Asker {
    agent: ureq::Agent,
    url: String,
    token: String,
}

impl Asker {
    /// Asks, and reads the answer whole. An answer from what is stored counts as none.
    pub fn ask(&self, sql: &str) -> Result<Duration, Refusal> {
        let body = json!({"sql": sql, "epsilon": EPSILON, "purpose": "bench"}).to_string();
        let begun = Instant::now();
        let request = self.agent.post(format!("{}/v1/queries", self.url));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        let mut response = request.header("content-type", "application/json").send(&body).expect("an exchange");
        let text = response.body_mut().with_config().limit(256 << 20).read_to_string().expect("a body");
        let taken = begun.elapsed();
        let status = response.status().as_u16();
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        let code = |text: &str| Refusal { status, code: text.to_owned() };
        match (status, answer["replayed"].as_bool()) {
            (200, Some(false)) => Ok(taken),
            (200, _) => Err(code("stored")),
            _ => Err(code(answer["code"].as_str().unwrap_or(&text))),
        }
    }
}

/// A server that runs; it is stopped when this is dropped.
pub struct Server {
    child: Child,
    /// When its process was started.
    pub started: Instant,
    pub askers: Vec<Asker>,
}

impl Server {
    /// The ids of the server and of its workers.
    pub fn processes(&self) -> BTreeSet<u32> {
        let mut found = BTreeSet::from([self.child.id()]);
        loop {
            let children: Vec<u32> =
                processes().into_iter().filter(|(_, parent)| found.contains(parent)).map(|(pid, _)| pid).collect();
            let before = found.len();
            found.extend(children);
            if found.len() == before {
                return found;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

/// Every process with its parent.
fn processes() -> Vec<(u32, u32)> {
    let pids = fs::read_dir("/proc").expect("processes").flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, stat(&pid.to_string())?.get(1)?.parse().ok()?))).collect()
}

/// The fields of `/proc/PID/stat` from the state on, which is field 3 of proc(5).
fn stat(pid: &str) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

/// Seconds that two fields of a process's times add up to; Linux counts them in hundredths for every program.
fn seconds(pid: &str, fields: [usize; 2]) -> f64 {
    let Some(stat) = stat(pid) else { return 0.0 };
    fields.iter().filter_map(|field| stat.get(*field)?.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Processor time of the children of this process that have ended.
fn cpu_of_children() -> f64 {
    seconds("self", [13, 14])
}

/// Processor time of this process.
pub fn cpu_of_this() -> f64 {
    seconds("self", [11, 12])
}

/// Processor time of processes, their ended children included.
pub fn cpu_of(pids: &BTreeSet<u32>) -> f64 {
    pids.iter().map(|pid| seconds(&pid.to_string(), [11, 12]) + seconds(&pid.to_string(), [13, 14])).sum()
}

/// A figure in kilobytes of a file of a process, in megabytes.
fn megabytes(pid: u32, file: &str, name: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().find_map(|word| word.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

/// What processes hold together, in megabytes: pages that several share count once (`Pss`).
pub fn held_mb(pids: &BTreeSet<u32>) -> f64 {
    pids.iter().map(|pid| megabytes(*pid, "smaps_rollup", "Pss:")).sum()
}

/// The most that each process held since it began, added up, in megabytes: pages that several share count in each (`VmHWM`).
pub fn most_resident_mb(pids: &BTreeSet<u32>) -> f64 {
    pids.iter().map(|pid| megabytes(*pid, "status", "VmHWM:")).sum()
}
