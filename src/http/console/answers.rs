//! Stored answers by their address: as a page, and as files to download.
//!
//! The address of an answer never changes, and neither does what it shows. Who was served the answer may see it, and stewards; anybody else
//! is told the same as for an address that does not exist.

use axum::extract::State;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::shown::{AddressParams, Shown};
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
use crate::service::Service;
use crate::service::asking::rooms::Rendering;
use crate::service::asking::stored::StoredAnswer;

/// Query parameters of the page of an answer.
#[derive(Deserialize)]
pub struct AnswerParams {
    page: Option<usize>,
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
    address: Uri,
    AddressParams(params): AddressParams<AnswerParams>,
) -> Shown {
    let person = visitor.only(&[Role::Researcher, Role::Steward])?;
    let style = CsvStyle::of(&address).map_err(|problem| visitor.fail(problem))?;
    let (id, download) = match name.split_once('.') {
        None => (name.as_str(), None),
        Some((id, ending)) => (id, Some(Download::of(ending, style))),
    };
    if download.as_ref().is_some_and(Option::is_none) || !service.may_see_release(&person, id) {
        return Err(visitor.fail(Problem::not_found("there is no such answer that you may see")));
    }
    let shown = match download.flatten() {
        None => page(&service, &visitor, &person, id, params.page.unwrap_or(1).saturating_sub(1)).await,
        Some(download) => file(&service, person, id, &name, download).await,
    };
    shown.map_err(|problem| visitor.fail(problem))
}

async fn page(service: &App, visitor: &Visitor, person: &Person, id: &str, page: usize) -> Result<Response, Problem> {
    let (stored, room) = service.stored_in_room(&person.name, id, Rendering::Page).await?;
    let (asker, shown) = (person.clone(), visitor.clone());
    let show = move |service: &Service| shown.page("Answer", "/history", &stored_body(service, &stored, &asker, page));
    let page = service.rendering_in(&room, &person.name, show).await?;
    Ok(held_response(page, room))
}

fn stored_body(service: &Service, stored: &StoredAnswer, person: &Person, page: usize) -> maud::Markup {
    let is_seen = response::is_seen(stored, person);
    let table = tabulate(&stored.layout_for(is_seen), stored.vectors());
    let date = service.date(stored.at_ms);
    let cite = cite::answer(service, stored);
    answers::one(&AnswerPage {
        release: &stored.release.id,
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
