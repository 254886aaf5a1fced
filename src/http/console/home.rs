//! GET /: the page where each role begins, which says the one thing that the role comes for.

use axum::extract::State;
use axum::response::Response;

use super::history::latest;
use super::shown::{Shown, aside, see};
use crate::http::App;
use crate::http::console::pages::home::{self as pages, ResearcherHome, StewardHome};
use crate::http::console::pages::sign_in as entrance;
use crate::http::problem::Problem;
use crate::http::visitor::Visitor;
use crate::kernel::budget::entry::AccountKind;
use crate::kernel::budget::people::{Person, Role};
use crate::service::Service;
use crate::service::publishing::statistics::Agreement;
use crate::service::stewarding::accounts::accounts;
use crate::service::stewarding::outlook;
use crate::service::stewarding::requests::{RequestStatus, requests};

/// The number of questions that a researcher is shown.
const QUESTIONS: usize = 5;

/// GET /: a researcher's budget, what waits for a steward, the gallery for a viewer, and the entrance for anybody else.
pub async fn home(State(service): State<App>, visitor: Visitor) -> Shown {
    let Some(person) = visitor.person.clone() else {
        return Ok(visitor.page("Statistics of private tables", "/", &entrance::page(None, None)));
    };
    match person.role {
        Role::Steward => aside(&service, visitor, steward).await,
        Role::Researcher => {
            aside(&service, visitor, move |service, visitor| researcher(service, visitor, &person)).await
        }
        Role::Viewer => Ok(see("/statistics")),
    }
}

fn researcher(service: &Service, visitor: &Visitor, person: &Person) -> Result<Response, Problem> {
    let accounts = accounts(service.ledger(), Some(&person.name), service.now_ms());
    let own: Vec<_> = accounts.iter().filter(|account| account.kind == AccountKind::Researcher).collect();
    let datasets: Vec<_> = service.datasets_seen_by(person).collect();
    let questions = latest(service, &person.name, QUESTIONS)?;
    let body = pages::researcher(&ResearcherHome { accounts: &own, questions: &questions, datasets: &datasets });
    Ok(visitor.page("Home", "/", &body))
}

fn steward(service: &Service, visitor: &Visitor) -> Result<Response, Problem> {
    let (ledger, now_ms) = (service.ledger(), service.now_ms());
    let caps = outlook::caps(ledger, now_ms).map_err(crate::service::ServiceError::from)?;
    let open: Vec<_> =
        requests(ledger, None).into_iter().filter(|request| request.status == RequestStatus::Open).collect();
    let states = service.statistics().map(|statistic| (statistic, service.state_of(statistic)));
    let waiting: Vec<_> = states
        .filter(|(_, state)| state.agreement != Agreement::Given)
        .map(|(statistic, state)| (statistic.name.clone(), state.face.title))
        .collect();
    let (low, low_count) = outlook::low(ledger, now_ms);
    let home = StewardHome { caps: &caps, requests: &open, waiting: &waiting, low: &low, low_count };
    Ok(visitor.page("Home", "/", &pages::steward(&home)))
}
