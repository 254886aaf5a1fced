//! Stored answers by their address: as a page, and as files to download.
//!
//! The address of an answer never changes, and neither does what it shows. Who was served the answer may see it, and stewards; anybody else
//! is told the same as for an address that does not exist.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::Deserialize;

use super::shown::{AddressParams, Shown, address};
use crate::http::api::response;
use crate::http::console::pages::answers::{self, AnswerPage};
use crate::http::formats::CsvStyle;
use crate::http::forms::FileForm;
use crate::http::params::Segment;
use crate::http::pieces::held_response;
use crate::http::problem::Problem;
use crate::http::sent::{Asked, respond};
use crate::http::shared::Shared;
use crate::http::visitor::Visitor;
use crate::http::{App, answer_files, cite};
use crate::kernel::budget::people::{Person, Role};
use crate::query::answer::tabulate;
use crate::service::asking::rooms::Rendering;
use crate::service::asking::served::ServedAnswer;
use crate::service::asking::stored::StoredAnswer;
use crate::service::{Answer, Service};

/// Query parameters of the page of an answer.
#[derive(Deserialize)]
pub struct AnswerParams {
    page: Option<usize>,
    /// Number of the entry that served the answer to the visitor, who then sees it in the words of their own question.
    asked: Option<u64>,
}

/// The address of an answer, as entry number `asked` served it.
pub(super) fn place(release: &str, asked: Option<u64>) -> String {
    let asked = asked.map_or_else(String::new, |seq| seq.to_string());
    address(&format!("/answers/{release}"), &[("asked", &asked)])
}

/// How long a browser may keep a file: whoever has signed out is asked for their token again.
const CACHING: &str = "private, no-cache";

/// GET /answers/{name}: an answer's page at its id, and its files at the id with an ending, like `.csv`.
pub async fn one(
    State(service): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    visitor: Visitor,
    Segment(name): Segment,
    asked: Asked,
    AddressParams(params): AddressParams<AnswerParams>,
) -> Shown {
    let person = visitor.only(&[Role::Researcher, Role::Steward])?;
    let style = CsvStyle::of(&asked.address).map_err(|problem| visitor.fail(problem))?;
    let (id, download) = match name.split_once('.') {
        None => (name.as_str(), None),
        Some((id, ending)) => (id, Some(FileForm::of_ending(ending, style))),
    };
    if download.as_ref().is_some_and(Option::is_none) || !service.may_see_release(&person, id) {
        return Err(visitor.fail(Problem::not_found("there is no such answer that you may see")));
    }
    let shown = match download.flatten() {
        None => page(&service, &visitor, &person, id, &params).await,
        Some(form) => file(&service, &shared, &person, (id, &name, form), &asked).await,
    };
    shown.map_err(|problem| visitor.fail(problem))
}

async fn page(
    service: &App,
    visitor: &Visitor,
    person: &Person,
    id: &str,
    params: &AnswerParams,
) -> Result<Response, Problem> {
    let at = params.page.unwrap_or(1).saturating_sub(1);
    if let Some(seq) = params.asked {
        let (asker, id) = (person.name.clone(), id.to_owned());
        let find = move |service: &Service| service.served_by(&asker, seq);
        let served = service.rendering(&person.name, find).await??.filter(|served| served.standing.release == id);
        // Without the words of the question, the answer is shown as it was stored.
        if let Some(served) = served.filter(|served| served.sql.is_some()) {
            return served_page(service, visitor, person, served, (seq, at)).await;
        }
    }
    let (stored, room) = service.stored_in_room(&person.name, id, Rendering::Page).await?;
    let (asker, shown) = (person.clone(), visitor.clone());
    let show = move |service: &Service| shown.page("Answer", "/history", &stored_body(service, &stored, &asker, at));
    let page = service.rendering_in(&room, &person.name, show).await?;
    Ok(held_response(page, room))
}

/// The page of an answer as an entry served it to the visitor: with their question, and with what it cost them then.
async fn served_page(
    service: &App,
    visitor: &Visitor,
    person: &Person,
    served: ServedAnswer,
    (seq, page): (u64, usize),
) -> Result<Response, Problem> {
    let (answer, room) = service.served_again(served, Rendering::Page).await?;
    let (who, shown) = (person.name.clone(), visitor.clone());
    let show =
        move |service: &Service| shown.page("Answer", "/history", &served_body(service, &who, &answer, (seq, page)));
    let page = service.rendering_in(&room, &person.name, show).await?;
    Ok(held_response(page, room))
}

fn served_body(service: &Service, who: &str, answer: &Answer, (seq, page): (u64, usize)) -> maud::Markup {
    let stored = &answer.stored;
    let table = tabulate(&answer.layout, stored.vectors());
    let account = (answer.fraction(), answer.account());
    let (paid, date, cite) = (answer.epsilon(), service.date(stored.at_ms), cite::answer(service, stored));
    answers::one(&AnswerPage {
        release: &stored.release.id,
        asked: Some(seq),
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
        page,
    })
}

fn stored_body(service: &Service, stored: &StoredAnswer, person: &Person, page: usize) -> maud::Markup {
    let is_seen = response::is_seen(stored, person);
    let table = tabulate(&stored.layout_for(is_seen), stored.vectors());
    let date = service.date(stored.at_ms);
    let cite = cite::answer(service, stored);
    answers::one(&AnswerPage {
        release: &stored.release.id,
        asked: None,
        dataset: &stored.release.subject.dataset,
        sql: &stored.sql,
        first_sql: None,
        date: &date,
        cite: &cite,
        mechanism: stored.release.mechanism.name(),
        paid: Some(stored.epsilon.as_str()).filter(|_| is_seen),
        table: &table,
        account: None,
        purpose: stored.purpose.as_deref().filter(|_| is_seen),
        page,
    })
}

/// A file of an answer, to be saved under `name`, which consists of the id of a release that exists and the ending of a form.
async fn file(
    service: &App,
    shared: &Shared,
    person: &Person,
    (id, name, form): (&str, &str, FileForm),
    asked: &Asked,
) -> Result<Response, Problem> {
    let mut response = match form {
        // A table that is read once, from its first byte on, is written while it is read.
        FileForm::Answer(wanted) if !asked.needs_whole() => {
            let (who, asker) = (person.name.clone(), person.clone());
            let (stored, room) = service.stored_in_room(&who, id, wanted.format.rendering()).await?;
            let encode = move |service: &Service| response::stored(service, &stored, &asker, wanted);
            service.rendering_in(&room, &who, encode).await??.response(service, &who, room)
        }
        form => {
            let file = answer_files::rendered(service, shared, person, id, form).await?;
            respond(&file, asked, CACHING)
        }
    };
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHING));
    Ok(response)
}
