//! One sealing: how far it is, and what came of it.

use std::process::Child;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::engine::seal::Report;

/// How far a sealing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SealingStep {
    /// The sources are read, and the edition is written.
    Sealing,
    /// The edition is complete, and the server loads it.
    Loading,
    /// Questions see the new edition.
    Served,
    /// Nothing was sealed, or the edition could not be taken; questions see what they saw before.
    Failed,
    /// Somebody ended it; questions see what they saw before.
    Cancelled,
}

impl SealingStep {
    /// Whether the sealing goes on.
    #[must_use]
    pub fn is_under_way(self) -> bool {
        matches!(self, Self::Sealing | Self::Loading)
    }
}

/// A sealing as its stewards see it.
#[derive(Debug, Clone, PartialEq)]
pub struct SealingView {
    /// Random id by which the sealing is asked for.
    pub id: String,
    /// The name of the dataset.
    pub dataset: String,
    /// The name of the steward who started it.
    pub by: String,
    /// When it was started, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
    /// The text of the policy.
    pub policy: String,
    /// The id of the upload that came with it; `None` if none did.
    pub upload: Option<String>,
    /// The step that the sealing has reached.
    pub step: SealingStep,
    /// The number of rows that were read so far.
    pub rows_read: u64,
    /// The share that is done, from 0 to 1, as far as the number of rows is known beforehand; 1 once it is served.
    pub fraction: Option<f64>,
    /// Why it failed; empty unless it did.
    pub fault: String,
    /// The id of the new edition, once it is served.
    pub edition: Option<String>,
    /// What sealing did, for stewards alone, once it is served.
    pub report: Option<Report>,
    /// The operator's policy file of this dataset, which no longer holds unless it says the same; `None` if there is none.
    pub file: Option<String>,
}

/// What does not change about a sealing.
#[derive(Debug, Clone)]
pub(super) struct JobFacts {
    pub(super) id: String,
    pub(super) dataset: String,
    pub(super) by: String,
    pub(super) at_ms: u64,
    pub(super) policy: String,
    pub(super) upload: Option<String>,
    pub(super) rows_expected: Option<u64>,
    pub(super) file: Option<String>,
}

/// A sealing that was started.
pub(super) struct Job {
    pub(super) facts: JobFacts,
    state: Mutex<JobState>,
}

struct JobState {
    step: SealingStep,
    rows_read: u64,
    fault: String,
    served: Option<(String, Option<Report>)>,
    child: Option<Child>,
}

/// The sealing was cancelled in the meantime.
#[derive(Debug, thiserror::Error)]
#[error("it was cancelled")]
pub(super) struct IsCancelled;

impl Job {
    pub(super) fn new(facts: JobFacts) -> Self {
        let step = SealingStep::Sealing;
        let state = JobState { step, rows_read: 0, fault: String::new(), served: None, child: None };
        Self { facts, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, JobState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn step(&self) -> SealingStep {
        self.state().step
    }

    /// Starts the process that seals, unless the sealing was cancelled before.
    pub(super) fn run<E>(&self, start: impl FnOnce() -> Result<Child, E>) -> Result<Result<(), E>, IsCancelled> {
        let mut state = self.state();
        if state.step == SealingStep::Cancelled {
            return Err(IsCancelled);
        }
        Ok(start().map(|child| state.child = Some(child)))
    }

    /// The output of the process, which is read once.
    pub(super) fn output(&self) -> Option<std::process::ChildStdout> {
        self.state().child.as_mut().and_then(|child| child.stdout.take())
    }

    /// Waits for the end of a process whose output has ended.
    pub(super) fn reap(&self) {
        let child = self.state().child.take();
        if let Some(mut child) = child {
            let _ = child.wait();
        }
    }

    pub(super) fn read(&self, rows: u64) {
        self.state().rows_read = rows;
    }

    /// Goes on to load the edition; from now on it cannot be cancelled.
    pub(super) fn load(&self) -> Result<(), IsCancelled> {
        let mut state = self.state();
        if state.step == SealingStep::Cancelled {
            return Err(IsCancelled);
        }
        state.step = SealingStep::Loading;
        Ok(())
    }

    pub(super) fn serve(&self, edition: String, report: Option<Report>) {
        let mut state = self.state();
        (state.step, state.served) = (SealingStep::Served, Some((edition, report)));
    }

    /// Ends it with a reason, unless it was cancelled.
    pub(super) fn fail(&self, fault: String) {
        let mut state = self.state();
        if state.step != SealingStep::Cancelled {
            (state.step, state.fault) = (SealingStep::Failed, fault);
        }
    }

    /// Ends the sealing while its sources are read; later it has no effect.
    pub(super) fn cancel(&self) {
        let mut state = self.state();
        if state.step != SealingStep::Sealing {
            return;
        }
        state.step = SealingStep::Cancelled;
        if let Some(child) = &mut state.child {
            let _ = child.kill();
        }
    }

    pub(super) fn view(&self) -> SealingView {
        let JobFacts { id, dataset, by, at_ms, policy, upload, rows_expected, file } = self.facts.clone();
        let state = self.state();
        let (edition, report) = state.served.clone().unzip();
        let (step, rows_read, fault) = (state.step, state.rows_read, state.fault.clone());
        let fraction = fraction(step, rows_read, rows_expected);
        let report = report.flatten();
        SealingView { id, dataset, by, at_ms, policy, upload, step, rows_read, fraction, fault, edition, report, file }
    }
}

/// The largest share that is shown before everything is done.
const FRACTION_MAX: f64 = 0.95;

fn fraction(step: SealingStep, rows: u64, expected: Option<u64>) -> Option<f64> {
    match step {
        SealingStep::Served => Some(1.0),
        SealingStep::Loading => Some(FRACTION_MAX),
        SealingStep::Sealing => {
            let expected = expected.filter(|rows| *rows > 0)?;
            Some((rows as f64 / expected as f64).min(1.0) * FRACTION_MAX)
        }
        SealingStep::Failed | SealingStep::Cancelled => None,
    }
}
