//! Why a charged question got no answer: what the ledger records, and what the operator's log says.
//!
//! The log names the step that failed and the release, in words of our own: never the text of a library's error, which may hold
//! values, and never anything of a row.

use crate::engine::EngineFault;
use crate::kernel::budget::entry::Cause;
use crate::kernel::vault::release::ReleaseFault;

/// The step at which the answer to a charged question failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerFailure {
    /// The engine did not evaluate the question: its worker ended, took too long, or answered with an error.
    NotEvaluated,
    /// The engine's vectors do not have the shape that was paid for.
    WrongShape,
    /// The engine's vectors exceed what a table of the declared capacity can hold.
    BeyondCapacity,
    /// The source of noise failed.
    NoNoise,
    /// The stored vectors that the answer is combined with could not be read.
    NotCombined,
    /// The work panicked.
    Panicked,
    /// The dataset froze while the question waited for its turn, so no row was looked at.
    Frozen,
    /// The answer was computed, but the ledger could not record it.
    NotRecorded,
}

impl AnswerFailure {
    /// What the ledger records of it.
    pub(crate) fn cause(self) -> Cause {
        match self {
            Self::NotEvaluated
            | Self::WrongShape
            | Self::BeyondCapacity
            | Self::NoNoise
            | Self::NotCombined
            | Self::Panicked => Cause::Failed,
            Self::Frozen => Cause::CutOff,
            Self::NotRecorded => Cause::Unrecorded,
        }
    }

    /// The word that stands for it in the operator's log.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::NotEvaluated => "not-evaluated",
            Self::WrongShape => "wrong-shape",
            Self::BeyondCapacity => "beyond-capacity",
            Self::NoNoise => "no-noise",
            Self::NotCombined => "not-combined",
            Self::Panicked => "panicked",
            Self::Frozen => "frozen",
            Self::NotRecorded => "not-recorded",
        }
    }

    /// Writes it to the operator's log.
    pub(crate) fn log(self, release: &str) {
        tracing::error!(release, cause = self.word(), recorded = ?self.cause(), "an answer failed after its charge");
    }
}

impl From<EngineFault> for AnswerFailure {
    fn from(EngineFault: EngineFault) -> Self {
        Self::NotEvaluated
    }
}

impl From<ReleaseFault> for AnswerFailure {
    fn from(fault: ReleaseFault) -> Self {
        match fault {
            ReleaseFault::Shape => Self::WrongShape,
            ReleaseFault::Beyond => Self::BeyondCapacity,
            ReleaseFault::Unstored => Self::NotCombined,
            ReleaseFault::Noise(_) => Self::NoNoise,
        }
    }
}
