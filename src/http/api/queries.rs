//! POST /v1/queries: answers a question.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;

use crate::http::api::response;
use crate::http::auth::Researcher;
use crate::http::body::{Body, QuestionBody, ask, key_use};
use crate::http::formats::Wanted;
use crate::http::problem::Problem;
use crate::http::{App, pad};
use crate::kernel::budget::entry::KeyUse;
use crate::service::asking::ask::Ask;
use crate::service::asking::question::PreparedQuestion;
use crate::service::asking::rooms::{Rendering, Reservation};
use crate::service::{Answer, ServiceError};

/// The longest time that a caller waits for an answer, in seconds. The work continues after it.
const ANSWER_SECONDS_MAX: u64 = 120;

/// Answers a question and charges for it.
#[utoipa::path(
    post, path = "/v1/queries", request_body = QuestionBody, security(("token" = [])),
    responses((status = 200, description = "The noisy answer. In each row an estimate `x` stands with the ends of its 95 % interval, `x_low` and `x_high`. Where it is null, `x_null` says why: `hidden`, `lost-in-noise` or `no-value`. Where noise has carried it out of what is possible, `x_note` says `outside-bounds`."), (status = "4XX", description = "Refused; nothing is charged", body = Problem))
)]
pub async fn query(
    State(service): State<App>,
    Researcher(person): Researcher,
    address: Uri,
    headers: HeaderMap,
    Body(body): Body,
) -> Response {
    let prepared = match ask(&body) {
        Ok(ask) => prepared(&service, &person.name, ask).await,
        Err(problem) => Err(problem),
    };
    let pad = prepared.as_ref().ok().and_then(PreparedQuestion::pad);
    let wanted = Wanted::negotiate(&headers, &address);
    pad::marked(pad, answer(&service, &person.name, wanted, key_use(&headers, &body), prepared).await)
}

/// Parses and plans a question, once for everything that follows.
async fn prepared(service: &App, who: &str, ask: Ask) -> Result<PreparedQuestion, Problem> {
    let asker = who.to_owned();
    Ok(service.planning(who, move |service| service.prepare(&asker, ask)).await?)
}

/// Answers a question that touches no data, without a charge.
async fn free(service: &App, who: &str, prepared: PreparedQuestion, wanted: Wanted) -> Result<Response, Problem> {
    let (prepared, room) = service.in_room(prepared, wanted.format.rendering()).await?;
    let encode = move |service: &crate::service::Service| response::free(service.answer_free(prepared)?, wanted);
    Ok(service.rendering_in(&room, who, encode).await??.response(service, who, room))
}

async fn answer(
    service: &App,
    who: &str,
    wanted: Result<Wanted, Problem>,
    key: Result<Option<KeyUse>, Problem>,
    prepared: Result<PreparedQuestion, Problem>,
) -> Result<Response, Problem> {
    let (wanted, key, prepared) = (wanted?, key?, prepared?);
    if prepared.is_free() {
        return free(service, who, prepared, wanted).await;
    }
    let (answer, room) = answer_in_time(service, prepared, key, wanted.format.rendering()).await?;
    let encoded = if answer.is_light() {
        response::answer(service, &answer, wanted)
    } else {
        service.rendering_in(&room, who, move |service| response::answer(service, &answer, wanted)).await?
    };
    Ok(encoded?.response(service, who, room))
}

/// Waits for an answer no longer than a connection is held. The work is a task of its own, so a caller who hangs up cancels nothing.
pub async fn answer_in_time(
    service: &App,
    prepared: PreparedQuestion,
    key: Option<KeyUse>,
    rendering: Rendering,
) -> Result<(Answer, Reservation), Problem> {
    let work = tokio::spawn(service.clone().answer_prepared(prepared, key, rendering));
    let seconds = std::time::Duration::from_secs(ANSWER_SECONDS_MAX);
    match tokio::time::timeout(seconds, work).await {
        Ok(Ok(answered)) => answered.map_err(Problem::from),
        Ok(Err(_)) => Err(ServiceError::CutOff.into()),
        Err(_) => {
            Err(Problem::overloaded("the answer takes longer than a connection is kept open; the work continues"))
        }
    }
}
