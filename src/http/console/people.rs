//! The stewards' pages about people and their tokens.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::refused::{FormFault, shown_again};
use super::session::Form;
use super::shown::{AddressParams, Shown, aside, see};
use crate::http::App;
use crate::http::console::pages::filled::{Forms, RefusedForm};
use crate::http::console::pages::people::{self as pages, Fresh, PersonLine};
use crate::http::params::Segment;
use crate::http::problem::Problem;
use crate::http::visitor::Visitor;
use crate::kernel::budget::ledger::{Ledger, read};
use crate::kernel::budget::people::{Role, UnknownRole};
use crate::service::stewarding::people::{self, Token};
use crate::service::stewarding::tokens;
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
    aside(&service, visitor, move |service, visitor| Ok(page(service, visitor, &params, (None, None)))).await
}

fn page(
    service: &Service,
    visitor: &Visitor,
    params: &PeopleParams,
    (fresh, refused): (Option<&Fresh<'_>>, Option<&RefusedForm>),
) -> Response {
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
    let forms = Forms { token: &visitor.csrf, refused };
    visitor.page("People", "/people", &forms.whole(pages::page(forms, &shown)))
}

/// The page of people again, with a form on it that was refused. It lists whom the form is about, or the first people.
async fn again(service: &App, form: &Form, find: Option<String>, fault: FormFault) -> Shown {
    let params = PeopleParams { find, after: None };
    let build = move |service: &Service, visitor: &Visitor, refused: Option<&RefusedForm>| {
        Ok(page(service, visitor, &params, (None, refused)))
    };
    shown_again(service, form, fault, build).await
}

/// POST /people: adds a person. The token appears on the resulting page and nowhere else.
pub async fn add(State(service): State<App>, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Steward])?;
    match added(&service, &form, person.name).await {
        Ok(token) => {
            let fresh = Fresh { name: form.text("name"), token: token.text() };
            Ok(page(&service, &form.visitor, &PeopleParams::default(), (Some(&fresh), None)))
        }
        Err(fault) => again(&service, &form, None, fault).await,
    }
}

async fn added(service: &App, form: &Form, by: String) -> Result<Token, FormFault> {
    let unknown = |fault: UnknownRole| FormFault::at("role", Problem::invalid_request(fault.to_string()));
    let role: Role = form.text("role").parse().map_err(unknown)?;
    let (name, datasets) = (form.text("name").to_owned(), form.ticked(pages::TICK));
    if role != Role::Viewer && !datasets.is_empty() {
        let detail = format!("datasets are given to viewers, and \"{name}\" would be a {role}");
        return Err(FormFault::at("role", Problem::invalid_request(detail)));
    }
    // A form that lists datasets gives exactly those that are ticked, even if none is.
    let is_listed = role == Role::Viewer && (form.some(pages::LISTED).is_some() || !datasets.is_empty());
    let expires_ms = form.some("expires").map(|text| tokens::expiry_ms(&text)).transpose();
    let expires_ms = expires_ms.map_err(ServiceError::from)?;
    let adding = service.clone().steward(move |ledger, now| match (expires_ms, is_listed) {
        (Some(at), _) => {
            let datasets = is_listed.then_some(datasets.as_slice());
            tokens::add_until(ledger, (&name, role, datasets), at, &by, now)
        }
        (None, true) => people::add_viewer(ledger, &name, &datasets, &by, now),
        (None, false) => people::add_person(ledger, &name, role, &by, now),
    });
    Ok(adding.await?)
}

/// POST /people/{name}/revoke: revokes all tokens of a person.
pub async fn revoke(State(service): State<App>, Segment(name): Segment, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Steward])?;
    let whose = name.clone();
    let act = move |ledger: &dyn Ledger, now| people::revoke_token(ledger, &whose, &person.name, now);
    match service.clone().steward(act).await {
        Ok(()) => Ok(see("/people")),
        Err(error) => again(&service, &form, Some(name), error.into()).await,
    }
}

/// POST /people/{name}/datasets: lets a viewer see the statistics of the datasets that are ticked.
pub async fn set_datasets(State(service): State<App>, Segment(name): Segment, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Steward])?;
    let (datasets, whose) = (form.ticked(pages::TICK), name.clone());
    let act = move |ledger: &dyn Ledger, now| people::set_viewing(ledger, &whose, &datasets, &person.name, now);
    match service.clone().steward(act).await {
        Ok(()) => Ok(see("/people")),
        Err(error) => again(&service, &form, Some(name), error.into()).await,
    }
}
