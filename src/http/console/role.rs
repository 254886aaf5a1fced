//! The stewards' page for changing a person's role.

use axum::extract::State;
use axum::response::Response;

use super::pages::filled::{Forms, RefusedForm};
use super::pages::people::TICK;
use super::pages::role::{self as pages, RolePage};
use super::refused::{FormFault, shown_again};
use super::session::Form;
use super::shown::{Shown, aside, see};
use crate::http::App;
use crate::http::params::Segment;
use crate::http::problem::Problem;
use crate::http::visitor::Visitor;
use crate::kernel::budget::entry::AccountKind;
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::{Role, UnknownRole};
use crate::query::error::shown;
use crate::service::Service;
use crate::service::stewarding::requests::{RequestStatus, requests};
use crate::service::stewarding::roles::{self, is_last_steward, seen_as_viewer};

/// GET /people/{name}/role: what each role would mean for the person.
pub async fn one(State(service): State<App>, visitor: Visitor, Segment(name): Segment) -> Shown {
    visitor.only(&[Role::Steward])?;
    aside(&service, visitor, move |service, visitor| page(service, visitor, &name, None)).await
}

fn page(service: &Service, visitor: &Visitor, name: &str, refused: Option<&RefusedForm>) -> Result<Response, Problem> {
    let now_ms = service.now_ms();
    let found = read(service.ledger(), |book| {
        let (role, _) = book.person(name)?;
        let datasets: Vec<_> = book.datasets().map(|(dataset, _)| dataset.clone()).collect();
        let holds = |dataset: &&String| book.find(dataset, AccountKind::Researcher, name).is_some();
        let allocations: Vec<_> = datasets.iter().filter(holds).cloned().collect();
        let is_managed = book.managed().contains(&format!("person {name}"));
        let is_last = is_last_steward(book, name, now_ms);
        Some((role, datasets, allocations, seen_as_viewer(book, name), is_managed, is_last))
    });
    let nobody = || Problem::not_found(format!("there is nobody named \"{}\"", shown(name)));
    let (role, datasets, allocations, seen, is_managed, is_last_steward) = found.ok_or_else(nobody)?;
    let asked = requests(service.ledger(), Some(name));
    let open_requests = asked.iter().filter(|request| request.status == RequestStatus::Open).count();
    let (datasets, seen, allocations) = (&datasets, &seen, &allocations);
    let page = RolePage { name, role, is_managed, is_last_steward, datasets, seen, allocations, open_requests };
    let forms = Forms { token: &visitor.csrf, refused };
    Ok(visitor.page(&format!("The role of {name}"), "/people", &forms.whole(pages::page(forms, &page))))
}

/// POST /people/{name}/role: gives the person another role.
pub async fn set(State(service): State<App>, Segment(name): Segment, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Steward])?;
    match given(&service, &form, &name, person.name).await {
        Ok(()) => Ok(see(&format!("/people/{name}?done=role"))),
        Err(fault) => {
            shown_again(&service, &form, fault, move |service, visitor, refused| page(service, visitor, &name, refused))
                .await
        }
    }
}

async fn given(service: &App, form: &Form, name: &str, by: String) -> Result<(), FormFault> {
    let unknown = |fault: UnknownRole| FormFault::at("role", Problem::invalid_request(fault.to_string()));
    let role: Role = form.text("role").parse().map_err(unknown)?;
    // The form of a viewer lists all datasets, so that no ticked box means no dataset.
    let (name, datasets) = (name.to_owned(), (role == Role::Viewer).then(|| form.ticked(TICK)));
    let act =
        service.clone().steward(move |ledger, now| roles::set_role(ledger, &name, role, datasets.as_deref(), &by, now));
    Ok(act.await?)
}
