//! Forms that are refused: the page that they stand on comes back, with what was typed and with the fault at its field.
//!
//! Promises that nothing secret comes back: neither a token nor the secret that forms carry.

use std::cell::Cell;

use axum::response::Response;

use super::pages::filled::RefusedForm;
use super::session::Form;
use super::shown::{Shown, aside};
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::visitor::Visitor;
use crate::service::stewarding::fault::{Absence, Conflict, GrantFault, StewardFault};
use crate::service::{Service, ServiceError};

/// Why a form was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct FormFault {
    /// The name of the field that is wrong; empty if the fault is none of a single field.
    pub field: &'static str,
    /// What is wrong, and the status of the response.
    pub problem: Problem,
}

impl FormFault {
    /// A fault of one field.
    pub fn at(field: &'static str, problem: Problem) -> Self {
        Self { field, problem }
    }
}

impl From<ServiceError> for FormFault {
    fn from(error: ServiceError) -> Self {
        Self { field: field_of(&error), problem: error.into() }
    }
}

/// Shows the page of a form that was refused once more, with its form as it was sent.
pub async fn shown_again(
    service: &App,
    form: &Form,
    fault: FormFault,
    build: impl FnOnce(&Service, &Visitor, Option<&RefusedForm>) -> Result<Response, Problem> + Send + 'static,
) -> Shown {
    let status = fault.problem.status();
    let detail = match fault.problem.shown_hint() {
        Some(hint) => format!("{}; {hint}", fault.problem.detail()),
        None => fault.problem.detail().to_owned(),
    };
    let (action, values) = (form.visitor.request.address.clone(), form.values());
    let refused = RefusedForm { action, values, field: fault.field, detail, is_told: Cell::new(false) };
    let show = move |service: &Service, visitor: &Visitor| build(service, visitor, Some(&refused));
    let mut page = aside(service, form.visitor.clone(), show).await?;
    *page.status_mut() = status;
    Ok(page)
}

/// The field that an error is about, as forms name it.
fn field_of(error: &ServiceError) -> &'static str {
    match error {
        ServiceError::Invalid(fault) => field_of_fault(fault),
        ServiceError::UnknownDataset(_) => "dataset",
        ServiceError::NotFound(Absence::Person { .. }) => "name",
        ServiceError::NotFound(
            Absence::Request { .. } | Absence::Token { .. } | Absence::NamedToken { .. } | Absence::Statistic { .. },
        ) => "",
        ServiceError::AlreadyExists(conflict) => match conflict {
            Conflict::TokenHeld { .. } => "name",
            Conflict::TokenNameHeld { .. } => "token_name",
            Conflict::OtherRole { .. } => "role",
            Conflict::RequestDecided { .. } => "",
        },
        ServiceError::Query(_)
        | ServiceError::Accuracy(_)
        | ServiceError::Unsaid
        | ServiceError::Refused(_)
        | ServiceError::Overloaded
        | ServiceError::CutOff
        | ServiceError::Away
        | ServiceError::Unanswered { .. }
        | ServiceError::Ledger(_)
        | ServiceError::Declared(_) => "",
    }
}

fn field_of_fault(fault: &StewardFault) -> &'static str {
    match fault {
        StewardFault::Reason => "reason",
        StewardFault::Name { .. } => "name",
        StewardFault::Expiry { .. } | StewardFault::ExpiryOver => "expires",
        StewardFault::RequestedTotal { .. }
        | StewardFault::GrantedTotal { .. }
        | StewardFault::StatisticPrice { .. } => "epsilon",
        StewardFault::Grant(fault) => match fault {
            GrantFault::UnknownDataset => "dataset",
            GrantFault::CapNotRaised { .. } | GrantFault::NoRoom { .. } => "epsilon",
            GrantFault::ProjectName { .. }
            | GrantFault::NotResearcher { .. }
            | GrantFault::UnknownResearcher { .. } => "name",
            GrantFault::Period { .. } => "period_days",
            GrantFault::UnknownProject { .. } | GrantFault::OtherParent { .. } => "project",
            GrantFault::UnknownAccount | GrantFault::CapRaised => "",
        },
        StewardFault::TokensHeld { .. }
        | StewardFault::LastSteward { .. }
        | StewardFault::NotViewer { .. }
        | StewardFault::Frozen { .. }
        | StewardFault::NotFrozen { .. }
        | StewardFault::OtherUnit { .. }
        | StewardFault::OtherCap { .. }
        | StewardFault::RequestsOpen { .. }
        | StewardFault::Unconfirmed { .. }
        | StewardFault::NoStatisticsAccount { .. }
        | StewardFault::NoRandomness(_) => "",
    }
}
