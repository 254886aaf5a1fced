//! The stewards' page of one person, and the forms for their tokens.

use axum::extract::State;

use super::budgets::limit_largest;
use super::session::Form;
use super::shown::{Shown, aside, see};
use crate::http::App;
use crate::http::console::pages::people::Fresh;
use crate::http::console::pages::person::{self as pages, PersonPage};
use crate::http::params::Segment;
use crate::http::problem::Problem;
use crate::http::visitor::Visitor;
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::Role;
use crate::query::error::shown;
use crate::service::stewarding::accounts::{NamedAccount, accounts};
use crate::service::stewarding::month::month_of;
use crate::service::stewarding::tokens::{self, TokenTerms};
use crate::service::{Service, ServiceError};

/// GET /people/{name}: one person.
pub async fn one(State(service): State<App>, visitor: Visitor, Segment(name): Segment) -> Shown {
    visitor.only(&[Role::Steward])?;
    let show = move |service: &Service, visitor: &Visitor| {
        let body = page(service, visitor, &name, None)?;
        Ok(visitor.page(&name, "/people", &body))
    };
    aside(&service, visitor, show).await
}

fn page(service: &Service, visitor: &Visitor, name: &str, fresh: Option<&Fresh<'_>>) -> Result<maud::Markup, Problem> {
    let nobody = || Problem::not_found(format!("there is nobody named \"{}\"", shown(name)));
    let found = read(service.ledger(), |book| {
        let (role, _) = book.person(name)?;
        let datasets: Option<Vec<_>> = book.viewing(name).map(|datasets| datasets.iter().cloned().collect());
        Some((role, datasets, book.last_act(name), book.managed().contains(&format!("person {name}"))))
    });
    let (role, datasets, last_act, is_managed) = found.ok_or_else(nobody)?;
    let now_ms = service.now_ms();
    let month =
        |account: &NamedAccount| month_of(service.ledger(), &account.dataset, account.kind, &account.name, now_ms);
    let accounts = accounts(service.ledger(), Some(name), now_ms);
    let accounts: Vec<_> = accounts
        .into_iter()
        .map(|mut account| {
            let month = month(&account);
            limit_largest(service, &mut account);
            (account, month)
        })
        .collect();
    let shown = PersonPage {
        name,
        role,
        is_managed,
        datasets: datasets.as_deref(),
        tokens: &service.tokens_of(name).unwrap_or_default(),
        last_act,
        started_ms: service.started().0,
        accounts: &accounts,
        fresh,
    };
    Ok(pages::page(&visitor.csrf, &shown))
}

/// POST /people/{name}/tokens: gives another token. It appears on the resulting page and nowhere else.
pub async fn issue(State(service): State<App>, Segment(name): Segment, form: Form) -> Shown {
    let visitor = &form.visitor;
    let person = visitor.only(&[Role::Steward])?;
    let expires_ms = form.some("expires").map(|text| tokens::expiry_ms(&text)).transpose();
    let expires_ms = expires_ms.map_err(|fault| visitor.fail(ServiceError::from(fault)))?;
    let terms = TokenTerms { name: form.text("token_name").to_owned(), expires_ms };
    let holder = name.clone();
    let giving = service.clone().steward(move |ledger, now| tokens::issue(ledger, &holder, terms, &person.name, now));
    let token = giving.await.map_err(|error| visitor.fail(error))?;
    let fresh = Fresh { name: &name, token: token.text() };
    let body = page(&service, visitor, &name, Some(&fresh)).map_err(|problem| visitor.fail(problem))?;
    Ok(visitor.page(&name, "/people", &body))
}

/// POST /people/{name}/tokens/revoke: revokes one token.
pub async fn revoke(State(service): State<App>, Segment(name): Segment, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Steward])?;
    let (holder, token) = (name.clone(), form.text("token_name").to_owned());
    let act = service.steward(move |ledger, now| tokens::revoke_one(ledger, &holder, &token, &person.name, now));
    act.await.map_err(|error| form.visitor.fail(error))?;
    Ok(see(&format!("/people/{name}")))
}
