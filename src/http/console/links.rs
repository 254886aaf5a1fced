//! Signed links in the console: a form that asks for how long, and the address that it makes.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::pages::filled::{Forms, RefusedForm};
use super::refused::{FormFault, shown_again};
use super::session::Form;
use super::shown::Shown;
use crate::http::App;
use crate::http::console::pages::links as pages;
use crate::http::linking::{LinkWish, Thing, made, origin};
use crate::http::links::LINK_DAYS_MAX;
use crate::http::params::Segment;
use crate::http::problem::Problem;
use crate::http::shared::Shared;
use crate::http::visitor::Visitor;
use crate::kernel::budget::people::Role;
use crate::service::Service;

/// GET /statistics/{name}/link: the form for a link to a statistic.
pub async fn to_statistic(State(service): State<App>, visitor: Visitor, Segment(name): Segment) -> Shown {
    visitor.only(Role::ALL)?;
    form(&service, &visitor, &Thing::Statistic(name), None).map_err(|problem| visitor.fail(problem))
}

/// GET /answers/{name}/link: the form for a link to a stored answer.
pub async fn to_answer(State(service): State<App>, visitor: Visitor, Segment(id): Segment) -> Shown {
    visitor.only(&[Role::Researcher, Role::Steward])?;
    form(&service, &visitor, &Thing::Release(id), None).map_err(|problem| visitor.fail(problem))
}

fn form(
    service: &Service,
    visitor: &Visitor,
    thing: &Thing,
    refused: Option<&RefusedForm>,
) -> Result<Response, Problem> {
    let person = visitor.person.as_ref().ok_or_else(Problem::unauthenticated)?;
    thing.seen_by(service, person)?;
    let forms = Forms { token: &visitor.csrf, refused };
    Ok(visitor.page("Link", "", &forms.whole(pages::form(forms, thing))))
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
    linked(&service, &shared, &headers, &sent, Thing::Statistic(name)).await
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
    linked(&service, &shared, &headers, &sent, Thing::Release(id)).await
}

/// The page with the address, or the form once more with what is wrong with it.
async fn linked(service: &App, shared: &Shared, headers: &HeaderMap, sent: &Form, thing: Thing) -> Shown {
    match page(service, shared, headers, sent, thing.clone()) {
        Ok(page) => Ok(page),
        Err(fault) => {
            shown_again(service, sent, fault, move |service, visitor, refused| form(service, visitor, &thing, refused))
                .await
        }
    }
}

fn page(service: &App, shared: &Shared, headers: &HeaderMap, sent: &Form, thing: Thing) -> Result<Response, FormFault> {
    let visitor = &sent.visitor;
    let holder = visitor.person.as_ref().zip(visitor.token);
    let (person, token) = holder.ok_or_else(|| FormFault::at("", Problem::unauthenticated()))?;
    let accepted = || format!("the number of days is no whole number; accepted is 1 to {LINK_DAYS_MAX}");
    let no_number = |_| FormFault::at("days", Problem::invalid_request(accepted()));
    let days = sent.some("days").map(|days| days.parse::<u32>().map_err(no_number)).transpose()?;
    let wish = LinkWish { thing, format: sent.some("format"), days };
    let is_too_long = days.is_some_and(|days| !(1..=LINK_DAYS_MAX).contains(&days));
    let field = if is_too_long { "days" } else { "" };
    let link = made(service, shared, (person, token), &wish).map_err(|problem| FormFault::at(field, problem))?;
    let address = format!("{}{}", origin(shared, headers), link.address);
    Ok(visitor.page("Link", "", &pages::made(&wish.thing, &address, &service.date(link.end_ms))))
}
