//! Bodies of requests: bounds them in bytes and seconds, and parses questions.

use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;

use super::App;
use super::json::{Fields, Json, wrong_kind};
use super::problem::Problem;
use crate::kernel::budget::entry::KeyUse;
use crate::service::asking::ask::{Ask, MarginText, Wanted};
use crate::service::asking::pad::Departure;

/// The largest size of a body, in bytes.
pub const BODY_BYTES_MAX: usize = 64 << 10;
/// The longest time in which a body must arrive, in seconds.
const BODY_SECONDS_MAX: u64 = 10;
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

/// Parses a question: first the JSON, then the accuracy. The service parses the SQL.
pub fn ask(bytes: &[u8]) -> Result<Ask, Problem> {
    let mut fields = Fields::read(bytes, &["sql", "epsilon", "margin", "rows_per_unit", "group_size", "purpose"])?;
    let sql = fields.text("sql")?;
    let purpose = fields.optional_text("purpose")?;
    let rows_per_unit = whole(&mut fields, "rows_per_unit", 4e9)?.map(|rows| rows as u32);
    let group_size = whole(&mut fields, "group_size", 1e15)?;
    let ask = Ask { sql, accuracy: None, rows_per_unit, group_size, purpose }.checked()?;
    let epsilon = fields.optional_text("epsilon")?;
    let margin = margin(fields.take("margin"))?;
    Ok(Ask { accuracy: Wanted::new(epsilon.as_deref(), margin.as_ref())?, ..ask })
}

fn whole(fields: &mut Fields, name: &'static str, most: f64) -> Result<Option<u64>, Problem> {
    match fields.take(name) {
        None => Ok(None),
        Some(Json::Number(number)) if number.fract() == 0.0 && (0.0..=most).contains(&number) => {
            Ok(Some(number as u64))
        }
        Some(Json::Number(_)) => Err(Problem::invalid_request(format!(
            "the field \"{name}\" is not a whole number of rows; accepted is 1 or more"
        ))),
        Some(other) => Err(wrong_kind(name, &other, "a whole number")),
    }
}

/// The margin as it is written: one text for all, or an object of texts by output name.
fn margin(field: Option<Json>) -> Result<Option<MarginText>, Problem> {
    match field {
        None => Ok(None),
        Some(Json::Text(text)) => Ok(Some(MarginText::Every(text))),
        Some(Json::Object(fields)) => {
            let text = |(name, value)| match value {
                Json::Text(text) => Ok((name, text)),
                other => Err(wrong_kind("margin", &other, "decimal strings by output name")),
            };
            Ok(Some(MarginText::Named(fields.into_iter().map(text).collect::<Result<_, _>>()?)))
        }
        Some(other) => Err(wrong_kind("margin", &other, "a decimal string, or an object of them by output name")),
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
