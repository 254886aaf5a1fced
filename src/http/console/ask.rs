//! The researchers' pages for asking a question: its price before paying, and the answer.

mod pay;

use axum::extract::State;
use axum::response::Response;
use maud::html;
use serde::Deserialize;
use strum::IntoStaticStr;

pub use self::pay::submit;
use super::saved::{filled, save};
use super::session::Form;
use super::shown::{AddressParams, Shown, address, aside, fragment};
use crate::http::App;
use crate::http::api::quotes::quoted;
use crate::http::console::pages::answers;
use crate::http::console::pages::ask::{self as pages, AskPage, Question};
use crate::http::console::pages::price::{self, Outlook};
use crate::http::console::pages::saved::SavedLine;
use crate::http::pad;
use crate::http::pieces::held_response;
use crate::http::problem::Problem;
use crate::http::visitor::Visitor;
use crate::kernel::budget::people::{Person, Role};
use crate::kernel::privacy::amounts::Epsilon;
use crate::kernel::random;
use crate::service::asking::ask::{Ask, MarginText, RequestedAccuracy};
use crate::service::asking::pad::Pad;
use crate::service::asking::question::PreparedQuestion;
use crate::service::asking::quote::Quote;
use crate::service::asking::rooms::{LIST_BYTES, Rendering};
use crate::service::asking::saved::SavedQuestion;
use crate::service::{Dataset, Service, ServiceError};

/// Query parameters with which a link can fill in the form.
#[derive(Deserialize)]
pub struct AskParams {
    sql: Option<String>,
    dataset: Option<String>,
    epsilon: Option<String>,
    margin: Option<String>,
    purpose: Option<String>,
    done: Option<String>,
    show: Option<PageContents>,
}

/// What the page shows beside the form: without scripts, a form leads here after it was sent, so that Back and reload send nothing again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub(super) enum PageContents {
    /// The price of the question.
    Price,
    /// The price of the question, which differs from the one at which somebody would have paid.
    Unseen,
    /// The answer to a question that costs nothing. Any other question is shown with its price.
    Answer,
}

/// The longest address to which a form redirects, in bytes; a longer question is answered by the form itself.
const ADDRESS_BYTES_MAX: usize = 6_000;

/// The address of the page with a question in its form; `None` if it would be too long.
fn shown_at(question: &Question, show: PageContents) -> Option<String> {
    let (epsilon, margin) = match question.by_margin {
        true => ("", question.margin.as_str()),
        false => (question.epsilon.as_str(), ""),
    };
    let show: &str = show.into();
    let params =
        [("sql", question.sql.as_str()), ("epsilon", epsilon), ("margin", margin), ("purpose", &question.purpose)];
    let place = address("/ask", &[params[0], params[1], params[2], params[3], ("show", show)]);
    // A text that is left out of the address would come back as the example's.
    let has_accuracy = !epsilon.is_empty() || !margin.is_empty();
    let is_whole = !question.sql.is_empty() && has_accuracy;
    (is_whole && place.len() <= ADDRESS_BYTES_MAX).then_some(place)
}

pub(super) fn own_datasets<'a>(service: &'a Service, person: &'a Person) -> Vec<&'a Dataset> {
    let mut seen: Vec<_> = service.datasets_seen_by(person).collect();
    // Tables with one row per unit come after the datasets they belong to.
    seen.sort_by_key(|dataset| dataset.name != dataset.lineage);
    seen
}

/// GET /ask: the form for a question.
pub async fn form(
    State(service): State<App>,
    visitor: Visitor,
    AddressParams(params): AddressParams<AskParams>,
) -> Shown {
    let person = visitor.only(&[Role::Researcher])?;
    let datasets = own_datasets(&service, &person);
    let first = params.dataset.as_deref().or(datasets.first().map(|dataset| dataset.name.as_str()));
    let example = first.map_or_else(String::new, |name| format!("SELECT COUNT(*) AS n\nFROM {name}"));
    let is_example = params.sql.is_none();
    let question = Question {
        sql: params.sql.unwrap_or(example),
        by_margin: params.margin.is_some(),
        epsilon: params.epsilon.unwrap_or_else(|| "0.1".to_owned()),
        margin: params.margin.unwrap_or_default(),
        purpose: params.purpose.unwrap_or_default(),
        key: random::id("ask").unwrap_or_default(),
    };
    if let Some(show) = params.show {
        return Ok(shown_again(&service, visitor, &person, question, show).await);
    }
    let done = done(params.done.as_deref());
    let show = move |service: &Service, visitor: &Visitor| {
        let saved = saved_lines(service, &person);
        Ok(editing(service, visitor, &person, (&question, is_example), (&Outlook::Unasked, done), saved))
    };
    aside(&service, visitor, show).await
}

/// The page to which a form has led: a question in its form, with its price or its free answer.
async fn shown_again(
    service: &App,
    visitor: Visitor,
    person: &Person,
    question: Question,
    show: PageContents,
) -> Response {
    let asker = Asker { visitor: &visitor, person, is_payment: false };
    let (pad, shown) = match (ask(&question), show) {
        (Err(problem), _) => (None, refused_page(service, asker, question, problem).await),
        (Ok(ask), PageContents::Answer) => free_answer(service, asker, question, ask).await,
        (Ok(ask), PageContents::Price | PageContents::Unseen) => quoted_page(service, asker, question, ask, show).await,
    };
    pad::marked_any(pad, shown)
}

/// The question of a form. A button that says what fits has filled in the accuracy instead of its field.
fn question(form: &Form) -> Question {
    let text = |name: &str| form.text(name).to_owned();
    let fits = |name: &str| form.some(name);
    let (epsilon, margin) = (fits("fit_epsilon"), fits("fit_margin"));
    Question {
        sql: text("sql"),
        by_margin: epsilon.is_none() && (margin.is_some() || form.text("by") == "margin"),
        epsilon: epsilon.unwrap_or_else(|| text("epsilon")),
        margin: margin.unwrap_or_else(|| text("margin")),
        purpose: text("purpose"),
        key: text("key"),
    }
}

fn ask(question: &Question) -> Result<Ask, Problem> {
    let (typed, wanted) = match question.by_margin {
        true => (&question.margin, "write a margin, like 25"),
        false => (&question.epsilon, "write an epsilon, like 0.1"),
    };
    if typed.trim().is_empty() {
        return Err(Problem::invalid_epsilon(wanted));
    }
    let accuracy = match question.by_margin {
        true => RequestedAccuracy::new(None, Some(&MarginText::Every(question.margin.clone())))?,
        false => RequestedAccuracy::new(Some(&question.epsilon), None)?,
    };
    let purpose = Some(question.purpose.clone()).filter(|purpose| !purpose.is_empty());
    let sql = question.sql.clone();
    Ok(Ask { sql, accuracy, rows_per_unit: None, group_size: None, purpose }.checked()?)
}

/// The answer to a question if it is free, and otherwise its price: an address is followed without a thought, so it never pays.
async fn free_answer(service: &App, asker: Asker<'_>, question: Question, ask: Ask) -> (Option<Pad>, Response) {
    let (who, asked) = (asker.person.name.clone(), ask.clone());
    let prepared = match service.planning(&who.clone(), move |service| service.prepare(&who, asked)).await {
        Ok(prepared) => prepared,
        Err(error) => return (None, refused_page(service, asker, question, error.into()).await),
    };
    if !prepared.is_free() {
        return quoted_page(service, asker, question, ask, PageContents::Price).await;
    }
    let pad = prepared.pad();
    match free(service, asker, prepared).await {
        Ok(page) => (pad, page),
        Err(problem) => (pad, refused_page(service, asker, question, problem).await),
    }
}

async fn free(service: &App, asker: Asker<'_>, prepared: PreparedQuestion) -> Result<Response, Problem> {
    let ((prepared, room), visitor) = (service.in_room(prepared, Rendering::Page).await?, asker.visitor.clone());
    let show = move |service: &Service| {
        let answer = service.answer_free(prepared)?;
        Ok::<_, ServiceError>(visitor.page("Answer", "/ask", &answers::free(&answer.sql, &answer.table)))
    };
    Ok(held_response(service.rendering_in(&room, &asker.person.name, show).await??, room))
}

/// Who has sent a question, and whether they meant to pay for it.
#[derive(Clone, Copy)]
struct Asker<'a> {
    visitor: &'a Visitor,
    person: &'a Person,
    is_payment: bool,
}

/// Saves the question, or shows the form again with the reason why not.
async fn saved(service: &App, form: &Form, person: &Person, question: Question) -> Shown {
    match save(service, form, person, question.clone()).await {
        Ok(done) => Ok(done),
        Err(problem) => {
            let asker = Asker { visitor: &form.visitor, person, is_payment: false };
            Ok(refused_page(service, asker, question, problem).await)
        }
    }
}

/// POST /ask/price: the price box by itself.
pub async fn price(State(service): State<App>, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Researcher])?;
    let (pad, markup) = price_box(&service, &person, ask(&question(&form))).await;
    Ok(pad::marked_any(pad, fragment(&markup)))
}

/// POST /ask/level: the slider sets ε; returns the price box and the field that holds ε.
pub async fn level(State(service): State<App>, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Researcher])?;
    let most = own_datasets(&service, &person).first().map(|dataset| dataset.terms.max_epsilon_per_query);
    let step = form.text("level").parse().unwrap_or(0);
    let epsilon = pages::epsilon_of(step, most.unwrap_or(Epsilon::from_nanos(1_000_000_000))).to_string();
    let question = Question { by_margin: false, epsilon: epsilon.clone(), ..question(&form) };
    let (pad, markup) = price_box(&service, &person, ask(&question)).await;
    let markup = html! { (markup) (pages::epsilon_field(&epsilon, true)) };
    Ok(pad::marked_any(pad, fragment(&markup)))
}

fn refusal(problem: &Problem) -> Outlook<'_> {
    Outlook::Refused {
        detail: problem.detail(),
        hint: problem.shown_hint(),
        position: problem.position,
        fits: problem.fits.as_ref(),
    }
}

/// Shows a quote, or the reason why there is none.
fn with_outlook<T>(quoted: Result<Quote, Problem>, show: impl FnOnce(&Outlook<'_>) -> T) -> T {
    match quoted {
        Ok(quote) => show(&Outlook::Quoted(&quote)),
        Err(problem) => show(&refusal(&problem)),
    }
}

async fn price_box(service: &App, person: &Person, asked: Result<Ask, Problem>) -> (Option<Pad>, maud::Markup) {
    let write = |quote: Result<Quote, ServiceError>| with_outlook(quote.map_err(Problem::from), price::price);
    let (pad, shown) = match asked {
        Ok(ask) => quoted(service, &person.name, ask, write).await,
        Err(problem) => (None, Err(problem)),
    };
    (pad, shown.unwrap_or_else(|problem| with_outlook(Err(problem), price::price)))
}

/// The page with a question and its quote, or the reason why there is none.
fn asking_page(
    service: &Service,
    visitor: &Visitor,
    person: &Person,
    question: &Question,
    outlook: &Outlook<'_>,
) -> Response {
    editing(service, visitor, person, (question, false), (outlook, None), saved_lines(service, person))
}

/// A researcher's saved questions; `None` if the server keeps none. Blocks.
fn saved_lines(service: &Service, person: &Person) -> Option<Vec<SavedLine>> {
    // The page is of use without them, so a store that cannot be read takes nothing else away.
    let saved = service.saved_questions(&person.name).unwrap_or_default();
    let line = |saved: &SavedQuestion| SavedLine { name: saved.name.clone(), place: filled(saved, "") };
    service.keeps_questions().then(|| saved.iter().map(line).collect())
}

/// Says on the page what was done. A link can only choose among these messages.
fn done(word: Option<&str>) -> Option<&'static str> {
    match word? {
        "saved" => Some("Saved. You find it under your saved questions."),
        "forgotten" => Some("Deleted from your saved questions."),
        _ => None,
    }
}

/// The page with the editor. A question that is an example may be replaced by a draft that the browser keeps.
fn editing(
    service: &Service,
    visitor: &Visitor,
    person: &Person,
    (question, is_example): (&Question, bool),
    (outlook, done): (&Outlook<'_>, Option<&str>),
    saved: Option<Vec<SavedLine>>,
) -> Response {
    let datasets = own_datasets(service, person);
    let page = AskPage {
        token: &visitor.csrf,
        who: &person.name,
        datasets: &datasets,
        question,
        is_example,
        outlook,
        saved: saved.as_deref(),
        done,
    };
    visitor.page_with_editor("Ask", "/ask", &pages::page(&page))
}

async fn quoted_page(
    service: &App,
    asker: Asker<'_>,
    question: Question,
    ask: Ask,
    show: PageContents,
) -> (Option<Pad>, Response) {
    let (visitor, person) = (asker.visitor.clone(), asker.person.clone());
    let (showing, asked, show_unseen) = (service.clone(), question.clone(), show == PageContents::Unseen);
    let write = move |quote: Result<Quote, ServiceError>| {
        let show = |outlook: &Outlook<'_>| asking_page(&showing, &visitor, &person, &asked, outlook);
        match (quote, show_unseen) {
            (Ok(quote), true) if quote.answerable => show(&Outlook::Unseen(&quote)),
            (quote, _) => with_outlook(quote.map_err(Problem::from), show),
        }
    };
    let room = match service.room(&asker.person.name, LIST_BYTES).await {
        Ok(room) => room,
        Err(error) => return (None, busy_page(service, asker, &question, &error.into())),
    };
    match quoted(service, &asker.person.name, ask, write).await {
        (pad, Ok(page)) => (pad, held_response(page, room)),
        (pad, Err(problem)) => (pad, busy_page(service, asker, &question, &problem)),
    }
}

/// The page that says the server is busy. It is built right here, because there is no room for it elsewhere either.
fn busy_page(service: &App, asker: Asker<'_>, question: &Question, problem: &Problem) -> Response {
    let outlook = (&refusal(problem), None);
    let mut response = editing(service, asker.visitor, asker.person, (question, false), outlook, None);
    *response.status_mut() = problem.status();
    response
}

/// The page that says why there is no answer. After a refused payment it has a new key, so that the question can be asked again.
async fn refused_page(service: &App, asker: Asker<'_>, question: Question, problem: Problem) -> Response {
    let is_payment = asker.is_payment;
    let key = if is_payment { random::id("ask").unwrap_or_default() } else { question.key.clone() };
    let question = Question { key, ..question };
    let (person, asked, why) = (asker.person.clone(), question.clone(), problem.clone());
    let show = move |service: &Service, visitor: &Visitor| {
        let outlook = refusal(&why);
        let mut response = asking_page(service, visitor, &person, &asked, &outlook);
        if is_payment {
            *response.status_mut() = why.status();
        }
        Ok(response)
    };
    match aside(service, asker.visitor.clone(), show).await {
        Ok(page) => page,
        Err(_) => busy_page(service, asker, &question, &problem),
    }
}
