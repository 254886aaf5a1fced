//! Why a request was not fulfilled: the errors of the service, as facts for whoever has to explain them.

use crate::kernel::budget::charge::Refusal;
use crate::kernel::budget::ledger::LedgerFault;
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::certificate::Uncertifiable;
use crate::query::error::QueryError;
use crate::service::stewarding::declared::DeclaredFault;
use crate::service::stewarding::fault::{Absence, Conflict, StewardFault};
use crate::service::views::Fit;

/// Why a question or a steward's request was not answered.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The question cannot be answered: its SQL is wrong, or outside of what is supported.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The accuracy asked for cannot be charged, for instance because it is worth less than the smallest price.
    #[error(transparent)]
    Accuracy(#[from] Uncertifiable),
    /// The question does not say how accurate the answer should be.
    #[error("neither epsilon nor margin is given")]
    Unsaid,
    /// The charge was not admitted; nothing was charged.
    #[error("refused: {}", .0.refusal)]
    Refused(Box<Refused>),
    /// Too many queries are waiting already; nothing was charged.
    #[error("too many queries are waiting")]
    Overloaded,
    /// The work broke off before anything was charged for it.
    #[error("the work was cut off")]
    CutOff,
    /// No worker can evaluate this dataset at the moment; nothing was charged.
    #[error("no worker can evaluate this dataset at the moment")]
    Away,
    /// The question was charged, but the answer failed. The charge stands.
    #[error("the answer {release} failed after its charge")]
    Unanswered {
        /// The id that the release would have had.
        release: String,
    },
    /// The ledger cannot be written; nothing was charged.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
    /// There is no dataset of this name.
    #[error("there is no dataset \"{0}\"")]
    UnknownDataset(String),
    /// What the request names does not exist.
    #[error(transparent)]
    NotFound(#[from] Absence),
    /// What the request would create or decide exists, or is decided, already.
    #[error(transparent)]
    AlreadyExists(#[from] Conflict),
    /// A steward's request, or a request for budget, that breaks a rule.
    #[error(transparent)]
    Invalid(#[from] StewardFault),
    /// Declared files that are wrong, or that cannot be applied.
    #[error(transparent)]
    Declared(#[from] DeclaredFault),
}

/// A refusal, with what is needed to explain it to the asker.
#[derive(Debug)]
pub struct Refused {
    /// Why the charge was not admitted, with the amounts involved.
    pub refusal: Refusal,
    /// The dataset in question; empty for an idempotency key that was used before.
    pub dataset: String,
    /// The dataset's accountant, which converts amounts to ε; `None` if the dataset is not known.
    pub accountant: Option<Accountant>,
    /// What the same question may cost, if it was refused for its price.
    pub fits: Option<Fit>,
}
