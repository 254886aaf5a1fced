//! Why the demo failed.

use super::clinic;
use crate::client::ClientError;
use crate::startup;

/// Why the demo failed, in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DemoError(pub(super) String);

macro_rules! demo_error_from {
    ($($error:ty),*) => { $(impl From<$error> for DemoError {
        fn from(error: $error) -> Self { Self(error.to_string()) }
    })* };
}

demo_error_from!(
    std::io::Error,
    startup::StartError,
    ClientError,
    crate::ledger::OpenError,
    crate::service::publishing::editions::PublicationError,
    crate::service::ServiceError,
    crate::query::terms::policy::PolicyError,
    crate::kernel::privacy::amounts::DecimalFault,
    crate::query::file::FileFault,
    toml::de::Error,
    toml::ser::Error,
    tokio::task::JoinError,
    clinic::ClinicError
);
