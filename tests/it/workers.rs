//! Worker processes of the real binary: what they may do, and what it costs when one dies.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tacit::engine::{Engine, EngineFault, Host, Launch, Limits, WorkerPool};
use tacit::kernel::budget::account::EditionMark;
use tacit::kernel::vault::noise::OpenDp;
use tacit::kernel::vault::private::{Exact, Private};
use tacit::query::computation::Computation;
use tacit::query::parse::parse;
use tacit::query::plan::plan;
use tacit::query::terms::edition::Manifest;
use tacit::query::terms::edition::layout::{Holds, StoredColumn, TableLayout};

use crate::crash::{agent, ask, start};
use crate::support::{GAUSSIAN, Lab, block_on, launch, policy, visits};

/// Process ids of the workers that a parent started.
fn workers(parent: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("processes").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let (Some(stat), Ok(line)) = (status(pid), std::fs::read(entry.path().join("cmdline"))) else { continue };
        if stat.contains(&format!("PPid:\t{parent}\n")) && line == b"tacit\0worker\0" {
            found.push(pid);
        }
    }
    found.sort_unstable();
    found
}

fn status(pid: u32) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{pid}/status")).ok()
}

/// Sends a signal with the shell's own command, to processes that this test's server started.
fn signal(name: &str, pids: &[u32]) {
    for pid in pids {
        let _ = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status().expect("a shell");
    }
}

/// Polls until a condition holds. Each check takes time of its own, so nothing sleeps.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    assert!((0..100_000).any(|_| is_so()), "{what}");
}

struct Clinic {
    lab: Lab,
    server: Child,
    url: String,
}

/// The binary over a small table, with its workers.
fn clinic() -> Clinic {
    clinic_after(|_| {})
}

/// The binary over a small table that `change` has changed.
fn clinic_after(change: impl FnOnce(&Lab)) -> Clinic {
    let lab = Lab::new(&policy(GAUSSIAN), &visits(100), Arc::new(OpenDp), "4");
    change(&lab);
    let Lab { dir, service, router, steward, researcher, viewer, .. } = lab;
    drop((service, router));
    let config = dir.path().join("tacit.toml");
    std::fs::write(&config, "listen = \"127.0.0.1:0\"\nstate_dir = \"state\"\npolicies = [\"policy.toml\"]\n")
        .expect("a configuration");
    let server = start(&config);
    let other = Lab::exact();
    let Lab { service, router, write_lock, .. } = other;
    let lab = Lab { dir, service, router, steward, researcher, viewer, write_lock };
    Clinic { lab, server: server.child, url: server.url }
}

impl Clinic {
    fn get(&self, path: &str, token: &str) -> (u16, Value) {
        let request = agent().get(format!("{}{path}", self.url)).header("Authorization", format!("Bearer {token}"));
        let mut response = request.call().expect("an answer");
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.body_mut().read_to_vec().expect("a body")).unwrap_or_default())
    }

    fn ask(&self, number: u32) -> u16 {
        let body = json!({"sql": format!("SELECT COUNT(*) FROM visits WHERE age > {number}"), "epsilon": "0.01"});
        let answer = ask(&agent(), &self.url, &self.lab.researcher, &number.to_string(), &body.to_string());
        answer.expect("an answer").0
    }

    fn end(mut self) {
        let workers = workers(self.server.id());
        self.server.kill().expect("an end");
        self.server.wait().expect("an end");
        until("workers end with their server", || workers.iter().all(|pid| is_gone(*pid)));
    }
}

impl Drop for Clinic {
    fn drop(&mut self) {
        // A failing test must not leave a server behind either.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Whether a process has ended, including one that its parent has not reaped yet.
fn is_gone(pid: u32) -> bool {
    status(pid).is_none_or(|status| status.contains("State:\tZ"))
}

#[test]
fn workers_are_walled_in() {
    let clinic = clinic();
    until("two workers", || workers(clinic.server.id()).len() >= 2 && clinic.get("/readyz", "").0 == 200);
    let is_walled = |pid: &u32| status(*pid).is_some_and(|status| status.contains("Seccomp:\t2"));
    // Each question reads all of /proc, so a worker without walls is told within a quarter of a minute.
    assert!((0..5_000).any(|_| workers(clinic.server.id()).iter().all(is_walled)), "walls");
    for pid in workers(clinic.server.id()) {
        let of = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).expect("a file of the process");
        assert!(of("status").contains("NoNewPrivs:\t1"), "nothing is gained by running something else");
        let mut environment: Vec<_> = of("environ").split_terminator('\0').map(str::to_owned).collect();
        environment.sort();
        let settings = ["MALLOC_MMAP_THRESHOLD_=33554432", "MALLOC_TRIM_THRESHOLD_=33554432", "POLARS_MAX_THREADS=1"];
        assert_eq!(environment, settings, "no secrets in the environment");
        let limits = of("limits");
        let space = limits.lines().find(|line| line.starts_with("Max address space")).expect("a limit");
        assert!(!space.contains("unlimited"), "{space}");
        for file in std::fs::read_dir(format!("/proc/{pid}/fd")).expect("open files").flatten() {
            let Ok(target) = std::fs::read_link(file.path()) else { continue };
            let target = target.to_string_lossy().into_owned();
            let its_own = ["table.blocks", "socket:", "/dev/null", "anon_inode:"];
            assert!(its_own.iter().any(|own| target.contains(own)), "a worker holds {target}");
        }
    }
    clinic.end();
}

/// If one worker is killed while idle, nothing is charged and another starts. If both are killed while answering a query, that query is
/// burned and counted as an incident, and everything else goes on.
#[test]
fn a_worker_that_dies_costs_its_query_and_nobody_elses() {
    let clinic = clinic();
    let pid = clinic.server.id();
    until("two workers", || workers(pid).len() == 2);
    assert_eq!(clinic.ask(1), 200);
    let old = workers(pid);
    signal("KILL", &old[..1]);
    until("another instead", || workers(pid).len() == 2 && !workers(pid).contains(&old[0]));
    assert_eq!(clinic.ask(2), 200, "an idle worker's death costs nobody anything");
    until("both ready", || workers(pid).iter().all(|pid| status(*pid).is_some_and(|s| s.contains("Seccomp:\t2"))));
    let old = workers(pid);
    signal("STOP", &old);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| clinic.ask(3));
        until("charged", || {
            clinic
                .get("/v1/ledger?limit=1000", &clinic.lab.steward)
                .1
                .to_string()
                .matches("\"charged-by-path\"")
                .count()
                == 3
        });
        // Both workers are stopped: the one that holds the query, and the other.
        signal("KILL", &old);
        assert!(matches!(asked.join().expect("an answer"), 200 | 500), "burnt, or put back before it was begun");
    });
    until("two new ones", || workers(pid).len() == 2 && workers(pid).iter().all(|pid| !old.contains(pid)));
    until("ready again", || clinic.get("/readyz", "").0 == 200);
    assert_eq!(clinic.ask(4), 200);
    let ledger = clinic.get("/v1/ledger?limit=1000", &clinic.lab.steward).1.to_string();
    assert!(ledger.matches("\"burned\"").count() <= 1, "{ledger}");
    clinic.end();
}

/// Five thousand silent sockets, and one that asks. The server is a process of its own, so that each side has its own file limit.
#[test]
fn five_thousand_silent_sockets_keep_nobody_out() {
    let files = rlimit::increase_nofile_limit(8_192).expect("a limit of open files");
    if files < 5_500 {
        println!("skipped: this system allows {files} open files, too few for 5,000 sockets");
        return;
    }
    let clinic = clinic();
    let address = clinic.url.trim_start_matches("http://").to_owned();
    let silent: Vec<_> = (0..5_000).map(|_| std::net::TcpStream::connect(&address).expect("a connection")).collect();
    assert_eq!(clinic.get("/readyz", "").0, 200);
    assert_eq!(clinic.ask(7), 200);
    drop(silent);
    clinic.end();
}

/// A signal that interrupts a waiting system call does a worker no harm: the confinement lets it wait again.
#[test]
fn a_worker_that_was_stopped_goes_on() {
    let clinic = clinic();
    let pid = clinic.server.id();
    until("two workers behind walls", || {
        let workers = workers(pid);
        workers.len() == 2 && workers.iter().all(|pid| status(*pid).is_some_and(|s| s.contains("Seccomp:\t2")))
    });
    let all = workers(pid);
    signal("STOP", &all);
    signal("CONT", &all);
    for number in 10..16 {
        assert_eq!(clinic.ask(number), 200);
    }
    assert_eq!(workers(pid), all, "the same ones");
    clinic.end();
}

/// Another table with as many rows replaces the sealed one: nobody looks at it. Workers that are started later map the file that was opened
/// first, which stays as long as it is open.
#[test]
fn a_table_that_was_replaced_is_not_answered_from() {
    let lab = Lab::exact();
    let (pool, edition) = pooled(&lab, Launch { workers: 1, ..launch() });
    let computation = computation(&lab, "SELECT region, COUNT(*) FROM visits GROUP BY region");
    assert!(pool.evaluate(&edition, &computation).is_ok());
    let table = table_of(&lab);
    let replaced = vec![0; std::fs::metadata(&table).expect("a table").len() as usize];
    std::fs::remove_file(&table).expect("removed");
    std::fs::write(&table, replaced).expect("another table");
    let pids: Vec<u32> = workers(std::process::id()).into_iter().filter(|pid| holds(*pid, lab.dir.path())).collect();
    signal("KILL", &pids);
    until("it is gone", || pids.iter().all(|pid| is_gone(*pid)));
    until("another worker answers", || pool.evaluate(&edition, &computation).is_ok());
    assert!(pool.prepare(&edition, &computation).is_ok(), "of the table that was sealed");
    assert!(Manifest::open(&lab.dir.path().join("state"), &edition, &commitment(&lab)).is_err());
}

/// Changes a byte of the column `age` in the first block of a lab's table.
fn damage(lab: &Lab) {
    let table = File::options().read(true).write(true).open(table_of(lab)).expect("a table");
    let manifest =
        Manifest::open(&lab.dir.path().join("state"), &edition_of(lab), &commitment(lab)).expect("an edition");
    let layout = TableLayout::of(&manifest.terms, &manifest.blocks.as_ref().expect("blocks").ends).expect("a layout");
    let is_age = |column: &StoredColumn| match column.holds {
        Holds::Declared(index) => manifest.terms.columns[index].name == "age",
        Holds::Unit | Holds::Rank => false,
    };
    let place = layout.columns().iter().position(is_age).expect("a column");
    let at = layout.chunk(0, place).expect("a chunk").values_at;
    let mut byte = [0];
    table.read_exact_at(&mut byte, at).expect("a byte");
    table.write_all_at(&[byte[0] ^ 1], at).expect("a changed byte");
}

/// A byte of one column is changed in the file that workers map: a question that reads the column is refused before it is charged, and from
/// then on the dataset is not ready.
#[test]
fn a_damaged_block_is_found_before_its_first_use() {
    let lab = Lab::exact();
    damage(&lab);
    let (pool, edition) = pooled(&lab, launch());
    assert!(pool.prepare(&edition, &computation(&lab, "SELECT COUNT(*) FROM visits WHERE age > 30")).is_err());
    assert!(!pool.is_ready(&edition));
    assert!(pool.prepare(&edition, &computation(&lab, "SELECT COUNT(*) FROM visits")).is_err(), "for good");
}

/// The same through the door: the server starts, and what nobody can answer costs nothing.
#[test]
fn a_question_of_a_damaged_table_costs_nothing() {
    let clinic = clinic_after(damage);
    let accounts = || clinic.get("/v1/accounts", &clinic.lab.researcher);
    let before = accounts();
    assert!(before.0 == 200 && before.1.to_string().contains("visits"), "{before:?}");
    assert_eq!(clinic.ask(30), 503);
    assert_eq!(accounts(), before);
    assert_eq!(clinic.get("/readyz", "").0, 503);
    clinic.end();
}

/// The file is cut while workers have it mapped. Reading it would end them, so the check does, three times, and then the dataset is not
/// ready; the server lives.
#[test]
fn a_table_that_is_cut_under_its_workers_is_found() {
    let lab = Lab::exact();
    let (pool, edition) = pooled(&lab, launch());
    let computation = computation(&lab, "SELECT region, COUNT(*) FROM visits GROUP BY region");
    File::options().write(true).open(table_of(&lab)).expect("a table").set_len(0).expect("a cut");
    // What was checked before the cut is not checked again.
    until("nobody is ready", || pool.evaluate(&edition, &computation).is_err() && !pool.is_ready(&edition));
}

fn mark_of(lab: &Lab) -> EditionMark {
    tacit::kernel::budget::ledger::read(lab.service.ledger(), |book| {
        book.dataset("visits").and_then(|whole| whole.edition.clone()).expect("an edition")
    })
}

fn edition_of(lab: &Lab) -> String {
    mark_of(lab).id
}

fn commitment(lab: &Lab) -> String {
    mark_of(lab).commitment
}

fn table_of(lab: &Lab) -> PathBuf {
    Manifest::dir(&lab.dir.path().join("state"), &edition_of(lab)).join("table.blocks")
}

/// A worker pool over the lab's sealed table, with the edition's id.
fn pooled(lab: &Lab, launch: Launch) -> (WorkerPool, String) {
    let dataset = lab.service.dataset("visits").expect("a dataset");
    let state = lab.dir.path().join("state");
    let manifest = Manifest::open(&state, &edition_of(lab), &commitment(lab)).expect("an edition");
    let mut pool = WorkerPool::new(launch);
    pool.load(&state, &manifest).expect("workers");
    (pool, dataset.edition.clone())
}

fn computation(lab: &Lab, sql: &str) -> Computation {
    plan(&parse(sql).expect("SQL"), &lab.service.dataset("visits").expect("a dataset").terms, None)
        .expect("a plan")
        .computation
}

/// A worker that exceeds its deadline is killed, and the next query is answered by another.
#[test]
fn a_worker_that_is_late_is_replaced() {
    let lab = Lab::exact();
    let brief = Launch { workers: 1, deadline_min: Duration::from_millis(300), ..launch() };
    let (pool, edition) = pooled(&lab, brief);
    let computation = computation(&lab, "SELECT region, COUNT(*) FROM visits GROUP BY region");
    let mine = || workers(std::process::id());
    // Other tests in this process have workers, too; ours are told by the directory that they have open.
    let before = mine();
    assert!(pool.evaluate(&edition, &computation).is_ok());
    let stopped: Vec<u32> = before.iter().copied().filter(|pid| holds(*pid, lab.dir.path())).collect();
    assert_eq!(stopped.len(), 1);
    signal("STOP", &stopped);
    assert!(pool.evaluate(&edition, &computation).is_err(), "late");
    assert!(pool.evaluate(&edition, &computation).is_ok(), "another one answers");
    assert!(is_gone(stopped[0]), "the late one was killed");
    drop(pool);
    until("nobody is left", || mine().iter().all(|pid| !holds(*pid, lab.dir.path())));
}

/// Many queries at once, and one of two workers is killed with the piece that it holds: at most the query of that piece fails.
#[test]
fn a_killed_worker_costs_one_query_of_many() {
    const QUERIES: usize = 20;
    let lab = Lab::exact();
    let (pool, edition) = pooled(&lab, launch());
    let computation = computation(&lab, "SELECT region, COUNT(*) FROM visits GROUP BY region");
    let ours = || -> Vec<u32> {
        let all = workers(std::process::id()).into_iter().filter(|pid| holds(*pid, lab.dir.path()));
        all.filter(|pid| status(*pid).is_some_and(|status| status.contains("Seccomp:\t2"))).collect()
    };
    // The other worker may take every piece of a round.
    let has_cost = (0..100).any(|_| {
        until("two workers", || ours().len() == 2);
        let stopped = ours()[0];
        signal("STOP", &[stopped]);
        let (tell, told) = std::sync::mpsc::channel();
        let failed = std::thread::scope(|scope| {
            for _ in 0..QUERIES {
                let (tell, pool, edition, computation) = (tell.clone(), &pool, &edition, &computation);
                scope.spawn(move || tell.send(pool.evaluate(edition, computation).is_err()).expect("a listener"));
            }
            let others: Vec<bool> = told.iter().take(QUERIES - 1).collect();
            signal("KILL", &[stopped]);
            others.into_iter().chain(told.recv()).filter(|has_failed| *has_failed).count()
        });
        assert!(failed <= 1, "{failed} queries failed");
        until("it is gone", || is_gone(stopped));
        failed == 1
    });
    assert!(has_cost, "the worker never held a piece");
}

/// Whether a process has a file of this directory open.
fn holds(pid: u32, folder: &Path) -> bool {
    let Ok(files) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    files.flatten().any(|file| std::fs::read_link(file.path()).is_ok_and(|target| target.starts_with(folder)))
}

/// A table of exactly the declared capacity, with the most expensive queries, stays within the limits.
#[test]
fn a_full_table_stays_within_its_limits() {
    const ROWS: usize = 200_000;
    let text = policy(GAUSSIAN).replace("max_rows = 1_000_000", &format!("max_rows = {ROWS}"));
    let mut csv = String::from("patient_id,region,diagnosis,smoker,age,cost,visited\n");
    for row in 0..ROWS {
        let (region, diagnosis) = (["north", "east", "south", "west"][row % 4], ["asthma", "copd", "flu", ""][row % 4]);
        csv.push_str(&format!("p{},{region},{diagnosis},true,{},{}.25,2023-03-01\n", row / 4, row % 110, row % 499));
    }
    let lab = Lab::new(&text, &csv, Arc::new(OpenDp), "4");
    let (pool, edition) = pooled(&lab, Launch { workers: 1, ..launch() });
    let manifest = Manifest::open(&lab.dir.path().join("state"), &edition, &commitment(&lab)).expect("an edition");
    let limits = Limits::of(
        &manifest,
        std::thread::available_parallelism().map_or(2, |n| n.get() as u64),
        launch().deadline_min,
    );
    let list = (0..900).map(|n| format!("{n}.25")).collect::<Vec<_>>().join(", ");
    for sql in [
        "SELECT region, diagnosis, smoker, COUNT(*), COUNT(DISTINCT patient_id) AS d, SUM(cost) AS c, AVG(age) AS a, COUNT(smoker) AS s FROM visits GROUP BY region, diagnosis, smoker".to_owned(),
        format!("SELECT COUNT(DISTINCT patient_id), SUM(cost) AS c FROM visits WHERE NOT (cost IN ({list})) OR (visited > '2021-01-01' AND NOT smoker)"),
    ] {
        assert!(pool.evaluate(&edition, &computation(&lab, &sql)).is_ok(), "{sql}");
    }
    let pid = *workers(std::process::id()).iter().find(|pid| holds(**pid, lab.dir.path())).expect("our worker");
    let peak = status(pid)
        .expect("alive")
        .lines()
        .find_map(|line| line.strip_prefix("VmPeak:").map(str::to_owned))
        .expect("a peak");
    let peak_bytes: u64 =
        peak.split_whitespace().next().and_then(|kib| kib.parse().ok()).map(|kib: u64| kib << 10).expect("KiB");
    println!("a full table of {ROWS} rows: peak {} MB of {} MB", peak_bytes >> 20, limits.address_space_bytes >> 20);
    assert!(peak_bytes < limits.address_space_bytes);
}

/// An engine without any live worker.
struct Away;

impl Engine for Away {
    fn evaluate(&self, _: &str, _: &Computation) -> Result<Private<Exact>, EngineFault> {
        panic!("nobody asks an engine that is away")
    }

    fn is_ready(&self, _: &str) -> bool {
        false
    }
}

#[test]
fn nothing_is_charged_while_no_worker_is_up() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("visits.csv"), visits(20)).expect("a source");
    let lab = Lab::wrapped(dir, &policy(GAUSSIAN), Arc::new(OpenDp), "4", |_| Arc::new(Away));
    let before = lab.head();
    block_on(async {
        let reply = lab.sql("SELECT COUNT(*) FROM visits", "0.1").await;
        assert_eq!(reply.code(), "overloaded");
        assert!(reply.json()["detail"].as_str().is_some_and(|detail| detail.contains("nothing was charged")));
        assert_eq!(lab.get("/readyz", "").await.status, 503);
    });
    assert_eq!(lab.head(), before);
}

/// An engine that is ready until it looks at what a question would read.
struct Damaged {
    prepared: Arc<AtomicUsize>,
}

impl Engine for Damaged {
    fn evaluate(&self, _: &str, _: &Computation) -> Result<Private<Exact>, EngineFault> {
        panic!("a damaged table is not evaluated")
    }

    fn is_ready(&self, _: &str) -> bool {
        self.prepared.load(Ordering::SeqCst) == 0
    }

    fn prepare(&self, _: &str, _: &Computation) -> Result<(), EngineFault> {
        self.prepared.fetch_add(1, Ordering::SeqCst);
        Err(EngineFault)
    }
}

#[test]
fn nothing_is_charged_if_a_table_proves_damaged() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("visits.csv"), visits(20)).expect("a source");
    let prepared = Arc::new(AtomicUsize::new(0));
    let engine = Damaged { prepared: Arc::clone(&prepared) };
    let lab = Lab::wrapped(dir, &policy(GAUSSIAN), Arc::new(OpenDp), "4", |_| Arc::new(engine));
    let before = lab.head();
    block_on(async {
        assert_eq!(lab.get("/readyz", "").await.status, 200);
        let reply = lab.sql("SELECT COUNT(*) FROM visits", "0.1").await;
        assert_eq!(reply.code(), "overloaded");
        assert!(reply.json()["detail"].as_str().is_some_and(|detail| detail.contains("nothing was charged")));
        assert_eq!(lab.get("/readyz", "").await.status, 503);
    });
    assert_eq!(prepared.load(Ordering::SeqCst), 1);
    assert_eq!(lab.head(), before);
}

#[test]
fn a_server_whose_workers_do_not_start_does_not_start() {
    let Lab { dir, service, router, .. } = Lab::gaussian();
    drop((service, router));
    let failing = Launch { program: "/bin/false".into(), ..launch() };
    let start = tacit::startup::open(&dir.path().join("state"), None, &[dir.path().join("policy.toml")], failing);
    assert!(start.err().expect("no start").to_string().contains("no worker could be started"));
}
