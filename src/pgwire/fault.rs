//! Errors as PostgreSQL's clients expect them: an SQLSTATE, a message, and what helps. The only place that gives SQLSTATEs to problems.

use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::response::{ErrorResponse, NoticeResponse};

use super::frames::FrameFault;
use crate::query::error::{Position, QueryError};
use crate::service::ServiceError;
use crate::service::problem::{Problem, ProblemKind};

/// SQLSTATEs that this door sends.
pub(super) mod state {
    pub(in crate::pgwire) const PROTOCOL: &str = "08P01";
    pub(in crate::pgwire) const UNSUPPORTED: &str = "0A000";
    pub(in crate::pgwire) const INVALID_VALUE: &str = "22023";
    pub(in crate::pgwire) const ENCODING: &str = "22021";
    pub(in crate::pgwire) const NOT_A_VALUE: &str = "22P02";
    pub(in crate::pgwire) const BINARY: &str = "22P03";
    pub(in crate::pgwire) const NO_BLOCK: &str = "25P01";
    pub(in crate::pgwire) const FAILED_BLOCK: &str = "25P02";
    pub(in crate::pgwire) const NO_STATEMENT: &str = "26000";
    pub(in crate::pgwire) const NOBODY: &str = "28000";
    pub(in crate::pgwire) const WRONG_TOKEN: &str = "28P01";
    pub(in crate::pgwire) const NO_CURSOR: &str = "34000";
    pub(in crate::pgwire) const NO_DATABASE: &str = "3D000";
    pub(in crate::pgwire) const FORBIDDEN: &str = "42501";
    pub(in crate::pgwire) const NO_COLUMN: &str = "42703";
    pub(in crate::pgwire) const NO_OBJECT: &str = "42704";
    pub(in crate::pgwire) const NO_TABLE: &str = "42P01";
    pub(in crate::pgwire) const CURSOR_HELD: &str = "42P03";
    pub(in crate::pgwire) const STATEMENT_HELD: &str = "42P05";
    pub(in crate::pgwire) const BUSY: &str = "53000";
    pub(in crate::pgwire) const CONNECTIONS: &str = "53300";
    pub(in crate::pgwire) const BUDGET: &str = "53400";
    pub(in crate::pgwire) const TOO_MUCH: &str = "54000";
    pub(in crate::pgwire) const FROZEN: &str = "55000";
    pub(in crate::pgwire) const CANCELLED: &str = "57014";
    pub(in crate::pgwire) const FAILED: &str = "XX000";
}

/// The hint for whoever asks for rows.
const ROWS: &str = "rows are not given away; ask for an aggregate: SELECT COUNT(*) FROM …";

/// Why a statement, or a connection, was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct DoorFault {
    /// The code of five characters that clients tell errors apart by.
    pub(super) state: &'static str,
    /// What is wrong, in one sentence for the person who sent the statement.
    pub(super) message: String,
    /// More of it, in numbers.
    pub(super) detail: Option<String>,
    /// What would be accepted.
    pub(super) hint: Option<String>,
    /// Where in the statement it is.
    pub(super) at: Option<Position>,
    /// Whether the connection ends with it.
    pub(super) is_fatal: bool,
}

impl DoorFault {
    pub(super) fn new(state: &'static str, message: impl Into<String>) -> Self {
        Self { state, message: message.into(), detail: None, hint: None, at: None, is_fatal: false }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names this table, if there is one, in the hint for whoever asks for rows.
    pub(super) fn about(mut self, table: Option<String>) -> Self {
        if let (Some(ROWS), Some(table)) = (self.hint.as_deref(), table) {
            self.hint = Some(ROWS.replace('…', &table));
        }
        self
    }

    pub(super) fn fatal(mut self) -> Self {
        self.is_fatal = true;
        self
    }

    /// The frame that says it; `at` is the place in the text that the client sent, in characters from 1.
    pub(super) fn frame(&self, at: Option<usize>) -> PgWireBackendMessage {
        let severity = if self.is_fatal { "FATAL" } else { "ERROR" };
        let mut fields = vec![
            (b'S', severity.to_owned()),
            (b'V', severity.to_owned()),
            (b'C', self.state.to_owned()),
            (b'M', clean(&self.message)),
        ];
        fields.extend(self.detail.as_ref().map(|text| (b'D', clean(text))));
        fields.extend(self.hint.as_ref().map(|text| (b'H', clean(text))));
        fields.extend(at.map(|at| (b'P', at.to_string())));
        PgWireBackendMessage::ErrorResponse(ErrorResponse::new(fields))
    }
}

/// A notice: a message and its detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    /// The notice's text, of one line.
    pub(super) message: String,
    /// More of it; empty if there is no more.
    pub(super) detail: String,
}

impl Notice {
    /// The frame that says it.
    pub(super) fn frame(&self) -> PgWireBackendMessage {
        let mut fields = vec![
            (b'S', "NOTICE".to_owned()),
            (b'V', "NOTICE".to_owned()),
            (b'C', "00000".to_owned()),
            (b'M', clean(&self.message)),
        ];
        if !self.detail.is_empty() {
            fields.push((b'D', clean(&self.detail)));
        }
        PgWireBackendMessage::NoticeResponse(NoticeResponse::new(fields))
    }
}

/// A text without the byte that ends texts in frames.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn state_of(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::Unauthenticated => state::WRONG_TOKEN,
        ProblemKind::Forbidden | ProblemKind::NotAnAggregate => state::FORBIDDEN,
        ProblemKind::UnknownDataset => state::NO_TABLE,
        ProblemKind::InvalidRequest | ProblemKind::InvalidEpsilon | ProblemKind::IdempotencyConflict => {
            state::INVALID_VALUE
        }
        ProblemKind::UnsupportedSql | ProblemKind::MethodNotAllowed | ProblemKind::NotAcceptable => state::UNSUPPORTED,
        ProblemKind::UnknownColumn => state::NO_COLUMN,
        ProblemKind::OutOfDomain => state::NOT_A_VALUE,
        ProblemKind::TooManyGroups | ProblemKind::TooLarge => state::TOO_MUCH,
        ProblemKind::OverQueryLimit | ProblemKind::BudgetExhausted => state::BUDGET,
        ProblemKind::Frozen => state::FROZEN,
        ProblemKind::AlreadyExists | ProblemKind::NotFound => state::NO_OBJECT,
        ProblemKind::Overloaded => state::BUSY,
        ProblemKind::Unanswered => state::FAILED,
    }
}

impl From<Problem> for DoorFault {
    fn from(problem: Problem) -> Self {
        let state = state_of(problem.kind);
        let Problem { kind, detail, position, hint, epsilon_asked, epsilon_remaining, fits, release } = problem;
        let numbers = [
            epsilon_asked.map(|asked| format!("asked: epsilon {asked}")),
            epsilon_remaining.map(|left| format!("left: epsilon {left}")),
            release.map(|release| format!("release: {release}")),
        ];
        let numbers: Vec<String> = numbers.into_iter().flatten().collect();
        let fits = fits.filter(|fits| fits.largest_epsilon.nanos() > 0).map(|fits| {
            let margin = fits.margin.map_or_else(String::new, |margin| format!(", with a margin of about {margin}"));
            format!("epsilon {} fits{margin}: SET tacit.epsilon = '{}'", fits.largest_epsilon, fits.largest_epsilon)
        });
        let hint = match (kind, hint) {
            (ProblemKind::NotAnAggregate, None) => Some(ROWS.to_owned()),
            // This door has no route for quotes, and no keys.
            (ProblemKind::OverQueryLimit, _) => Some(fits.unwrap_or_else(|| {
                "ask with a smaller epsilon or a wider margin; EXPLAIN says what a query costs".to_owned()
            })),
            (ProblemKind::BudgetExhausted, hint) => fits.or(hint),
            (ProblemKind::Overloaded, _) => Some("try again in a moment".to_owned()),
            (_, hint) => hint,
        };
        let detail_text = (!numbers.is_empty()).then(|| numbers.join("; "));
        Self { detail: detail_text, hint, at: position, ..Self::new(state, detail) }
    }
}

impl From<ServiceError> for DoorFault {
    fn from(error: ServiceError) -> Self {
        if let ServiceError::Unsaid = error {
            return Self::new(state::INVALID_VALUE, "the query does not say how accurate the answer should be").hint(
                "say it in one of three ways: SET tacit.epsilon = '0.1' (or SET tacit.margin = '25') before the query; the \
                 connection option options='-c tacit.epsilon=0.1'; or a comment in the query, /* epsilon 0.1 */ or /* margin 25 */",
            );
        }
        Problem::from(error).into()
    }
}

impl From<QueryError> for DoorFault {
    fn from(error: QueryError) -> Self {
        Problem::from(error).into()
    }
}

impl From<FrameFault> for DoorFault {
    fn from(fault: FrameFault) -> Self {
        let state = match fault {
            FrameFault::Encoding => state::ENCODING,
            FrameFault::Length { .. } | FrameFault::Type(_) | FrameFault::Version(_) | FrameFault::Body => {
                state::PROTOCOL
            }
        };
        Self { is_fatal: !fault.is_passed_over(), ..Self::new(state, fault.to_string()) }
    }
}
