//! The stewards' page of one person, and the forms for their tokens.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::budgets::limit_largest;
use super::refused::{FormFault, shown_again};
use super::session::Form;
use super::shown::{AddressParams, Shown, aside, see};
use crate::http::App;
use crate::http::console::pages::filled::{Forms, RefusedForm};
use crate::http::console::pages::people::Fresh;
use crate::http::console::pages::person::{self as pages, PersonPage};
use crate::http::params::Segment;
use crate::http::problem::Problem;
use crate::http::visitor::Visitor;
use crate::kernel::budget::ledger::{Ledger, read};
use crate::kernel::budget::people::Role;
use crate::query::error::shown;
use crate::service::stewarding::accounts::{NamedAccount, accounts};
use crate::service::stewarding::month::month_of;
use crate::service::stewarding::people::Token;
use crate::service::stewarding::tokens::{self, TokenTerms};
use crate::service::{Service, ServiceError};

/// Query parameters of the page of a person.
#[derive(Deserialize)]
pub struct PersonParams {
    done: Option<String>,
}

/// GET /people/{name}: one person.
pub async fn one(
    State(service): State<App>,
    visitor: Visitor,
    Segment(name): Segment,
    AddressParams(params): AddressParams<PersonParams>,
) -> Shown {
    visitor.only(&[Role::Steward])?;
    let done = params.done.filter(|word| word == "role").map(|_| "The role is changed, and recorded in the ledger.");
    aside(&service, visitor, move |service, visitor| page(service, visitor, &name, &Told { done, ..Told::default() }))
        .await
}

/// What the page says of the form that led to it.
#[derive(Default)]
struct Told<'a> {
    /// The act that led here, which the page confirms in words.
    done: Option<&'a str>,
    /// A token that has just been created.
    fresh: Option<&'a Fresh<'a>>,
    /// A form that was refused.
    refused: Option<&'a RefusedForm>,
}

fn page(service: &Service, visitor: &Visitor, name: &str, told: &Told<'_>) -> Result<Response, Problem> {
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
        done: told.done,
        fresh: told.fresh,
    };
    let forms = Forms { token: &visitor.csrf, refused: told.refused };
    Ok(visitor.page(name, "/people", &forms.whole(pages::page(forms, &shown))))
}

/// The page of a person again, with a form on it that was refused.
async fn again(service: &App, form: &Form, name: String, fault: FormFault) -> Shown {
    let build = move |service: &Service, visitor: &Visitor, refused: Option<&RefusedForm>| {
        page(service, visitor, &name, &Told { refused, ..Told::default() })
    };
    shown_again(service, form, fault, build).await
}

/// POST /people/{name}/tokens: gives another token. It appears on the resulting page and nowhere else.
pub async fn issue(State(service): State<App>, Segment(name): Segment, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Steward])?;
    match given(&service, &form, &name, person.name).await {
        Ok(token) => {
            let fresh = Fresh { name: &name, token: token.text() };
            let told = Told { fresh: Some(&fresh), ..Told::default() };
            page(&service, &form.visitor, &name, &told).map_err(|problem| form.visitor.fail(problem))
        }
        Err(fault) => again(&service, &form, name, fault).await,
    }
}

async fn given(service: &App, form: &Form, holder: &str, by: String) -> Result<Token, FormFault> {
    let expires_ms = form.some("expires").map(|text| tokens::expiry_ms(&text)).transpose();
    let expires_ms = expires_ms.map_err(ServiceError::from)?;
    let terms = TokenTerms { name: form.text("token_name").to_owned(), expires_ms };
    let holder = holder.to_owned();
    let giving = service.clone().steward(move |ledger, now| tokens::issue(ledger, &holder, terms, &by, now));
    // Only the token has a name in this form.
    let renamed = |fault: FormFault| match fault.field {
        "name" => FormFault { field: "token_name", ..fault },
        _ => fault,
    };
    giving.await.map_err(|error| renamed(error.into()))
}

/// POST /people/{name}/tokens/revoke: revokes one token.
pub async fn revoke(State(service): State<App>, Segment(name): Segment, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Steward])?;
    let (holder, token) = (name.clone(), form.text("token_name").to_owned());
    let act = move |ledger: &dyn Ledger, now| tokens::revoke_one(ledger, &holder, &token, &person.name, now);
    match service.clone().steward(act).await {
        Ok(()) => Ok(see(&format!("/people/{name}"))),
        Err(error) => again(&service, &form, name, error.into()).await,
    }
}
