//! A steward's acts, and what a steward reads, wherever the ledger is: in a state directory that no server holds, or behind a
//! running server.
//!
//! Both decide by the same rules and give the same results, so that each command is written once.

mod directory;
mod server;

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::client::ClientError;
use crate::kernel::budget::people::Role;
use crate::kernel::privacy::amounts::Epsilon;
use crate::service::ServiceError;
use crate::service::publishing::statistics::check::StatisticCheck;
use crate::service::publishing::statistics::{Agreement, StatisticFault};
use crate::service::stewarding::accounts::NamedAccount;
use crate::service::stewarding::declared::{DeclaredFile, Outcome};
use crate::service::stewarding::entries::{SearchFault, SearchText};
use crate::service::stewarding::grants::Holder;
use crate::service::stewarding::requests::{Decision, RequestView};
use crate::service::stewarding::tokens::{GivenToken, HeldToken};

pub use directory::StateDirectory;

/// Why a steward's act was not done, or why there is nothing to read.
#[derive(Debug, thiserror::Error)]
pub enum StewardingError {
    /// The state directory's ledger refused or failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The server refused or did not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The query file of a statistic cannot be published.
    #[error(transparent)]
    Statistic(#[from] StatisticFault),
    /// The search for entries cannot be read.
    #[error(transparent)]
    Search(#[from] SearchFault),
    /// The query file of a statistic cannot be read.
    #[error("{}: cannot be read: {}", path.display(), crate::files::because(*kind))]
    Unreadable {
        /// The file's path.
        path: PathBuf,
        /// What the system said.
        kind: io::ErrorKind,
    },
}

/// A person to add.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// The person's name, which nobody else has.
    pub name: String,
    /// The person's role.
    pub role: Role,
    /// For a viewer, the datasets whose statistics they may see; `None` for all.
    pub datasets: Option<Vec<String>>,
}

/// A person who was added, with the token, which is shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedPerson {
    /// The person's name.
    pub name: String,
    /// The person's role.
    pub role: Role,
    /// The token's text.
    pub token: String,
    /// For a viewer, the datasets whose statistics they may see; absent if none were named, so that they see all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datasets: Option<Vec<String>>,
}

/// An allocation to set, or a lifetime cap to raise.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// The holder of the account that is set.
    pub to: Holder,
    /// The dataset's name.
    pub dataset: String,
    /// The new total, as ε.
    pub epsilon: Epsilon,
    /// Why it is granted; stands in the ledger.
    pub reason: String,
}

/// A statistic to whose price a steward has agreed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PublishedStatistic {
    /// The statistic's name.
    pub name: String,
    /// The most that a draw of it costs, as ε.
    #[serde(deserialize_with = "crate::service::views::reported")]
    pub epsilon: Epsilon,
    /// Whether it may be drawn.
    pub standing: Agreement,
    /// What else a server tells of it.
    #[serde(flatten)]
    pub details: Map<String, Value>,
}

impl PublishedStatistic {
    /// When the release that it shows was drawn; `None` before the first one, and without a server.
    #[must_use]
    pub fn released_at(&self) -> Option<&str> {
        self.details.get("released_at")?.as_str()
    }
}

/// What a steward does and reads. A person with another role may read their own accounts and requests through a server.
pub trait Stewarding {
    /// Adds a person, or gives a new token to one whose token was revoked.
    ///
    /// # Errors
    /// [`StewardingError`]; nobody was added.
    fn add_person(&self, person: &NewPerson) -> Result<AddedPerson, StewardingError>;

    /// Gives a person another role. `datasets` are those whose statistics a viewer may see; `None` for those that they saw before.
    ///
    /// # Errors
    /// [`StewardingError`]; nothing changed.
    fn set_role(&self, name: &str, role: Role, datasets: Option<&[String]>) -> Result<(), StewardingError>;

    /// Sets the datasets whose statistics a viewer may see.
    ///
    /// # Errors
    /// [`StewardingError`]; nothing changed.
    fn set_viewing(&self, viewer: &str, datasets: &[String]) -> Result<(), StewardingError>;

    /// Revokes a person's tokens: the one of this name, or all.
    ///
    /// # Errors
    /// [`StewardingError`]; nothing changed.
    fn revoke_token(&self, name: &str, token: Option<&str>) -> Result<(), StewardingError>;

    /// Gives another token to a person; `expires` is a day or a moment, or `None` if it does not expire.
    ///
    /// # Errors
    /// [`StewardingError`]; nothing changed.
    fn issue_token(&self, name: &str, token: &str, expires: Option<&str>) -> Result<GivenToken, StewardingError>;

    /// The tokens that a person holds.
    ///
    /// # Errors
    /// [`StewardingError`] if there is no such person, or if they cannot be read.
    fn tokens(&self, name: &str) -> Result<Vec<HeldToken>, StewardingError>;

    /// Sets an allocation, or raises a lifetime cap.
    ///
    /// # Errors
    /// [`StewardingError`]; nothing changed.
    fn grant(&self, grant: &NewGrant) -> Result<(), StewardingError>;

    /// Freezes or unfreezes a dataset.
    ///
    /// # Errors
    /// [`StewardingError`]; nothing changed.
    fn set_frozen(&self, dataset: &str, is_frozen: bool, reason: &str) -> Result<(), StewardingError>;

    /// All accounts that may be seen.
    ///
    /// # Errors
    /// [`StewardingError`] if they cannot be read.
    fn accounts(&self) -> Result<Vec<NamedAccount>, StewardingError>;

    /// All requests for budget that may be seen, newest first.
    ///
    /// # Errors
    /// [`StewardingError`] if they cannot be read.
    fn requests(&self) -> Result<Vec<RequestView>, StewardingError>;

    /// Decides on the request with this number, and returns it as it is then.
    ///
    /// # Errors
    /// [`StewardingError`]; the request stays as it was.
    fn decide(&self, number: u64, decision: Decision, reason: &str) -> Result<RequestView, StewardingError>;

    /// What applying the files would change.
    ///
    /// # Errors
    /// [`StewardingError`] for what would be refused.
    fn plan(&self, files: &[DeclaredFile]) -> Result<Outcome, StewardingError>;

    /// Makes people, grants, projects and statistics match the files.
    ///
    /// # Errors
    /// [`StewardingError`]; nothing changed.
    fn apply(&self, files: &[DeclaredFile], reason: &str) -> Result<Outcome, StewardingError>;

    /// At most `limit` entries of the ledger after number `after` that match a search, oldest first, as JSON.
    ///
    /// # Errors
    /// [`StewardingError`] if they cannot be read, or if the search cannot.
    fn entries(&self, sought: &SearchText<'_>, after: u64, limit: usize) -> Result<Vec<Value>, StewardingError>;

    /// What query files would cost as statistics.
    ///
    /// # Errors
    /// [`StewardingError`] if they cannot be checked.
    fn check_statistics(&self, files: &[DeclaredFile]) -> Result<Vec<StatisticCheck>, StewardingError>;

    /// Agrees to the price of a statistic's draws, unless one costs more than `most`. A server draws it at once if it is due.
    ///
    /// # Errors
    /// [`StewardingError`]; no agreement was recorded.
    fn publish_statistic(&self, name: &str, most: Option<Epsilon>) -> Result<PublishedStatistic, StewardingError>;
}
