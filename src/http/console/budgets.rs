//! Pages about budgets: accounts and grants, requests, freezes, and what a budget would buy.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::refused::{FormFault, shown_again};
use super::session::Form;
use super::shown::{AddressParams, Shown, aside, see};
use crate::http::App;
use crate::http::console::pages::filled::{Forms, RefusedForm};
use crate::http::console::pages::requests::Held;
use crate::http::console::pages::what_if::{self, Wish};
use crate::http::console::pages::{accounts as pages, requests as request_pages};
use crate::http::params::Segment;
use crate::http::problem::Problem;
use crate::http::visitor::Visitor;
use crate::kernel::budget::ledger::{Ledger, read};
use crate::kernel::budget::people::{Person, Role};
use crate::kernel::privacy::amounts::Epsilon;
use crate::service::Service;
use crate::service::stewarding::accounts::{
    AccountPage, Fraction, NamedAccount, account_page, accounts as all_accounts,
};
use crate::service::stewarding::fault::PERIOD_DAYS_MAX;
use crate::service::stewarding::grants::{self, Grant, Holder};
use crate::service::stewarding::month::month;
use crate::service::stewarding::requests::{self, Decision, RequestView};

/// The number of researchers' accounts on a page, divided among the datasets that it shows.
const RESEARCHERS_SHOWN: usize = 50;
/// The least number of researchers' accounts that are shown of each dataset.
const RESEARCHERS_SHOWN_MIN: usize = 5;

/// Query parameters of the pages of accounts and requests.
#[derive(Deserialize, Default)]
pub struct AccountParams {
    find: Option<String>,
    dataset: Option<String>,
    after: Option<String>,
    done: Option<String>,
}

/// Says on a page what was done. A link can only choose among these messages.
fn done(word: Option<&str>) -> Option<&'static str> {
    match word? {
        "granted" => Some("Granted, and recorded in the ledger."),
        "frozen" => Some("The dataset is frozen: nothing is drawn from it until you unfreeze it."),
        "unfrozen" => Some("The dataset is no longer frozen: answers are drawn from it again."),
        "decided" => Some("Decided, and recorded in the ledger."),
        _ => None,
    }
}

/// GET /accounts: one's own accounts, or all of them for a steward.
pub async fn accounts(
    State(service): State<App>,
    visitor: Visitor,
    AddressParams(params): AddressParams<AccountParams>,
) -> Shown {
    let person = visitor.only(&[Role::Researcher, Role::Steward])?;
    aside(&service, visitor, move |service, visitor| accounts_page(service, visitor, &person, &params, None)).await
}

fn accounts_page(
    service: &Service,
    visitor: &Visitor,
    person: &Person,
    params: &AccountParams,
    refused: Option<&RefusedForm>,
) -> Result<Response, Problem> {
    let forms = Forms { token: &visitor.csrf, refused };
    let body = match person.role {
        Role::Steward => {
            let find = params.find.as_deref().unwrap_or("").trim();
            let trees = trees(service, params, find);
            let managed = read(service.ledger(), |book| book.managed().clone());
            pages::all(forms, &trees, &managed, find, done(params.done.as_deref()))
        }
        Role::Researcher | Role::Viewer => {
            let mut accounts = all_accounts(service.ledger(), Some(&person.name), service.now_ms());
            for account in &mut accounts {
                limit_largest(service, account);
            }
            let asked = requests::requests(service.ledger(), Some(&person.name));
            pages::own(forms, &accounts, &request_pages::own(&asked))
        }
    };
    Ok(visitor.page("Accounts", "/accounts", &forms.whole(body)))
}

/// The page of accounts again, with a form on it that was refused.
async fn accounts_again(service: &App, form: &Form, person: Person, fault: FormFault) -> Shown {
    let build = move |service: &Service, visitor: &Visitor, refused: Option<&RefusedForm>| {
        accounts_page(service, visitor, &person, &AccountParams::default(), refused)
    };
    shown_again(service, form, fault, build).await
}

/// The accounts that a steward's page shows: of the dataset that its address names, or the first ones of every dataset.
fn trees(service: &Service, params: &AccountParams, find: &str) -> Vec<AccountPage> {
    let only = params.dataset.as_deref().filter(|name| !name.is_empty());
    let datasets: Vec<String> = read(service.ledger(), |book| {
        let names = book.datasets().map(|(name, _)| name).filter(|name| only.is_none_or(|only| only == name.as_str()));
        names.cloned().collect()
    });
    let limit = (RESEARCHERS_SHOWN / datasets.len().max(1)).max(RESEARCHERS_SHOWN_MIN);
    let after = params.after.as_deref().filter(|_| only.is_some());
    let page = |dataset: &String| {
        let mut page = account_page(service.ledger(), dataset, (find, after), limit, service.now_ms());
        for account in &mut page.accounts {
            limit_largest(service, account);
        }
        page
    };
    datasets.iter().map(page).collect()
}

/// Limits the largest question that still fits, as pages tell it, to what one question of the dataset may cost.
pub(super) fn limit_largest(service: &Service, account: &mut NamedAccount) {
    if let Some(dataset) = service.dataset(&account.dataset) {
        let fits = &mut account.account.epsilon_remaining;
        *fits = (*fits).min(dataset.terms.max_epsilon_per_query);
    }
}

fn epsilon(form: &Form) -> Result<Epsilon, FormFault> {
    let fault = |fault| FormFault::at("epsilon", Problem::invalid_epsilon(format!("epsilon: {fault}")));
    Epsilon::parse(form.text("epsilon")).map_err(fault)
}

fn period_days(form: &Form) -> Result<Option<u32>, FormFault> {
    let Some(text) = form.some("period_days") else { return Ok(None) };
    let days = text.parse().ok().filter(|days| (1..=PERIOD_DAYS_MAX).contains(days));
    let message = || format!("the period is not a whole number of days from 1 to {PERIOD_DAYS_MAX}");
    days.map(Some).ok_or_else(|| FormFault::at("period_days", Problem::invalid_request(message())))
}

/// POST /grants: grants a budget.
pub async fn grant(State(service): State<App>, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Steward])?;
    match granted(&service, &form, person.name.clone()).await {
        Ok(()) => Ok(see("/accounts?done=granted")),
        Err(fault) => accounts_again(&service, &form, person, fault).await,
    }
}

async fn granted(service: &App, form: &Form, by: String) -> Result<(), FormFault> {
    let (name, dataset) = (form.text("name").to_owned(), form.text("dataset").to_owned());
    let to = match form.text("kind") {
        "researcher" => Holder::Researcher { name, project: form.some("project"), period_days: period_days(form)? },
        "project" => Holder::Project { name },
        "statistics" => Holder::Statistics { period_days: period_days(form)? },
        "dataset" => Holder::Dataset,
        _ => return Err(FormFault::at("kind", Problem::invalid_request("choose to whom the grant is made"))),
    };
    let (epsilon, reason) = (epsilon(form)?, form.text("reason").to_owned());
    let grant = Grant { to, dataset, epsilon, reason, by };
    service.clone().steward(move |ledger, now| grants::grant(ledger, grant, now)).await?;
    Ok(())
}

/// POST /datasets/{name}/freeze: freezes a dataset.
pub async fn freeze(State(service): State<App>, Segment(name): Segment, form: Form) -> Shown {
    set_frozen(service, name, form, true).await
}

/// POST /datasets/{name}/unfreeze: unfreezes a dataset.
pub async fn unfreeze(State(service): State<App>, Segment(name): Segment, form: Form) -> Shown {
    set_frozen(service, name, form, false).await
}

async fn set_frozen(service: App, name: String, form: Form, is_frozen: bool) -> Shown {
    let person = form.visitor.only(&[Role::Steward])?;
    let (reason, by) = (form.text("reason").to_owned(), person.name.clone());
    let act = move |ledger: &dyn Ledger, now| grants::set_frozen(ledger, &name, is_frozen, (&reason, &by), now);
    match service.clone().steward(act).await {
        Ok(_) => Ok(see(if is_frozen { "/accounts?done=frozen" } else { "/accounts?done=unfrozen" })),
        Err(error) => accounts_again(&service, &form, person, error.into()).await,
    }
}

/// GET /requests: all requests for budget.
pub async fn requests(
    State(service): State<App>,
    visitor: Visitor,
    AddressParams(params): AddressParams<AccountParams>,
) -> Shown {
    visitor.only(&[Role::Steward])?;
    let done = done(params.done.as_deref());
    aside(&service, visitor, move |service, visitor| Ok(requests_page(service, visitor, done, None))).await
}

fn requests_page(service: &Service, visitor: &Visitor, done: Option<&str>, refused: Option<&RefusedForm>) -> Response {
    let all = requests::requests(service.ledger(), None);
    let now_ms = service.now_ms();
    let held = |request: &RequestView| {
        read(service.ledger(), |book| {
            let account = book.researcher(&request.dataset, &request.researcher)?;
            let mark = book.mark(account, now_ms);
            Some(Held { epsilon: mark.epsilon, spent: Fraction::of(mark.spent, mark.amount) })
        })
    };
    let forms = Forms { token: &visitor.csrf, refused };
    visitor.page("Requests", "/requests", &forms.whole(request_pages::all(forms, &all, held, done)))
}

/// POST /requests: files a request for budget.
pub async fn request(State(service): State<App>, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Researcher])?;
    match filed(&service, &form, person.name.clone()).await {
        Ok(()) => Ok(see("/accounts")),
        Err(fault) => accounts_again(&service, &form, person, fault).await,
    }
}

async fn filed(service: &App, form: &Form, who: String) -> Result<(), FormFault> {
    let (dataset, reason) = (form.text("dataset").to_owned(), form.text("reason").to_owned());
    let epsilon = epsilon(form)?;
    let act = move |ledger: &dyn Ledger, now| requests::file(ledger, &who, &dataset, epsilon, &reason, now);
    service.clone().steward(act).await?;
    Ok(())
}

/// POST /requests/{number}/decide: grants or declines a request.
pub async fn decide(State(service): State<App>, Segment(number): Segment, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Steward])?;
    match decided(&service, &form, &number, person.name).await {
        Ok(()) => Ok(see("/requests?done=decided")),
        Err(fault) => {
            let build = |service: &Service, visitor: &Visitor, refused: Option<&RefusedForm>| {
                Ok(requests_page(service, visitor, None, refused))
            };
            shown_again(&service, &form, fault, build).await
        }
    }
}

async fn decided(service: &App, form: &Form, number: &str, by: String) -> Result<(), FormFault> {
    let unknown = || FormFault::at("", Problem::not_found("there is no such request"));
    let number: u64 = number.parse().map_err(|_| unknown())?;
    let decision = match form.text("do") {
        "grant" => Decision::Grant { epsilon: Some(epsilon(form)?) },
        "decline" => Decision::Decline,
        _ => return Err(FormFault::at("", Problem::invalid_request("choose to grant or to decline"))),
    };
    let reason = form.text("reason").to_owned();
    let act = move |ledger: &dyn Ledger, now| requests::decide(ledger, number, decision, &reason, &by, now);
    service.clone().steward(act).await?;
    Ok(())
}

/// The largest number of questions and the largest group size to calculate with.
const THOUGHT_MAX: u64 = 1_000_000_000;

/// GET /what-if: what a budget would buy.
pub async fn what_if(
    State(service): State<App>,
    visitor: Visitor,
    AddressParams(params): AddressParams<HashMap<String, String>>,
) -> Shown {
    visitor.only(&[Role::Steward])?;
    aside(&service, visitor, move |service, visitor| thought(service, visitor, &params)).await
}

fn thought(service: &Service, visitor: &Visitor, params: &HashMap<String, String>) -> Result<Response, Problem> {
    let datasets: Vec<_> = service.datasets().filter(|one| one.name == one.lineage).collect();
    let wanted = params.get("dataset").map_or("", String::as_str);
    let chosen = datasets.iter().find(|one| one.name == wanted).or(datasets.first());
    let chosen = *chosen.ok_or_else(|| Problem::not_found("no dataset is served"))?;
    let mut wrong = None;
    let mut whole = |name: &'static str, most: u64, otherwise: u64| {
        let Some(text) = params.get(name).map(|text| text.trim()) else { return otherwise };
        let read = text.parse().ok().filter(|value| (1..=most).contains(value));
        read.unwrap_or_else(|| {
            wrong = Some(format!("{name} is not a whole number from 1 to {most}"));
            otherwise
        })
    };
    let rows_max = chosen.terms.max_rows_per_unit;
    let (questions, group_size) = (whole("questions", THOUGHT_MAX, 100), whole("group", THOUGHT_MAX, 1_000));
    let rows_per_unit = whole("rows", rows_max.into(), rows_max.into()) as u32;
    let asked = params.get("epsilon").map(|text| Epsilon::parse(text.trim()));
    let epsilon = match asked {
        Some(Ok(epsilon)) if epsilon.nanos() > 0 => epsilon,
        Some(Ok(_) | Err(_)) => {
            wrong = Some("the budget is not a valid epsilon; accepted is a decimal above 0, like 1 or 0.25".to_owned());
            chosen.terms.cap
        }
        None => chosen.terms.cap,
    };
    let names: Vec<_> = datasets.iter().map(|one| one.name.as_str()).collect();
    let wish = Wish { epsilon, questions, group_size, rows_per_unit };
    let month = month(service.ledger(), &chosen.lineage, service.now_ms());
    let (dataset, terms, wrong) = (chosen.name.as_str(), &chosen.terms, wrong.as_deref());
    let shown = what_if::WhatIfPage { datasets: &names, dataset, terms, wish: &wish, month: &month, wrong };
    Ok(visitor.page("What would this budget buy?", "/what-if", &what_if::page(&shown)))
}
