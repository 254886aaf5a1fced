//! Bodies of requests: bounds them in bytes and seconds, and parses questions.

use std::fmt;
use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::problem::Problem;
use super::{App, json};
use crate::kernel::budget::entry::KeyUse;
use crate::kernel::privacy::amounts::Epsilon;
use crate::service::asking::ask::{Ask, MarginText, RequestedAccuracy};
use crate::service::asking::pad::Departure;

/// The largest size of a body, in bytes.
pub const BODY_BYTES_MAX: usize = 64 << 10;
/// The longest time in which a body must arrive, in seconds.
const BODY_SECONDS_MAX: u64 = 10;
/// The largest number of rows that a group can be assumed to have.
const GROUP_ROWS_MAX: u64 = 1_000_000_000_000_000;
const KEY_CHARS_MAX: usize = 255;
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The complete body of a request.
pub struct Body(pub Bytes);

impl FromRequest<App> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        arrived(request, BODY_BYTES_MAX, BODY_SECONDS_MAX).await.map(Self)
    }
}

/// A body that holds the JSON of a `T`.
pub struct Sent<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &App) -> Result<Self, Problem> {
        let Body(bytes) = Body::from_request(request, state).await?;
        json::read(&bytes).map(Self)
    }
}

/// Reads the complete body of a request, which may have at most `bytes_max` bytes and take at most `seconds_max` seconds to arrive.
pub async fn arrived(request: Request, bytes_max: usize, seconds_max: u64) -> Result<Bytes, Problem> {
    let departure = request.extensions().get::<Departure>().cloned();
    let reading = to_bytes(request.into_body(), bytes_max);
    let body = tokio::time::timeout(Duration::from_secs(seconds_max), reading).await;
    departure.inspect(Departure::read_now);
    match body {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Problem::too_large(bytes_max)),
        Err(_) => Err(Problem::invalid_request(format!("the body did not arrive within {seconds_max} seconds"))),
    }
}

/// A question, for quotes and queries alike.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuestionBody {
    /// The question in SQL.
    #[schema(example = "SELECT region, COUNT(*) AS visits FROM visits GROUP BY region")]
    sql: String,
    /// The ε to spend, as a decimal string.
    #[schema(example = "0.1")]
    epsilon: Option<String>,
    /// Instead of `epsilon`, the largest half-width of the 95 % interval for every
    /// count and sum: a decimal string, or an object with one for each output.
    #[schema(example = "25", value_type = Option<String>)]
    margin: Option<MarginBody>,
    /// The number of rows per unit to use, below the policy's maximum.
    rows_per_unit: Option<u32>,
    /// The assumed number of rows in a group, if the margin of a mean depends on it; 1,000 by default.
    group_size: Option<u64>,
    /// The purpose of the question. It is kept in the ledger and shown to the public.
    purpose: Option<String>,
}

/// The margin of a question, read as a text or as an object of texts by output name.
struct MarginBody(MarginText);

/// Parses a question: first the JSON, then the accuracy. The service parses the SQL.
pub fn ask(bytes: &[u8]) -> Result<Ask, Problem> {
    let QuestionBody { sql, epsilon, margin, rows_per_unit, group_size, purpose } = json::read(bytes)?;
    if group_size.is_some_and(|rows| rows > GROUP_ROWS_MAX) {
        let detail = format!("the field \"group_size\" is too large; accepted is 1 row to {GROUP_ROWS_MAX}");
        return Err(Problem::invalid_request(detail));
    }
    let ask = Ask { sql, accuracy: None, rows_per_unit, group_size, purpose }.checked()?;
    let margin = margin.map(|MarginBody(margin)| margin);
    Ok(Ask { accuracy: RequestedAccuracy::new(epsilon.as_deref(), margin.as_ref())?, ..ask })
}

/// Parses the field `epsilon`.
pub fn epsilon(text: &str) -> Result<Epsilon, Problem> {
    Epsilon::parse(text).map_err(|fault| Problem::invalid_epsilon(format!("epsilon: {fault}")))
}

struct MarginVisitor;

impl<'de> Visitor<'de> for MarginVisitor {
    type Value = MarginBody;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a decimal string, or an object of them by output name")
    }
    fn visit_str<E>(self, text: &str) -> Result<MarginBody, E> {
        Ok(MarginBody(MarginText::Every(text.to_owned())))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<MarginBody, A::Error> {
        let mut margins = Vec::new();
        while let Some(margin) = map.next_entry()? {
            margins.push(margin);
        }
        Ok(MarginBody(MarginText::Named(margins)))
    }
}

impl<'de> Deserialize<'de> for MarginBody {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(MarginVisitor)
    }
}

/// The idempotency key of a request, as digests of the key and of the body; `None` if there is none.
pub fn key_use(headers: &HeaderMap, body: &[u8]) -> Result<Option<KeyUse>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let bytes = value.as_bytes();
    let plain = bytes.iter().all(u8::is_ascii_graphic) && (1..=KEY_CHARS_MAX).contains(&bytes.len());
    if !plain || values.next().is_some() {
        let accepted = format!("accepted is one key of 1 to {KEY_CHARS_MAX} visible ASCII characters");
        return Err(Problem::invalid_request(format!("the Idempotency-Key is not one; {accepted}")));
    }
    Ok(Some(KeyUse { key: *blake3::hash(bytes).as_bytes(), body: *blake3::hash(body).as_bytes() }))
}
