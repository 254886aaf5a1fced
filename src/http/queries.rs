//! POST /v1/queries: the answer.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::auth::Researcher;
use super::body::{Body, ask, key_use};
use super::encode::{self, Format};
use super::problem::Problem;
use super::{App, pad, quotes::QuestionBody};
use crate::budget::entry::KeyUse;
use crate::service::ask::Ask;
use crate::service::free::is_free;
use crate::service::{Answer, ServiceError};

/// Seconds that a caller waits for an answer at the most; the work goes on.
const ANSWER_SECONDS_MAX: u64 = 120;

/// Answers a question and charges for it.
#[utoipa::path(
    post, path = "/v1/queries", request_body = QuestionBody, security(("token" = [])),
    responses((status = 200, description = "The noisy answer"), (status = "4XX", description = "Refused; nothing is charged", body = Problem))
)]
pub async fn query(
    State(service): State<App>,
    Researcher(person): Researcher,
    headers: HeaderMap,
    Body(body): Body,
) -> Response {
    let asked = ask(&body);
    let pad = asked.as_ref().ok().and_then(|ask| service.pad(&person.name, ask));
    pad::marked(pad, answer(service, person.name, &headers, &body, asked).await)
}

/// What touches no data is answered at once.
async fn free(service: App, who: String, ask: Ask, format: Format) -> Result<Response, Problem> {
    let answering = tokio::task::spawn_blocking(move || service.answer_free(&who, &ask));
    let answer = answering.await.map_err(|_| Problem::overloaded("the answer was cut off"))??;
    encode::off_thread(answer.table.rows.len(), move || encode::free(&answer, format)).await.map_err(Problem::from)
}

async fn answer(
    service: App,
    who: String,
    headers: &HeaderMap,
    body: &[u8],
    asked: Result<Ask, Problem>,
) -> Result<Response, Problem> {
    let format = Format::negotiate(headers)?;
    let key = key_use(headers, body)?;
    let ask = asked?;
    if is_free(&ask.sql) {
        return free(service, who, ask, format).await;
    }
    let answer = answer_in_time(&service, who, ask, key).await?;
    encode::off_thread(answer.cells(), move || encode::answer(&answer, format)).await.map_err(Problem::from)
}

/// Asks, for as long as a connection is held. A caller that hangs up cancels nothing: the work is its own task.
pub async fn answer_in_time(service: &App, who: String, ask: Ask, key: Option<KeyUse>) -> Result<Answer, Problem> {
    let work = tokio::spawn(service.clone().answer(who, ask, key));
    let seconds = std::time::Duration::from_secs(ANSWER_SECONDS_MAX);
    match tokio::time::timeout(seconds, work).await {
        Ok(Ok(answered)) => answered.map_err(Problem::from),
        Ok(Err(_)) => Err(ServiceError::Overloaded.into()),
        Err(_) => Err(Problem::overloaded("the answer takes longer than a connection is held; it goes on")),
    }
}
