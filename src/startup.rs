//! Startup: from a configuration to a service. Opens the ledger, checks every edition and loads it.
//!
//! Promises that nothing is served except what was sealed, under the terms it was sealed under.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::seal::Report;
use crate::engine::{EngineFault, Host, Launch, WorkerPool};
use crate::files;
use crate::kernel::budget::account::EditionMark;
use crate::kernel::budget::ledger::{Ledger, read};
use crate::kernel::clock::{Clock, SystemClock};
use crate::kernel::vault::noise::OpenDp;
use crate::ledger::sqlite::questions::QuestionTable;
use crate::ledger::{LedgerOptions, OpenError, SqliteLedger, WriteLock};
use crate::query::file::{FileFault, QueryFile};
use crate::query::terms::edition::{EditionError, Manifest, of_table};
use crate::query::terms::policy::{Policy, PolicyError};
use crate::service::publishing::dashboards::DashboardFault;
use crate::service::publishing::editions;
use crate::service::publishing::schedule::CalendarZone;
use crate::service::publishing::statistics::StatisticFault;
use crate::service::{Dataset, Ports, Service, ServiceError};

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
    /// The service.
    pub service: Arc<Service>,
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
    open_publishing(state, anchor, policies, None, launch).map(|started| started.service)
}

/// Opens the service like [`open`], and publishes every query of a directory; days begin in the given time zone.
///
/// # Errors
/// [`StartError`] says why the service cannot be opened.
pub fn open_publishing(
    state: &Path,
    anchor: Option<&Path>,
    policies: &[impl AsRef<Path>],
    queries: Option<(&Path, CalendarZone)>,
    launch: Launch,
) -> Result<Started, StartError> {
    let policies: Vec<Policy> = policies.iter().map(|path| Policy::load(path.as_ref())).collect::<Result<_, _>>()?;
    for (place, policy) in policies.iter().enumerate() {
        if policies[..place].iter().any(|other| other.name == policy.name) {
            return Err(StartError::Twice { dataset: policy.name.clone() });
        }
    }
    let ledger = SqliteLedger::open_with(state, LedgerOptions::anchored(anchor), SystemClock.now_ms())?;
    let mut engine = WorkerPool::new(launch);
    let mut datasets: Vec<Dataset> = Vec::with_capacity(policies.len());
    for policy in policies {
        for dataset in load(state, &ledger, &mut engine, policy)? {
            if datasets.iter().any(|other| other.name == dataset.name) {
                return Err(StartError::Twice { dataset: dataset.name });
            }
            datasets.push(dataset);
        }
    }
    let write_lock = ledger.write_lock();
    let questions = QuestionTable::open(state, write_lock.clone())?;
    let ports = Ports {
        ledger: Arc::new(ledger),
        engine: Arc::new(engine),
        noise: Arc::new(OpenDp),
        clock: Arc::new(SystemClock),
    };
    let service = Service::new(ports, datasets).keeping(questions);
    let service = Arc::new(match queries {
        Some((dir, zone)) => service.publishing(query_files(dir)?, zone)?.showing(dashboards(dir)?)?,
        None => service,
    });
    Ok(Started { service, write_lock })
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
    editions::check_cap(ledger, &policy)?;
    let name = policy.name.clone();
    let mark = read(ledger, |book| book.dataset(&name).and_then(|whole| whole.edition.clone()));
    let Some(EditionMark { id, commitment }) = mark else {
        return Err(StartError::Unsealed { dataset: name, state: state.display().to_string() });
    };
    let manifest = Manifest::open(state, &id, &commitment)?;
    // A raised cap is on record; everything else that queries depend on must be as it was sealed.
    let sealed_cap = crate::query::terms::policy::Terms { cap: manifest.terms.cap, ..policy.terms.clone() };
    if manifest.dataset != name || manifest.terms != sealed_cap {
        return Err(StartError::TermsChanged { dataset: name });
    }
    let mut load = |manifest: &Manifest| {
        engine.load(state, manifest).map_err(|EngineFault| StartError::Unloadable { dataset: name.clone() })
    };
    load(&manifest)?;
    let (lineage, pad_ms, about_rows, terms) = (name.clone(), policy.pad_ms, policy.about_rows, policy.terms);
    let mut datasets = Vec::with_capacity(1 + terms.joins.len());
    for (join, (table, commitment)) in terms.joins.iter().zip(&manifest.tables) {
        let edition = of_table(&id, table);
        load(&Manifest::open(state, &edition, commitment)?)?;
        let (name, lineage, terms) = (table.clone(), lineage.clone(), terms.of_table(join));
        datasets.push(Dataset { name, lineage, title: None, pad_ms, about_rows: None, terms, edition, report: None });
    }
    let report = Report::read(state, &id);
    datasets.insert(0, Dataset { name, lineage, title: policy.title, pad_ms, about_rows, terms, edition: id, report });
    Ok(datasets)
}
