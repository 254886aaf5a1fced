//! The figures of `benches/README.md`, measured: each against its baseline or its bound, in one run.
//!
//! `cargo bench` runs all of them; `cargo bench -- replay` one. With `TACIT_FIGURES=write` the table is written ([`record`]). Ten million
//! rows need about 6 GB of memory and half a minute to seal. `cargo bench -- questions` and `cargo bench -- cohorts` are programs of their own ([`questions`],
//! [`cohorts`]).

#![expect(clippy::disallowed_macros, reason = "a bench prints what it measured")]

mod cohorts;
mod dashboards;
mod doors;
#[path = "ledger.rs"]
mod ledger;
mod questions;
mod record;
mod statistics;
mod workers;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group};
use polars::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tacit::engine::seal::seal;
use tacit::engine::{Engine, Host, PolarsEngine};
use tacit::kernel::budget::people::Role;
use tacit::kernel::clock::{Clock, SystemClock};
use tacit::kernel::privacy::accountant::Accountant;
use tacit::kernel::privacy::amounts::{Delta, Epsilon};
use tacit::kernel::privacy::certificate::{Accuracy, MeasurementSpec, Subject, certify, prices};
use tacit::kernel::privacy::extent::Extent;
use tacit::kernel::privacy::sensitivity::{Aggregation, Sensitivity};
use tacit::kernel::vault::noise::{NoiseSource, OpenDp};
use tacit::ledger::SqliteLedger;
use tacit::query::parse::parse;
use tacit::query::plan::{Plan, plan};
use tacit::query::terms::policy::Policy;
use tacit::service::publishing::editions;
use tacit::service::stewarding::grants::{self, Grant, Holder};
use tacit::service::stewarding::people;
use tacit::service::{Ports, Service};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const ROWS: usize = 10_000_000;
const CONNECTIONS: usize = 32;
const SQL: &str = "SELECT diagnosis, COUNT(*) AS visits, AVG(cost) AS mean_cost FROM visits GROUP BY diagnosis";
const DIAGNOSES: [&str; 9] =
    ["asthma", "back pain", "copd", "depression", "diabetes", "hypertension", "infection", "injury", "check-up"];

fn policy(dir: &Path) -> Policy {
    let values = DIAGNOSES.map(|value| format!("\"{value}\"")).join(", ");
    let text = format!(
        r#"
[dataset]
name = "visits"
source = "visits.parquet"
privacy_unit = "patient_id"
max_rows_per_unit = 8
max_rows = 20_000_000
cap = {{ epsilon = "4", delta = "1e-9" }}
[[column]]
name = "diagnosis"
type = "category"
values = [{values}]
[[column]]
name = "emergency"
type = "boolean"
[[column]]
name = "cost"
type = "decimal"
min = "0"
max = "5000"
step = "0.01"
"#
    );
    std::fs::write(dir.join("policy.toml"), text).expect("a policy");
    Policy::load(&dir.join("policy.toml")).expect("a policy")
}

/// Rows as a source would hold them: a patient number, text, floats.
fn source(rows: usize) -> DataFrame {
    let mut rng = StdRng::seed_from_u64(1);
    let patients: Vec<i64> = (0..rows).map(|row| (row / 5) as i64).collect();
    let diagnoses: Vec<&str> = (0..rows).map(|_| DIAGNOSES[rng.random_range(0..DIAGNOSES.len())]).collect();
    let costs: Vec<f64> = (0..rows).map(|_| f64::from(rng.random_range(0..500_000)) / 100.0).collect();
    let columns = vec![
        Column::new("patient_id".into(), patients),
        Column::new("diagnosis".into(), diagnoses),
        Column::new("emergency".into(), (0..rows).map(|row| row % 7 == 0).collect::<Vec<_>>()),
        Column::new("cost".into(), costs),
    ];
    DataFrame::new(rows, columns).expect("a frame")
}

fn planned(policy: &Policy) -> Plan {
    plan(&parse(SQL).expect("SQL"), &policy.terms, None).expect("a plan")
}

fn price(criterion: &mut Criterion) {
    let accountant = Accountant::Gaussian { delta: Delta::parse("1e-9").expect("δ") };
    let epsilon = Epsilon::parse("0.1").expect("ε");
    let of = |statistic| MeasurementSpec {
        sensitivity: Sensitivity::of(statistic, 8).expect("bounded"),
        cells: 9,
        extent: Extent::of(statistic, 1 << 32).expect("bounded"),
    };
    let sought = [of(Aggregation::Count), of(Aggregation::Sum { radius: 250_000 })];
    criterion.bench_function("price and certify a count and a mean (at most 50 µs)", |bench| {
        bench.iter(|| {
            let subject = Subject { dataset: String::new(), edition: String::new() };
            let prices = prices(accountant, &sought, &Accuracy::Epsilon(epsilon));
            certify(accountant, subject, &sought, &prices).expect("a certificate")
        });
    });
    let dir = tempfile::tempdir().expect("a folder");
    let policy = policy(dir.path());
    criterion.bench_function("parse and plan", |bench| bench.iter(|| planned(&policy)));
}

fn noise(criterion: &mut Criterion) {
    let accountant = Accountant::Gaussian { delta: Delta::parse("1e-9").expect("δ") };
    let mut group = criterion.benchmark_group("noise");
    group.sample_size(10);
    for (name, accountant) in [("gaussian", accountant), ("laplace", Accountant::Pure)] {
        let sensitivity = Sensitivity::of(Aggregation::Count, 8).expect("bounded");
        let subject = Subject { dataset: String::new(), edition: String::new() };
        let accuracy = Accuracy::Epsilon(Epsilon::parse("0.1").expect("ε"));
        let extent = Extent::of(Aggregation::Count, 1 << 32).expect("bounded");
        let sought = [MeasurementSpec { sensitivity, cells: 100_000, extent }];
        let prices = prices(accountant, &sought, &accuracy);
        let law = certify(accountant, subject, &sought, &prices).expect("a certificate").measurements()[0].law;
        group.bench_function(format!("discrete {name} for 100,000 cells (at most 1 s)"), |bench| {
            bench.iter(|| OpenDp.draw(&law, 100_000).expect("noise"));
        });
    }
}

fn grouped(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    let mut unsealed = source(ROWS);
    let file = std::fs::File::create(dir.path().join("visits.parquet")).expect("a file");
    ParquetWriter::new(file).finish(&mut unsealed).expect("Parquet");
    let policy = policy(dir.path());
    let begun = Instant::now();
    let (manifest, report) = seal(&policy, &dir.path().join("state"), &|_| {}).expect("sealed");
    println!("sealed {} rows of 4 columns in {:?}", report.rows_read, begun.elapsed());
    let mut engine = PolarsEngine::new();
    engine.load(&dir.path().join("state"), &manifest).expect("loaded");
    let plan = planned(&policy);
    let mut group = criterion.benchmark_group("count and mean by diagnosis over ten million rows");
    group.sample_size(20);
    group.bench_function("plain polars on the unsealed columns (the baseline)", |bench| {
        bench.iter(|| {
            let frame = unsealed.clone().lazy().group_by([col("diagnosis")]);
            frame.agg([len().alias("visits"), col("cost").mean()]).collect().expect("an answer")
        });
    });
    group.bench_function("the same on polars' streaming engine (the faster baseline)", |bench| {
        bench.iter(|| {
            let frame = unsealed.clone().lazy().group_by([col("diagnosis")]);
            let frame = frame.agg([len().alias("visits"), col("cost").mean()]);
            frame.collect_with_engine(polars::prelude::Engine::Streaming).expect("an answer").unwrap_single()
        });
    });
    group.bench_function("exact integers of the sealed table (at most 1.0 of it)", |bench| {
        bench.iter(|| engine.evaluate(&manifest.edition, &plan.computation).expect("an answer"));
    });
}

/// A service over a thousand rows with one stored answer, behind a listener of its own.
fn serve(dir: &Path, runtime: &tokio::runtime::Runtime) -> (SocketAddr, String) {
    let mut rows = source(1_000);
    ParquetWriter::new(std::fs::File::create(dir.join("visits.parquet")).expect("a file"))
        .finish(&mut rows)
        .expect("Parquet");
    let (policy, state) = (policy(dir), dir.join("state"));
    let ledger = SqliteLedger::open(&state, 0).expect("a ledger");
    editions::seal_and_publish(&ledger, &policy, &state, &|_| {}, &SystemClock).expect("an edition");
    let token = people::add_person(&ledger, "ada", Role::Researcher, "bench", 0).expect("ada").text().to_owned();
    let epsilon = Epsilon::parse("1").expect("ε");
    let grant = Grant {
        to: Holder::researcher("ada"),
        dataset: "visits".into(),
        epsilon,
        reason: "bench".into(),
        by: "bench".into(),
    };
    grants::grant(&ledger, grant, 0).expect("a grant");
    let mut engine = PolarsEngine::new();
    let datasets = tacit::startup::load(&state, &ledger, &mut engine, policy).expect("datasets");
    let ports = Ports {
        ledger: Arc::new(ledger),
        engine: Arc::new(engine),
        noise: Arc::new(OpenDp),
        clock: Arc::new(SystemClock),
    };
    let router = tacit::http::router(Arc::new(Service::new(ports, datasets)), tacit::http::Settings::default());
    let address = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(tacit::net::listener::serve(listener, router, std::future::pending()));
        address
    });
    (address, token)
}

fn replay(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let (address, token) = serve(dir.path(), &runtime);
    let body = format!("{{\"sql\": \"{SQL}\", \"epsilon\": \"0.1\"}}");
    let request: Arc<str> = format!(
        "POST /v1/queries HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into();
    let mut group = criterion.benchmark_group("replay");
    group.throughput(criterion::Throughput::Elements(1)).measurement_time(Duration::from_secs(10));
    group.bench_function("a replayed answer over HTTP, 32 connections (at least 10,000 a second)", |bench| {
        bench.iter_custom(|count| runtime.block_on(many(address, Arc::clone(&request), count as usize)));
    });
}

/// `count` exchanges over the connections; every answer is read whole.
pub async fn many(address: SocketAddr, request: Arc<str>, count: usize) -> Duration {
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        streams.push(tokio::net::TcpStream::connect(address).await.expect("a connection"));
    }
    let begun = Instant::now();
    let tasks: Vec<_> = streams
        .into_iter()
        .enumerate()
        .map(|(index, stream)| {
            let share = count / CONNECTIONS + usize::from(index < count % CONNECTIONS);
            tokio::spawn(exchange(stream, Arc::clone(&request), share))
        })
        .collect();
    for task in tasks {
        task.await.expect("an exchange");
    }
    begun.elapsed()
}

async fn exchange(mut stream: tokio::net::TcpStream, request: Arc<str>, count: usize) {
    let mut buffer = vec![0; 64 << 10];
    for _ in 0..count {
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut filled = 0;
        loop {
            filled += stream.read(&mut buffer[filled..]).await.expect("read");
            let Some(head) = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let text = std::str::from_utf8(&buffer[..head]).expect("a head");
            assert!(text.starts_with("HTTP/1.1 200"), "{text}");
            let length = text.to_ascii_lowercase();
            let length: usize = length
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.lines().next()?.parse().ok())
                .expect("a length");
            if filled >= head + 4 + length {
                break;
            }
        }
    }
}

criterion_group!(
    figures,
    price,
    noise,
    ledger::decision,
    ledger::durable,
    ledger::at_a_million,
    workers::overhead,
    workers::deaths,
    replay,
    dashboards::statistic,
    dashboards::console,
    doors::livez,
    doors::fairness,
    doors::memory,
    grouped,
    statistics::plans,
    statistics::tables,
    statistics::errors,
    statistics::scans,
    cohorts::plans,
    questions::all,
    cohorts::all
);

fn main() {
    if questions::run_alone() {
        return;
    }
    let begun = record::begin().expect("a folder for what is measured");
    if !cohorts::run_alone() {
        figures();
        Criterion::default().configure_from_args().final_summary();
    }
    let today = jiff::Timestamp::from_millisecond(SystemClock.now_ms() as i64).expect("a moment");
    record::finish(begun, &today.strftime("%Y-%m-%d").to_string()).expect("benches/README.md is written");
}
