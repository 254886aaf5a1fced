//! Pages that everybody may read: the start, files, statistics, datasets, and what patients may know.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::super::params::Segment;
use super::super::problem::Problem;
use super::super::shared::Shared;
use super::super::shelf::Form;
use super::super::statistics::{may_see, rendered, respond};
use super::super::{App, datasets::may_see as may_see_dataset};
use super::{Shown, Visitor, aside, see};
use crate::budget::entry::Kind;
use crate::budget::ledger::read;
use crate::budget::people::{Role, STATISTICS};
use crate::console::{assets, datasets as pages, sign_in as entrance, statistics as gallery, transparency as sight};
use crate::service::{Dataset, Service};

/// GET /: where a role begins.
pub async fn home(visitor: Visitor) -> Response {
    match visitor.person.as_ref().map(|person| person.role) {
        Some(Role::Steward) => see("/accounts"),
        Some(Role::Researcher) => see("/ask"),
        Some(Role::Viewer) => see("/statistics"),
        None => visitor.page("Statistics of private tables", "/", &entrance::page(None)),
    }
}

/// Whether somebody was sent here because their session has ended.
#[derive(Deserialize)]
pub struct EndedParams {
    ended: Option<String>,
}

/// GET /sign-in.
pub async fn sign_in(visitor: Visitor, Query(params): Query<EndedParams>) -> Response {
    let ended = params.ended.map(|_| "Your session has ended. Nothing was changed; sign in again.");
    visitor.page("Sign in", "/sign-in", &entrance::page(ended))
}

/// GET /assets/{name}: never changes under its versioned address.
pub async fn asset(visitor: Visitor, Segment(name): Segment) -> Shown {
    let asset = assets::ALL.into_iter().find(|asset| asset.name == name);
    let asset = asset.ok_or_else(|| visitor.fail(Problem::not_found("there is no such file")))?;
    let fixed = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'")),
    ];
    Ok((fixed, asset.bytes).into_response())
}

/// GET /s/{name}: a statistic as a page that others may embed.
pub async fn statistic(
    State(service): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    visitor: Visitor,
    Segment(name): Segment,
    headers: HeaderMap,
) -> Shown {
    let rendered = rendered(&service, &shared, visitor.person.as_ref(), &name, Form::Page).await;
    let rendered = rendered.map_err(|problem| visitor.fail(problem))?;
    let is_public = service.statistic(&name).is_some_and(|statistic| statistic.is_public);
    let mut response = respond(&rendered, &headers, is_public);
    let origins = if is_public { shared.settings.origins.join(" ") } else { String::new() };
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self' {origins}"
    );
    if let Ok(policy) = HeaderValue::from_str(policy.trim()) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}

/// What a page was told to say was done.
#[derive(Deserialize)]
pub struct DoneParams {
    done: Option<String>,
}

/// GET /statistics: the gallery.
pub async fn statistics(State(service): State<App>, visitor: Visitor, Query(params): Query<DoneParams>) -> Response {
    let shown = aside(&service, visitor, move |service, visitor| Ok(gallery_page(service, visitor, params))).await;
    shown.unwrap_or_else(IntoResponse::into_response)
}

fn gallery_page(service: &Service, visitor: &Visitor, params: DoneParams) -> Response {
    let seen = service.statistics().filter(|statistic| may_see(statistic, visitor.person.as_ref()));
    let card = |statistic: &crate::service::statistics::Statistic| {
        let state = service.state_of(statistic);
        gallery::Card {
            name: statistic.name.clone(),
            title: statistic.title.clone(),
            description: statistic.description.clone(),
            dataset: statistic.dataset.clone(),
            refresh: statistic.refresh.name(),
            price: statistic.price.clone(),
            is_public: statistic.is_public,
            date: state.shown.map(|(_, at_ms)| service.date(at_ms)),
            next: state.next_ms.map(|at_ms| service.date(at_ms)),
            skipped: state.skipped.map(|(_, why)| why),
        }
    };
    let cards: Vec<_> = seen.map(card).collect();
    let is_steward = visitor.person.as_ref().is_some_and(|person| person.role == Role::Steward);
    let done = params.done.filter(|done| done == "refreshed").map(|_| "A new release is shown.");
    let body = gallery::page(&cards, is_steward.then_some(visitor.csrf.as_str()), done);
    visitor.page("Statistics", "/statistics", &body)
}

/// GET /datasets.
pub async fn datasets(State(service): State<App>, visitor: Visitor) -> Shown {
    let person = visitor.only(&Role::ALL)?;
    let show = move |service: &Service, visitor: &Visitor| {
        let seen: Vec<_> = service.datasets().filter(|dataset| may_see_dataset(service, &person, dataset)).collect();
        let body = pages::list(&seen, person.role == Role::Researcher);
        Ok(visitor.page("Datasets", "/datasets", &body))
    };
    aside(&service, visitor, show).await
}

/// GET /datasets/{name}.
pub async fn dataset(State(service): State<App>, visitor: Visitor, Segment(name): Segment) -> Shown {
    let person = visitor.only(&Role::ALL)?;
    let show = move |service: &Service, visitor: &Visitor| {
        let dataset = service.dataset(&name).filter(|dataset| may_see_dataset(service, &person, dataset));
        let dataset = dataset.ok_or_else(|| visitor.fail(Problem::unknown_dataset(&name)))?;
        let report = dataset.report.as_ref().filter(|_| person.role == Role::Steward);
        let body = pages::one(dataset, &cap(service, dataset), report);
        Ok(visitor.page(&dataset.name, "/datasets", &body))
    };
    aside(&service, visitor, show).await
}

/// The lifetime cap as it was raised.
fn cap(service: &Service, dataset: &Dataset) -> String {
    let of = |book: &crate::budget::book::Book| book.find(&dataset.lineage, Kind::Dataset, "").map(|one| one.epsilon);
    read(service.ledger(), of).unwrap_or(dataset.terms.cap).to_string()
}

/// GET /transparency.
pub async fn transparency(State(service): State<App>, visitor: Visitor) -> Response {
    let show = move |service: &Service, visitor: &Visitor| {
        let datasets: Vec<_> = service.datasets().filter(|dataset| dataset.name == dataset.lineage).collect();
        Ok(visitor.page("What is held here", "/transparency", &sight::list(&datasets)))
    };
    aside(&service, visitor, show).await.unwrap_or_else(IntoResponse::into_response)
}

/// GET /transparency/{name}.
pub async fn transparency_of(State(service): State<App>, visitor: Visitor, Segment(name): Segment) -> Shown {
    aside(&service, visitor, move |service, visitor| sight_of(service, visitor, &name)).await
}

fn sight_of(service: &Service, visitor: &Visitor, name: &str) -> Shown {
    let dataset = service.dataset(name).filter(|dataset| dataset.name == dataset.lineage);
    let dataset = dataset.ok_or_else(|| visitor.fail(Problem::not_found("there is no such dataset")))?;
    let (checked_ms, _) = service.started();
    let checked = service.date(checked_ms);
    let sound = service.ledger().is_sound();
    let public = service.statistics().filter(|one| one.is_public && one.lineage == dataset.name);
    let statistics = public.filter(|one| service.reading_of(one).shown.is_some());
    let statistics = statistics.map(|one| (one.name.clone(), one.title.clone())).collect();
    let (cap, seen) = (cap(service, dataset), seen(service, dataset));
    let shown = sight::Sight {
        dataset,
        cap: &cap,
        spent: &seen.spent,
        part: seen.part,
        questions: seen.questions,
        projects: seen.projects,
        purposes: seen.purposes,
        statistics,
        is_sound: sound,
        checked: &checked,
    };
    Ok(visitor.page(&dataset.name, "/transparency", &sight::one(&shown)))
}

/// What the book says of a dataset to everybody.
#[derive(Default)]
struct Seen {
    spent: String,
    part: f64,
    questions: u64,
    projects: Vec<(String, usize)>,
    purposes: Vec<(String, u64)>,
}

/// Purposes on a page.
const PURPOSES_SHOWN: usize = 50;

fn seen(service: &Service, dataset: &Dataset) -> Seen {
    let accountant = dataset.terms.accountant;
    read(service.ledger(), |book| {
        let Some(whole) = book.dataset(&dataset.lineage) else { return Seen::default() };
        let root = book.account(whole.account);
        let mut projects: BTreeMap<String, usize> = BTreeMap::new();
        let researchers = book.accounts_of(&dataset.lineage).filter(|one| one.kind == Kind::Researcher);
        for account in researchers.filter(|one| one.name != STATISTICS && one.amount.units() > 0) {
            let above = account.parent.map(|parent| book.account(parent)).filter(|parent| parent.kind == Kind::Project);
            *projects.entry(above.map_or_else(String::new, |above| above.name.clone())).or_default() += 1;
        }
        let mut purposes: Vec<_> = whole.purposes.iter().map(|(purpose, times)| (purpose.clone(), *times)).collect();
        purposes.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        purposes.truncate(PURPOSES_SHOWN);
        Seen {
            spent: accountant.epsilon_spent(root.spent).to_string(),
            part: root.spent.units() as f64 / root.amount.units().max(1) as f64,
            questions: whole.questions,
            projects: projects.into_iter().collect(),
            purposes,
        }
    })
}
