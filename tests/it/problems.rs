//! The table of problems: every kind with its code and its HTTP status, and every error of the service with the kind that it becomes.

use std::collections::BTreeSet;

use strum::VariantArray;
use tacit::http::problem::status;
use tacit::kernel::budget::charge::Refusal;
use tacit::kernel::budget::entry::AccountKind;
use tacit::kernel::budget::ledger::LedgerFault;
use tacit::kernel::privacy::accountant::Accountant;
use tacit::kernel::privacy::amounts::{Delta, Price};
use tacit::kernel::privacy::certificate::Uncertifiable;
use tacit::query::error::{Code, QueryError};
use tacit::service::problem::{Problem, ProblemKind};
use tacit::service::stewarding::declared::DeclaredFault;
use tacit::service::stewarding::fault::{Absence, Conflict, StewardFault};
use tacit::service::{Refused, ServiceError};

/// Every kind with its code and status, as the contract has them.
const KINDS: [(ProblemKind, &str, u16); 21] = [
    (ProblemKind::Unauthenticated, "unauthenticated", 401),
    (ProblemKind::Forbidden, "forbidden", 403),
    (ProblemKind::UnknownDataset, "unknown-dataset", 404),
    (ProblemKind::InvalidRequest, "invalid-request", 400),
    (ProblemKind::InvalidEpsilon, "invalid-epsilon", 400),
    (ProblemKind::UnsupportedSql, "unsupported-sql", 400),
    (ProblemKind::NotAnAggregate, "not-an-aggregate", 400),
    (ProblemKind::UnknownColumn, "unknown-column", 400),
    (ProblemKind::OutOfDomain, "out-of-domain", 400),
    (ProblemKind::TooManyGroups, "too-many-groups", 400),
    (ProblemKind::OverQueryLimit, "over-query-limit", 403),
    (ProblemKind::BudgetExhausted, "budget-exhausted", 403),
    (ProblemKind::Frozen, "frozen", 403),
    (ProblemKind::IdempotencyConflict, "idempotency-conflict", 409),
    (ProblemKind::AlreadyExists, "already-exists", 409),
    (ProblemKind::NotFound, "not-found", 404),
    (ProblemKind::MethodNotAllowed, "invalid-request", 405),
    (ProblemKind::NotAcceptable, "not-acceptable", 406),
    (ProblemKind::TooLarge, "too-large", 413),
    (ProblemKind::Overloaded, "overloaded", 503),
    (ProblemKind::Unanswered, "unanswered", 500),
];

#[test]
fn every_kind_has_its_code_and_status() {
    assert_eq!(KINDS.map(|(kind, ..)| kind), ProblemKind::VARIANTS);
    let mut titles = BTreeSet::new();
    for (kind, code, expected) in KINDS {
        assert_eq!((kind.code(), status(kind).as_u16()), (code, expected));
        assert!(titles.insert(kind.title()), "{code}: two kinds have one title");
    }
}

/// The variant of an error, by number. A new variant does not compile until it is here, and the tests fail until it is in their tables.
fn variant(error: &ServiceError) -> usize {
    match error {
        ServiceError::Query(_) => 0,
        ServiceError::Accuracy(_) => 1,
        ServiceError::Unsaid => 2,
        ServiceError::Refused(_) => 3,
        ServiceError::Overloaded => 4,
        ServiceError::CutOff => 5,
        ServiceError::Away => 6,
        ServiceError::Unanswered { .. } => 7,
        ServiceError::Ledger(_) => 8,
        ServiceError::UnknownDataset(_) => 9,
        ServiceError::NotFound(_) => 10,
        ServiceError::AlreadyExists(_) => 11,
        ServiceError::Invalid(_) => 12,
        ServiceError::Declared(_) => 13,
    }
}
const VARIANTS: usize = 14;

fn variant_of_refusal(refusal: &Refusal) -> usize {
    match refusal {
        Refusal::NoAccount => 0,
        Refusal::OverQueryLimit { .. } => 1,
        Refusal::Exhausted { .. } => 2,
        Refusal::CellsExhausted { .. } => 3,
        Refusal::ThresholdExhausted { .. } => 4,
        Refusal::Frozen { .. } => 5,
        Refusal::Gone => 6,
        Refusal::KeyConflict => 7,
        Refusal::Unanswered => 8,
    }
}
const REFUSALS: usize = 9;

fn refused(refusal: Refusal) -> ServiceError {
    let dataset = "visits".to_owned();
    ServiceError::Refused(Box::new(Refused { refusal, dataset, accountant: Some(Accountant::Pure), fits: None }))
}

#[test]
fn every_error_of_the_service_has_a_kind() {
    let text = || "detail".to_owned();
    let table = [
        (ServiceError::Query(QueryError::whole(Code::UnsupportedSql, "detail")), ProblemKind::UnsupportedSql),
        (ServiceError::Query(QueryError::whole(Code::UnknownDataset, "detail")), ProblemKind::UnknownDataset),
        (ServiceError::Query(QueryError::whole(Code::NotAnAggregate, "detail")), ProblemKind::NotAnAggregate),
        (ServiceError::Query(QueryError::whole(Code::UnknownColumn, "detail")), ProblemKind::UnknownColumn),
        (ServiceError::Query(QueryError::whole(Code::OutOfDomain, "detail")), ProblemKind::OutOfDomain),
        (ServiceError::Query(QueryError::whole(Code::TooManyGroups, "detail")), ProblemKind::TooManyGroups),
        (ServiceError::Query(QueryError::whole(Code::InvalidRequest, "detail")), ProblemKind::InvalidRequest),
        (ServiceError::Accuracy(Uncertifiable::TooLittle), ProblemKind::InvalidEpsilon),
        (ServiceError::Unsaid, ProblemKind::InvalidRequest),
        (refused(Refusal::NoAccount), ProblemKind::Forbidden),
        (ServiceError::Overloaded, ProblemKind::Overloaded),
        (ServiceError::CutOff, ProblemKind::Overloaded),
        (ServiceError::Away, ProblemKind::Overloaded),
        (ServiceError::Unanswered { release: text() }, ProblemKind::Unanswered),
        (ServiceError::Ledger(LedgerFault::Store), ProblemKind::Overloaded),
        (ServiceError::Ledger(LedgerFault::Closed), ProblemKind::Overloaded),
        (ServiceError::Ledger(LedgerFault::Unanchored), ProblemKind::Overloaded),
        (ServiceError::Ledger(LedgerFault::Unreadable), ProblemKind::Overloaded),
        (ServiceError::UnknownDataset(text()), ProblemKind::UnknownDataset),
        (ServiceError::NotFound(Absence::Person { name: text() }), ProblemKind::NotFound),
        (ServiceError::AlreadyExists(Conflict::TokenHeld { name: text() }), ProblemKind::AlreadyExists),
        (ServiceError::Invalid(StewardFault::Reason), ProblemKind::InvalidRequest),
        (ServiceError::Declared(DeclaredFault::Files { files: 0 }), ProblemKind::InvalidRequest),
    ];
    let mut seen = BTreeSet::new();
    for (error, kind) in table {
        seen.insert(variant(&error));
        let what = format!("{error:?}");
        let problem = Problem::from(error);
        assert_eq!(problem.kind, kind, "{what}");
        assert!(!problem.detail.is_empty(), "{what}");
    }
    assert_eq!(seen, (0..VARIANTS).collect(), "every variant is in the table");
}

#[test]
fn every_refusal_has_a_kind() {
    let price = Price::from_quanta(1);
    let delta = Delta::parse("1e-9").expect("a delta");
    let table = [
        (Refusal::NoAccount, ProblemKind::Forbidden),
        (Refusal::OverQueryLimit { asked: price, limit: price }, ProblemKind::OverQueryLimit),
        (Refusal::Exhausted { asked: price, left: price, of: AccountKind::Researcher }, ProblemKind::BudgetExhausted),
        (Refusal::CellsExhausted { limit: 1 }, ProblemKind::BudgetExhausted),
        (Refusal::ThresholdExhausted { asked: delta, left: delta }, ProblemKind::BudgetExhausted),
        (Refusal::Frozen { incidents: 3 }, ProblemKind::Frozen),
        (Refusal::Gone, ProblemKind::Overloaded),
        (Refusal::KeyConflict, ProblemKind::IdempotencyConflict),
        (Refusal::Unanswered, ProblemKind::Unanswered),
    ];
    let mut seen = BTreeSet::new();
    for (refusal, kind) in table {
        seen.insert(variant_of_refusal(&refusal));
        assert_eq!(Problem::from(refused(refusal)).kind, kind);
    }
    assert_eq!(seen, (0..REFUSALS).collect(), "every variant is in the table");
}
