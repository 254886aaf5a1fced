//! A server beside the worst that its limits allow: how quickly it says that it lives, how long others wait, and how much memory it takes.

#[path = "../tests/it/worst/table.rs"]
mod worst;

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use criterion::Criterion;
use tacit::engine::Launch;
use tacit::kernel::budget::people::Role;
use tacit::kernel::clock::SystemClock;
use tacit::kernel::privacy::amounts::Epsilon;
use tacit::ledger::SqliteLedger;
use tacit::query::terms::policy::Policy;
use tacit::service::Service;
use tacit::service::publishing::editions;
use tacit::service::stewarding::grants::{self, Grant, Holder};
use tacit::service::stewarding::people;

use crate::record;

/// Connections that ask the worst questions.
const WORST: usize = 64;
/// Groups of the largest answer: as many as an answer has noisy cells.
const GROUPS: usize = 100_000;
/// Connections of one person who asks without a pause.
const GREEDY: usize = 256;
/// Readers of the largest answer at once, and readers that take nothing of it.
const READERS: usize = 128;
const SILENT: usize = 60;
/// How long each load lasts.
const LOAD: Duration = Duration::from_secs(10);

/// Budgets of a dataset.
const BUDGET: &str = "cap = { epsilon = \"8\", delta = \"1e-6\" }\nmax_epsilon_per_query = \"1\"";

/// A policy with its source beside it.
fn written(dir: &Path, policy: &str, csv: &str) -> Policy {
    std::fs::write(dir.join("policy.toml"), policy).expect("a policy");
    std::fs::write(dir.join("visits.csv"), csv).expect("a source");
    Policy::load(&dir.join("policy.toml")).expect("a policy")
}

/// Two keys that have as many groups as an answer may, over a hundred thousand rows.
fn grouped(dir: &Path) -> Policy {
    let mut text = format!(
        "[dataset]\nname = \"visits\"\nsource = \"visits.csv\"\nprivacy_unit = \"patient_id\"\nmax_rows_per_unit = 4\n\
         max_rows = 1_000_000\n{BUDGET}\n"
    );
    for (name, most) in [("age", 99), ("ward", 999)] {
        let _ = write!(text, "[[column]]\nname = \"{name}\"\ntype = \"integer\"\nmin = \"0\"\nmax = \"{most}\"\n");
    }
    let mut csv = "patient_id,age,ward\n".to_owned();
    for row in 0..100_000 {
        let _ = writeln!(csv, "{},{},{}", row / 4, row % 100, row % 1_000);
    }
    written(dir, &text, &csv)
}

/// The service with workers, and two people's tokens.
fn service(dir: &Path, policy: &Policy) -> (Arc<Service>, [String; 2]) {
    let state = dir.join("state");
    let ledger = SqliteLedger::open(&state, 0).expect("a ledger");
    editions::seal_and_publish(&ledger, policy, &state, &|_| {}, &SystemClock).expect("an edition");
    let tokens = ["ada", "bob"].map(|name| {
        let token = people::add_person(&ledger, name, Role::Researcher, "bench", 0).expect("a person");
        let (to, epsilon) = (Holder::researcher(name), Epsilon::parse("4").expect("ε"));
        let grant = Grant { to, dataset: "visits".into(), epsilon, reason: "bench".into(), by: "bench".into() };
        grants::grant(&ledger, grant, 0).expect("a grant");
        token.text().to_owned()
    });
    drop(ledger);
    let launch = Launch { program: env!("CARGO_BIN_EXE_tacit").into(), ..Launch::this_program() };
    (tacit::startup::open(&state, None, &[dir.join("policy.toml")], launch).expect("a service"), tokens)
}

/// A runtime as a server has one, and the address of the service on it.
fn listen(service: Arc<Service>) -> (tokio::runtime::Runtime, SocketAddr) {
    let runtime = tacit::net::listener::runtime().expect("a runtime");
    let router = tacit::http::router(service, tacit::http::Settings::default());
    let address = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(tacit::net::listener::serve(listener, router, std::future::pending()));
        address
    });
    (runtime, address)
}

/// A connection that is kept.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        Self { stream, buffer: vec![0; 64 << 10] }
    }

    /// More of an answer, into the buffer from `filled` on.
    fn more(&mut self, filled: usize) -> usize {
        let read = self.stream.read(&mut self.buffer[filled..]).expect("read");
        assert!(read > 0, "the server hung up");
        read
    }

    /// The status of an answer, which is read whole.
    fn send(&mut self, request: &str) -> u16 {
        self.stream.write_all(request.as_bytes()).expect("sent");
        let mut filled = 0;
        let (head, text) = loop {
            filled += self.more(filled);
            let head = self.buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n");
            if let Some(head) = head {
                break (head + 4, String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase());
            }
        };
        if text.contains("transfer-encoding: chunked") {
            // The last chunk is an empty one; no text of an answer ends like this.
            const END: &[u8] = b"0\r\n\r\n";
            while !self.buffer[..filled].ends_with(END) {
                let kept = filled.min(END.len());
                self.buffer.copy_within(filled - kept..filled, 0);
                filled = kept + self.more(kept);
            }
        } else {
            let length = text.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
            let mut left = (head + length.unwrap_or(0_usize)).saturating_sub(filled);
            while left > 0 {
                left = left.saturating_sub(self.more(0));
            }
        }
        text[9..12].parse().expect("a status")
    }
}

fn post(path: &str, token: &str, sql: &str, epsilon: &str) -> String {
    let body = serde_json::json!({"sql": sql, "epsilon": epsilon}).to_string();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn quantile(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * share) as usize]
}

/// Runs `load` on so many connections while `look` is timed on its own; a load ends when it is told.
fn beside(
    connections: usize,
    load: impl Fn(usize, &AtomicBool) + Sync,
    mut look: impl FnMut() -> Duration,
) -> Vec<Duration> {
    let is_over = AtomicBool::new(false);
    let mut times = Vec::new();
    std::thread::scope(|scope| {
        for number in 0..connections {
            let (load, is_over) = (&load, &is_over);
            scope.spawn(move || load(number, is_over));
        }
        let begun = Instant::now();
        while begun.elapsed() < LOAD {
            times.push(look());
        }
        is_over.store(true, Ordering::Relaxed);
    });
    times
}

/// `/livez` beside 64 connections that ask the slowest of the generated questions: prices, and free replays.
pub fn livez(_: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    let policy = written(dir.path(), &worst::policy(BUDGET), &worst::csv());
    let (service, [ada, _]) = service(dir.path(), &policy);
    let (runtime, address) = listen(service);
    let mut asking = Client::new(address);
    let mut worst: Vec<(Duration, String)> = Vec::new();
    for sql in worst::questions() {
        for path in ["/v1/quotes", "/v1/queries"] {
            let request = post(path, &ada, &sql, "0.001");
            asking.send(&request);
            let begun = Instant::now();
            asking.send(&request);
            worst.push((begun.elapsed(), request));
        }
    }
    worst.sort_by_key(|(taken, _)| std::cmp::Reverse(*taken));
    worst.truncate(WORST);
    let load = |number: usize, is_over: &AtomicBool| {
        let mut client = Client::new(address);
        while !is_over.load(Ordering::Relaxed) {
            client.send(&worst[number % worst.len()].1);
        }
    };
    let mut looking = Client::new(address);
    let look = || {
        let begun = Instant::now();
        assert_eq!(looking.send("GET /livez HTTP/1.1\r\nHost: bench\r\n\r\n"), 200);
        begun.elapsed()
    };
    let mut times = beside(WORST, load, look);
    let [p50, p99, most] = [0.5, 0.99, 1.0].map(|share| quantile(&mut times, share));
    let (least, longest) = (worst[worst.len() - 1].0, worst[0].0);
    let alone = format!("the questions take {least:.1?} to {longest:.1?} each alone");
    record::say("livez", &format!("p99 {p99:.1?}, median {p50:.1?}, slowest {most:.1?}; {alone}"));
    runtime.shutdown_background();
}

/// A new question of one person beside 256 connections of another who asks new ones without a pause.
pub fn fairness(_: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    let (service, [ada, bob]) = service(dir.path(), &grouped(dir.path()));
    let (runtime, address) = listen(service);
    let fresh = |token: &str, number: usize| {
        post(
            "/v1/queries",
            token,
            &format!(
                "SELECT COUNT(*) FROM visits WHERE ward <> {} AND age >= {}",
                number % 1_000,
                number / 1_000 % 100
            ),
            "0.0001",
        )
    };
    let mut client = Client::new(address);
    let mut number = 0;
    let mut ask = |token: &str| {
        let (begun, request) = (Instant::now(), fresh(token, 50_000 + number));
        number += 1;
        assert_eq!(client.send(&request), 200);
        begun.elapsed()
    };
    let mut alone: Vec<Duration> = (0..200).map(|_| ask(&bob)).collect();
    let load = |number: usize, is_over: &AtomicBool| {
        let mut client = Client::new(address);
        let mut asked = number;
        while !is_over.load(Ordering::Relaxed) {
            client.send(&fresh(&ada, asked));
            asked += GREEDY;
        }
    };
    let mut times = beside(GREEDY, load, || ask(&bob));
    let (calm, [p50, p99]) = (quantile(&mut alone, 0.5), [0.5, 0.99].map(|share| quantile(&mut times, share)));
    record::say("fairness", &format!("median {p50:.1?}, p99 {p99:.1?}; alone {calm:.1?}"));
    runtime.shutdown_background();
}

/// Megabytes that this process holds.
fn resident_mb() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).expect("a line");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).expect("a number") >> 10
}

/// The largest answer in every format, to readers who read and to readers who do not.
pub fn memory(_: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    let (service, [ada, bob]) = service(dir.path(), &grouped(dir.path()));
    let (runtime, address) = listen(service);
    let sql = "SELECT age, ward, COUNT(*) AS n FROM visits GROUP BY age, ward";
    let formats =
        ["application/json", "text/csv", "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"];
    let request = |token: &str, number: usize| {
        let accept = format!("\r\nAccept: {}\r\nAuthorization", formats[number % formats.len()]);
        post("/v1/queries", token, sql, "0.5").replace("\r\nAuthorization", &accept)
    };
    for token in [&ada, &bob] {
        assert_eq!(Client::new(address).send(&request(token, 0)), 200);
    }
    let before = resident_mb();
    let silent: Vec<TcpStream> = (0..SILENT)
        .map(|number| {
            let mut stream = TcpStream::connect(address).expect("a connection");
            stream.write_all(request(&bob, number).as_bytes()).expect("sent");
            stream
        })
        .collect();
    let load = |number: usize, is_over: &AtomicBool| {
        let mut client = Client::new(address);
        while !is_over.load(Ordering::Relaxed) {
            client.send(&request(&ada, number));
        }
    };
    let mut most = before;
    beside(READERS, load, || {
        std::thread::sleep(Duration::from_millis(50));
        most = most.max(resident_mb());
        Duration::ZERO
    });
    drop(silent);
    record::say(
        "memory",
        &format!("{} MB more at the most, in answers of {GROUPS} groups", most.saturating_sub(before)),
    );
    runtime.shutdown_background();
}
