//! Problem documents (RFC 9457): the only place that assigns HTTP meaning to errors.
//!
//! A `detail` is made of the caller's own request and the public terms, never of a library's words.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::kernel::budget::charge::Refusal;
use crate::kernel::budget::ledger::LedgerFault;
use crate::query::error::{Code, Position, QueryError};
use crate::service::{Refused, ServiceError};

/// A problem document, which explains why a request was not fulfilled.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// `urn:tacit:problem:` followed by the code.
    r#type: String,
    /// The kind of problem, in words.
    title: &'static str,
    /// The HTTP status code.
    status: u16,
    /// What is wrong with this request, and what would be accepted.
    detail: String,
    /// The kind of problem, for programs.
    code: &'static str,
    /// The position of the problem in the SQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    position: Option<Position>,
    /// The nearest thing that is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// The price of what was asked for, as ε.
    #[serde(skip_serializing_if = "Option::is_none")]
    epsilon_asked: Option<String>,
    /// The largest amount that could still be charged at once, as ε.
    #[serde(skip_serializing_if = "Option::is_none")]
    epsilon_remaining: Option<String>,
    /// The release that was charged and failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<String>,
}

/// The code, HTTP status and title of a kind of problem.
type Kind = (&'static str, StatusCode, &'static str);

const UNAUTHENTICATED: Kind = ("unauthenticated", StatusCode::UNAUTHORIZED, "A valid token is needed");
const FORBIDDEN: Kind = ("forbidden", StatusCode::FORBIDDEN, "This role may not do that");
const UNKNOWN_DATASET: Kind = ("unknown-dataset", StatusCode::NOT_FOUND, "No such dataset");
const INVALID_REQUEST: Kind = ("invalid-request", StatusCode::BAD_REQUEST, "The request is not valid");
const INVALID_EPSILON: Kind = ("invalid-epsilon", StatusCode::BAD_REQUEST, "The accuracy is not valid");
const UNSUPPORTED_SQL: Kind = ("unsupported-sql", StatusCode::BAD_REQUEST, "This SQL is not supported");
const NOT_AN_AGGREGATE: Kind = ("not-an-aggregate", StatusCode::BAD_REQUEST, "Only aggregates are answered");
const UNKNOWN_COLUMN: Kind = ("unknown-column", StatusCode::BAD_REQUEST, "No such column");
const OUT_OF_DOMAIN: Kind = ("out-of-domain", StatusCode::BAD_REQUEST, "Not a value of the column");
const TOO_MANY_GROUPS: Kind = ("too-many-groups", StatusCode::BAD_REQUEST, "Too many groups");
const OVER_QUERY_LIMIT: Kind = ("over-query-limit", StatusCode::FORBIDDEN, "Over the limit of one query");
const BUDGET_EXHAUSTED: Kind = ("budget-exhausted", StatusCode::FORBIDDEN, "The budget does not hold that much");
const FROZEN: Kind = ("frozen", StatusCode::FORBIDDEN, "The dataset is frozen");
const IDEMPOTENCY_CONFLICT: Kind = ("idempotency-conflict", StatusCode::CONFLICT, "The key was used before");
const ALREADY_EXISTS: Kind = ("already-exists", StatusCode::CONFLICT, "It exists already");
const NOT_FOUND: Kind = ("not-found", StatusCode::NOT_FOUND, "Not found");
const METHOD_NOT_ALLOWED: Kind = ("invalid-request", StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed here");
const NOT_ACCEPTABLE: Kind = ("not-acceptable", StatusCode::NOT_ACCEPTABLE, "No such format");
const TOO_LARGE: Kind = ("too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large");
const OVERLOADED: Kind = ("overloaded", StatusCode::SERVICE_UNAVAILABLE, "The server is busy");
const UNANSWERED: Kind = ("unanswered", StatusCode::INTERNAL_SERVER_ERROR, "Charged, but not answered");

impl Problem {
    fn new((code, status, title): Kind, detail: impl Into<String>) -> Self {
        Self {
            r#type: format!("urn:tacit:problem:{code}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            code,
            position: None,
            hint: None,
            epsilon_asked: None,
            epsilon_remaining: None,
            release: None,
        }
    }

    /// Adds a hint to the problem.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The problem (401) that a request carries no valid token.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(UNAUTHENTICATED, "the request carries no valid token")
            .hint("send the header Authorization: Bearer <token>; a steward gives tokens")
    }

    /// The problem (403) that the caller may not do this.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(FORBIDDEN, detail)
    }

    /// The problem (400) that a request is not valid.
    #[must_use]
    pub fn invalid_request(detail: impl Into<String>) -> Self {
        Self::new(INVALID_REQUEST, detail)
    }

    /// The problem (400) that an accuracy, given as ε or margin, is not valid.
    #[must_use]
    pub fn invalid_epsilon(detail: impl Into<String>) -> Self {
        Self::new(INVALID_EPSILON, detail)
    }

    /// The problem (404) that something does not exist, or may not be seen by the caller.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(NOT_FOUND, detail)
    }

    /// The problem (404) that a caller cannot ask a dataset, whether it exists or not.
    #[must_use]
    pub fn unknown_dataset(name: &str) -> Self {
        let shown = crate::query::error::shown(name);
        Self::new(UNKNOWN_DATASET, format!("there is no dataset \"{shown}\" that you may ask"))
    }

    /// The problem (405) that a route does not accept the method.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::new(METHOD_NOT_ALLOWED, "this route does not take that method; GET /openapi.json lists what it takes")
    }

    /// The problem (406) that no format in `Accept` is offered.
    #[must_use]
    pub fn not_acceptable() -> Self {
        Self::new(NOT_ACCEPTABLE, "none of the formats in Accept is offered").hint(
            "offered are application/json, text/csv, application/vnd.apache.arrow.stream and \
             application/vnd.apache.parquet",
        )
    }

    /// The problem (413) that a body has more than `bytes_max` bytes.
    #[must_use]
    pub fn too_large(bytes_max: usize) -> Self {
        Self::new(TOO_LARGE, format!("the body has more than {bytes_max} bytes, the most that is read"))
    }

    /// The problem (503) that the server cannot do this at present.
    #[must_use]
    pub fn overloaded(detail: &str) -> Self {
        Self::new(OVERLOADED, detail).hint("try again in a moment, with the same Idempotency-Key if you sent one")
    }

    /// The HTTP status of the problem.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The kind of problem, in words.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.title
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
        self.code
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        let kind = match error.code {
            Code::UnsupportedSql => UNSUPPORTED_SQL,
            Code::UnknownDataset => UNKNOWN_DATASET,
            Code::NotAnAggregate => NOT_AN_AGGREGATE,
            Code::UnknownColumn => UNKNOWN_COLUMN,
            Code::OutOfDomain => OUT_OF_DOMAIN,
            Code::TooManyGroups => TOO_MANY_GROUPS,
            Code::InvalidRequest => INVALID_REQUEST,
        };
        Self { position: error.position, hint: error.hint, ..Self::new(kind, error.message) }
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Query(error) => error.into(),
            ServiceError::Accuracy(detail) => Self::new(INVALID_EPSILON, detail),
            ServiceError::Unsaid => Self::invalid_request(
                "neither epsilon nor margin is given; say how accurate: \"epsilon\": \"0.1\" or \"margin\": \"25\"",
            ),
            ServiceError::Refused(refused) => refusal(&refused),
            ServiceError::Overloaded => Self::overloaded("too many queries are waiting"),
            ServiceError::CutOff => Self::overloaded("the work was cut off"),
            ServiceError::Away => Self::overloaded(
                "no worker of this dataset is up just now; another is being started, and nothing was charged",
            ),
            ServiceError::Unanswered { release } => {
                let detail = "the query was charged, and its answer failed; an identical question under a new key is a new charge";
                Self { release: Some(release), ..Self::new(UNANSWERED, detail) }
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
            ServiceError::NotFound(detail) => Self::new(NOT_FOUND, detail),
            ServiceError::AlreadyExists(detail) => Self::new(ALREADY_EXISTS, detail),
            ServiceError::Invalid(detail) => Self::new(INVALID_REQUEST, detail),
        }
    }
}

fn told(epsilon: &Option<String>) -> String {
    epsilon.clone().unwrap_or_default()
}

fn refusal(refused: &Refused) -> Problem {
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
                ..Problem::new(OVER_QUERY_LIMIT, detail)
                    .hint("ask with a smaller epsilon or a wider margin; POST /v1/quotes says what fits")
            }
        }
        Refusal::Exhausted { asked, left, of } => exhausted(epsilon(*asked, false), epsilon(*left, true), *of),
        Refusal::CellsExhausted { limit } => Problem::new(
            BUDGET_EXHAUSTED,
            format!("the dataset has drawn the {limit} noisy cells that its guarantee was proved for"),
        ),
        Refusal::ThresholdExhausted { asked, left } => Problem::new(
            BUDGET_EXHAUSTED,
            format!(
                "groups without a public list take delta {asked}, and {left} is left of what the dataset sets aside"
            ),
        )
        .hint("group by a column with a public domain; asking again what was answered stays free"),
        Refusal::Frozen { .. } => {
            Problem::new(FROZEN, "nothing is drawn from the dataset until its steward acts; nothing was charged")
                .hint("asking again what was answered stays free")
        }
        Refusal::Gone => Problem::overloaded("the stored answer changed in the meantime; nothing was charged"),
        Refusal::KeyConflict => {
            Problem::new(IDEMPOTENCY_CONFLICT, "this Idempotency-Key was used with another body").hint("use a new key")
        }
        Refusal::Unanswered => Problem::new(UNANSWERED, "the query under this key was charged, and its answer failed")
            .hint("ask under a new key; it is a new charge"),
    }
}

/// The problem that an account which would have to pay does not hold the price.
fn exhausted(asked: Option<String>, left: Option<String>, of: crate::kernel::budget::entry::AccountKind) -> Problem {
    let whose = match of {
        crate::kernel::budget::entry::AccountKind::Researcher => "your account",
        crate::kernel::budget::entry::AccountKind::Project => "your project's account",
        crate::kernel::budget::entry::AccountKind::Statistics => "the statistics account",
        crate::kernel::budget::entry::AccountKind::Dataset => "the dataset's lifetime cap",
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
    Problem { epsilon_asked: asked, epsilon_remaining: left, ..Problem::new(BUDGET_EXHAUSTED, detail).hint(hint) }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let authenticate = status == StatusCode::UNAUTHORIZED;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if authenticate {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
