//! POST /v1/quotes: says what an answer would cost.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::http::auth::Researcher;
use crate::http::body::{Body, QuestionBody, ask};
use crate::http::problem::Problem;
use crate::http::{App, pad};
use crate::service::asking::ask::Ask;
use crate::service::asking::body::QuoteBody;
use crate::service::asking::pad::Pad;
use crate::service::asking::quote::Quote;
use crate::service::{Service, ServiceError};

/// Quotes the price of a question. This is free, and no data is touched.
#[utoipa::path(
    post, path = "/v1/quotes", request_body = QuestionBody, security(("token" = [])),
    responses((status = 200, body = QuoteBody), (status = "4XX", body = Problem))
)]
pub async fn quote(State(service): State<App>, Researcher(person): Researcher, Body(body): Body) -> Response {
    let write = |quote: Result<Quote, ServiceError>| quote.map(|quote| Json(QuoteBody::from(quote)).into_response());
    let (pad, quoted) = match ask(&body) {
        Ok(ask) => quoted(&service, &person.name, ask, write).await,
        Err(problem) => (None, Err(problem)),
    };
    pad::marked(pad, quoted.and_then(|quote| quote.map_err(Problem::from)))
}

/// Quotes a question, and lets `write` turn the quote into a response, all in the asker's turn. Also returns the pad of the response.
pub async fn quoted<T: Send + 'static>(
    service: &App,
    who: &str,
    ask: Ask,
    write: impl FnOnce(Result<Quote, ServiceError>) -> T + Send + 'static,
) -> (Option<Pad>, Result<T, Problem>) {
    let asker = who.to_owned();
    let work = move |service: &Service| {
        let prepared = service.prepare(&asker, ask);
        (prepared.pad(), write(service.quote_prepared(prepared)))
    };
    match service.planning(who, work).await {
        Ok((pad, written)) => (pad, Ok(written)),
        Err(error) => (None, Err(error.into())),
    }
}
