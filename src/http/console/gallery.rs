//! The gallery of statistics, and what stewards do there: publish those
//! that wait, and draw anew. Both ask for confirmation before they spend.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use maud::html;
use serde::Deserialize;

use super::session::Form;
use super::shown::{AddressParams, Shown, address, aside, see};
use crate::http::App;
use crate::http::api::statistics::{name_of, rendered};
use crate::http::console::pages::dashboards;
use crate::http::console::pages::statistics::{self as pages, Card, DrawPage, GalleryPage};
use crate::http::forms::StatisticForm;
use crate::http::params::Segment;
use crate::http::problem::Problem;
use crate::http::shared::Shared;
use crate::http::visitor::Visitor;
use crate::kernel::budget::people::{Person, Role};
use crate::kernel::privacy::amounts::Epsilon;
use crate::service::Service;
use crate::service::access::Sight;
use crate::service::publishing::statistics::{Agreement, Statistic};

/// Query parameters of the gallery: what was done, which statistics are looked for, and the last one of the page before.
#[derive(Deserialize)]
pub struct GalleryParams {
    done: Option<String>,
    find: Option<String>,
    dataset: Option<String>,
    after: Option<String>,
}

/// The number of statistics on a page.
const CARDS: usize = 48;

/// GET /statistics: the gallery.
pub async fn statistics(
    State(service): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    visitor: Visitor,
    AddressParams(params): AddressParams<GalleryParams>,
) -> Response {
    let person = visitor.person.clone();
    let who = name_of(person.as_ref()).to_owned();
    let look = move |service: &Service| Shelved::of(service, person.as_ref(), params);
    let mut shelved = match service.rendering(&who, look).await {
        Ok(shelved) => shelved,
        Err(error) => return visitor.fail(error).into_response(),
    };
    for card in &mut shelved.cards {
        card.picture = picture(&service, &shared, &visitor, card).await;
    }
    let show = move |service: &Service, visitor: &Visitor| Ok(page(service, visitor, &shelved));
    aside(&service, visitor, show).await.unwrap_or_else(IntoResponse::into_response)
}

/// A page of the gallery.
struct Shelved {
    cards: Vec<Card>,
    datasets: Vec<String>,
    params: GalleryParams,
    waiting: usize,
    has_more: bool,
}

impl Shelved {
    /// The statistics that a person may see and looks for.
    fn of(service: &Service, person: Option<&Person>, params: GalleryParams) -> Self {
        let seen: Vec<_> =
            service.statistics().filter(|statistic| service.sight(statistic, person) != Sight::Hidden).collect();
        let mut datasets: Vec<_> = seen.iter().map(|statistic| statistic.dataset.clone()).collect();
        datasets.sort();
        datasets.dedup();
        let (find, dataset) = (params.find(), params.dataset.as_deref().unwrap_or(""));
        let all = seen.into_iter().filter(|statistic| dataset.is_empty() || statistic.dataset == dataset);
        let all: Vec<_> = all.map(|statistic| card(service, statistic)).collect();
        let waiting = all.iter().filter(|card| !card.is_confirmed).count();
        let found = all.into_iter().filter(|card| card.tells_of(&find));
        let after = params.after.as_deref().unwrap_or("");
        let mut cards: Vec<_> = found.skip_while(|card| card.name.as_str() <= after).take(CARDS + 1).collect();
        let has_more = cards.len() > CARDS;
        cards.truncate(CARDS);
        Self { cards, datasets, params, waiting, has_more }
    }
}

impl GalleryParams {
    /// What is looked for, in small letters; everything contains an empty text.
    fn find(&self) -> String {
        self.find.as_deref().unwrap_or("").trim().to_lowercase()
    }
}

/// The picture of a statistic, if it shows something that this visitor may see.
async fn picture(service: &App, shared: &Arc<Shared>, visitor: &Visitor, card: &Card) -> Option<String> {
    card.date.as_ref()?;
    let made = rendered(service, shared, visitor.person.as_ref(), &card.name, StatisticForm::Card).await;
    made.ok().map(|(made, _)| String::from_utf8_lossy(&made.bytes).into_owned())
}

fn page(service: &Service, visitor: &Visitor, shelved: &Shelved) -> Response {
    let params = &shelved.params;
    let done = match params.done.as_deref() {
        Some("refreshed") => Some("A new release is shown."),
        Some("published") => Some("Confirmed: what was due is drawn."),
        _ => None,
    };
    let (find, dataset) = (params.find.as_deref().unwrap_or(""), params.dataset.as_deref().unwrap_or(""));
    let last = shelved.cards.last().filter(|_| shelved.has_more);
    let next = last.map(|card| address("/statistics", &[("find", find), ("dataset", dataset), ("after", &card.name)]));
    let gallery = pages::page(&GalleryPage {
        cards: &shelved.cards,
        datasets: &shelved.datasets,
        find,
        dataset,
        next: next.as_deref(),
        waiting: shelved.waiting,
        is_steward: visitor.person.as_ref().is_some_and(|person| person.role == Role::Steward),
        done,
    });
    let dashboards: Vec<_> = service.dashboards_seen_by(visitor.person.as_ref()).collect();
    let body = html! { (gallery) (dashboards::list(&dashboards)) };
    visitor.page("Statistics", "/statistics", &body)
}

fn card(service: &Service, statistic: &Statistic) -> Card {
    let state = service.state_of(statistic);
    let waits = state.waits();
    Card {
        name: statistic.name.clone(),
        title: state.face.title,
        description: state.face.description,
        dataset: statistic.dataset.clone(),
        refresh: statistic.refresh.name(),
        price: statistic.epsilon.to_string(),
        is_public: state.face.is_public,
        date: state.shown.map(|(_, at_ms)| service.date(at_ms)),
        next: state.next_ms.map(|at_ms| service.date(at_ms)),
        skipped: state.skipped.map(|(_, why)| why),
        waits,
        is_confirmed: state.agreement == Agreement::Given,
        picture: None,
    }
}

/// GET /statistics/{name}/draw: shows the price, and a button that spends it.
pub async fn draw(State(service): State<App>, visitor: Visitor, Segment(name): Segment) -> Shown {
    visitor.only(&[Role::Steward])?;
    aside(&service, visitor, move |service, visitor| sure(service, visitor, &name)).await
}

fn sure(service: &Service, visitor: &Visitor, name: &str) -> Result<Response, Problem> {
    let statistic = service.statistic(name).ok_or_else(|| Problem::not_found("there is no such statistic"))?;
    let estimate = service.estimate_of(statistic)?;
    let state = service.state_of(statistic);
    let (is_confirmed, waits) = (state.agreement == Agreement::Given, state.waits());
    let question = DrawPage { estimate: &estimate, sql: &statistic.sql, is_confirmed, waits };
    Ok(visitor.page(&estimate.title, "/statistics", &pages::sure(&visitor.csrf, &question)))
}

/// The price that a form names, if it is still what a draw costs; otherwise `None`, and the steward is asked again.
fn price_seen(service: &Service, name: &str, form: &Form) -> Option<Epsilon> {
    let statistic = service.statistic(name)?;
    Epsilon::parse(form.text("epsilon")).ok().filter(|seen| *seen == statistic.epsilon)
}

/// POST /statistics/{name}/publish: a steward agrees to the price that they have seen.
pub async fn publish(State(service): State<App>, Segment(name): Segment, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Steward])?;
    let Some(seen) = price_seen(&service, &name, &form) else { return asked_again(&service, &name, &form) };
    service.publish(&name, Some(seen), &person.name).await.map_err(|error| form.visitor.fail(error))?;
    Ok(see("/statistics?done=published"))
}

/// POST /statistics/{name}/refresh: draws a new release for the price that the steward has seen.
pub async fn refresh(State(service): State<App>, Segment(name): Segment, form: Form) -> Shown {
    form.visitor.only(&[Role::Steward])?;
    if price_seen(&service, &name, &form).is_none() {
        return asked_again(&service, &name, &form);
    }
    service.refresh(&name).await.map_err(|error| form.visitor.fail(error))?;
    Ok(see("/statistics?done=refreshed"))
}

/// Redirects to the page with the price; nothing was spent.
fn asked_again(service: &Service, name: &str, form: &Form) -> Shown {
    match service.statistic(name) {
        Some(statistic) => Ok(see(&format!("/statistics/{}/draw", statistic.name))),
        None => Err(form.visitor.fail(Problem::not_found("there is no such statistic"))),
    }
}
