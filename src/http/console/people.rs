//! The stewards' pages about people and their tokens.

use axum::extract::State;
use serde::Deserialize;

use super::session::Form;
use super::shown::{AddressParams, Shown, aside, see};
use crate::http::App;
use crate::http::console::pages::people::{self as pages, Fresh, PersonLine};
use crate::http::params::Segment;
use crate::http::problem::Problem;
use crate::http::visitor::Visitor;
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::{Role, UnknownRole};
use crate::service::stewarding::{people, tokens};
use crate::service::{Service, ServiceError};

/// The number of people on a page.
const LINES: usize = 100;

/// Query parameters that choose the people to list.
#[derive(Deserialize, Default)]
pub struct PeopleParams {
    find: Option<String>,
    after: Option<String>,
}

/// GET /people: lists people.
pub async fn list(
    State(service): State<App>,
    visitor: Visitor,
    AddressParams(params): AddressParams<PeopleParams>,
) -> Shown {
    visitor.only(&[Role::Steward])?;
    let show = move |service: &Service, visitor: &Visitor| {
        let body = page(service, visitor, &params, None);
        Ok(visitor.page("People", "/people", &body))
    };
    aside(&service, visitor, show).await
}

fn page(service: &Service, visitor: &Visitor, params: &PeopleParams, fresh: Option<&Fresh<'_>>) -> maud::Markup {
    let find = params.find.as_deref().unwrap_or("").trim();
    let after = params.after.as_deref().unwrap_or("");
    let now_ms = service.now_ms();
    let mut lines: Vec<PersonLine> = read(service.ledger(), |book| {
        let found = book.people().filter(|(name, ..)| name.as_str() > after && name.contains(find));
        let line = |(name, role, _): (&String, Role, bool)| PersonLine {
            name: name.clone(),
            role,
            tokens: book.tokens_of(name).len(),
            is_active: book.may_come_in(name, now_ms),
            last_act_ms: book.last_act(name).map(|(_, at_ms)| at_ms),
            is_managed: book.managed().contains(&format!("person {name}")),
            datasets: book.viewing(name).map(|datasets| datasets.iter().cloned().collect()),
        };
        found.take(LINES + 1).map(line).collect()
    });
    let has_more = lines.len() > LINES;
    lines.truncate(LINES);
    let more = lines.last().filter(|_| has_more).map(|line| line.name.clone());
    let datasets: Vec<_> = read(service.ledger(), |book| book.datasets().map(|(name, _)| name.clone()).collect());
    let shown = pages::PeoplePage { people: &lines, datasets: &datasets, find, more: more.as_deref(), fresh };
    pages::page(&visitor.csrf, &shown)
}

/// POST /people: adds a person. The token appears on the resulting page and nowhere else.
pub async fn add(State(service): State<App>, form: Form) -> Shown {
    let visitor = &form.visitor;
    let person = visitor.only(&[Role::Steward])?;
    let role: Role = form
        .text("role")
        .parse()
        .map_err(|fault: UnknownRole| visitor.fail(Problem::invalid_request(fault.to_string())))?;
    let (name, added) = (form.text("name").to_owned(), form.text("name").to_owned());
    let datasets = form.ticked(pages::TICK);
    if role != Role::Viewer && !datasets.is_empty() {
        let detail = format!("datasets are given to viewers, and \"{name}\" would be a {role}");
        return Err(visitor.fail(Problem::invalid_request(detail)));
    }
    // A form that lists datasets gives exactly those that are ticked, even if none is.
    let is_listed = role == Role::Viewer && (form.some(pages::LISTED).is_some() || !datasets.is_empty());
    let expires_ms = form.some("expires").map(|text| tokens::expiry_ms(&text)).transpose();
    let expires_ms = expires_ms.map_err(|fault| visitor.fail(ServiceError::from(fault)))?;
    let adding = service.clone().steward(move |ledger, now| match (expires_ms, is_listed) {
        (Some(at), _) => {
            let datasets = is_listed.then_some(datasets.as_slice());
            tokens::add_until(ledger, (&added, role, datasets), at, &person.name, now)
        }
        (None, true) => people::add_viewer(ledger, &added, &datasets, &person.name, now),
        (None, false) => people::add_person(ledger, &added, role, &person.name, now),
    });
    let token = adding.await.map_err(|error| visitor.fail(error))?;
    let fresh = Fresh { name: &name, token: token.text() };
    let body = page(&service, visitor, &PeopleParams::default(), Some(&fresh));
    Ok(visitor.page("People", "/people", &body))
}

/// POST /people/{name}/revoke: revokes all tokens of a person.
pub async fn revoke(State(service): State<App>, Segment(name): Segment, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Steward])?;
    let act = service.steward(move |ledger, now| people::revoke_token(ledger, &name, &person.name, now));
    act.await.map_err(|error| form.visitor.fail(error))?;
    Ok(see("/people"))
}

/// POST /people/{name}/datasets: lets a viewer see the statistics of the datasets that are ticked.
pub async fn set_datasets(State(service): State<App>, Segment(name): Segment, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Steward])?;
    let datasets = form.ticked(pages::TICK);
    let act = service.steward(move |ledger, now| people::set_viewing(ledger, &name, &datasets, &person.name, now));
    act.await.map_err(|error| form.visitor.fail(error))?;
    Ok(see("/people"))
}
