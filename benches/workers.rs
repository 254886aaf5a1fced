//! Worker processes: what they add to an answer, and what their deaths cost everybody else.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::Criterion;
use polars::prelude::ParquetWriter;
use tacit::engine::seal::seal;
use tacit::engine::{Engine, Host, Launch, PolarsEngine, WorkerPool};
use tacit::kernel::budget::people::Role;
use tacit::kernel::clock::SystemClock;
use tacit::kernel::privacy::amounts::Epsilon;
use tacit::ledger::SqliteLedger;
use tacit::query::terms::policy::Policy;
use tacit::service::asking::ask::{Ask, RequestedAccuracy};
use tacit::service::publishing::editions;
use tacit::service::stewarding::grants::{self, Grant, Holder};
use tacit::service::stewarding::people;
use tacit::service::{Service, ServiceError};

use super::{planned, policy, record, source};

/// Rows of the table that is asked while workers die.
const ROWS: usize = 1_000_000;
/// Callers at once.
const CALLERS: u64 = 4;
/// Answers a caller wants.
const ANSWERS: u64 = 1_000;
/// How often a worker is killed.
const KILL: Duration = Duration::from_millis(500);

fn launch() -> Launch {
    Launch { program: env!("CARGO_BIN_EXE_tacit").into(), ..Launch::this_program() }
}

pub fn overhead(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    let mut rows = source(100_000);
    let file = std::fs::File::create(dir.path().join("visits.parquet")).expect("a file");
    ParquetWriter::new(file).finish(&mut rows).expect("Parquet");
    let (policy, state) = (policy(dir.path()), dir.path().join("state"));
    let (manifest, _) = seal(&policy, &state, &|_| {}).expect("sealed");
    let (mut inside, mut outside) = (PolarsEngine::new(), WorkerPool::new(launch()));
    inside.load(&state, &manifest).expect("loaded");
    outside.load(&state, &manifest).expect("workers");
    let computation = planned(&policy).computation;
    let mut group = criterion.benchmark_group("count and mean by diagnosis over a hundred thousand rows");
    group.bench_function("in this process (the baseline)", |bench| {
        bench.iter(|| inside.evaluate(&manifest.edition, &computation).expect("an answer"));
    });
    group.bench_function("in a worker process (at most 2 ms more)", |bench| {
        bench.iter(|| outside.evaluate(&manifest.edition, &computation).expect("an answer"));
    });
}

/// A service with workers over a table, one steward's grant and one researcher.
fn service(dir: &std::path::Path) -> Arc<Service> {
    let mut rows = source(ROWS);
    let file = std::fs::File::create(dir.join("visits.parquet")).expect("a file");
    ParquetWriter::new(file).finish(&mut rows).expect("Parquet");
    let (policy, state): (Policy, _) = (policy(dir), dir.join("state"));
    let ledger = SqliteLedger::open(&state, 0).expect("a ledger");
    editions::seal_and_publish(&ledger, &policy, &state, &|_| {}, &SystemClock).expect("an edition");
    people::add_person(&ledger, "ada", Role::Researcher, "bench", 0).expect("ada");
    let (to, epsilon) = (Holder::researcher("ada"), policy.terms.cap);
    let grant = Grant { to, dataset: "visits".into(), epsilon, reason: "bench".into(), by: "bench".into() };
    grants::grant(&ledger, grant, 0).expect("a grant");
    drop(ledger);
    tacit::startup::open(&state, None, &[dir.join("policy.toml")], launch()).expect("a service")
}

/// The worker processes of this one.
fn workers() -> BTreeSet<u32> {
    let pids = std::fs::read_dir("/proc").expect("processes").flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mine = format!("PPid:\t{}\n", std::process::id());
    let is_mine = |pid: &u32| {
        std::fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|status| status.contains(&mine))
            && std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line == b"tacit\0worker\0")
    };
    pids.filter(is_mine).collect()
}

/// Seconds of every answer, and how many questions were burnt.
fn load(service: &Arc<Service>, first: &AtomicU64) -> (Vec<f64>, u64) {
    let caller = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (mut times, mut burnt) = (Vec::new(), 0);
        while (times.len() as u64) < ANSWERS {
            let number = first.fetch_add(1, Ordering::Relaxed);
            let cost = format!("{}.{:02}", number / 100, number % 100);
            let sql = format!("SELECT diagnosis, COUNT(*) FROM visits WHERE cost <> {cost} GROUP BY diagnosis");
            let accuracy = Some(RequestedAccuracy::Epsilon(Epsilon::parse("0.001").expect("ε")));
            let ask = Ask { sql, accuracy, rows_per_unit: None, group_size: None, purpose: None };
            let begun = Instant::now();
            match runtime.block_on(Arc::clone(service).answer("ada".into(), ask, None)) {
                Ok(_) => times.push(begun.elapsed().as_secs_f64()),
                Err(ServiceError::Unanswered { .. }) => burnt += 1,
                Err(ServiceError::Overloaded | ServiceError::Away | ServiceError::Refused(_)) => {
                    std::thread::yield_now()
                }
                Err(error) => panic!("{error}"),
            }
        }
        (times, burnt)
    };
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(caller)).collect();
        let (mut times, mut burnt) = (Vec::new(), 0);
        for caller in callers {
            let (more, lost) = caller.join().expect("a caller");
            times.extend(more);
            burnt += lost;
        }
        (times, burnt)
    })
}

fn quantile(times: &mut [f64], share: f64) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[((times.len() - 1) as f64 * share) as usize] * 1e3
}

/// Not a criterion loop: one run of each, in turn, in one process, told as a ratio.
pub fn deaths(_: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    let service = service(dir.path());
    let next = AtomicU64::new(1);
    load(&service, &next);
    let (mut calm, _) = load(&service, &next);
    let ended = AtomicBool::new(false);
    let ((mut dying, burnt), killed) = std::thread::scope(|scope| {
        let killer = scope.spawn(|| {
            let mut killed = 0;
            while !ended.load(Ordering::Relaxed) {
                std::thread::sleep(KILL);
                if let Some(pid) = workers().first() {
                    let _ = Command::new("sh").args(["-c", &format!("kill -9 {pid}")]).status();
                    killed += 1;
                }
                let _ = grants::set_frozen(service.ledger(), "visits", false, ("bench", "bench"), 1);
            }
            killed
        });
        let load = load(&service, &next);
        ended.store(true, Ordering::Relaxed);
        (load, killer.join().expect("a killer"))
    });
    let [p50, p99] = [0.5, 0.99].map(|share| (quantile(&mut calm, share), quantile(&mut dying, share)));
    record::say(
        "deaths",
        &format!(
            "{:.2} ({:.1} ms to {:.1} ms; median {:.1} ms to {:.1} ms; {killed} killed, {burnt} questions burnt)",
            p99.1 / p99.0,
            p99.0,
            p99.1,
            p50.0,
            p50.1
        ),
    );
}
