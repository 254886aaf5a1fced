//! The researchers' pages for asking a question: its price before paying, and the answer.

use axum::extract::State;
use axum::response::Response;
use maud::html;
use serde::Deserialize;

use super::saved::{filled, save};
use super::session::Form;
use super::shown::{AddressParams, Shown, aside, fragment};
use crate::http::App;
use crate::http::api::queries;
use crate::http::api::quotes::quoted;
use crate::http::cite;
use crate::http::console::pages::answers;
use crate::http::console::pages::ask::{self as pages, AskPage, Question};
use crate::http::console::pages::price::{self, Outlook};
use crate::http::console::pages::saved::SavedLine;
use crate::http::pad;
use crate::http::pieces::held_response;
use crate::http::problem::Problem;
use crate::http::visitor::Visitor;
use crate::kernel::budget::entry::KeyUse;
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::{Person, Role};
use crate::kernel::privacy::amounts::Epsilon;
use crate::kernel::random;
use crate::query::answer::tabulate;
use crate::service::asking::ask::{Ask, MarginText, RequestedAccuracy};
use crate::service::asking::pad::Pad;
use crate::service::asking::question::PreparedQuestion;
use crate::service::asking::quote::Quote;
use crate::service::asking::rooms::{LIST_BYTES, Rendering};
use crate::service::asking::saved::SavedQuestion;
use crate::service::{Answer, Dataset, Service, ServiceError};

/// Query parameters with which a link can fill in the form.
#[derive(Deserialize)]
pub struct AskParams {
    sql: Option<String>,
    dataset: Option<String>,
    epsilon: Option<String>,
    margin: Option<String>,
    purpose: Option<String>,
    done: Option<String>,
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
    let show = move |service: &Service, visitor: &Visitor| {
        let datasets = own_datasets(service, &person);
        let first = params.dataset.as_deref().or(datasets.first().map(|dataset| dataset.name.as_str()));
        let example = first.map_or_else(String::new, |name| format!("SELECT COUNT(*) AS n\nFROM {name}"));
        let is_example = params.sql.is_none();
        let done = done(params.done.as_deref());
        let question = Question {
            sql: params.sql.unwrap_or(example),
            by_margin: params.margin.is_some(),
            epsilon: params.epsilon.unwrap_or_else(|| "0.1".to_owned()),
            margin: params.margin.unwrap_or_default(),
            purpose: params.purpose.unwrap_or_default(),
            key: random::id("ask").unwrap_or_default(),
        };
        let saved = saved_lines(service, &person);
        Ok(editing(service, visitor, &person, (&question, is_example), (&Outlook::Unasked, done), saved))
    };
    aside(&service, visitor, show).await
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

/// POST /ask: shows the price or, on payment, the answer.
pub async fn submit(State(service): State<App>, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Researcher])?;
    let question = question(&form);
    if form.text("do") == "save" {
        return saved(&service, &form, &person, question).await;
    }
    let asked = ask(&question);
    let (pad, shown) = match (form.text("do"), asked) {
        (_, Err(problem)) => (None, refused_page(&service, &form, &person, question, problem).await),
        ("pay", Ok(ask)) => pay(&service, &form, &person, question, ask).await,
        (_, Ok(ask)) => quoted_page(&service, &form, &person, question, ask).await,
    };
    Ok(pad::marked_any(pad, shown))
}

/// Saves the question, or shows the form again with the reason why not.
async fn saved(service: &App, form: &Form, person: &Person, question: Question) -> Shown {
    match save(service, form, person, question.clone()).await {
        Ok(done) => Ok(done),
        Err(problem) => Ok(refused_page(service, form, person, question, problem).await),
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
    form: &Form,
    person: &Person,
    question: Question,
    ask: Ask,
) -> (Option<Pad>, Response) {
    let (visitor, asker, showing, asked) = (form.visitor.clone(), person.clone(), service.clone(), question.clone());
    let write = move |quote: Result<Quote, ServiceError>| {
        let show = |outlook: &Outlook<'_>| asking_page(&showing, &visitor, &asker, &asked, outlook);
        with_outlook(quote.map_err(Problem::from), show)
    };
    let room = match service.room(&person.name, LIST_BYTES).await {
        Ok(room) => room,
        Err(error) => return (None, busy_page(service, form, person, &question, &error.into())),
    };
    match quoted(service, &person.name, ask, write).await {
        (pad, Ok(page)) => (pad, held_response(page, room)),
        (pad, Err(problem)) => (pad, busy_page(service, form, person, &question, &problem)),
    }
}

/// The page that says the server is busy. It is built right here, because there is no room for it elsewhere either.
fn busy_page(service: &App, form: &Form, person: &Person, question: &Question, problem: &Problem) -> Response {
    let outlook = (&refusal(problem), None);
    let mut response = editing(service, &form.visitor, person, (question, false), outlook, None);
    *response.status_mut() = problem.status();
    response
}

/// The page that says why there is no answer. After a refused payment it has a new key, so that the question can be asked again.
async fn refused_page(service: &App, form: &Form, person: &Person, question: Question, problem: Problem) -> Response {
    let is_payment = form.text("do") == "pay";
    let key = if is_payment { random::id("ask").unwrap_or_default() } else { question.key.clone() };
    let question = Question { key, ..question };
    let (asker, asked, why) = (person.clone(), question.clone(), problem.clone());
    let show = move |service: &Service, visitor: &Visitor| {
        let outlook = refusal(&why);
        let mut response = asking_page(service, visitor, &asker, &asked, &outlook);
        if is_payment {
            *response.status_mut() = why.status();
        }
        Ok(response)
    };
    match aside(service, form.visitor.clone(), show).await {
        Ok(page) => page,
        Err(_) => busy_page(service, form, person, &question, &problem),
    }
}

/// The key under which a page pays. It covers the question and its accuracy, too.
fn key_of(question: &Question) -> Option<KeyUse> {
    let digest = |parts: &[&str]| {
        let mut hasher = blake3::Hasher::new();
        parts.iter().for_each(|part| {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        });
        *hasher.finalize().as_bytes()
    };
    let by = if question.by_margin { &question.margin } else { &question.epsilon };
    let how = if question.by_margin { "margin" } else { "epsilon" };
    let body = digest(&[&question.sql, how, by, &question.purpose]);
    // Another question from the same page is another payment.
    let key = digest(&["console", &question.key, &question.sql, how, by, &question.purpose]);
    (!question.key.is_empty()).then_some(KeyUse { key, body })
}

/// Prepares a question, and returns its quote if the price differs from the one seen on the page that pays. Free questions, and those that
/// this page has paid for before, need no quote.
fn prepared(
    service: &Service,
    who: &str,
    ask: Ask,
    key: Option<KeyUse>,
    seen: &str,
) -> (PreparedQuestion, Option<Quote>) {
    let mut prepared = service.prepare(who, ask);
    let is_paid = key.is_none_or(|key| read(service.ledger(), |book| book.under_key(who, &key)).is_some());
    if prepared.is_free() || is_paid {
        return (prepared, None);
    }
    let quote = service.quote_before(&mut prepared);
    let is_unseen = |quote: &Quote| quote.answerable && quote.epsilon != "0" && quote.epsilon != seen;
    (prepared, quote.filter(is_unseen))
}

/// Pays for a question and shows the answer. The key comes from the page, so sending the page again does not pay again.
async fn pay(service: &App, form: &Form, person: &Person, question: Question, ask: Ask) -> (Option<Pad>, Response) {
    let (key, seen, who) = (key_of(&question), form.text("quoted").to_owned(), person.name.clone());
    let work = move |service: &Service| prepared(service, &who, ask, key, &seen);
    let (prepared, unseen) = match service.planning(&person.name, work).await {
        Ok(prepared) => prepared,
        Err(error) => return (None, refused_page(service, form, person, question, error.into()).await),
    };
    let pad = prepared.pad();
    if let Some(quote) = unseen {
        let asker = person.clone();
        let show = move |service: &Service, visitor: &Visitor| {
            Ok(asking_page(service, visitor, &asker, &question, &Outlook::Unseen(&quote)))
        };
        let page = aside(service, form.visitor.clone(), show).await;
        return (pad, page.unwrap_or_else(axum::response::IntoResponse::into_response));
    }
    let answered = match prepared.is_free() {
        true => free(service, form, person, prepared).await,
        false => answered(service, form, person, prepared, key).await,
    };
    let shown = match answered {
        Ok(page) => page,
        Err(problem) => refused_page(service, form, person, question, problem).await,
    };
    (pad, shown)
}

async fn free(service: &App, form: &Form, person: &Person, prepared: PreparedQuestion) -> Result<Response, Problem> {
    let ((prepared, room), visitor) = (service.in_room(prepared, Rendering::Page).await?, form.visitor.clone());
    let show = move |service: &Service| {
        let answer = service.answer_free(prepared)?;
        Ok::<_, ServiceError>(visitor.page("Answer", "/ask", &answers::free(&answer.sql, &answer.table)))
    };
    Ok(held_response(service.rendering_in(&room, &person.name, show).await??, room))
}

async fn answered(
    service: &App,
    form: &Form,
    person: &Person,
    prepared: PreparedQuestion,
    key: Option<KeyUse>,
) -> Result<Response, Problem> {
    let (answer, room) = queries::answer_in_time(service, prepared, key, Rendering::Page).await?;
    let (visitor, who) = (form.visitor.clone(), person.name.clone());
    let show = move |service: &Service| visitor.page("Answer", "/ask", &answer_body(service, &who, &answer));
    Ok(held_response(service.rendering_in(&room, &person.name, show).await?, room))
}

fn answer_body(service: &Service, who: &str, answer: &Answer) -> maud::Markup {
    let stored = &answer.stored;
    let table = tabulate(&answer.layout, stored.vectors());
    let account = (answer.fraction(), answer.account());
    let (paid, date, cite) = (answer.epsilon(), service.date(stored.at_ms), cite::answer(service, stored));
    answers::one(&answers::AnswerPage {
        release: &stored.release.id,
        dataset: &stored.release.subject.dataset,
        sql: &answer.sql,
        first_sql: Some(stored.sql.as_str()).filter(|first| *first != answer.sql),
        date: &date,
        cite: &cite,
        mechanism: stored.release.mechanism.name(),
        paid: Some(&paid),
        table: &table,
        account: Some(&account),
        purpose: stored.purpose.as_deref().filter(|_| stored.researcher == who),
        page: 0,
    })
}
