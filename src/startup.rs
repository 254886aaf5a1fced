//! Startup: from a configuration to a service. Opens the ledger, checks every edition and loads it.
//!
//! Promises that nothing is served except what was sealed, under the terms it was sealed under.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::drafting::Drafter;
use crate::engine::seal::{Report, clear_superseded};
use crate::engine::{EngineFault, Host, Launch, WorkerPool};
use crate::files;
use crate::kernel::budget::account::EditionMark;
use crate::kernel::budget::ledger::{Ledger, read};
use crate::kernel::clock::{Clock, SystemClock};
use crate::kernel::vault::noise::OpenDp;
use crate::ledger::sqlite::policy_texts::PolicyTextTable;
use crate::ledger::sqlite::questions::QuestionTable;
use crate::ledger::{LedgerOptions, OpenError, SqliteLedger, WriteLock};
use crate::query::file::{FileFault, QueryFile};
use crate::query::terms::edition::{EditionError, Manifest};
use crate::query::terms::policy::{Policy, PolicyError};
use crate::service::publishing::dashboards::DashboardFault;
use crate::service::publishing::editions;
use crate::service::publishing::loading::{KeptPolicy, ServedPolicy, manifests};
use crate::service::publishing::schedule::CalendarZone;
use crate::service::publishing::sealings::{SealingPlace, Sealings};
use crate::service::publishing::statistics::StatisticFault;
use crate::service::publishing::uploads::{UploadLimits, Uploads};
use crate::service::{Current, Dataset, Ports, Service, ServiceError};

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A policy is faulty.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The ledger cannot be opened.
    #[error(transparent)]
    Ledger(#[from] OpenError),
    /// An edition differs from what was sealed.
    #[error(transparent)]
    Edition(#[from] EditionError),
    /// A policy's cap differs from the one on record.
    #[error(transparent)]
    Cap(#[from] ServiceError),
    /// A dataset has no sealed edition.
    #[error("dataset \"{dataset}\" has no sealed edition in {state}; run: tacit seal <policy> --state {state}")]
    Unsealed {
        /// Name of the dataset.
        dataset: String,
        /// Path of the state directory.
        state: String,
    },
    /// A policy was changed after its edition was sealed.
    #[error(
        "the policy of \"{dataset}\" is not the one its edition was sealed under; seal again, or restore the policy"
    )]
    TermsChanged {
        /// Name of the dataset.
        dataset: String,
    },
    /// A sealed table cannot be loaded, or no worker starts for it.
    #[error("the sealed table of \"{dataset}\" cannot be loaded, or no worker could be started for it; seal again")]
    Unloadable {
        /// Name of the dataset.
        dataset: String,
    },
    /// A published query cannot be asked.
    #[error(transparent)]
    Statistic(#[from] StatisticFault),
    /// A dashboard is faulty.
    #[error(transparent)]
    Dashboard(#[from] DashboardFault),
    /// The directory of published queries, or a file in it, cannot be read.
    #[error("{path}: cannot be read: {}", files::because(*kind))]
    Queries {
        /// Path of the directory or of the file.
        path: String,
        /// The system's error kind.
        kind: std::io::ErrorKind,
    },
    /// Two policies, or tables of them, have the same name.
    #[error("two policies, or tables of them, are named \"{dataset}\"")]
    Twice {
        /// The name that occurs twice.
        dataset: String,
    },
}

/// A service that was started over a state directory.
pub struct Started {
    /// The service as it is at the start.
    pub service: Arc<Service>,
    /// The service as it is now, which takes new editions.
    pub current: Arc<Current>,
    /// The sealings that people start through this server.
    pub sealings: Arc<Sealings>,
    /// The datasets whose policy file is not the one that their edition was sealed under through a server; that one holds.
    pub kept_over_files: Vec<String>,
    /// The lock to hold while anything but the ledger writes to the ledger's file, where the webhooks' outbox is, too.
    pub write_lock: WriteLock,
}

/// Opens the service over a state directory with these policies, the shipped noise source, the system's clock, and workers that are started
/// as `launch` says. `anchor` overrides the anchor's place; `None` keeps the recorded one.
///
/// # Errors
/// [`StartError`] says why the service cannot be opened.
pub fn open(
    state: &Path,
    anchor: Option<&Path>,
    policies: &[impl AsRef<Path>],
    launch: Launch,
) -> Result<Arc<Service>, StartError> {
    open_publishing(state, anchor, policies, None, (launch, UploadLimits::default())).map(|started| started.service)
}

/// Opens the service like [`open`], publishes every query of a directory, and limits what stewards may upload; days begin in the given time
/// zone.
///
/// # Errors
/// [`StartError`] says why the service cannot be opened.
pub fn open_publishing(
    state: &Path,
    anchor: Option<&Path>,
    policies: &[impl AsRef<Path>],
    queries: Option<(&Path, CalendarZone)>,
    (launch, uploads): (Launch, UploadLimits),
) -> Result<Started, StartError> {
    let files: Vec<PathBuf> = policies.iter().map(|path| path.as_ref().to_owned()).collect();
    let policies: Vec<Policy> = files.iter().map(|path| Policy::load(path)).collect::<Result<_, _>>()?;
    for (place, policy) in policies.iter().enumerate() {
        if policies[..place].iter().any(|other| other.name == policy.name) {
            return Err(StartError::Twice { dataset: policy.name.clone() });
        }
    }
    let of_files = policies.iter().zip(files).map(|(policy, path)| (policy.name.clone(), path)).collect();
    let ledger = SqliteLedger::open_with(state, LedgerOptions::anchored(anchor), SystemClock.now_ms())?;
    if let Err(error) = clear_superseded(state, &editions::current_editions(&ledger)) {
        tracing::warn!(kind = ?error.kind(), "superseded editions could not be removed");
    }
    let place = SealingPlace { state: state.to_owned(), program: launch.program.clone(), policies: of_files };
    let uploads = Uploads::new(state, Drafter::new(launch.program.clone()), uploads);
    let mut engine = WorkerPool::new(launch);
    let (datasets, kept_over_files) = load_all(state, &ledger, &mut engine, policies)?;
    let write_lock = ledger.write_lock();
    let questions = QuestionTable::open(state, write_lock.clone())?;
    let policy_texts = PolicyTextTable::open(state, write_lock.clone())?;
    let ports = Ports {
        ledger: Arc::new(ledger),
        engine: Arc::new(engine),
        noise: Arc::new(OpenDp),
        clock: Arc::new(SystemClock),
    };
    let service = Service::new(ports, datasets).keeping(questions).keeping_policies(policy_texts).uploading(uploads);
    let service = Arc::new(match queries {
        Some((dir, zone)) => service.publishing(query_files(dir)?, zone)?.showing(dashboards(dir)?)?,
        None => service,
    });
    let current = Current::new(Arc::clone(&service));
    let sealings = Sealings::new(Arc::clone(&current), place);
    Ok(Started { service, current, sealings, kept_over_files, write_lock })
}

/// Loads the datasets of these policies, and those that were sealed through a server and are in no file. Returns the names of those whose
/// file does not hold, too.
fn load_all(
    state: &Path,
    ledger: &dyn Ledger,
    engine: &mut dyn Host,
    policies: Vec<Policy>,
) -> Result<(Vec<Dataset>, Vec<String>), StartError> {
    let (mut datasets, mut kept): (Vec<Dataset>, Vec<String>) = (Vec::new(), Vec::new());
    let mut take = |loaded: Vec<Dataset>| {
        for dataset in loaded {
            if datasets.iter().any(|other| other.name == dataset.name) {
                return Err(StartError::Twice { dataset: dataset.name });
            }
            datasets.push(dataset);
        }
        Ok(())
    };
    let listed: Vec<String> = policies.iter().map(|policy| policy.name.clone()).collect();
    for policy in policies {
        let name = policy.name.clone();
        let (loaded, holds) = load_either(state, ledger, engine, policy)?;
        kept.extend((holds == Holds::Kept).then_some(name));
        take(loaded)?;
    }
    let sealed: Vec<(String, EditionMark)> = read(ledger, |book| {
        book.datasets().filter_map(|(name, whole)| Some((name.clone(), whole.edition.clone()?))).collect()
    });
    for (name, mark) in sealed.into_iter().filter(|(name, _)| !listed.contains(name)) {
        let Some(policy) = KeptPolicy::read(state, &mark.id) else { continue };
        let manifest = Manifest::open(state, &mark.id, &mark.commitment)?;
        take(load_edition(
            state,
            engine,
            ServedPolicy { name, kept: policy, terms: manifest.terms.clone() },
            manifest,
        )?)?;
    }
    Ok((datasets, kept))
}

/// Reads every query file (`.sql`) of a directory, ordered by name; subdirectories are ignored.
///
/// # Errors
/// [`StartError::Queries`] if a file cannot be read, [`StartError::Statistic`] if its headers are faulty.
pub fn query_files(dir: &Path) -> Result<Vec<(PathBuf, QueryFile)>, StartError> {
    let read = |path: PathBuf| {
        let text = files::text(&path).map_err(|error| unreadable(&path, &error))?;
        let fault = |fault: FileFault| StatisticFault::of_headers(&path, &fault);
        let file = QueryFile::parse(&text).map_err(fault)?;
        Ok((path, file))
    };
    files_of(dir, "sql")?.into_iter().map(read).collect()
}

/// The name of the folder of dashboards in the directory of published queries.
const DASHBOARDS: &str = "dashboards";

/// Reads every dashboard (`dashboards/NAME.toml`) of a directory of query files, ordered by name; none if there is no such folder.
///
/// # Errors
/// [`StartError::Queries`] if a file cannot be read.
pub fn dashboards(dir: &Path) -> Result<Vec<(PathBuf, String)>, StartError> {
    let dir = dir.join(DASHBOARDS);
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let read = |path: PathBuf| Ok((path.clone(), files::text(&path).map_err(|error| unreadable(&path, &error))?));
    files_of(&dir, "toml")?.into_iter().map(read).collect()
}

fn unreadable(path: &Path, error: &std::io::Error) -> StartError {
    StartError::Queries { path: path.display().to_string(), kind: error.kind() }
}

/// The files of a directory with this ending, ordered by name; subdirectories are ignored.
fn files_of(dir: &Path, ending: &str) -> Result<Vec<PathBuf>, StartError> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|error| unreadable(dir, &error))? {
        paths.push(entry.map_err(|error| unreadable(dir, &error))?.path());
    }
    paths.retain(|path| path.is_file() && path.extension().is_some_and(|known| known == ending));
    paths.sort();
    Ok(paths)
}

/// Checks one dataset's edition against the ledger and the policy, and loads it into the engine: the dataset's own table, and the tables
/// that it is joined with.
///
/// # Errors
/// [`StartError`] says why it cannot be loaded.
pub fn load(
    state: &Path,
    ledger: &dyn Ledger,
    engine: &mut dyn Host,
    policy: Policy,
) -> Result<Vec<Dataset>, StartError> {
    load_either(state, ledger, engine, policy).map(|(datasets, _)| datasets)
}

/// Which policy holds for a dataset.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// The file's, which is the one that the edition was sealed under.
    File,
    /// The one that is kept with the edition, which was sealed through a server after the file was written.
    Kept,
}

fn load_either(
    state: &Path,
    ledger: &dyn Ledger,
    engine: &mut dyn Host,
    policy: Policy,
) -> Result<(Vec<Dataset>, Holds), StartError> {
    let name = policy.name.clone();
    let mark = read(ledger, |book| book.dataset(&name).and_then(|whole| whole.edition.clone()));
    let Some(EditionMark { id, commitment }) = mark else {
        editions::check_cap(ledger, &policy)?;
        return Err(StartError::Unsealed { dataset: name, state: state.display().to_string() });
    };
    let kept = KeptPolicy::read(state, &id);
    if kept.is_none() {
        editions::check_cap(ledger, &policy)?;
    }
    let manifest = Manifest::open(state, &id, &commitment)?;
    // A raised cap is on record; everything else that queries depend on must be as it was sealed.
    let sealed_cap = crate::query::terms::policy::Terms { cap: manifest.terms.cap, ..policy.terms.clone() };
    let is_sealed = manifest.dataset == name && manifest.terms == sealed_cap;
    let (declared, holds) = match kept {
        _ if is_sealed => {
            editions::check_cap(ledger, &policy)?;
            (ServedPolicy::of(policy), Holds::File)
        }
        Some(kept) if manifest.dataset == name => {
            (ServedPolicy { name, kept, terms: manifest.terms.clone() }, Holds::Kept)
        }
        Some(_) | None => return Err(StartError::TermsChanged { dataset: name }),
    };
    Ok((load_edition(state, engine, declared, manifest)?, holds))
}

/// Loads an edition and the tables that it is joined with into the engine.
fn load_edition(
    state: &Path,
    engine: &mut dyn Host,
    declared: ServedPolicy,
    manifest: Manifest,
) -> Result<Vec<Dataset>, StartError> {
    let edition = manifest.edition.clone();
    for manifest in manifests(state, manifest)? {
        let unloadable = |EngineFault| StartError::Unloadable { dataset: declared.name.clone() };
        engine.load(state, &manifest).map_err(unloadable)?;
    }
    Ok(declared.datasets(&edition, Report::read(state, &edition)))
}
