//! A simulated hospital: the whole service over a disk that fails and a process that dies, checked by an oracle.
//!
//! Every run is a function of its seed, except for which of two simultaneous queries comes first. `TACIT_SIMULATION_SEEDS` and
//! `TACIT_SIMULATION_OPS` (operations per seed) run more of it. A seed that failed goes into `REPRODUCTIONS`, with what it found.

mod disk;
mod doors;
mod oracle;
mod zeros;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dashu::integer::IBig;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tacit::engine::{Engine, EngineFault};
use tacit::kernel::budget::charge::Refusal;
use tacit::kernel::budget::entry::{Digest, KeyUse};
use tacit::kernel::budget::ledger::Ledger;
use tacit::kernel::budget::people::Role;
use tacit::kernel::clock::Clock;
use tacit::kernel::privacy::amounts::Epsilon;
use tacit::kernel::privacy::mechanism::NoiseLaw;
use tacit::kernel::vault::noise::{NoiseFault, NoiseSource};
use tacit::kernel::vault::private::{Exact, Private};
use tacit::query::computation::Computation;
use tacit::query::terms::edition::Manifest;
use tacit::query::terms::policy::Policy;
use tacit::service::asking::ask::{Ask, RequestedAccuracy};
use tacit::service::publishing::editions;
use tacit::service::stewarding::grants::{self, Grant, Holder};
use tacit::service::stewarding::people;
use tacit::service::{Answer, Dataset, Ports, Service, ServiceError};

use disk::{Fault, SimDisk, SimLedger};
use oracle::Oracle;
pub use zeros::{shared, zeros};

const SEEDS: u64 = 200;
const OPS: u64 = 120;
/// Seeds (and numbers of operations) that failed once, and why.
const REPRODUCTIONS: [(u64, u64, &str); 2] = [
    (253, 500, "a refusal's commit also burnt what an earlier one had cut off, and the test called that a change"),
    (
        2599,
        500,
        "an answer that had been served before was asked for free while a later, keyed serving of it was not anchored",
    ),
];

const RESEARCHERS: [&str; 3] = ["ada", "bob", "cyd"];
const KEYS: [&str; 3] = ["", " GROUP BY region", " GROUP BY region, diagnosis"];
const FILTERS: [&str; 6] = [
    "",
    " WHERE region = 'north'",
    " WHERE region IN ('north', 'east')",
    " WHERE age >= 65",
    " WHERE age >= 65 AND region <> 'west'",
    " WHERE diagnosis IS NULL",
];
const OUTPUTS: [&str; 5] =
    ["COUNT(*)", "COUNT(DISTINCT patient_id)", "SUM(cost)", "AVG(cost), COUNT(*)", "COUNT(diagnosis), COUNT(*)"];

/// What may happen in a simulation.
#[derive(Debug, Clone)]
enum Op {
    Ask {
        who: usize,
        ask: Ask,
        key: Option<u64>,
    },
    /// The same through the HTTP door.
    AskOverHttp {
        who: usize,
        ask: Ask,
    },
    Retry,
    SameKeyOtherBody,
    Both {
        first: Ask,
        second: Ask,
    },
    Grant {
        who: usize,
        project: bool,
        nanos: u64,
        days: Option<u32>,
    },
    GrantProject {
        nanos: u64,
    },
    RaiseCap {
        nanos: u64,
    },
    Freeze(bool),
    NewEdition,
    EngineFails,
    ClockJump {
        ms: i64,
    },
    Break {
        steps: u32,
        fault: Fault,
    },
}

struct SimClock(AtomicU64);

impl Clock for SimClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// An engine that returns zeros, or fails when told to.
struct SimEngine {
    failures: AtomicU64,
    evaluated: AtomicU64,
    disk: SimDisk,
}

impl Engine for SimEngine {
    fn evaluate(&self, _: &str, computation: &Computation) -> Result<Private<Exact>, EngineFault> {
        let ordered = self.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if ordered.is_ok() {
            return Err(EngineFault);
        }
        let drawn = computation.measures.len() as u64;
        let evaluated = self.evaluated.fetch_add(drawn, Ordering::Relaxed) + drawn;
        assert!(evaluated <= self.disk.lock().draws, "no row is read before its charge is on disk");
        let vector = vec![0; computation.groups() as usize];
        Ok(Private::new(Exact { vectors: vec![vector; computation.measures.len()], labels: None }))
    }

    fn is_ready(&self, _: &str) -> bool {
        true
    }
}

/// Noise that never repeats, so that two draws can be told apart.
struct Counting(AtomicU64);

impl NoiseSource for Counting {
    fn draw(&self, _: &NoiseLaw, cells: usize) -> Result<Vec<IBig>, NoiseFault> {
        let first = self.0.fetch_add(cells as u64, Ordering::Relaxed);
        Ok((first..first + cells as u64).map(|noise| IBig::from(noise) << 50).collect())
    }
}

/// The noisy cells of every measurement.
type Values = Vec<Vec<IBig>>;

struct World {
    rng: StdRng,
    disk: SimDisk,
    clock: Arc<SimClock>,
    engine: Arc<SimEngine>,
    noise: Arc<Counting>,
    policy: Policy,
    editions: u64,
    service: Arc<Service>,
    /// The HTTP door of the service; `None` until somebody comes in by it after a start.
    router: Option<axum::Router>,
    tokens: Vec<String>,
    oracle: Oracle,
    /// What was answered under each (researcher, key), with its query.
    answered: HashMap<(usize, u64), (Ask, Values)>,
    /// Every (researcher, key) that was sent.
    sent: Vec<(usize, u64, Ask)>,
    crashes: u64,
    refusals: u64,
}

fn policy() -> Policy {
    let text = crate::support::policy("accountant = \"gaussian\"\ncap = { epsilon = \"1\", delta = \"1e-6\" }");
    Policy::parse(&text.replace("max_rows = 1_000_000", "max_rows = 1_000_000\noversubscribe = true"))
        .expect("a policy")
}

impl World {
    fn new(seed: u64, policy: &Policy) -> Self {
        let (disk, clock) = (SimDisk::default(), Arc::new(SimClock(AtomicU64::new(1_790_000_000_000))));
        let engine =
            Arc::new(SimEngine { failures: AtomicU64::new(0), evaluated: AtomicU64::new(0), disk: disk.clone() });
        let noise = Arc::new(Counting(AtomicU64::new(1)));
        let ledger = SimLedger::open(&disk, 0).expect("a ledger");
        publish(&ledger, policy, 0);
        let token = |who| people::add_person(&ledger, who, Role::Researcher, "s", 0).expect("a person");
        let tokens = RESEARCHERS.map(|who| token(who).text().to_owned()).to_vec();
        let epsilon = |nanos| Epsilon::from_nanos(nanos);
        let give = |to, nanos| {
            let (dataset, reason, by) = ("visits".into(), "r".into(), "s".into());
            grants::grant(&ledger, Grant { to, dataset, epsilon: epsilon(nanos), reason, by }, 0).expect("a grant");
        };
        give(Holder::Project { name: "asthma".into() }, 800_000_000);
        give(Holder::researcher("ada"), 700_000_000);
        give(Holder::researcher("bob"), 900_000_000);
        let (name, project) = ("cyd".to_owned(), Some("asthma".to_owned()));
        give(Holder::Researcher { name, project, period_days: Some(30) }, 400_000_000);
        let service = serve(Arc::new(ledger), &clock, &engine, &noise, policy, 0);
        Self {
            rng: StdRng::seed_from_u64(seed),
            disk,
            clock,
            engine,
            noise,
            policy: policy.clone(),
            editions: 0,
            service,
            router: None,
            tokens,
            oracle: Oracle::default(),
            answered: HashMap::new(),
            sent: Vec::new(),
            crashes: 0,
            refusals: 0,
        }
    }

    fn question(&mut self) -> Ask {
        let mut pick = |list: &[&'static str]| list[self.rng.random_range(0..list.len())];
        let (outputs, filter, keys) = (pick(&OUTPUTS), pick(&FILTERS), pick(&KEYS));
        let nanos = [2_000_000, 5_000_000, 10_000_000, 50_000_000, 2_000_000_000][self.rng.random_range(0..5)];
        Ask {
            sql: format!("SELECT {outputs} FROM visits{filter}{keys}")
                .replace("SELECT ", "SELECT ")
                .replace(", COUNT(*)", ", COUNT(*) AS n"),
            accuracy: Some(RequestedAccuracy::Epsilon(Epsilon::from_nanos(nanos))),
            rows_per_unit: if self.rng.random_range(0..4) == 0 { Some(1) } else { None },
            group_size: None,
            purpose: None,
        }
    }

    fn op(&mut self) -> Op {
        let who = self.rng.random_range(0..RESEARCHERS.len());
        let steps = self.rng.random_range(1..5);
        match self.rng.random_range(0..100) {
            0..4 => Op::AskOverHttp { who, ask: self.question() },
            4..46 => {
                let key = (self.rng.random_range(0..2) == 0).then(|| self.rng.random_range(0..1_000_000));
                Op::Ask { who, ask: self.question(), key }
            }
            46..58 => Op::Retry,
            58..61 => Op::SameKeyOtherBody,
            61..66 => Op::Both { first: self.question(), second: self.question() },
            66..70 => {
                let nanos = self.rng.random_range(1..50) * 20_000_000;
                let days = [None, Some(30), Some(7)][self.rng.random_range(0..3)];
                Op::Grant { who, project: who == 2, nanos, days }
            }
            70..72 => Op::GrantProject { nanos: self.rng.random_range(1..50) * 20_000_000 },
            72 => Op::RaiseCap { nanos: self.rng.random_range(45..70) * 20_000_000 },
            73..76 => Op::Freeze(self.rng.random_range(0..3) == 0),
            76..78 => Op::NewEdition,
            78..80 => Op::EngineFails,
            80..84 => Op::ClockJump { ms: self.rng.random_range(-3_000_000_000..3_000_000_000) },
            84..92 => Op::Break { steps, fault: [Fault::CrashBefore, Fault::CrashAfter][self.rng.random_range(0..2)] },
            92..96 => Op::Break { steps, fault: Fault::Full },
            _ => Op::Break { steps, fault: [Fault::SyncLost, Fault::SyncKept][self.rng.random_range(0..2)] },
        }
    }

    async fn run(&mut self, op: Op) {
        match op {
            Op::Ask { who, ask, key } => self.ask(who, ask, key).await,
            Op::AskOverHttp { who, ask } => self.ask_over_http(who, &ask).await,
            Op::Retry if !self.sent.is_empty() => {
                let (who, key, ask) = self.sent[self.rng.random_range(0..self.sent.len())].clone();
                self.ask(who, ask, Some(key)).await;
            }
            Op::SameKeyOtherBody if !self.sent.is_empty() => {
                let (who, key, mut ask) = self.sent[self.rng.random_range(0..self.sent.len())].clone();
                ask.sql = ask.sql.replace("SELECT ", "SELECT  ");
                let known = self.answered.contains_key(&(who, key));
                self.name(who, &ask);
                match self.send(who, ask, Some(key)).await {
                    Err(ServiceError::Refused(refused)) if known => assert_eq!(refused.refusal, Refusal::KeyConflict),
                    Ok(_) if known => panic!("another body was answered under a key that was used"),
                    Ok(_) | Err(_) => {}
                }
            }
            Op::Both { first, second } => {
                self.name(0, &first);
                self.name(1, &second);
                let (one, other) = (self.send(0, first, None), self.send(1, second, None));
                let _ = tokio::join!(one, other);
            }
            Op::Grant { who, project, nanos, days } => {
                let (name, project) = (RESEARCHERS[who].to_owned(), project.then(|| "asthma".to_owned()));
                self.grant(Holder::Researcher { name, project, period_days: days }, nanos);
            }
            Op::GrantProject { nanos } => self.grant(Holder::Project { name: "asthma".into() }, nanos),
            Op::RaiseCap { nanos } => self.grant(Holder::Dataset, nanos),
            Op::Freeze(is_frozen) => {
                let told = ("r", "s");
                let _ = grants::set_frozen(self.service.ledger(), "visits", is_frozen, told, self.clock.now_ms());
            }
            Op::NewEdition => self.reseal(),
            Op::EngineFails => self.engine.failures.store(1, Ordering::Relaxed),
            Op::ClockJump { ms } => {
                let now = self.clock.now_ms().saturating_add_signed(ms);
                self.clock.0.store(now, Ordering::Relaxed);
            }
            Op::Break { steps, fault } => self.disk.lock().fault = Some((steps, fault)),
            Op::Retry | Op::SameKeyOtherBody => {}
        }
        let is_dead = self.disk.lock().is_dead;
        if is_dead {
            self.restart();
        }
        self.oracle.look(&self.disk.lock());
    }

    fn send(
        &self,
        who: usize,
        ask: Ask,
        key: Option<u64>,
    ) -> impl Future<Output = Result<Answer, ServiceError>> + use<> {
        let body = format!("{ask:?}");
        let digest = |text: &str| -> Digest { *tacit_digest(text.as_bytes()) };
        let key = key.map(|key| KeyUse { key: digest(&key.to_string()), body: digest(&body) });
        Arc::clone(&self.service).answer(RESEARCHERS[who].to_owned(), ask, key)
    }

    async fn ask(&mut self, who: usize, ask: Ask, key: Option<u64>) {
        let before = self.oracle.postings;
        self.name(who, &ask);
        if let Some(key) = key.filter(|key| !self.sent.iter().any(|(by, sent, _)| (*by, *sent) == (who, *key))) {
            self.sent.push((who, key, ask.clone()));
        }
        let answer = self.send(who, ask.clone(), key).await;
        self.oracle.look(&self.disk.lock());
        match answer {
            Ok(answer) => {
                let release = &answer.stored.release.id;
                assert!(self.oracle.released.contains(release), "what is answered is on disk");
                let (anchored, _) = self.disk.lock().marks.last().copied().unwrap_or_default();
                assert!(anchored >= self.oracle.seq_of(release, RESEARCHERS[who]), "and its entries are anchored");
                if let Some(RequestedAccuracy::Epsilon(epsilon)) = &ask.accuracy {
                    let named = self.policy.terms.accountant.price(*epsilon);
                    assert!(answer.standing.legs.researcher <= named, "nobody pays more than they named");
                }
                let values = answer.stored.vectors().iter().map(|one| one.cells.clone()).collect::<Vec<_>>();
                if let Some(key) = key {
                    let first = self.answered.entry((who, key)).or_insert((ask, values.clone()));
                    assert_eq!(first.1, values, "the same key gives the same answer");
                }
            }
            Err(ServiceError::Refused(refused)) => {
                self.refusals += 1;
                let unanswered = refused.refusal == Refusal::Unanswered;
                assert_eq!(self.oracle.postings, before, "a refusal posts nothing to any account");
                let known = key.is_some_and(|key| self.answered.contains_key(&(who, key)));
                assert!(!(unanswered && known), "what was answered once stays answered");
            }
            Err(ServiceError::Unanswered { .. } | ServiceError::Ledger(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }

    fn grant(&self, to: Holder, nanos: u64) {
        let (dataset, reason, by) = ("visits".into(), "r".into(), "s".into());
        let grant = Grant { to, dataset, epsilon: Epsilon::from_nanos(nanos), reason, by };
        let _ = grants::grant(self.service.ledger(), grant, self.clock.now_ms());
    }

    fn reseal(&mut self) {
        if publish(self.service.ledger(), &self.policy, self.editions + 1) {
            self.editions += 1;
            self.restart();
        }
    }

    /// Ends the process wherever it is, and starts it again.
    fn restart(&mut self) {
        self.crashes += 1;
        let is_ghost_there = self.rng.random_range(0..2) == 0;
        self.disk.lock().restart(is_ghost_there);
        let ledger = SimLedger::open(&self.disk, self.clock.now_ms()).expect("a ledger that opens again");
        let edition = tacit::kernel::budget::ledger::read(&ledger, |book| {
            book.dataset("visits").and_then(|whole| whole.edition.clone()).expect("an edition").id
        });
        self.editions = edition.trim_start_matches("ed").parse().expect("a number");
        let ledger = Arc::new(ledger);
        self.service = serve(ledger, &self.clock, &self.engine, &self.noise, &self.policy, self.editions);
        self.router = None;
        self.oracle.look(&self.disk.lock());
        assert!(self.oracle.is_settled(), "a start leaves nothing half done");
        tacit::kernel::budget::ledger::read(self.service.ledger(), |book| self.oracle.agrees(book));
    }
}

fn tacit_digest(bytes: &[u8]) -> Box<Digest> {
    Box::new(tacit::kernel::budget::entry::Entry::hash(bytes))
}

fn publish(ledger: &dyn Ledger, policy: &Policy, number: u64) -> bool {
    let manifest = Manifest {
        v: tacit::query::terms::edition::FORMAT_VERSION,
        edition: format!("ed{number}"),
        dataset: policy.name.clone(),
        terms: policy.terms.clone(),
        rows: 0,
        table: [0; 32],
        blocks: None,
        nonce: [0; 32],
        tables: Vec::new(),
    };
    match editions::publish_edition(ledger, policy, &manifest, 0) {
        Ok(()) => true,
        Err(ServiceError::Ledger(_)) => false,
        // A raised cap differs from the policy's; sealing editions still works.
        Err(ServiceError::Invalid(_)) => false,
        Err(other) => panic!("{other}"),
    }
}

fn serve(
    ledger: Arc<SimLedger>,
    clock: &Arc<SimClock>,
    engine: &Arc<SimEngine>,
    noise: &Arc<impl NoiseSource + 'static>,
    policy: &Policy,
    number: u64,
) -> Arc<Service> {
    let (engine, noise, clock) = (Arc::clone(engine), Arc::clone(noise) as Arc<dyn NoiseSource>, Arc::clone(clock));
    let (name, title, terms) = (policy.name.clone(), None, policy.terms.clone());
    let lineage = String::clone(&name);
    let edition = format!("ed{number}");
    let dataset = Dataset {
        name,
        lineage,
        title,
        pad_ms: None,
        about_rows: None,
        stated: Arc::default(),
        policy: None,
        terms,
        edition,
        report: None,
    };
    Arc::new(Service::new(Ports { ledger, engine, noise, clock }, vec![dataset]))
}

fn simulate(seed: u64, ops: u64, policy: &Policy) -> (u64, u64, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut world = World::new(seed, policy);
    for _ in 0..ops {
        let op = world.op();
        runtime.block_on(world.run(op));
    }
    world.restart();
    (world.oracle.charges, world.crashes, world.refusals)
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Nothing is overspent, no charge is lost, and no charge has two released draws, whatever fails.
#[test]
fn nothing_is_overspent_lost_or_drawn_twice() {
    let (seeds, ops) =
        (from_environment("TACIT_SIMULATION_SEEDS", SEEDS), from_environment("TACIT_SIMULATION_OPS", OPS));
    let policy = policy();
    // The simulated engine's incidents are logged as errors, and a run has thousands of them.
    let runs: Vec<(u64, u64)> =
        REPRODUCTIONS.iter().map(|(seed, ops, _)| (*seed, *ops)).chain((0..seeds).map(|seed| (seed, ops))).collect();
    let next = AtomicU64::new(0);
    let (charges, crashes, refusals) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((seed, ops)) = runs.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    let run = std::panic::AssertUnwindSafe(|| simulate(*seed, *ops, &policy));
                    let Ok(done) = std::panic::catch_unwind(run) else {
                        panic!("seed {seed} with {ops} operations failed; put it into REPRODUCTIONS");
                    };
                    for (sum, one) in [(&charges, done.0), (&crashes, done.1), (&refusals, done.2)] {
                        sum.fetch_add(one, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let (charges, crashes) = (charges.into_inner(), crashes.into_inner());
    println!("{} operations: {charges} charges, {crashes} starts, {} refusals", seeds * ops, refusals.into_inner());
    assert!(charges > seeds && crashes > seeds, "things happen");
}
