//! Problems: the wording of every refusal and failure, for all doors.
//!
//! Each error of the service becomes a kind, a detail and a hint here, and nowhere else; a door adds only its own envelope, such as
//! an HTTP status or an SQLSTATE. A detail is made of the caller's own request and the public terms, never of a library's words.

use crate::kernel::budget::charge::Refusal;
use crate::kernel::budget::entry::AccountKind;
use crate::kernel::budget::ledger::LedgerFault;
use crate::kernel::budget::people::Role;
use crate::query::error::{Code, Position, QueryError};
use crate::service::asking::ask::AskFault;
use crate::service::publishing::adoption::AdoptionError;
use crate::service::publishing::sealings::SealingRefusal;
use crate::service::publishing::uploads::UploadFault;
use crate::service::views::Fit;
use crate::service::{Refused, ServiceError};

/// The kind of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub enum ProblemKind {
    /// No valid token came with the request.
    Unauthenticated,
    /// The caller may not do this.
    Forbidden,
    /// There is no dataset of this name that the caller may ask.
    UnknownDataset,
    /// The request is not valid.
    InvalidRequest,
    /// The accuracy, as ε or as a margin, is not valid.
    InvalidEpsilon,
    /// The text is not SQL, or is outside the supported part of it.
    UnsupportedSql,
    /// The question asks for rows and not for aggregates.
    NotAnAggregate,
    /// The dataset has no such column.
    UnknownColumn,
    /// A value in the question is outside of its column's domain.
    OutOfDomain,
    /// The answer would have more cells than one answer may hold.
    TooManyGroups,
    /// The question costs more than one question may.
    OverQueryLimit,
    /// An account that would have to pay does not hold the price.
    BudgetExhausted,
    /// Nothing is drawn from the dataset until its steward acts.
    Frozen,
    /// The idempotency key was used before, with another body.
    IdempotencyConflict,
    /// What the request would create exists already.
    AlreadyExists,
    /// What the request names does not exist, or the caller may not see it.
    NotFound,
    /// The route does not accept this method.
    MethodNotAllowed,
    /// None of the formats that the caller accepts is offered.
    NotAcceptable,
    /// The request has too many bytes.
    TooLarge,
    /// The server cannot do this at present; nothing was charged, unless the detail says otherwise.
    Overloaded,
    /// The question was charged, and its answer failed.
    Unanswered,
}

impl ProblemKind {
    /// The kind's code, for programs; the contract lists all of them.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::UnknownDataset => "unknown-dataset",
            Self::InvalidRequest | Self::MethodNotAllowed => "invalid-request",
            Self::InvalidEpsilon => "invalid-epsilon",
            Self::UnsupportedSql => "unsupported-sql",
            Self::NotAnAggregate => "not-an-aggregate",
            Self::UnknownColumn => "unknown-column",
            Self::OutOfDomain => "out-of-domain",
            Self::TooManyGroups => "too-many-groups",
            Self::OverQueryLimit => "over-query-limit",
            Self::BudgetExhausted => "budget-exhausted",
            Self::Frozen => "frozen",
            Self::IdempotencyConflict => "idempotency-conflict",
            Self::AlreadyExists => "already-exists",
            Self::NotFound => "not-found",
            Self::NotAcceptable => "not-acceptable",
            Self::TooLarge => "too-large",
            Self::Overloaded => "overloaded",
            Self::Unanswered => "unanswered",
        }
    }

    /// The kind in words, for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Unauthenticated => "A valid token is needed",
            Self::Forbidden => "This role may not do that",
            Self::UnknownDataset => "No such dataset",
            Self::InvalidRequest => "The request is not valid",
            Self::InvalidEpsilon => "The accuracy is not valid",
            Self::UnsupportedSql => "This SQL is not supported",
            Self::NotAnAggregate => "Only aggregates are answered",
            Self::UnknownColumn => "No such column",
            Self::OutOfDomain => "Not a value of the column",
            Self::TooManyGroups => "Too many groups",
            Self::OverQueryLimit => "Over the limit of one query",
            Self::BudgetExhausted => "The budget does not hold that much",
            Self::Frozen => "The dataset is frozen",
            Self::IdempotencyConflict => "The key was used before",
            Self::AlreadyExists => "It exists already",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "The method is not allowed here",
            Self::NotAcceptable => "No such format",
            Self::TooLarge => "The body is too large",
            Self::Overloaded => "The server is busy",
            Self::Unanswered => "Charged, but not answered",
        }
    }
}

/// Why a request was not fulfilled, in words for the caller.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The kind of problem.
    pub kind: ProblemKind,
    /// What is wrong with this request, and what would be accepted.
    pub detail: String,
    /// The position of the problem in the SQL; `None` if it is not about a place in it.
    pub position: Option<Position>,
    /// The nearest thing that is allowed, if there is one.
    pub hint: Option<String>,
    /// The price of what was asked for, as ε, if the charge was refused for it.
    pub epsilon_asked: Option<String>,
    /// The largest amount that could still be charged at once, as ε, if the account that would have to pay does not hold the price.
    pub epsilon_remaining: Option<String>,
    /// What the same question may cost, if its price does not fit.
    pub fits: Option<Fit>,
    /// The release that was charged and failed, if one was.
    pub release: Option<String>,
}

impl Problem {
    /// Creates a problem of this kind, without a hint.
    #[must_use]
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            position: None,
            hint: None,
            epsilon_asked: None,
            epsilon_remaining: None,
            fits: None,
            release: None,
        }
    }

    /// Adds a hint to the problem.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The problem that the caller may not do this.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Forbidden, detail)
    }

    /// The problem that something is for other roles than the caller's.
    #[must_use]
    pub fn for_others(role: Role, roles: &[Role]) -> Self {
        let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
        Self::forbidden(format!("your role is {role}; this is for a {}", names.join(" or ")))
    }

    /// The problem that a request is not valid.
    #[must_use]
    pub fn invalid_request(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::InvalidRequest, detail)
    }

    /// The problem that an accuracy, given as ε or margin, is not valid.
    #[must_use]
    pub fn invalid_epsilon(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::InvalidEpsilon, detail)
    }

    /// The problem that something does not exist, or may not be seen by the caller.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::NotFound, detail)
    }

    /// The problem that a caller cannot ask a dataset, whether it exists or not.
    #[must_use]
    pub fn unknown_dataset(name: &str) -> Self {
        let shown = crate::query::error::shown(name);
        Self::new(ProblemKind::UnknownDataset, format!("there is no dataset \"{shown}\" that you may ask"))
    }

    /// The problem that the server cannot do this at present.
    #[must_use]
    pub fn overloaded(detail: &str) -> Self {
        Self::new(ProblemKind::Overloaded, detail)
            .hint("try again in a moment, with the same Idempotency-Key if you sent one")
    }

    /// The kind of problem, in words.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.kind.title()
    }

    /// What is wrong with this request, and what would be accepted.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The nearest thing that is allowed, if there is a hint.
    #[must_use]
    pub fn shown_hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The kind of problem, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        let kind = match error.code {
            Code::UnsupportedSql => ProblemKind::UnsupportedSql,
            Code::UnknownDataset => ProblemKind::UnknownDataset,
            Code::NotAnAggregate => ProblemKind::NotAnAggregate,
            Code::UnknownColumn => ProblemKind::UnknownColumn,
            Code::OutOfDomain => ProblemKind::OutOfDomain,
            Code::TooManyGroups => ProblemKind::TooManyGroups,
            Code::InvalidRequest => ProblemKind::InvalidRequest,
        };
        Self { position: error.position, hint: error.hint, ..Self::new(kind, error.message) }
    }
}

impl From<AskFault> for Problem {
    fn from(fault: AskFault) -> Self {
        let kind = match fault {
            AskFault::Amount { .. } => ProblemKind::InvalidEpsilon,
            AskFault::LongPurpose
            | AskFault::EmptyGroups
            | AskFault::TwoAccuracies
            | AskFault::NoOutput
            | AskFault::DoubledOutput { .. } => ProblemKind::InvalidRequest,
        };
        Self::new(kind, fault.to_string())
    }
}

impl From<&UploadFault> for Problem {
    fn from(fault: &UploadFault) -> Self {
        match fault {
            UploadFault::TooLarge { .. } => Self::new(ProblemKind::TooLarge, fault.to_string()),
            UploadFault::NoPlace
            | UploadFault::Nothing
            | UploadFault::Format { .. }
            | UploadFault::Full { .. }
            | UploadFault::CutOff => Self::invalid_request(fault.to_string()),
            UploadFault::Storage(_) => Self::new(ProblemKind::Overloaded, fault.to_string())
                .hint("the disk of the server may be full; tell whoever runs it"),
        }
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Query(error) => error.into(),
            ServiceError::Accuracy(fault) => Self::new(ProblemKind::InvalidEpsilon, fault.to_string()),
            ServiceError::Unsaid => Self::invalid_request(
                "neither epsilon nor margin is given; say how accurate: \"epsilon\": \"0.1\" or \"margin\": \"25\"",
            ),
            ServiceError::Refused(refused) => refusal(&refused),
            ServiceError::Overloaded => Self::overloaded("too many queries are waiting"),
            ServiceError::CutOff => Self::overloaded("the work was cut off"),
            ServiceError::Away => Self::overloaded(
                "this dataset cannot be evaluated just now, and nothing was charged; if that lasts for more than a minute, tell whoever runs the server, whose log says why",
            ),
            ServiceError::Unanswered { release } => {
                let detail = "the query was charged, and its answer failed; an identical question under a new key is a new charge";
                Self { release: Some(release), ..Self::new(ProblemKind::Unanswered, detail) }
            }
            ServiceError::Ledger(LedgerFault::Store | LedgerFault::Closed) => {
                Self::overloaded("the ledger cannot be written; nothing was charged")
            }
            ServiceError::Ledger(LedgerFault::Unanchored) => {
                Self::overloaded("the answer is stored, but it may not be sent before the ledger's anchor is written")
            }
            ServiceError::Ledger(LedgerFault::Unreadable) => {
                Self::overloaded("the stored answer cannot be read; nothing was charged")
            }
            ServiceError::UnknownDataset(name) => Self::unknown_dataset(&name),
            ServiceError::NotFound(absence) => Self::new(ProblemKind::NotFound, absence.to_string()),
            ServiceError::AlreadyExists(conflict) => Self::new(ProblemKind::AlreadyExists, conflict.to_string()),
            ServiceError::Invalid(fault) => Self::new(ProblemKind::InvalidRequest, fault.to_string()),
            ServiceError::Declared(fault) => Self::new(ProblemKind::InvalidRequest, fault.to_string()),
        }
    }
}

impl From<SealingRefusal> for Problem {
    fn from(refusal: SealingRefusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            SealingRefusal::Adoption(AdoptionError::Ledger(error)) => error.into(),
            SealingRefusal::Faulty { .. }
            | SealingRefusal::TooLarge { .. }
            | SealingRefusal::Source(_)
            | SealingRefusal::Operator { .. }
            | SealingRefusal::NoUpload { .. }
            | SealingRefusal::Adoption(_) => Self::invalid_request(detail),
            SealingRefusal::UnderWay { .. } => Self::new(ProblemKind::AlreadyExists, detail),
            SealingRefusal::Unknown { .. } => Self::not_found(detail),
            SealingRefusal::Full | SealingRefusal::Unwritable { .. } | SealingRefusal::Chance(_) => {
                Self::new(ProblemKind::Overloaded, detail)
            }
        }
    }
}

fn told(epsilon: &Option<String>) -> String {
    epsilon.clone().unwrap_or_default()
}

fn refusal(refused: &Refused) -> Problem {
    Problem { fits: refused.fits.clone(), ..refusal_of(refused) }
}

fn refusal_of(refused: &Refused) -> Problem {
    let epsilon = |price, within: bool| {
        let accountant = refused.accountant?;
        let epsilon = if within { accountant.epsilon_within(price) } else { accountant.epsilon_spent(price) };
        Some(epsilon.to_string())
    };
    match &refused.refusal {
        Refusal::NoAccount => Problem::forbidden("you have no account in this dataset"),
        Refusal::OverQueryLimit { asked, limit } => {
            let (asked, limit) = (epsilon(*asked, false), epsilon(*limit, true));
            let more = if asked.as_deref() == Some("100") { "more than " } else { "" };
            let detail = format!(
                "the query costs {more}epsilon {}, and one query may cost at most {}",
                told(&asked),
                told(&limit)
            );
            Problem {
                epsilon_asked: asked,
                ..Problem::new(ProblemKind::OverQueryLimit, detail)
                    .hint("ask with a smaller epsilon or a wider margin; POST /v1/quotes says what fits")
            }
        }
        Refusal::Exhausted { asked, left, of } => exhausted(epsilon(*asked, false), epsilon(*left, true), *of),
        Refusal::CellsExhausted { limit } => Problem::new(
            ProblemKind::BudgetExhausted,
            format!("the dataset has drawn the {limit} noisy cells that its guarantee was proved for"),
        ),
        Refusal::ThresholdExhausted { asked, left } => Problem::new(
            ProblemKind::BudgetExhausted,
            format!(
                "groups without a public list take delta {asked}, and {left} is left of what the dataset sets aside"
            ),
        )
        .hint("asking again what was answered stays free"),
        Refusal::Frozen { .. } => Problem::new(
            ProblemKind::Frozen,
            "nothing is drawn from the dataset until its steward acts; nothing was charged",
        )
        .hint("asking again what was answered stays free"),
        Refusal::Gone => Problem::overloaded("the stored answer changed in the meantime; nothing was charged"),
        Refusal::KeyConflict => {
            Problem::new(ProblemKind::IdempotencyConflict, "this Idempotency-Key was used with another body")
                .hint("use a new key")
        }
        Refusal::Unanswered => {
            Problem::new(ProblemKind::Unanswered, "the query under this key was charged, and its answer failed")
                .hint("ask under a new key; it is a new charge")
        }
    }
}

/// The problem that an account which would have to pay does not hold the price.
fn exhausted(asked: Option<String>, left: Option<String>, of: AccountKind) -> Problem {
    let whose = match of {
        AccountKind::Researcher => "your account",
        AccountKind::Project => "your project's account",
        AccountKind::Statistics => "the statistics account",
        AccountKind::Dataset => "the dataset's lifetime cap",
    };
    let detail = format!(
        "the query costs epsilon {} of {whose}, and at most {} could still be charged",
        told(&asked),
        told(&left)
    );
    let hint = match left.as_deref() {
        Some("0") => "nothing fits any more; asking again what was answered stays free, and the steward may grant more"
            .to_owned(),
        _ => format!("ask with epsilon \"{}\" or less, or ask the steward for a grant", told(&left)),
    };
    Problem {
        epsilon_asked: asked,
        epsilon_remaining: left,
        ..Problem::new(ProblemKind::BudgetExhausted, detail).hint(hint)
    }
}
