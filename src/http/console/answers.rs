//! Stored answers by their address: as a page, and as files to download.
//!
//! The address of an answer never changes, and neither does what it shows. Who was served the answer may see it, and stewards; anybody else
//! is told the same as for an address that does not exist.

use axum::extract::State;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::shown::{AddressParams, Shown, address};
use crate::http::App;
use crate::http::api::response;
use crate::http::cite;
use crate::http::console::pages::answers::{self, AnswerPage};
use crate::http::formats::{AnswerFormat, CsvStyle, Wanted};
use crate::http::params::Segment;
use crate::http::pieces::held_response;
use crate::http::problem::Problem;
use crate::http::visitor::Visitor;
use crate::kernel::budget::people::{Person, Role};
use crate::query::answer::tabulate;
use crate::render::chart;
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

/// The media type of a chart as a file.
const SVG: &str = "image/svg+xml";

/// What a download of an answer holds.
enum Download {
    Answer(Wanted),
    Chart,
}

impl Download {
    /// The download with this ending of a file's name; CSV is written in `style`.
    fn of(ending: &str, style: CsvStyle) -> Option<Self> {
        match ending {
            "svg" => Some(Self::Chart),
            data => AnswerFormat::of_ending(data).map(|format| Self::Answer(Wanted::new(format, style))),
        }
    }
}

/// GET /answers/{name}: an answer's page at its id, and its files at the id with an ending, like `.csv`.
pub async fn one(
    State(service): State<App>,
    visitor: Visitor,
    Segment(name): Segment,
    uri: Uri,
    AddressParams(params): AddressParams<AnswerParams>,
) -> Shown {
    let person = visitor.only(&[Role::Researcher, Role::Steward])?;
    let style = CsvStyle::of(&uri).map_err(|problem| visitor.fail(problem))?;
    let (id, download) = match name.split_once('.') {
        None => (name.as_str(), None),
        Some((id, ending)) => (id, Some(Download::of(ending, style))),
    };
    if download.as_ref().is_some_and(Option::is_none) || !service.may_see_release(&person, id) {
        return Err(visitor.fail(Problem::not_found("there is no such answer that you may see")));
    }
    let shown = match download.flatten() {
        None => page(&service, &visitor, &person, id, &params).await,
        Some(download) => file(&service, person, id, &name, download).await,
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

async fn file(service: &App, person: Person, id: &str, name: &str, download: Download) -> Result<Response, Problem> {
    let who = person.name.clone();
    let mut response = match download {
        Download::Answer(wanted) => {
            let (stored, room) = service.stored_in_room(&who, id, wanted.format.rendering()).await?;
            let encode = move |service: &Service| response::stored(service, &stored, &person, wanted);
            let encoded = service.rendering_in(&room, &who, encode).await??;
            encoded.response(service, &who, room)
        }
        Download::Chart => {
            let (stored, room) = service.stored_in_room(&who, id, Rendering::Page).await?;
            let draw = move |service: &Service| drawn(service, &stored, &person);
            let drawn = service.rendering_in(&room, &who, draw).await?;
            let drawn = drawn.ok_or_else(|| Problem::not_found("this answer has no chart"))?;
            held_response(([(header::CONTENT_TYPE, SVG)], drawn).into_response(), room)
        }
    };
    // The name consists of the id of a release that exists and one of the endings above.
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}

fn drawn(service: &Service, stored: &StoredAnswer, person: &Person) -> Option<String> {
    let table = tabulate(&stored.layout_for(response::is_seen(stored, person)), stored.vectors());
    let figure = answers::figure_of(&table)?;
    Some(chart::file(&figure, &response::provenance(service, stored, &table)).into_string())
}
