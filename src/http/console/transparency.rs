//! The pages that patients and everybody else may read: what is held, who asks, and what that means for one person.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};

use super::shown::{Shown, aside};
use crate::http::App;
use crate::http::api::datasets::cap;
use crate::http::console::pages::transparency::{self as pages, LedgerFacts, TransparencyPage};
use crate::http::params::Segment;
use crate::http::problem::Problem;
use crate::http::shared::Shared;
use crate::http::visitor::Visitor;
use crate::kernel::budget::entry::AccountKind;
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::{Role, STATISTICS};
use crate::kernel::budget::state::LedgerState;
use crate::service::access::Sight;
use crate::service::{Dataset, Service};

/// The number of purposes on a page.
const PURPOSES_SHOWN: usize = 50;
/// The number of projects on a page.
const PROJECTS_SHOWN: usize = 100;

/// GET /transparency: lists the datasets.
pub async fn all(State(service): State<App>, Extension(shared): Extension<Arc<Shared>>, visitor: Visitor) -> Response {
    let show = move |service: &Service, visitor: &Visitor| {
        let datasets: Vec<_> = service.datasets().filter(|dataset| dataset.name == dataset.lineage).collect();
        let body = pages::list(&datasets, shared.settings.operator.as_ref());
        Ok(visitor.page("What is held here", "/transparency", &body))
    };
    aside(&service, visitor, show).await.unwrap_or_else(IntoResponse::into_response)
}

/// GET /transparency/{name}: the page of one dataset.
pub async fn one(
    State(service): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    visitor: Visitor,
    Segment(name): Segment,
) -> Shown {
    aside(&service, visitor, move |service, visitor| page_of(service, &shared, visitor, &name)).await
}

fn page_of(service: &Service, shared: &Shared, visitor: &Visitor, name: &str) -> Result<Response, Problem> {
    let dataset = service.dataset(name).filter(|dataset| dataset.name == dataset.lineage);
    let dataset = dataset.ok_or_else(|| Problem::not_found("there is no such dataset"))?;
    let (cap, checked) = (cap(service, dataset), service.date(service.started().0));
    let shown = TransparencyPage {
        dataset,
        operator: shared.settings.operator.as_ref(),
        cap: &cap,
        facts: facts(service, dataset),
        statistics: published(service, dataset),
        is_sound: service.ledger().is_sound(),
        checked: &checked,
    };
    Ok(visitor.page(&dataset.name, "/transparency", &pages::one(&shown)))
}

/// The names and titles of a dataset's statistics that everybody may see.
fn published(service: &Service, dataset: &Dataset) -> Vec<(String, String)> {
    let of = service.statistics().filter(|one| one.lineage == dataset.name);
    let shown = of.filter(|one| matches!(service.sight(one, None), Sight::Shown { .. }));
    shown.map(|one| (one.name.clone(), service.reading_of(one).face.title)).collect()
}

fn facts(service: &Service, dataset: &Dataset) -> LedgerFacts {
    let accountant = dataset.terms.accountant;
    read(service.ledger(), |book| {
        let Some(whole) = book.dataset(&dataset.lineage) else { return LedgerFacts::default() };
        let root = book.account(whole.account);
        let mut purposes: Vec<_> = whole.purposes.iter().collect();
        purposes.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
        purposes.truncate(PURPOSES_SHOWN);
        let mut projects = projects(book, &dataset.lineage);
        let projects_hidden = projects.len().saturating_sub(PROJECTS_SHOWN);
        projects.truncate(PROJECTS_SHOWN);
        let raises = whole.raises.iter().map(|raise| (service.date(raise.at_ms), raise.from, raise.to));
        LedgerFacts {
            spent: accountant.epsilon_spent(root.spent).to_string(),
            part: root.spent.quanta() as f64 / root.amount.quanta().max(1) as f64,
            best_guess: accountant.best_guess(root.spent, whole.threshold_delta),
            best_guess_at_cap: accountant.best_guess(root.amount.max(root.spent), whole.cap.threshold_delta),
            threshold_delta: whole.cap.threshold_delta,
            raises: raises.collect(),
            questions: whole.questions,
            projects,
            projects_hidden,
            purposes: purposes.into_iter().map(|(purpose, times)| (purpose.clone(), *times)).collect(),
        }
    })
}

/// Projects with the number of their researchers who may ask, that is, who have an allocation and a token.
fn projects(book: &LedgerState, dataset: &str) -> Vec<(String, usize)> {
    let mut projects: BTreeMap<String, usize> = BTreeMap::new();
    let researchers =
        book.accounts_of(dataset).filter(|one| one.kind == AccountKind::Researcher && one.name != STATISTICS);
    let may_ask = |name: &str| matches!(book.person(name), Some((Role::Researcher, true)));
    for account in researchers.filter(|one| one.amount.quanta() > 0 && may_ask(&one.name)) {
        let above =
            account.parent.map(|parent| book.account(parent)).filter(|parent| parent.kind == AccountKind::Project);
        *projects.entry(above.map_or_else(String::new, |above| above.name.clone())).or_default() += 1;
    }
    projects.into_iter().collect()
}
