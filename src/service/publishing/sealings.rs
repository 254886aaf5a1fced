//! Sealings that people start through a running server: a policy is checked, sealed in a process of its own, and taken.
//!
//! Promises that the server itself holds no row: a process of its own reads the sources, within what a policy from a door may name
//! ([`sources`]). At most one sealing of a dataset goes on at a time, and [`SEALINGS_MAX`] in all. What came of them is for stewards alone
//! and is remembered until the server ends; the report stays with its edition.

mod job;
mod process;
pub mod sources;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use self::job::{IsCancelled, Job, JobFacts};
pub use self::job::{SealingStep, SealingView};
pub use self::process::{SealingLine, seal_alone};
use self::sources::{Sources, UnreadableSource};
use crate::engine::seal::{Report, staging_beside};
use crate::files;
use crate::kernel::random::{self, NoRandomness};
use crate::query::error::shown;
use crate::query::terms::policy::{BYTES_MAX, Policy, PolicyFault};
use crate::service::Current;
use crate::service::publishing::adoption::{AdoptionError, StagedEdition};
use crate::service::publishing::uploads;

/// The largest number of sealings that go on at once; each reads a source and may take as much memory as `tacit seal`.
pub const SEALINGS_MAX: usize = 2;
/// The largest number of sealings that are remembered; the oldest that have ended are forgotten first.
const REMEMBERED_MAX: usize = 50;

/// Where sealings work.
pub struct SealingPlace {
    /// The state directory.
    pub state: PathBuf,
    /// The program that seals, which is this one.
    pub program: PathBuf,
    /// The operator's policy files, by dataset.
    pub policies: BTreeMap<String, PathBuf>,
}

/// Why a sealing was not started.
#[derive(Debug, thiserror::Error)]
pub enum SealingRefusal {
    /// The text is no policy.
    #[error("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Faulty {
        /// Every fault that was found, in the order of the text.
        faults: Vec<PolicyFault>,
    },
    /// The text is longer than a policy may be.
    #[error("the policy has {bytes} bytes; accepted are at most {BYTES_MAX}")]
    TooLarge {
        /// The number of bytes.
        bytes: usize,
    },
    /// The policy names a source that it may not name.
    #[error(transparent)]
    Source(#[from] UnreadableSource),
    /// The operator's policy file is faulty, so that nobody knows which sources it names.
    #[error(
        "the policy file of \"{dataset}\" on the server is faulty, so its sources are not known; mend it there first"
    )]
    Operator {
        /// The name of the dataset.
        dataset: String,
    },
    /// There is no such upload.
    #[error("there is no uploaded file \"{}\"; upload it again", shown(upload))]
    NoUpload {
        /// The id that was given.
        upload: String,
    },
    /// The dataset is being sealed.
    #[error("\"{dataset}\" is being sealed; wait for it, or cancel it")]
    UnderWay {
        /// The name of the dataset.
        dataset: String,
    },
    /// Too many sealings go on.
    #[error("{SEALINGS_MAX} datasets are being sealed, the most at once; wait for one of them, or cancel it")]
    Full,
    /// An edition under this policy could not be taken.
    #[error(transparent)]
    Adoption(#[from] AdoptionError),
    /// There is no such sealing.
    #[error("there is no sealing \"{}\"; sealings are remembered until the server ends", shown(id))]
    Unknown {
        /// The id that was given.
        id: String,
    },
    /// The state directory cannot be written.
    #[error("the state directory cannot be written: {kind}")]
    Unwritable {
        /// The system's error kind.
        kind: io::ErrorKind,
    },
    /// The system gives no random id.
    #[error(transparent)]
    Chance(#[from] NoRandomness),
}

impl From<io::Error> for SealingRefusal {
    fn from(error: io::Error) -> Self {
        Self::Unwritable { kind: error.kind() }
    }
}

/// Why a sealing that was started did not lead to an edition that is served.
#[derive(Debug, thiserror::Error)]
enum Unserved {
    #[error(transparent)]
    Cancelled(#[from] IsCancelled),
    #[error("the state directory cannot be written: {}", .0.kind())]
    Unwritable(#[from] io::Error),
    #[error("no process could be started for it: {0}")]
    NoProcess(io::ErrorKind),
    /// The process says why.
    #[error("{0}")]
    Fault(String),
    #[error("the process that sealed it ended too early; it may have been out of memory, or somebody ended it")]
    Gone,
    #[error(transparent)]
    Adoption(#[from] AdoptionError),
    #[error("the sealing was cut off by a fault of the server")]
    CutOff,
}

/// The sealings of one server.
pub struct Sealings {
    current: Arc<Current>,
    place: SealingPlace,
    jobs: Mutex<Vec<Arc<Job>>>,
}

impl std::fmt::Debug for Sealings {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Sealings").finish_non_exhaustive()
    }
}

impl Sealings {
    /// No sealing yet, of datasets that `current` serves or will serve.
    #[must_use]
    pub fn new(current: Arc<Current>, place: SealingPlace) -> Arc<Self> {
        Arc::new(Self { current, place, jobs: Mutex::default() })
    }

    /// The state directory in which editions are sealed.
    #[must_use]
    pub fn state_dir(&self) -> &Path {
        &self.place.state
    }

    /// Checks a policy with the id of the upload that it names, if any, and starts to seal it for a steward. Returns the id of the sealing.
    /// Blocks while public tables are read.
    ///
    /// # Errors
    /// [`SealingRefusal`] if it was not started.
    pub fn start(self: &Arc<Self>, text: String, upload: Option<&str>, by: &str) -> Result<String, SealingRefusal> {
        if text.len() as u64 > BYTES_MAX {
            return Err(SealingRefusal::TooLarge { bytes: text.len() });
        }
        let uploaded = upload.map(|id| self.uploaded(id)).transpose()?;
        let operator = dataset_named(&text).and_then(|name| self.place.policies.get_key_value(&name));
        let file = operator.map(|(_, path)| path.clone());
        let sources = Sources::allowed(file.as_deref(), uploaded).map_err(|_| {
            let dataset = operator.map(|(name, _)| name.clone()).unwrap_or_default();
            SealingRefusal::Operator { dataset }
        })?;
        let policy = sources.parse(&text).map_err(|faults| SealingRefusal::Faulty { faults })??;
        self.current.check_adoptable(&policy)?;
        let facts = JobFacts {
            id: random::id("sl")?,
            dataset: policy.name.clone(),
            by: by.to_owned(),
            at_ms: self.current.now().now_ms(),
            policy: text,
            upload: upload.map(str::to_owned),
            rows_expected: self.rows_expected(&policy),
            file: file.map(|path| path.display().to_string()),
        };
        let job = self.enter(facts)?;
        let (this, begun, id) = (Arc::clone(self), Arc::clone(&job), job.facts.id.clone());
        let thread = std::thread::Builder::new().name("tacit-sealing".to_owned());
        if let Err(error) = thread.spawn(move || this.run(&begun, &policy, &sources)) {
            job.fail(format!("the system could not start a thread: {}", error.kind()));
        }
        Ok(id)
    }

    /// A sealing; `None` if there is none with this id, or none any more.
    #[must_use]
    pub fn view(&self, id: &str) -> Option<SealingView> {
        self.jobs().iter().find(|job| job.facts.id == id).map(|job| job.view())
    }

    /// All sealings that are remembered, the latest first.
    #[must_use]
    pub fn all(&self) -> Vec<SealingView> {
        self.jobs().iter().rev().map(|job| job.view()).collect()
    }

    /// Ends a sealing while its sources are read; one that has gone further goes on. Returns what has become of it.
    ///
    /// # Errors
    /// [`SealingRefusal::Unknown`].
    pub fn cancel(&self, id: &str) -> Result<SealingView, SealingRefusal> {
        let job = self.jobs().iter().find(|job| job.facts.id == id).cloned();
        let job = job.ok_or_else(|| SealingRefusal::Unknown { id: id.to_owned() })?;
        job.cancel();
        Ok(job.view())
    }

    fn jobs(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn uploaded(&self, id: &str) -> Result<PathBuf, SealingRefusal> {
        uploads::path(&self.place.state, id).ok_or_else(|| SealingRefusal::NoUpload { upload: id.to_owned() })
    }

    /// About how many rows will be read: as many as for the edition that is served, or what the policy states.
    fn rows_expected(&self, policy: &Policy) -> Option<u64> {
        let now = self.current.now();
        let before =
            now.dataset(&policy.name).and_then(|dataset| dataset.report.as_ref().map(|report| report.rows_read));
        before.or(policy.about_rows)
    }

    /// Counts a sealing in, if there is room for it.
    fn enter(&self, facts: JobFacts) -> Result<Arc<Job>, SealingRefusal> {
        let mut jobs = self.jobs();
        let under_way = || jobs.iter().filter(|job| job.step().is_under_way());
        if under_way().any(|job| job.facts.dataset == facts.dataset) {
            return Err(SealingRefusal::UnderWay { dataset: facts.dataset });
        }
        if under_way().count() >= SEALINGS_MAX {
            return Err(SealingRefusal::Full);
        }
        let job = Arc::new(Job::new(facts));
        jobs.push(Arc::clone(&job));
        let ended = jobs.iter().position(|job| !job.step().is_under_way());
        if let Some(oldest) = ended.filter(|_| jobs.len() > REMEMBERED_MAX) {
            jobs.remove(oldest);
        }
        Ok(job)
    }

    /// Seals and takes the edition; whatever happens, the sealing ends and nothing of it is left but the edition.
    fn run(&self, job: &Job, policy: &Policy, sources: &Sources) {
        let name = job.facts.id.as_str();
        let sealed = catch_unwind(AssertUnwindSafe(|| {
            let staging = staging_beside(&self.place.state, name)?;
            let sealed = self.seal(job, policy, sources, &staging);
            let _ = fs::remove_dir_all(&staging);
            sealed
        }));
        match sealed.unwrap_or(Err(Unserved::CutOff)) {
            Ok((edition, report)) => {
                tracing::info!(dataset = job.facts.dataset, edition, "a new edition is served");
                job.serve(edition, report);
            }
            Err(why) => job.fail(why.to_string()),
        }
    }

    /// Seals and takes the edition; returns its id and its report.
    fn seal(
        &self,
        job: &Job,
        policy: &Policy,
        sources: &Sources,
        staging: &Path,
    ) -> Result<(String, Option<Report>), Unserved> {
        let text = &job.facts.policy;
        files::create_private(&staging.join(process::POLICY_FILE))?.write_all(text.as_bytes())?;
        let started = job.run(|| process::start(&self.place.program, staging, sources))?;
        started.map_err(|error| Unserved::NoProcess(error.kind()))?;
        let (edition, commitment) = follow(job)?;
        job.load()?;
        let staged = StagedEdition { policy, text, staging, edition: &edition, commitment: &commitment };
        self.current.adopt(&self.place.state, &staged)?;
        let report = Report::read(&self.place.state, &edition);
        Ok((edition, report))
    }
}

/// Follows the process to its end. Returns the edition and the commitment to it.
fn follow(job: &Job) -> Result<(String, String), Unserved> {
    let mut last = Err(Unserved::Gone);
    for line in job.output().into_iter().flat_map(|output| BufReader::new(output).lines()) {
        match line.ok().and_then(|line| serde_json::from_str(&line).ok()) {
            Some(SealingLine::Rows(rows)) => job.read(rows),
            Some(SealingLine::Sealed { edition, commitment }) => last = Ok((edition, commitment)),
            Some(SealingLine::Fault(fault)) => last = Err(Unserved::Fault(fault)),
            None => {}
        }
    }
    job.reap();
    last
}

/// The name of the dataset that the text of a policy declares, as far as it can be read.
fn dataset_named(text: &str) -> Option<String> {
    let table: toml::Table = text.parse().ok()?;
    Some(table.get("dataset")?.get("name")?.as_str()?.to_lowercase())
}
