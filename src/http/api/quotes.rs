//! POST /v1/quotes: says what an answer would cost.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::http::api::response::{ColumnBody, PriceBody};
use crate::http::auth::Researcher;
use crate::http::body::{Body, QuestionBody, ask};
use crate::http::problem::Problem;
use crate::http::{App, pad};
use crate::service::asking::ask::Ask;
use crate::service::asking::pad::Pad;
use crate::service::asking::quote::{LegsView, Quote, ThresholdView};
use crate::service::stewarding::accounts::AccountView;
use crate::service::{Service, ServiceError};

/// A quote: the price of an answer and its accuracy.
#[derive(Serialize, utoipa::ToSchema)]
pub struct QuoteBody {
    dataset: String,
    edition: String,
    sql: String,
    mechanism: &'static str,
    confidence: &'static str,
    rows_per_unit: u32,
    columns: Vec<ColumnBody>,
    price: PriceBody,
    /// The price for each account that would pay, as ε.
    legs: LegsView,
    answerable: bool,
    replay: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    derived_from: Vec<String>,
    /// The number of answers of this price that would still fit, including this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    answers_left: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    largest_epsilon: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    margin: Option<String>,
    /// The assumed number of rows in a group: larger groups meet the margin that was asked for a mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    assumed_group_size: Option<u64>,
    /// How groups are selected for being shown if their list is not public.
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<ThresholdView>,
    account: BeforeAndAfter,
}

/// An account at present, and as it would be after the answer.
#[derive(Serialize, utoipa::ToSchema)]
pub struct BeforeAndAfter {
    before: AccountView,
    after: AccountView,
}

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

impl From<Quote> for QuoteBody {
    fn from(quote: Quote) -> Self {
        Self {
            dataset: quote.dataset,
            edition: quote.edition,
            sql: quote.sql,
            mechanism: quote.mechanism,
            confidence: "0.95",
            rows_per_unit: quote.rows_per_unit,
            columns: quote.columns.iter().map(|column| ColumnBody::of(column, true)).collect(),
            price: PriceBody { epsilon: quote.epsilon, delta: quote.delta },
            legs: quote.legs,
            answerable: quote.answerable,
            replay: quote.replay,
            derived_from: quote.derived_from,
            answers_left: quote.answers_left,
            largest_epsilon: quote.largest_epsilon,
            margin: quote.largest_margin,
            assumed_group_size: quote.assumed_group_size,
            threshold: quote.threshold,
            account: BeforeAndAfter { before: quote.before, after: quote.after },
        }
    }
}
