//! From a configuration to a service: open the ledger, check every edition, load it.
//!
//! Promises that nothing is served that is not what was sealed, under the terms it was sealed under.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::budget::account::EditionMark;
use crate::budget::ledger::{Ledger, read};
use crate::clock::{Clock, SystemClock};
use crate::dataset::edition::{EditionError, Manifest, of_table};
use crate::dataset::policy::{Policy, PolicyError};
use crate::dataset::seal::Report;
use crate::engine::{EngineFault, Host, Launch, WorkerPool};
use crate::files;
use crate::query::file::{FileFault, QueryFile};
use crate::service::schedule::Zone;
use crate::service::statistics::StatisticFault;
use crate::service::{Dataset, Ports, Service, ServiceError, steward};
use crate::store::{OpenError, SqliteLedger, WriteLock};
use crate::vault::noise::OpenDp;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A policy is wrong.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The ledger is not to be had.
    #[error(transparent)]
    Ledger(#[from] OpenError),
    /// An edition is not what was sealed.
    #[error(transparent)]
    Edition(#[from] EditionError),
    /// A policy's cap is not the one on record.
    #[error(transparent)]
    Cap(#[from] ServiceError),
    /// A dataset has no edition.
    #[error("dataset \"{dataset}\" has no sealed edition in {state}; run: tacit seal <policy> --state {state}")]
    Unsealed {
        /// The dataset.
        dataset: String,
        /// The state directory.
        state: String,
    },
    /// A policy changed after sealing.
    #[error(
        "the policy of \"{dataset}\" is not the one its edition was sealed under; seal again, or restore the policy"
    )]
    TermsChanged {
        /// The dataset.
        dataset: String,
    },
    /// A table is readable no more.
    #[error("the sealed table of \"{dataset}\" cannot be loaded, or no worker could be started for it; seal again")]
    Unloadable {
        /// The dataset.
        dataset: String,
    },
    /// A published query cannot be asked.
    #[error(transparent)]
    Statistic(#[from] StatisticFault),
    /// The folder of published queries cannot be read.
    #[error("{path}: cannot be read: {kind}")]
    Queries {
        /// The folder or the file.
        path: String,
        /// What the system says.
        kind: std::io::ErrorKind,
    },
    /// Two policies have one name.
    #[error("two policies, or tables of them, are named \"{dataset}\"")]
    Twice {
        /// The dataset.
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

/// Opens the service over a state directory, its anchor (nothing where that stays where it is) and these policies, with the shipped noise, the system's clock, and
/// workers that are started so.
///
/// # Errors
/// [`StartError`].
pub fn open(
    state: &Path,
    anchor: Option<&Path>,
    policies: &[impl AsRef<Path>],
    launch: Launch,
) -> Result<Arc<Service>, StartError> {
    open_publishing(state, anchor, policies, None, launch).map(|started| started.service)
}

/// The same, and the service publishes every query of a folder, whose days begin in that zone.
///
/// # Errors
/// [`StartError`].
pub fn open_publishing(
    state: &Path,
    anchor: Option<&Path>,
    policies: &[impl AsRef<Path>],
    queries: Option<(&Path, Zone)>,
    launch: Launch,
) -> Result<Started, StartError> {
    let policies: Vec<Policy> = policies.iter().map(|path| Policy::load(path.as_ref())).collect::<Result<_, _>>()?;
    for (place, policy) in policies.iter().enumerate() {
        if policies[..place].iter().any(|other| other.name == policy.name) {
            return Err(StartError::Twice { dataset: policy.name.clone() });
        }
    }
    let ledger = SqliteLedger::open_anchored(state, anchor, SystemClock.now_ms())?;
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
    let ports = Ports {
        ledger: Arc::new(ledger),
        engine: Arc::new(engine),
        noise: Arc::new(OpenDp),
        clock: Arc::new(SystemClock),
    };
    let service = Service::new(ports, datasets);
    let service = Arc::new(match queries {
        Some((dir, zone)) => service.publishing(query_files(dir)?, zone)?,
        None => service,
    });
    Ok(Started { service, write_lock })
}

/// Every query file of a folder, by name; subfolders are not looked at.
///
/// # Errors
/// [`StartError::Queries`], [`StartError::Statistic`].
pub fn query_files(dir: &Path) -> Result<Vec<(PathBuf, QueryFile)>, StartError> {
    let unreadable = |path: &Path, error: &std::io::Error| StartError::Queries {
        path: path.display().to_string(),
        kind: error.kind(),
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|error| unreadable(dir, &error))? {
        paths.push(entry.map_err(|error| unreadable(dir, &error))?.path());
    }
    paths.retain(|path| path.is_file() && path.extension().is_some_and(|ending| ending == "sql"));
    paths.sort();
    let read = |path: PathBuf| {
        let text = files::text(&path).map_err(|error| unreadable(&path, &error))?;
        let fault = |fault: FileFault| StatisticFault::of_headers(&path, &fault);
        let file = QueryFile::parse(&text).map_err(fault)?;
        Ok((path, file))
    };
    paths.into_iter().map(read).collect()
}

/// Checks one dataset's edition against ledger and policy, and loads it into the engine: the dataset, and the tables that it is joined with.
///
/// # Errors
/// [`StartError`].
pub fn load(
    state: &Path,
    ledger: &dyn Ledger,
    engine: &mut dyn Host,
    policy: Policy,
) -> Result<Vec<Dataset>, StartError> {
    steward::check_cap(ledger, &policy)?;
    let name = policy.name.clone();
    let mark = read(ledger, |book| book.dataset(&name).and_then(|whole| whole.edition.clone()));
    let Some(EditionMark { id, commitment }) = mark else {
        return Err(StartError::Unsealed { dataset: name, state: state.display().to_string() });
    };
    let manifest = Manifest::open(state, &id, &commitment)?;
    // A cap that was raised is on record; everything else queries depend on is as it was sealed.
    let sealed_cap = crate::dataset::policy::Terms { cap: manifest.terms.cap, ..policy.terms.clone() };
    if manifest.dataset != name || manifest.terms != sealed_cap {
        return Err(StartError::TermsChanged { dataset: name });
    }
    let mut load = |manifest: &Manifest| {
        engine.load(state, manifest).map_err(|EngineFault| StartError::Unloadable { dataset: name.clone() })
    };
    load(&manifest)?;
    let (lineage, pad_ms, terms) = (name.clone(), policy.pad_ms, policy.terms);
    let mut datasets = Vec::with_capacity(1 + terms.joins.len());
    for (join, (table, commitment)) in terms.joins.iter().zip(&manifest.tables) {
        let edition = of_table(&id, table);
        load(&Manifest::open(state, &edition, commitment)?)?;
        let (name, lineage, terms) = (table.clone(), lineage.clone(), terms.of_table(join));
        datasets.push(Dataset { name, lineage, title: None, pad_ms, terms, edition, report: None });
    }
    let report = Report::read(state, &id);
    datasets.insert(0, Dataset { name, lineage, title: policy.title, pad_ms, terms, edition: id, report });
    Ok(datasets)
}
