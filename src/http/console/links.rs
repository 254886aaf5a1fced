//! Signed links in the console: a form that asks for how long, and the address that it makes.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::session::Form;
use super::shown::Shown;
use crate::http::App;
use crate::http::console::pages::links as pages;
use crate::http::linking::{LinkWish, Thing, made, origin};
use crate::http::params::Segment;
use crate::http::problem::Problem;
use crate::http::shared::Shared;
use crate::http::visitor::Visitor;
use crate::kernel::budget::people::Role;

/// GET /statistics/{name}/link: the form for a link to a statistic.
pub async fn to_statistic(State(service): State<App>, visitor: Visitor, Segment(name): Segment) -> Shown {
    visitor.only(Role::ALL)?;
    form(&service, &visitor, &Thing::Statistic(name)).map_err(|problem| visitor.fail(problem))
}

/// GET /answers/{name}/link: the form for a link to a stored answer.
pub async fn to_answer(State(service): State<App>, visitor: Visitor, Segment(id): Segment) -> Shown {
    visitor.only(&[Role::Researcher, Role::Steward])?;
    form(&service, &visitor, &Thing::Release(id)).map_err(|problem| visitor.fail(problem))
}

fn form(service: &App, visitor: &Visitor, thing: &Thing) -> Result<Response, Problem> {
    let person = visitor.person.as_ref().ok_or_else(Problem::unauthenticated)?;
    thing.seen_by(service, person)?;
    Ok(visitor.page("Link", "", &pages::form(&visitor.csrf, thing)))
}

/// POST /statistics/{name}/link: the address of a statistic for whom the link is meant.
pub async fn statistic(
    State(service): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Segment(name): Segment,
    headers: HeaderMap,
    sent: Form,
) -> Shown {
    sent.visitor.only(Role::ALL)?;
    let page = page(&service, &shared, &headers, &sent, Thing::Statistic(name));
    page.map_err(|problem| sent.visitor.fail(problem))
}

/// POST /answers/{name}/link: the address of an answer for whom the link is meant.
pub async fn answer(
    State(service): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Segment(id): Segment,
    headers: HeaderMap,
    sent: Form,
) -> Shown {
    sent.visitor.only(&[Role::Researcher, Role::Steward])?;
    let page = page(&service, &shared, &headers, &sent, Thing::Release(id));
    page.map_err(|problem| sent.visitor.fail(problem))
}

fn page(service: &App, shared: &Shared, headers: &HeaderMap, sent: &Form, thing: Thing) -> Result<Response, Problem> {
    let visitor = &sent.visitor;
    let (person, token) = visitor.person.as_ref().zip(visitor.token).ok_or_else(Problem::unauthenticated)?;
    let no_number = || Problem::invalid_request("the number of days is no whole number");
    let days = sent.some("days").map(|days| days.parse::<u32>().map_err(|_| no_number())).transpose()?;
    let wish = LinkWish { thing, format: sent.some("format"), days };
    let link = made(service, shared, (person, token), &wish)?;
    let address = format!("{}{}", origin(shared, headers), link.address);
    Ok(visitor.page("Link", "", &pages::made(&wish.thing, &address, &service.date(link.end_ms))))
}
