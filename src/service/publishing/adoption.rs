//! Adoption: a running service takes a new edition of a dataset, or a dataset that it did not serve.
//!
//! Promises that either everything is taken or the service is as it was; that questions which have begun see the edition of their
//! certificate to the end, and later ones the new one; and that nothing is charged for it. What can fail is checked before the ledger is
//! written, and the service is replaced as a whole right after that. If the ledger cannot be written, only files may be left, for the next
//! start to judge by the ledger.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use crate::engine::seal::{Report, clear_editions};
use crate::engine::{Engine, EngineFault};
use crate::query::terms::edition::{EDITIONS, EditionError, Manifest};
use crate::query::terms::policy::Policy;
use crate::service::held::HeldEditions;
use crate::service::publishing::editions::{check_cap, publish_edition};
use crate::service::publishing::loading::{KeptPolicy, ServedPolicy, manifests};
use crate::service::publishing::statistics::StatisticFault;
use crate::service::{Current, Dataset, Service, ServiceError};

/// An edition that was sealed beside a running server and is not yet served.
pub struct StagedEdition<'a> {
    /// The policy that it was sealed under.
    pub policy: &'a Policy,
    /// The text of the policy, which is kept with the edition.
    pub text: &'a str,
    /// The folder that holds it, laid out like a state directory and on the same file system as the state directory.
    pub staging: &'a Path,
    /// Random id of the edition.
    pub edition: &'a str,
    /// The commitment to its manifest.
    pub commitment: &'a str,
}

/// Why a new edition is not taken. The service is as it was.
#[derive(Debug, thiserror::Error)]
pub enum AdoptionError {
    /// The ledger does not accept the policy, or cannot be written.
    #[error(transparent)]
    Ledger(#[from] ServiceError),
    /// A published statistic cannot be asked of the new edition.
    #[error("a published statistic could not be asked any more: {0}")]
    Statistic(#[from] StatisticFault),
    /// The server serves another dataset, or another dataset's table, of the same name.
    #[error("another dataset that is served here has a table named \"{name}\"")]
    Twice {
        /// Name of the dataset.
        name: String,
    },
    /// The edition is not what was sealed.
    #[error(transparent)]
    Edition(#[from] EditionError),
    /// What was sealed has other terms than the policy that was checked: a public table changed meanwhile.
    #[error("a public table changed while the dataset was sealed; seal it again")]
    OtherTerms,
    /// The edition cannot be moved to the other editions.
    #[error("the edition cannot be moved into the state directory: {kind}")]
    Unmoved {
        /// The system's error kind.
        kind: io::ErrorKind,
    },
    /// No worker starts for the edition.
    #[error("no worker could be started for the new edition; the log says why")]
    Unloadable,
}

impl From<io::Error> for AdoptionError {
    fn from(error: io::Error) -> Self {
        Self::Unmoved { kind: error.kind() }
    }
}

impl Current {
    /// Checks whether an edition under this policy could be taken, before it is sealed.
    ///
    /// # Errors
    /// [`AdoptionError`] says what stands against it.
    pub fn check_adoptable(&self, policy: &Policy) -> Result<(), AdoptionError> {
        let now = self.now();
        check_cap(now.ledger(), policy)?;
        now.successor(&policy.name, ServedPolicy::of(policy.clone()).datasets("", None)).map(|_| ())
    }

    /// Takes an edition: moves it to the other editions, loads it, makes it the one that questions see in the ledger, and then in this
    /// service. Blocks while statistics are drawn and until a worker is up; never call it on an async thread.
    ///
    /// # Errors
    /// [`AdoptionError`]; the service and the editions are as they were.
    pub fn adopt(&self, state: &Path, staged: &StagedEdition<'_>) -> Result<(), AdoptionError> {
        let _one_at_a_time = self.adopting.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.now();
        let policy = staged.policy;
        check_cap(before.ledger(), policy)?;
        let own = Manifest::open(staged.staging, staged.edition, staged.commitment)?;
        if own.dataset != policy.name || own.terms != policy.terms {
            return Err(AdoptionError::OtherTerms);
        }
        let all = manifests(staged.staging, own)?;
        let report = Report::read(staged.staging, staged.edition);
        let successor =
            before.successor(&policy.name, ServedPolicy::of(policy.clone()).datasets(staged.edition, report))?;
        KeptPolicy::new(policy, staged.text).write(&Manifest::dir(staged.staging, staged.edition))?;
        let moved = Moved::all(state, staged.staging, &all)?;
        let loaded = Loaded::all(state, &before.ports.engine, &all)?;
        // A round of statistics sees one edition: none is drawn from the old one after the ledger has named the new one.
        let drawing = Arc::clone(&before.refreshing);
        let _drawing = drawing.blocking_lock();
        // Where a failure leaves open whether the ledger names the edition, it stays; a start removes what the ledger does not name.
        moved.keep();
        publish_edition(before.ledger(), policy, &all[0], before.now_ms())?;
        loaded.keep();
        successor.datasets().for_each(|dataset| successor.queues.admit(dataset));
        self.replace(successor);
        if let Some(held) = before.held.get(&policy.name) {
            let (state, gone) = (state.to_owned(), held.editions().to_vec());
            held.supersede(move || {
                if let Err(error) = clear_editions(&state, &gone) {
                    tracing::warn!(kind = ?error.kind(), "a superseded edition is removed when the server starts again");
                }
            });
        }
        Ok(())
    }
}

impl Service {
    /// The service that serves these datasets in the place of those whose account is that of `lineage`, and shares everything else.
    fn successor(&self, lineage: &str, datasets: Vec<Dataset>) -> Result<Self, AdoptionError> {
        let mut next = self.clone();
        next.datasets.retain(|_, dataset| dataset.lineage != lineage);
        if let Some(twice) = datasets.iter().find(|dataset| next.datasets.contains_key(&dataset.name)) {
            return Err(AdoptionError::Twice { name: twice.name.clone() });
        }
        next.held.extend(HeldEditions::of(&datasets, &next.ports.engine));
        next.datasets.extend(datasets.into_iter().map(|dataset| (dataset.name.clone(), Arc::new(dataset))));
        Ok(next.with_statistics()?)
    }
}

/// Folders that were moved to the other editions. They are removed again unless they are kept.
struct Moved(Vec<PathBuf>);

impl Moved {
    fn all(state: &Path, staging: &Path, editions: &[Manifest]) -> io::Result<Self> {
        let mut moved = Self(Vec::new());
        // The dataset's own edition comes last: where it is, the tables that it is joined with are, too.
        for manifest in editions.iter().rev() {
            let to = Manifest::dir(state, &manifest.edition);
            fs::rename(Manifest::dir(staging, &manifest.edition), &to)?;
            moved.0.push(to);
        }
        fs::File::open(state.join(EDITIONS))?.sync_all()?;
        Ok(moved)
    }

    fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Moved {
    fn drop(&mut self) {
        for folder in &self.0 {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Editions that were loaded. They are let go of again unless they are kept.
struct Loaded {
    engine: Arc<dyn Engine>,
    editions: Vec<String>,
}

impl Loaded {
    fn all(state: &Path, engine: &Arc<dyn Engine>, editions: &[Manifest]) -> Result<Self, AdoptionError> {
        let mut loaded = Self { engine: Arc::clone(engine), editions: Vec::new() };
        for manifest in editions {
            engine.load_beside(state, manifest).map_err(|EngineFault| AdoptionError::Unloadable)?;
            loaded.editions.push(manifest.edition.clone());
        }
        Ok(loaded)
    }

    fn keep(mut self) {
        self.editions.clear();
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        self.editions.iter().for_each(|edition| self.engine.unload(edition));
    }
}
