//! Problem documents (RFC 9457): the only place that assigns HTTP meaning to problems.
//!
//! What a problem says is decided in [`crate::service::problem`]. This module adds its status and puts it into JSON; the wording of what
//! concerns HTTP alone, such as tokens in headers, is here, too.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use crate::kernel::budget::people::TokenRefused;
use crate::query::error::Position;
pub use crate::service::problem::{Problem, ProblemKind};
use crate::service::views::timestamp;

/// A problem document, which explains why a request was not fulfilled.
#[derive(Serialize, utoipa::ToSchema)]
struct Document {
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
    /// The largest ε at which the same question would be answered, if its price does not fit; 0 if none fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    largest_epsilon: Option<String>,
    /// The margin that `largest_epsilon` buys, as decimal text: the widest of counts and sums, or that of the only output.
    #[serde(skip_serializing_if = "Option::is_none")]
    margin: Option<String>,
    /// The release that was charged and failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<String>,
}

impl From<Problem> for Document {
    fn from(problem: Problem) -> Self {
        let (code, title, status) = (problem.code(), problem.title(), problem.status().as_u16());
        let Problem { kind: _, detail, position, hint, epsilon_asked, epsilon_remaining, fits, release } = problem;
        let largest_epsilon = fits.as_ref().map(|fits| fits.largest_epsilon.to_string());
        let margin = fits.and_then(|fits| fits.margin).map(|margin| margin.to_string());
        let r#type = format!("urn:tacit:problem:{code}");
        Self {
            r#type,
            title,
            status,
            detail,
            code,
            position,
            hint,
            epsilon_asked,
            epsilon_remaining,
            largest_epsilon,
            margin,
            release,
        }
    }
}

impl utoipa::PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        <Document as utoipa::PartialSchema>::schema()
    }
}

impl utoipa::ToSchema for Problem {}

/// What a response says to whoever shows no token.
const BEARER: &str = "Bearer";

/// The HTTP status of a kind of problem.
#[must_use]
pub fn status(kind: ProblemKind) -> StatusCode {
    match kind {
        ProblemKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ProblemKind::Forbidden | ProblemKind::OverQueryLimit | ProblemKind::BudgetExhausted | ProblemKind::Frozen => {
            StatusCode::FORBIDDEN
        }
        ProblemKind::UnknownDataset | ProblemKind::NotFound => StatusCode::NOT_FOUND,
        ProblemKind::InvalidRequest
        | ProblemKind::InvalidEpsilon
        | ProblemKind::UnsupportedSql
        | ProblemKind::NotAnAggregate
        | ProblemKind::UnknownColumn
        | ProblemKind::OutOfDomain
        | ProblemKind::TooManyGroups => StatusCode::BAD_REQUEST,
        ProblemKind::IdempotencyConflict | ProblemKind::AlreadyExists => StatusCode::CONFLICT,
        ProblemKind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ProblemKind::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        ProblemKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ProblemKind::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        ProblemKind::Unanswered => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl Problem {
    /// The HTTP status of the problem.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        status(self.kind)
    }

    /// The problem (401) that a request carries no valid token.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(ProblemKind::Unauthenticated, "the request carries no valid token")
            .hint("send the header Authorization: Bearer <token>; a steward gives tokens")
    }

    /// The problem (401) that a token lets nobody in: it is unknown, or its time is over.
    #[must_use]
    pub fn token_refused(refused: &TokenRefused) -> Self {
        match refused {
            TokenRefused::Unknown => Self::unauthenticated(),
            TokenRefused::Expired { at_ms } => {
                let detail = format!("the token expired at {}", timestamp(*at_ms));
                Self::new(ProblemKind::Unauthenticated, detail).hint("ask a steward for another token")
            }
        }
    }

    /// The problem (401) that a signed link does not open what it was sent to, for whatever reason.
    #[must_use]
    pub fn link_ended() -> Self {
        Self::new(ProblemKind::Unauthenticated, "the link has ended, or it was not made for this address")
            .hint("ask whoever gave it to you for another one, or send a token")
    }

    /// The problem (405) that a route does not accept the method.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        let detail = "this route does not take that method; GET /openapi.json lists what it takes";
        Self::new(ProblemKind::MethodNotAllowed, detail)
    }

    /// The problem (406) that no format in `Accept` is offered.
    #[must_use]
    pub fn not_acceptable() -> Self {
        Self::new(ProblemKind::NotAcceptable, "none of the formats in Accept is offered").hint(
            "offered are application/json, text/csv, application/vnd.apache.arrow.stream, application/vnd.apache.parquet and others; \
             format in the address asks for one by a short name, like format=csv",
        )
    }

    /// The problem (413) that a body has more than `bytes_max` bytes.
    #[must_use]
    pub fn too_large(bytes_max: usize) -> Self {
        let detail = format!("the body has more than {bytes_max} bytes, the most that is read");
        Self::new(ProblemKind::TooLarge, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let authenticate = status == StatusCode::UNAUTHORIZED;
        let mut response = (status, Json(Document::from(self))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if authenticate {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(BEARER));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
