//! The worker pool: worker processes for each edition, each with a supervisor thread.
//!
//! Queries are cut into pieces, which are ranges of blocks. Workers take pieces of all queries in turn, and at most as many workers compute
//! at once as there are cores, whatever the number of datasets.
//!
//! Promises that a worker that dies or exceeds its deadline costs only the query whose piece it was computing, that another worker is
//! started within a second, and that a worker that was dead before it received a piece costs nothing.

mod supervisor;
mod checks;
mod lane;
mod permits;
mod ring;

use super::Limits;
use super::port::{Engine, EngineFault, Host};
use crate::kernel::vault::private::{Exact, Private};
use crate::query::computation::Computation;
use crate::query::terms::edition::Manifest;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use self::lane::{Lane, Queue, TableFile};
use self::permits::Permits;

/// How workers are started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Path of the binary that has the command `worker`.
    pub program: PathBuf,
    /// Number of workers per dataset.
    pub workers: usize,
    /// Time allowed for every piece of a computation; more is allowed by the number of rows that it may hold.
    pub deadline_min: Duration,
}

/// Minimum number of workers per dataset, so that one may die; all of them map the same table.
const WORKERS_MIN: usize = 2;

/// Maximum number of workers per dataset, unless configured otherwise.
const WORKERS_MAX: usize = 4;

impl Launch {
    /// Launches this program itself, with as many workers as there are cores, within bounds.
    #[must_use]
    pub fn this_program() -> Self {
        let workers = super::limits::cores().clamp(WORKERS_MIN, WORKERS_MAX);
        // The link remains valid if the file is replaced under a running server.
        Self { program: PathBuf::from("/proc/self/exe"), workers, deadline_min: super::limits::DEADLINE_MIN }
    }
}

/// Worker processes by edition, with their supervisor threads.
pub struct WorkerPool {
    launch: Launch,
    lanes: RwLock<HashMap<String, Arc<Lane>>>,
    /// Supervisor threads, each with the edition that its worker evaluates.
    keepers: Mutex<Vec<(String, JoinHandle<()>)>>,
    permits: Arc<Permits>,
}

impl WorkerPool {
    /// Makes a pool without tables.
    #[must_use]
    pub fn new(launch: Launch) -> Self {
        let permits = Arc::new(Permits::new(super::limits::cores()));
        Self { launch, lanes: RwLock::default(), keepers: Mutex::default(), permits }
    }

    fn lane(&self, edition: &str) -> Option<Arc<Lane>> {
        self.lanes.read().unwrap_or_else(PoisonError::into_inner).get(edition).cloned()
    }

    /// The work of an edition, which has no workers yet.
    fn new_lane(&self, state: &Path, manifest: &Manifest) -> Result<Arc<Lane>, EngineFault> {
        let facts = manifest.facts();
        Ok(Arc::new(Lane {
            edition: manifest.edition.clone(),
            table: TableFile::of(manifest.table_path(state), &facts).map_err(|_| EngineFault)?,
            facts,
            terms: manifest.terms.clone(),
            limits: Limits::of(manifest, super::limits::cores() as u64, self.launch.deadline_min),
            queue: Mutex::new(Queue::new(super::limits::cores())),
            changed: Condvar::new(),
            permits: Arc::clone(&self.permits),
            ready: AtomicUsize::new(0),
            workers: self.launch.workers,
            stuck: AtomicUsize::new(0),
        }))
    }

    /// Starts the workers of a lane, and waits for the first of them: one ready worker is enough to begin with; the others follow.
    fn start_workers(&self, lane: &Arc<Lane>) -> Result<(), EngineFault> {
        let (tell, first) = mpsc::channel();
        for _ in 0..self.launch.workers {
            let (lane, program, tell) = (Arc::clone(lane), self.launch.program.clone(), tell.clone());
            let edition = lane.edition.clone();
            let keep = move || crate::engine::pool::supervisor::keep(&lane, &program, &tell);
            let keeper = std::thread::Builder::new().name("worker-keeper".to_owned()).spawn(keep);
            let keeper = keeper.map_err(|_| EngineFault)?;
            self.keepers.lock().unwrap_or_else(PoisonError::into_inner).push((edition, keeper));
        }
        drop(tell);
        if first.iter().take(self.launch.workers).any(|started| started) { Ok(()) } else { Err(EngineFault) }
    }
}

impl Host for WorkerPool {
    fn load(&mut self, state: &Path, manifest: &Manifest) -> Result<(), EngineFault> {
        self.load_beside(state, manifest)
    }
}

impl Engine for WorkerPool {
    fn evaluate(&self, edition: &str, computation: &Computation) -> Result<Private<Exact>, EngineFault> {
        let lane = self.lane(edition).ok_or(EngineFault)?;
        let (done, answer) = mpsc::sync_channel(1);
        lane.push(computation.clone(), done);
        answer.recv().map_err(|_| EngineFault)?
    }

    fn is_ready(&self, edition: &str) -> bool {
        self.lane(edition).is_some_and(|lane| lane.is_ready())
    }

    fn prepare(&self, edition: &str, computation: &Computation) -> Result<(), EngineFault> {
        self.lane(edition).ok_or(EngineFault)?.prepare(computation)
    }

    fn load_beside(&self, state: &Path, manifest: &Manifest) -> Result<(), EngineFault> {
        let lane = self.new_lane(state, manifest)?;
        let edition = manifest.edition.clone();
        self.lanes.write().unwrap_or_else(PoisonError::into_inner).insert(edition, Arc::clone(&lane));
        self.start_workers(&lane).inspect_err(|_| self.unload(&manifest.edition))
    }

    fn unload(&self, edition: &str) {
        let gone = self.lanes.write().unwrap_or_else(PoisonError::into_inner).remove(edition);
        if let Some(lane) = gone {
            lane.close();
        }
        // Their threads end by themselves, once they have ended their workers.
        self.keepers.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _)| of != edition);
    }
}

impl Drop for WorkerPool {
    fn drop(&mut self) {
        let lanes = self.lanes.get_mut().unwrap_or_else(PoisonError::into_inner);
        lanes.values().for_each(|lane| lane.close());
        for (_, keeper) in self.keepers.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = keeper.join();
        }
    }
}
