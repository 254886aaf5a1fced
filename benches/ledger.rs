//! The accountant's figures: decisions, durable pairs, start-up and verification.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use tacit::engine::PolarsEngine;
use tacit::engine::seal::seal;
use tacit::kernel::budget::charge::{ChargeDecision, ChargeRequest};
use tacit::kernel::budget::entry::{Act, Charge, Entry};
use tacit::kernel::budget::ledger::{EvaluationOutcome, Ledger};
use tacit::kernel::budget::people::Role;
use tacit::kernel::budget::state::{AnswerCost, LedgerState};
use tacit::kernel::budget::writer::{AnchorMark, CommitBatch, Journal, JournalFault};
use tacit::kernel::privacy::amounts::{Epsilon, Price};
use tacit::kernel::privacy::certificate::{Subject, certify};
use tacit::kernel::vault::noise::OpenDp;
use tacit::ledger::replan::Replanner;
use tacit::ledger::{LedgerOptions, SqliteLedger, verify};
use tacit::query::canonical;
use tacit::query::parse::parse;
use tacit::query::plan::plan;
use tacit::query::terms::policy::Policy;
use tacit::service::asking::ask::{Ask, Margin, RequestedAccuracy};
use tacit::service::asking::stored::StoredAnswer;
use tacit::service::publishing::editions;
use tacit::service::stewarding::grants::{self, Grant, Holder};
use tacit::service::stewarding::people;
use tacit::service::{Ports, Service};

/// What a disk takes to sync that the figure is about.
const SLOW_SYNC: Duration = Duration::from_millis(4);
/// Pairs that the ledger of start-up and verification holds: a million entries.
pub const PAIRS: u64 = 500_000;
/// Questions that the pairs are about.
const QUESTIONS: usize = 1_000;

/// A journal whose syncs take longer.
struct Slow(Box<dyn Journal>);

impl Journal for Slow {
    fn fold(&mut self) -> Result<LedgerState, JournalFault> {
        self.0.fold()
    }

    fn commit(&mut self, batch: &CommitBatch) -> Result<(), JournalFault> {
        std::thread::sleep(SLOW_SYNC);
        self.0.commit(batch)
    }

    fn anchor(&mut self, mark: &AnchorMark) -> Result<(), JournalFault> {
        std::thread::sleep(SLOW_SYNC);
        self.0.anchor(mark)
    }
}

/// A question with all that charging it needs, and the bytes of a stored answer to it.
pub struct Template {
    request: ChargeRequest,
    stored: StoredAnswer,
}

fn policy(dir: &Path) -> Policy {
    let text = "[dataset]\nname = \"visits\"\nsource = \"visits.csv\"\nprivacy_unit = \"patient_id\"\nmax_rows_per_unit = 1\n\
                max_rows = 1_000\ncap = { epsilon = \"4\", delta = \"1e-6\" }\n[[column]]\nname = \"cost\"\ntype = \"integer\"\n\
                min = \"0\"\nmax = \"5000\"\n";
    std::fs::write(dir.join("policy.toml"), text).expect("a policy");
    std::fs::write(dir.join("visits.csv"), "patient_id,cost\n1,7\n").expect("a source");
    Policy::load(&dir.join("policy.toml")).expect("a policy")
}

fn grant(ledger: &dyn Ledger, to: Holder, epsilon: &str) {
    let epsilon = Epsilon::parse(epsilon).expect("ε");
    let grant = Grant { to, dataset: "visits".into(), epsilon, reason: "bench".into(), by: "bench".into() };
    grants::grant(ledger, grant, 0).expect("a grant");
}

/// A sealed dataset, a researcher below a project, and one answered question of each kind.
pub fn prepare(dir: &Path) -> Vec<Template> {
    let (policy, state) = (policy(dir), dir.join("state"));
    let (manifest, _) = seal(&policy, &state, &|_| {}).expect("sealed");
    let ledger = SqliteLedger::open(&state, 0).expect("a ledger");
    editions::publish_edition(&ledger, &policy, &manifest, 0).expect("an edition");
    people::add_person(&ledger, "ada", Role::Researcher, "bench", 0).expect("ada");
    grant(&ledger, Holder::Project { name: "asthma".into() }, "4");
    grant(&ledger, Holder::Researcher { name: "ada".into(), project: Some("asthma".into()), period_days: None }, "4");
    let mut engine = PolarsEngine::new();
    let datasets = tacit::startup::load(&state, &ledger, &mut engine, policy.clone()).expect("datasets");
    let edition = datasets[0].edition.clone();
    let ports = Ports {
        ledger: Arc::new(ledger),
        engine: Arc::new(engine),
        noise: Arc::new(OpenDp),
        clock: Arc::new(tacit::kernel::clock::SystemClock),
    };
    let service = Arc::new(Service::new(ports, datasets));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let template = |number: usize| {
        let sql = format!("SELECT COUNT(*) FROM visits WHERE cost >= {number}");
        let accuracy = Some(RequestedAccuracy::Margin(Margin::parse("60000").expect("a margin")));
        let ask = Ask { sql: sql.clone(), accuracy, rows_per_unit: None, group_size: None, purpose: None };
        let answer = runtime.block_on(Arc::clone(&service).answer("ada".into(), ask, None)).expect("an answer");
        let stored = service.ledger().release(&answer.stored.release.id).expect("readable").expect("stored");
        let stored = StoredAnswer::decode(&stored).expect("an answer");
        let plan = plan(&parse(&sql).expect("SQL"), &policy.terms, None).expect("a plan");
        let subject = Subject { dataset: "visits".into(), edition: edition.clone() };
        let price = answer.stored.release.price;
        let certificate = certify(policy.terms.accountant, subject, &plan.sought, &[price]).expect("a certificate");
        let request = ChargeRequest {
            release: String::new(),
            researcher: "ada".into(),
            drawn: plan
                .computation
                .measures
                .iter()
                .map(|one| plan.computation.view_of(one, "visits", &edition))
                .collect(),
            uses: Vec::new(),
            steps: None,
            worth: certificate.measurements().iter().map(|one| one.price).collect(),
            view: plan.view(&edition),
            sql: canonical::sql(&plan, &policy.terms),
            rows_per_unit: plan.computation.rows_per_unit,
            purpose: None,
            key: None,
            at_ms: 1,
            certificate,
        };
        Template { request, stored }
    };
    (1..=QUESTIONS).map(template).collect()
}

fn pair(ledger: &dyn Ledger, template: &Template, number: u64) {
    let release = format!("rel_{number:032x}");
    let request = ChargeRequest { release: release.clone(), ..template.request.clone() };
    match ledger.charge(request, None).expect("a decision") {
        ChargeDecision::Charged(receipt) => black_box(receipt.release().len()),
        other => panic!("{other:?}"),
    };
    let mut stored = template.stored.clone();
    stored.release.id.clone_from(&release);
    let body = stored.encode();
    ledger.record(EvaluationOutcome::Released { release, body }, 1).expect("recorded");
}

/// Charges and seals `pairs` answers from `clients` threads; how long it took.
pub fn pairs(ledger: &dyn Ledger, templates: &[Template], next: &AtomicU64, clients: usize, pairs: u64) -> Duration {
    let until = next.load(Ordering::Relaxed) + pairs;
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= until {
                        break;
                    }
                    pair(ledger, &templates[number as usize % templates.len()], number);
                }
            });
        }
    });
    next.store(until, Ordering::Relaxed);
    begun.elapsed()
}

/// The median of a hundred syncs of 4 KiB in the folder.
fn sync_time(dir: &Path) -> Duration {
    use std::io::Write;
    let mut file = std::fs::File::create(dir.join("sync")).expect("a file");
    let mut times: Vec<_> = (0..100)
        .map(|_| {
            file.write_all(&[0; 4096]).expect("written");
            let begun = Instant::now();
            file.sync_data().expect("synced");
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[50]
}

pub fn durable(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    let templates = prepare(dir.path());
    println!(
        "a sync of 4 KiB takes {:?} here; \"4 ms\" adds {SLOW_SYNC:?} to each of a commit and an anchor line",
        sync_time(dir.path())
    );
    let next = AtomicU64::new(0);
    let mut group = criterion.benchmark_group("durable charge + seal pairs");
    group.sample_size(10).throughput(Throughput::Elements(1)).measurement_time(Duration::from_secs(8));
    for slow in [true, false] {
        let disk = if slow { "4 ms" } else { "as it is" };
        let wrap =
            |journal: Box<dyn Journal>| -> Box<dyn Journal> { if slow { Box::new(Slow(journal)) } else { journal } };
        let options = LedgerOptions { anchor: None, wrap: Some(&wrap) };
        let ledger = SqliteLedger::open_with(&dir.path().join("state"), options, 0).expect("a ledger");
        for clients in [1, 64, 256] {
            let name = match clients {
                1 => format!("disk {disk}: one client, one transaction per charge (the baseline)"),
                _ => format!("disk {disk}: {clients} clients"),
            };
            group.bench_function(name, |bench| {
                bench.iter_custom(|count| pairs(&ledger, &templates, &next, clients, count));
            });
        }
    }
}

pub fn at_a_million(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    let templates = prepare(dir.path());
    let state = dir.path().join("state");
    let ledger = SqliteLedger::open(&state, 0).expect("a ledger");
    let took = pairs(&ledger, &templates, &AtomicU64::new(0), 256, PAIRS);
    println!("{PAIRS} pairs by 256 clients in {took:?}: {:.0} a second", PAIRS as f64 / took.as_secs_f64());
    let (entries, _) = tacit::kernel::budget::ledger::read(&ledger, |book| book.head());
    drop(ledger);
    let size = std::fs::metadata(state.join("ledger.db")).expect("a file").len();
    println!("{entries} entries in {} MB", size / 1_000_000);
    let mut group = criterion.benchmark_group("a ledger of a million entries");
    group.sample_size(10);
    group.bench_function("start-up, every entry checked (at most 2 s)", |bench| {
        bench.iter_custom(|count| {
            let mut taken = Duration::ZERO;
            for _ in 0..count {
                let begun = Instant::now();
                let ledger = SqliteLedger::open(&state, 0).expect("a ledger");
                taken += begun.elapsed();
                drop(ledger);
            }
            taken
        });
    });
    group.throughput(Throughput::Elements(entries));
    group.bench_function("verify (at least 200,000 entries a second)", |bench| {
        bench.iter(|| {
            let verified = verify(&state, None, &mut Replanner::default()).expect("looked at").expect("whole");
            assert_eq!(verified.entries, entries);
        });
    });
}

/// A book with `charges` charges below a project.
fn book(templates: &[Template], charges: usize, base: &[Entry]) -> LedgerState {
    let mut book = LedgerState::new();
    let apply = |book: &mut LedgerState, act: Act| {
        let (seq, head) = book.head();
        let entry = Entry::following(seq, head, 1, act);
        book.apply(&entry, Entry::hash(&entry.canonical_bytes())).expect("an entry");
    };
    for entry in base {
        apply(&mut book, entry.act.clone());
    }
    for number in 0..charges {
        let template = &templates[number % templates.len()];
        let release = format!("rel_{number}");
        let request = ChargeRequest { release: release.clone(), ..template.request.clone() };
        let charged: Charge = book.charge(&request).expect("admitted");
        apply(&mut book, Act::Charged(Box::new(charged)));
        apply(&mut book, Act::Released { release, digest: [0; 32] });
    }
    book.make_durable();
    book
}

pub fn decision(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    let templates = prepare(dir.path());
    let ledger = SqliteLedger::open(&dir.path().join("state"), 0).expect("a ledger");
    let mut base = ledger.entries(0, 100).expect("entries");
    base.retain(|entry| !matches!(entry.act, Act::ChargedByPath(_) | Act::Released { .. }));
    let mut group = criterion.benchmark_group("a decision over three accounts (at most 1 µs)");
    for charges in [100, 10_000, 400_000] {
        let book = book(&templates, charges, &base);
        let uses: Vec<_> = book.draws(&templates[0].request.drawn[0]).map(|(draw, _)| draw).take(2).collect();
        let wish = AnswerCost { drawn: Price::from_quanta(7), cells: 1, ..AnswerCost::of_stored(&uses) };
        group.bench_function(format!("after {charges} charges"), |bench| {
            bench.iter(|| {
                let branch = book.branch(black_box("visits"), black_box("ada")).expect("an account");
                book.admit(&branch, black_box(&wish), 1).expect("admitted")
            });
        });
    }
}
