//! The gallery of statistics, and what stewards do there: publish those
//! that wait, and draw anew. Both ask for confirmation before they spend.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::session::Form;
use super::shown::{AddressParams, Shown, aside, see};
use crate::http::App;
use crate::http::console::pages::statistics::{self as pages, Card, DrawPage};
use crate::http::params::Segment;
use crate::http::problem::Problem;
use crate::http::visitor::Visitor;
use crate::kernel::budget::people::Role;
use crate::kernel::privacy::amounts::Epsilon;
use crate::service::Service;
use crate::service::access::Sight;
use crate::service::publishing::statistics::{Agreement, Statistic};

/// A query parameter that says what was done.
#[derive(Deserialize)]
pub struct DoneParams {
    done: Option<String>,
}

/// GET /statistics: the gallery.
pub async fn statistics(
    State(service): State<App>,
    visitor: Visitor,
    AddressParams(params): AddressParams<DoneParams>,
) -> Response {
    let show = move |service: &Service, visitor: &Visitor| Ok(all(service, visitor, &params));
    aside(&service, visitor, show).await.unwrap_or_else(IntoResponse::into_response)
}

fn all(service: &Service, visitor: &Visitor, params: &DoneParams) -> Response {
    let is_seen = |statistic: &&Statistic| service.sight(statistic, visitor.person.as_ref()) != Sight::Hidden;
    let cards: Vec<_> = service.statistics().filter(is_seen).map(|statistic| card(service, statistic)).collect();
    let is_steward = visitor.person.as_ref().is_some_and(|person| person.role == Role::Steward);
    let done = match params.done.as_deref() {
        Some("refreshed") => Some("A new release is shown."),
        Some("published") => Some("Confirmed: what was due is drawn."),
        _ => None,
    };
    visitor.page("Statistics", "/statistics", &pages::page(&cards, is_steward, done))
}

fn card(service: &Service, statistic: &Statistic) -> Card {
    let state = service.state_of(statistic);
    let waits = state.waits();
    Card {
        name: statistic.name.clone(),
        title: state.face.title,
        description: state.face.description,
        dataset: statistic.dataset.clone(),
        refresh: statistic.refresh.name(),
        price: statistic.epsilon.to_string(),
        is_public: state.face.is_public,
        date: state.shown.map(|(_, at_ms)| service.date(at_ms)),
        next: state.next_ms.map(|at_ms| service.date(at_ms)),
        skipped: state.skipped.map(|(_, why)| why),
        waits,
        is_confirmed: state.agreement == Agreement::Given,
    }
}

/// GET /statistics/{name}/draw: shows the price, and a button that spends it.
pub async fn draw(State(service): State<App>, visitor: Visitor, Segment(name): Segment) -> Shown {
    visitor.only(&[Role::Steward])?;
    aside(&service, visitor, move |service, visitor| sure(service, visitor, &name)).await
}

fn sure(service: &Service, visitor: &Visitor, name: &str) -> Result<Response, Problem> {
    let statistic = service.statistic(name).ok_or_else(|| Problem::not_found("there is no such statistic"))?;
    let estimate = service.estimate_of(statistic)?;
    let state = service.state_of(statistic);
    let (is_confirmed, waits) = (state.agreement == Agreement::Given, state.waits());
    let question = DrawPage { estimate: &estimate, sql: &statistic.sql, is_confirmed, waits };
    Ok(visitor.page(&estimate.title, "/statistics", &pages::sure(&visitor.csrf, &question)))
}

/// The price that a form names, if it is still what a draw costs; otherwise `None`, and the steward is asked again.
fn price_seen(service: &Service, name: &str, form: &Form) -> Option<Epsilon> {
    let statistic = service.statistic(name)?;
    Epsilon::parse(form.text("epsilon")).ok().filter(|seen| *seen == statistic.epsilon)
}

/// POST /statistics/{name}/publish: a steward agrees to the price that they have seen.
pub async fn publish(State(service): State<App>, Segment(name): Segment, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Steward])?;
    let Some(seen) = price_seen(&service, &name, &form) else { return asked_again(&service, &name, &form) };
    service.publish(&name, Some(seen), &person.name).await.map_err(|error| form.visitor.fail(error))?;
    Ok(see("/statistics?done=published"))
}

/// POST /statistics/{name}/refresh: draws a new release for the price that the steward has seen.
pub async fn refresh(State(service): State<App>, Segment(name): Segment, form: Form) -> Shown {
    form.visitor.only(&[Role::Steward])?;
    if price_seen(&service, &name, &form).is_none() {
        return asked_again(&service, &name, &form);
    }
    service.refresh(&name).await.map_err(|error| form.visitor.fail(error))?;
    Ok(see("/statistics?done=refreshed"))
}

/// Redirects to the page with the price; nothing was spent.
fn asked_again(service: &Service, name: &str, form: &Form) -> Shown {
    match service.statistic(name) {
        Some(statistic) => Ok(see(&format!("/statistics/{}/draw", statistic.name))),
        None => Err(form.visitor.fail(Problem::not_found("there is no such statistic"))),
    }
}
