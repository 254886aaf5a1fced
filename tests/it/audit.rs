//! The black-box audit, run against the shipped mechanisms and against seeded faults: what it must accept and what it must detect.
//!
//! The faults are test doubles behind the ports: noise that is too small by the factor that the fault implies, and tables that were sealed
//! without clamping or without a limit on rows.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use dashu::integer::IBig;
use tacit::audit::history::History;
use tacit::audit::kinds::Kind;
use tacit::audit::tables::Neighbours;
use tacit::audit::throwaway::{add_colleague, seal_all, with, with_colleague};
use tacit::audit::{Finding, Scope, one, one_after};
use tacit::client::Client;
use tacit::engine::{Engine, EngineFault, Host, PolarsEngine};
use tacit::kernel::budget::ledger::read;
use tacit::kernel::clock::SystemClock;
use tacit::kernel::privacy::amounts::Epsilon;
use tacit::kernel::privacy::mechanism::NoiseLaw;
use tacit::kernel::vault::noise::{NoiseFault, NoiseSource, OpenDp};
use tacit::kernel::vault::private::{Exact, Private};
use tacit::ledger::SqliteLedger;
use tacit::query::computation::Computation;
use tacit::query::computation::relation::Relation;
use tacit::query::terms::edition::Manifest;
use tacit::query::terms::policy::Policy;
use tacit::service::{Ports, Service};
use tempfile::TempDir;

use crate::paths::PointNoise;

/// Noise whose scale is too small by a factor.
struct ThinNoise(f64);

impl NoiseSource for ThinNoise {
    fn draw(&self, law: &NoiseLaw, cells: usize) -> Result<Vec<IBig>, NoiseFault> {
        OpenDp.draw(&NoiseLaw { scale: law.scale / self.0, ..*law }, cells)
    }
}

/// Noise with the right law that is the same for every question.
struct SameNoise;

impl NoiseSource for SameNoise {
    fn draw(&self, law: &NoiseLaw, cells: usize) -> Result<Vec<IBig>, NoiseFault> {
        static KEPT: Mutex<Vec<IBig>> = Mutex::new(Vec::new());
        let mut kept = KEPT.lock().expect("the noise");
        if kept.len() != cells {
            *kept = OpenDp.draw(law, cells)?;
        }
        Ok(kept.clone())
    }
}

/// Engine that answers from tables sealed under wider terms, and counts up to `rows_per_unit` rows of each unit.
struct Unbounded {
    engine: PolarsEngine,
    /// Pairs of an edition that is asked and the edition that answers for it.
    wide: Vec<(String, String)>,
    rows_per_unit: u32,
}

impl Engine for Unbounded {
    fn evaluate(&self, edition: &str, computation: &Computation) -> Result<Private<Exact>, EngineFault> {
        let (_, wide) = self.wide.iter().find(|(asked, _)| asked == edition).ok_or(EngineFault)?;
        self.engine.evaluate(wide, &Computation { rows_per_unit: self.rows_per_unit, ..computation.clone() })
    }

    fn is_ready(&self, _: &str) -> bool {
        true
    }
}

/// Engine that evaluates the semi-joins of a question like joins.
struct Paired(PolarsEngine);

impl Engine for Paired {
    fn evaluate(&self, edition: &str, computation: &Computation) -> Result<Private<Exact>, EngineFault> {
        let relation = computation.relation.clone().map(paired);
        self.0.evaluate(edition, &Computation { relation, ..computation.clone() })
    }

    fn is_ready(&self, edition: &str) -> bool {
        self.0.is_ready(edition)
    }
}

/// The relation with joins instead of semi-joins, whose columns come first in them.
fn paired(relation: Relation) -> Relation {
    match relation {
        Relation::Semi { of, other, on, is_anti: false } => {
            Relation::Join { left: Box::new(paired(*of)), right: other, on, is_left: false }
        }
        Relation::Filter { of, filter } => Relation::Filter { of: Box::new(paired(*of)), filter },
        Relation::Map { of, columns } => Relation::Map { of: Box::new(paired(*of)), columns },
        other => other,
    }
}

/// Two audit datasets of one accountant, sealed once for all faults.
struct Sealed {
    neighbours: Neighbours,
    dir: TempDir,
    token: String,
    colleague: String,
}

/// Fault that is seeded into a server.
enum Fault {
    None,
    /// The noise is too small by this factor.
    Thin(f64),
    /// The noise that is added to stored answers is too small by this factor.
    ThinPoints(f64),
    /// Values are clamped at four times their bound. Without any clamping the sums would exceed the declared capacity, and nothing would be
    /// released.
    Unclamped,
    /// All rows of a unit count.
    Uncut,
    /// All rows of a unit count, although the question asked for one.
    Unfiltered,
    /// Every answer has the same noise.
    Same,
    /// A semi-join is evaluated like a join, so that a row counts once for each row of its unit in the other table.
    Paired,
}

impl Sealed {
    fn new(neighbours: Neighbours, accountant: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        neighbours.prepare(dir.path(), accountant).expect("tables");
        // Sealing throw-away datasets deletes their sources, which are needed again to seal the faulty tables.
        let kept = dir.path().join("kept");
        fs::create_dir(&kept).expect("a folder");
        for entry in fs::read_dir(dir.path()).expect("a folder").flatten().filter(|entry| entry.path().is_file()) {
            fs::copy(entry.path(), kept.join(entry.file_name())).expect("a copy");
        }
        let token = seal_all(dir.path(), &neighbours.names()).expect("sealed");
        let colleague = add_colleague(dir.path(), &neighbours.names()).expect("a colleague");
        Self { neighbours, dir, token, colleague }
    }

    /// Audits a server that has a fault, with one kind of question.
    fn audit(&self, fault: &Fault, kind: Kind) -> Finding {
        let (service, scope, _copy) = self.serve(fault);
        with(service, &self.token, |client| one(client, scope, kind)).expect("a server").expect("a finding")
    }

    /// Audits counts that are made of what was asked earlier.
    fn audit_after(&self, fault: &Fault, history: History) -> Finding {
        let (service, scope, _copy) = self.serve(fault);
        // Each answer takes two or three questions, so half as many are asked.
        let scope = Scope { samples: scope.samples / 2, ..scope };
        let audit = |client: &Client, colleague: &Client| one_after(client, (colleague, history), scope, Kind::Count);
        with_colleague(service, [&self.token, &self.colleague], audit).expect("a server").expect("a finding")
    }

    /// A server with a fault, on a copy of what was sealed.
    fn serve(&self, fault: &Fault) -> (Arc<Service>, Scope, TempDir) {
        let copy = tempfile::tempdir().expect("a folder");
        copy_all(&self.dir.path().join("state"), &copy.path().join("state"));
        let state = copy.path().join("state");
        let ledger = SqliteLedger::open(&state, 0).expect("a ledger");
        let mut engine = PolarsEngine::new();
        let names = self.neighbours.names();
        let datasets: Vec<_> = names
            .map(|name| {
                let policy = Policy::load(&self.dir.path().join(format!("{name}.toml"))).expect("a policy");
                tacit::startup::load(&state, &ledger, &mut engine, policy).expect("a dataset")
            })
            .into_iter()
            .flatten()
            .collect();
        let engine: Arc<dyn Engine> = match fault {
            Fault::None | Fault::Thin(_) | Fault::ThinPoints(_) | Fault::Same => Arc::new(engine),
            Fault::Unclamped => Arc::new(self.unbounded(&ledger, copy.path(), 2)),
            Fault::Uncut | Fault::Unfiltered => Arc::new(self.unbounded(&ledger, copy.path(), 5)),
            Fault::Paired => Arc::new(Paired(engine)),
        };
        let noise: Arc<dyn NoiseSource> = match fault {
            Fault::Thin(factor) => Arc::new(ThinNoise(*factor)),
            Fault::ThinPoints(factor) => Arc::new(PointNoise(1.0 / factor)),
            Fault::Same => Arc::new(SameNoise),
            Fault::None | Fault::Unclamped | Fault::Uncut | Fault::Unfiltered | Fault::Paired => Arc::new(OpenDp),
        };
        let ports = Ports { ledger: Arc::new(ledger), engine, noise, clock: Arc::new(SystemClock) };
        let service = Arc::new(Service::new(ports, datasets));
        (service, Scope { epsilon: Epsilon::parse("1").expect("an epsilon"), samples: 40_000 }, copy)
    }

    /// Seals the same sources with five rows per unit and bounds of eight.
    fn unbounded(&self, ledger: &SqliteLedger, dir: &Path, rows_per_unit: u32) -> Unbounded {
        let (mut engine, mut wide) = (PolarsEngine::new(), Vec::new());
        for name in self.neighbours.names() {
            let asked =
                read(ledger, |book| book.dataset(name).and_then(|whole| whole.edition.clone())).expect("an edition");
            let text = fs::read_to_string(self.dir.path().join(format!("{name}.toml"))).expect("a policy");
            let text = text.replace("max_rows_per_unit = 2", "max_rows_per_unit = 5");
            let text = text.replace("min = \"-2\"\nmax = \"2\"", "min = \"-8\"\nmax = \"8\"");
            let mut policy = Policy::parse(&text).expect("a policy");
            policy.source =
                tacit::engine::seal::source::SourceSpec::file(&self.dir.path().join(format!("kept/{name}.csv")));
            let (manifest, _): (Manifest, _) =
                tacit::engine::seal::seal(&policy, &dir.join("wide"), &|_| {}).expect("sealed");
            engine.load(&dir.join("wide"), &manifest).expect("loaded");
            wide.push((asked.id, manifest.edition));
        }
        Unbounded { engine, wide, rows_per_unit }
    }
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// Description, fault and kind of question; the factors are the effect that each fault would have on the noise.
fn faults(accountant: &str) -> Vec<(&'static str, Fault, Kind)> {
    let distinct = if accountant == "pure" { 2.0 } else { 2.0_f64.sqrt() };
    let mut faults = vec![
        ("scale / 1.2, counts", Fault::Thin(1.2), Kind::Count),
        ("scale / 1.2, sums by unit", Fault::Thin(1.2), Kind::SumByUnit),
        ("scale / 1.2, distinct units", Fault::Thin(1.2), Kind::DistinctUnits),
        ("bound - 1", Fault::Thin(2.0), Kind::Sum),
        ("distinct units wrong by one", Fault::Thin(distinct), Kind::DistinctUnits),
        ("no clamp", Fault::Unclamped, Kind::Sum),
        ("no bound on rows", Fault::Uncut, Kind::Count),
        ("rows per unit as asked are not looked at", Fault::Unfiltered, Kind::CountOfOneRow),
        // Units have three rows in one table and two in the other.
        ("the rows of a window are priced as one too few", Fault::Thin(1.5), Kind::Window),
        ("rows of a cohort are counted for each row in the other table", Fault::Paired, Kind::Cohort),
        ("the bound of a joined table is forgotten", Fault::Thin(2.0), Kind::Pairs),
        ("the bounds of a join are added, not multiplied", Fault::Thin(1.2), Kind::Pairs),
    ];
    if accountant == "gaussian" {
        faults.push(("scale / 1.2, running sums", Fault::Thin(1.2), Kind::RunningSum));
        // A unit's row moves a running sum further in ℓ₂ than a count: by the square root of the sum of squared weights.
        faults.push(("a running sum priced like a count", Fault::Thin(1.3), Kind::RunningSum));
    }
    faults
}

fn check(accountant: &str) {
    let sealed = [Neighbours::Single, Neighbours::Several].map(|neighbours| Sealed::new(neighbours, accountant));
    let audit = |fault: &Fault, kind: Kind| {
        let sealed = sealed.iter().find(|sealed| sealed.neighbours == kind.neighbours()).expect("datasets");
        sealed.audit(fault, kind)
    };
    for kind in Kind::ALL.iter().copied().filter(|kind| accountant == "gaussian" || *kind != Kind::RunningSum) {
        let finding = audit(&Fault::None, kind);
        println!(
            "{}: at least {:.3} of {}, power {:.3}",
            finding.mechanism, finding.lower_bound, finding.claimed, finding.power
        );
        assert!(finding.holds() && finding.power > 0.99, "{finding:?}");
        assert!(finding.lower_bound > 0.8, "a bound that is near tells something: {finding:?}");
    }
    for (what, fault, kind) in faults(accountant) {
        let finding = audit(&fault, kind);
        println!("{what}: at least {:.3} of {}", finding.lower_bound, finding.claimed);
        assert!(!finding.holds() && finding.lower_bound > finding.claimed, "{what} was not caught: {finding:?}");
    }
    let same = audit(&Fault::Same, Kind::Count);
    assert!(same.broken.iter().any(|what| what.contains("two questions")), "{same:?}");
}

#[test]
fn the_audit_passes_gaussian_noise_and_catches_every_seeded_fault() {
    check("gaussian");
}

/// An answer that is made of others claims what a draw of its own would: a copy of a more exact one, one between two others, and one that
/// is topped up after a copy. Noise that is too small is found in each that has it.
#[test]
fn the_audit_passes_answers_that_are_made_of_others_and_catches_thin_noise_in_them() {
    let sealed = Sealed::new(Neighbours::Single, "gaussian");
    for history in History::ALL.iter().copied() {
        let finding = sealed.audit_after(&Fault::None, history);
        println!("{}: at least {:.3} of {}", finding.mechanism, finding.lower_bound, finding.claimed);
        assert!(finding.holds() && finding.power > 0.99, "{finding:?}");
        assert!(finding.lower_bound > 0.8, "a bound that is near tells something: {finding:?}");
        let fault = match history {
            History::Copy | History::Bridge => Fault::ThinPoints(1.6),
            History::TopUp => Fault::Thin(1.2),
        };
        let finding = sealed.audit_after(&fault, history);
        println!("{} with thin noise: at least {:.3}", finding.mechanism, finding.lower_bound);
        assert!(!finding.holds() && finding.lower_bound > finding.claimed, "{history:?} was not caught: {finding:?}");
    }
}

#[test]
fn the_audit_passes_laplace_noise_and_catches_every_seeded_fault() {
    check("pure");
}
