//! How commands fail, and the exit codes for it.

use std::process::ExitCode;

use crate::client::ClientError;
use crate::client::stewarding::StewardingError;
use crate::service::ServiceError;

/// How a command failed, which decides its exit code.
#[derive(Debug)]
pub enum CommandFailure {
    /// The answer is no: the request was refused, or a check failed (exit code 1).
    No(String),
    /// The command was used wrongly (exit code 2).
    Usage(String),
    /// The command could not do its work, for instance because no server answers (exit code 3).
    Could(String),
}

impl CommandFailure {
    /// A refusal, in the words of an error.
    pub(super) fn no(error: impl ToString) -> Self {
        Self::No(error.to_string())
    }

    /// Work that could not be done, in the words of an error.
    pub(super) fn could(error: impl ToString) -> Self {
        Self::Could(error.to_string())
    }

    /// The exit code of the process.
    pub(super) fn code(&self) -> ExitCode {
        match self {
            Self::No(_) => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
            Self::Could(_) => ExitCode::from(3),
        }
    }
}

impl From<ClientError> for CommandFailure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Problem { ref problem } if problem["status"].as_u64().is_some_and(|status| status >= 500) => {
                Self::could(error)
            }
            ClientError::Problem { .. } => Self::no(error),
            ClientError::Away { .. } | ClientError::Foreign { .. } => Self::could(error),
        }
    }
}

impl From<ServiceError> for CommandFailure {
    fn from(error: ServiceError) -> Self {
        if matches!(error, ServiceError::Ledger(_)) { Self::could(error) } else { Self::no(error) }
    }
}

impl From<StewardingError> for CommandFailure {
    fn from(error: StewardingError) -> Self {
        match error {
            StewardingError::Service(error) => error.into(),
            StewardingError::Client(error) => error.into(),
            StewardingError::Statistic(_) | StewardingError::Search(_) => Self::no(error),
            StewardingError::Unreadable { .. } => Self::could(error),
        }
    }
}
