//! Pages of researchers: asking with the price before it is paid, and what was asked before.

use axum::extract::{Query, State};
use axum::response::Response;
use maud::html;
use serde::Deserialize;

use super::super::datasets::may_see;
use super::super::pad;
use super::super::params::Segment;
use super::super::problem::Problem;
use super::super::{App, queries};
use super::session::Form;
use super::{Failed, Shown, Visitor, fragment};
use crate::budget::entry::KeyUse;
use crate::budget::ledger::read;
use crate::budget::people::{Person, Role};
use crate::chance;
use crate::console::answers::{self, Line};
use crate::console::ask::{self as pages, Outlook, Question};
use crate::privacy::units::Epsilon;
use crate::query::answer::tabulate;
use crate::service::ask::{Ask, Margin, Wanted};
use crate::service::free::is_free;
use crate::service::stored::StoredAnswer;
use crate::service::{Answer, Dataset, Service, ServiceError};

/// What a link may fill in.
#[derive(Deserialize)]
pub struct AskParams {
    sql: Option<String>,
    dataset: Option<String>,
}

fn own_datasets<'a>(service: &'a App, person: &'a Person) -> Vec<&'a Dataset> {
    let mut seen: Vec<_> = service.datasets().filter(|dataset| may_see(service, person, dataset)).collect();
    // Tables of one row a unit stand behind what they belong to.
    seen.sort_by_key(|dataset| dataset.name != dataset.lineage);
    seen
}

/// GET /ask.
pub async fn form(State(service): State<App>, visitor: Visitor, Query(params): Query<AskParams>) -> Shown {
    let person = visitor.only(&[Role::Researcher])?;
    let datasets = own_datasets(&service, &person);
    let first = params.dataset.as_deref().or(datasets.first().map(|dataset| dataset.name.as_str()));
    let example = first.map_or_else(String::new, |name| format!("SELECT COUNT(*) AS n\nFROM {name}"));
    let question = Question {
        sql: params.sql.unwrap_or(example),
        epsilon: "0.1".to_owned(),
        key: chance::id("ask").unwrap_or_default(),
        ..Question::default()
    };
    let body = pages::page(&visitor.csrf, &datasets, &question, &Outlook::Unasked);
    Ok(visitor.page("Ask", "/ask", &body))
}

fn question(form: &Form) -> Question {
    let text = |name: &str| form.text(name).to_owned();
    Question {
        sql: text("sql"),
        by_margin: form.text("by") == "margin",
        epsilon: text("epsilon"),
        margin: text("margin"),
        purpose: text("purpose"),
        key: text("key"),
    }
}

/// Characters of a declared purpose at the most, as in the API.
const PURPOSE_CHARS_MAX: usize = 500;

fn ask(question: &Question) -> Result<Ask, Problem> {
    let accuracy = if question.by_margin {
        Margin::parse(&question.margin).map(Wanted::Margin).map_err(|fault| format!("margin: {fault}"))
    } else {
        Epsilon::parse(&question.epsilon).map(Wanted::Epsilon).map_err(|fault| format!("epsilon: {fault}"))
    };
    if question.purpose.chars().count() > PURPOSE_CHARS_MAX {
        return Err(Problem::invalid_request(format!("the purpose has more than {PURPOSE_CHARS_MAX} characters")));
    }
    let purpose = Some(question.purpose.clone()).filter(|purpose| !purpose.is_empty());
    let (sql, accuracy) = (question.sql.clone(), Some(accuracy.map_err(Problem::invalid_epsilon)?));
    Ok(Ask { sql, accuracy, rows_per_unit: None, group_size: None, purpose })
}

/// POST /ask: the price, or the answer.
pub async fn submit(State(service): State<App>, form: Form) -> Result<Response, Failed> {
    let person = form.visitor.only(&[Role::Researcher])?;
    let question = question(&form);
    let asked = ask(&question);
    let pad = asked.as_ref().ok().and_then(|ask| service.pad(&person.name, ask));
    let shown = match form.text("do") {
        "pay" => pay(&service, &form, &person, question, asked).await,
        _ => quoted_page(&service, &form.visitor, &person, &question, asked).await,
    };
    Ok(pad::marked_any(pad, shown))
}

/// POST /ask/price: the price box alone.
pub async fn price(State(service): State<App>, form: Form) -> Result<Response, Failed> {
    let person = form.visitor.only(&[Role::Researcher])?;
    let asked = ask(&question(&form));
    let pad = asked.as_ref().ok().and_then(|ask| service.pad(&person.name, ask));
    let markup = price_box(&service, &person, asked).await;
    Ok(pad::marked_any(pad, fragment(&markup)))
}

/// POST /ask/level: the slider sets the ε; the price box and the field that holds it.
pub async fn level(State(service): State<App>, form: Form) -> Result<Response, Failed> {
    let person = form.visitor.only(&[Role::Researcher])?;
    let most = own_datasets(&service, &person).first().map(|dataset| dataset.terms.max_epsilon_per_query);
    let step = form.text("level").parse().unwrap_or(0);
    let epsilon = pages::epsilon_of(step, most.unwrap_or(Epsilon::from_nanos(1_000_000_000))).to_string();
    let question = Question { by_margin: false, epsilon: epsilon.clone(), ..question(&form) };
    let asked = ask(&question);
    let pad = asked.as_ref().ok().and_then(|ask| service.pad(&person.name, ask));
    let markup = price_box(&service, &person, asked).await;
    let markup = html! { (markup) (pages::epsilon_field(&epsilon, true)) };
    Ok(pad::marked_any(pad, fragment(&markup)))
}

async fn quote(
    service: &App,
    person: &Person,
    asked: Result<Ask, Problem>,
) -> Result<crate::service::quote::Quote, Problem> {
    let (quoting, who, ask) = (service.clone(), person.name.clone(), asked?);
    let quote = tokio::task::spawn_blocking(move || quoting.quote(&who, &ask)).await;
    Ok(quote.map_err(|_| Problem::overloaded("the quote was cut off"))??)
}

async fn price_box(service: &App, person: &Person, asked: Result<Ask, Problem>) -> maud::Markup {
    match quote(service, person, asked).await {
        Ok(quote) => pages::price(&Outlook::Quoted(&quote)),
        Err(problem) => pages::price(&Outlook::Refused { detail: problem.detail(), hint: problem.shown_hint() }),
    }
}

async fn quoted_page(
    service: &App,
    visitor: &Visitor,
    person: &Person,
    question: &Question,
    asked: Result<Ask, Problem>,
) -> Response {
    let datasets = own_datasets(service, person);
    let quoted = quote(service, person, asked).await;
    let outlook = match &quoted {
        Ok(quote) => Outlook::Quoted(quote),
        Err(problem) => Outlook::Refused { detail: problem.detail(), hint: problem.shown_hint() },
    };
    visitor.page("Ask", "/ask", &pages::page(&visitor.csrf, &datasets, question, &outlook))
}

/// The page with the price, where it is another one than the form saw; what is free, and what this page paid for before, need none.
async fn unseen(
    service: &App,
    form: &Form,
    person: &Person,
    question: &Question,
    asked: &Result<Ask, Problem>,
) -> Option<Response> {
    let ask = asked.as_ref().ok().filter(|ask| !is_free(&ask.sql))?.clone();
    let key = key_of(question)?;
    if read(service.ledger(), |book| book.under_key(&person.name, &key)).is_some() {
        return None;
    }
    let quote = quote(service, person, Ok(ask)).await.ok()?;
    if !quote.answerable || quote.epsilon == "0" || quote.epsilon == form.text("quoted") {
        return None;
    }
    let (visitor, datasets) = (&form.visitor, own_datasets(service, person));
    let page = pages::page(&visitor.csrf, &datasets, question, &Outlook::Unseen(&quote));
    Some(visitor.page("Ask", "/ask", &page))
}

/// The key that a page pays under, which names its question and accuracy, too.
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
    // Another question of the same page is another payment.
    let key = digest(&["console", &question.key, &question.sql, how, by, &question.purpose]);
    (!question.key.is_empty()).then_some(KeyUse { key, body })
}

/// Pays and shows the answer. The page's key is the question's: a page that is sent again pays nothing again.
async fn pay(service: &App, form: &Form, person: &Person, question: Question, asked: Result<Ask, Problem>) -> Response {
    let (visitor, datasets) = (&form.visitor, own_datasets(service, person));
    if let Some(page) = unseen(service, form, person, &question, &asked).await {
        return page;
    }
    let answered = match asked {
        Ok(ask) if is_free(&ask.sql) => free(service, person, ask).await,
        Ok(ask) => answered(service, person, ask, &question).await,
        Err(problem) => Err(problem),
    };
    match answered {
        Ok(body) => visitor.page("Answer", "/ask", &body),
        Err(problem) => {
            let outlook = Outlook::Refused { detail: problem.detail(), hint: problem.shown_hint() };
            // Another key: what was refused is asked anew.
            let question = Question { key: chance::id("ask").unwrap_or_default(), ..question };
            let mut response = visitor.page("Ask", "/ask", &pages::page(&visitor.csrf, &datasets, &question, &outlook));
            *response.status_mut() = problem.status();
            response
        }
    }
}

async fn free(service: &App, person: &Person, ask: Ask) -> Result<maud::Markup, Problem> {
    let (answering, who) = (service.clone(), person.name.clone());
    let answer = tokio::task::spawn_blocking(move || answering.answer_free(&who, &ask)).await;
    let answer = answer.map_err(|_| Problem::overloaded("the answer was cut off"))??;
    Ok(answers::free(&answer.sql, &answer.table))
}

async fn answered(service: &App, person: &Person, ask: Ask, question: &Question) -> Result<maud::Markup, Problem> {
    let answer = queries::answer_in_time(service, person.name.clone(), ask, key_of(question)).await?;
    let (showing, who) = (service.clone(), person.name.clone());
    // A large answer is laid out off the async threads.
    let show = tokio::task::spawn_blocking(move || answer_body(&showing, &who, &answer)).await;
    show.map_err(|_| Problem::overloaded("the page was cut off"))
}

fn answer_body(service: &Service, who: &str, answer: &Answer) -> maud::Markup {
    let stored = &answer.stored;
    let table = tabulate(&answer.layout, stored.vectors());
    let account = crate::service::account::AccountView::of(stored.accountant, &answer.standing.account);
    let (paid, date) = (answer.epsilon(), service.date(stored.at_ms));
    answers::one(&answers::Shown {
        release: &stored.release.id,
        dataset: &stored.release.subject.dataset,
        sql: &answer.sql,
        date: &date,
        mechanism: stored.release.mechanism.name(),
        paid: Some(&paid),
        table: &table,
        account: Some(&account),
        purpose: stored.purpose.as_deref().filter(|_| stored.researcher == who),
    })
}

/// Answers of a page.
const LINES: usize = 50;

/// Which page of the history.
#[derive(Deserialize)]
pub struct HistoryParams {
    before: Option<u64>,
}

/// GET /history: answers that were served to the researcher, the latest first.
pub async fn history(State(service): State<App>, visitor: Visitor, Query(params): Query<HistoryParams>) -> Shown {
    let person = visitor.only(&[Role::Researcher])?;
    let (ids, older) = read(service.ledger(), |book| {
        let mut latest = book.shelf_before(&person.name, params.before.unwrap_or(u64::MAX), LINES + 1);
        let has_more = latest.len() > LINES;
        latest.truncate(LINES);
        let older = latest.last().filter(|_| has_more).map(|(seq, _)| *seq);
        (latest.into_iter().map(|(_, card)| card.id.clone()).collect::<Vec<_>>(), older)
    });
    let (loading, who) = (service.clone(), person.name.clone());
    let load = move || ids.iter().map(|id| line(&loading, &who, id)).collect::<Result<Vec<_>, _>>();
    let lines = tokio::task::spawn_blocking(load).await;
    let lines = lines.map_err(|_| visitor.fail(Problem::overloaded("the list was cut off")))?;
    let lines = lines.map_err(|error| visitor.fail(error))?;
    let older = older.map(|before| format!("/history?before={before}"));
    Ok(visitor.page("History", "/history", &answers::history(&lines, older.as_deref())))
}

fn line(service: &Service, who: &str, id: &str) -> Result<Line, ServiceError> {
    let stored = service.stored_summary(id)?;
    let is_own = stored.researcher == who;
    Ok(Line {
        release: stored.release.id,
        sql: stored.sql,
        date: service.date(stored.at_ms),
        epsilon: if is_own { stored.epsilon } else { "shared".to_owned() },
        researcher: None,
        purpose: stored.purpose.filter(|_| is_own),
    })
}

/// GET /history/{id}: one of them again.
pub async fn answer(State(service): State<App>, visitor: Visitor, Segment(id): Segment) -> Shown {
    let person = visitor.only(&[Role::Researcher])?;
    if !read(service.ledger(), |book| book.is_on_shelf(&person.name, &id)) {
        return Err(visitor.fail(Problem::not_found("there is no such answer that you may see")));
    }
    let (loading, who) = (service.clone(), person.clone());
    let load = move || loading.stored_answer(&id).map(|stored| stored_body(&loading, &stored, &who));
    let body = tokio::task::spawn_blocking(load).await;
    let body = body.map_err(|_| visitor.fail(Problem::overloaded("the answer was cut off")))?;
    Ok(visitor.page("Answer", "/history", &body.map_err(|error| visitor.fail(error))?))
}

fn stored_body(service: &Service, stored: &StoredAnswer, person: &Person) -> maud::Markup {
    let is_own = stored.researcher == person.name;
    let table = tabulate(&stored.layout_for(is_own), stored.vectors());
    let date = service.date(stored.at_ms);
    answers::one(&answers::Shown {
        release: &stored.release.id,
        dataset: &stored.release.subject.dataset,
        sql: &stored.sql,
        date: &date,
        mechanism: stored.release.mechanism.name(),
        paid: Some(stored.epsilon.as_str()).filter(|_| is_own),
        table: &table,
        account: None,
        purpose: stored.purpose.as_deref().filter(|_| is_own),
    })
}
