//! Bodies of requests: bounds them in bytes and seconds, and parses questions.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;

use super::App;
use super::json::{Fields, Json, wrong_kind};
use super::pad::Read;
use super::problem::Problem;
use crate::kernel::budget::entry::KeyUse;
use crate::kernel::privacy::amounts::Epsilon;
use crate::service::asking::ask::{Ask, Margin, Wanted};

/// The largest size of a body, in bytes.
pub const BODY_BYTES_MAX: usize = 64 << 10;
/// The longest time in which a body must arrive, in seconds.
const BODY_SECONDS_MAX: u64 = 10;
/// The largest length of a declared purpose, in characters.
const PURPOSE_CHARS_MAX: usize = 500;
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
    let read = request.extensions().get::<Read>().cloned();
    let reading = to_bytes(request.into_body(), bytes_max);
    let body = tokio::time::timeout(Duration::from_secs(seconds_max), reading).await;
    read.inspect(Read::now);
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
    if purpose.as_ref().is_some_and(|text| text.chars().count() > PURPOSE_CHARS_MAX) {
        return Err(Problem::invalid_request(format!("the purpose has more than {PURPOSE_CHARS_MAX} characters")));
    }
    let rows_per_unit = whole(&mut fields, "rows_per_unit", 4e9)?.map(|rows| rows as u32);
    let group_size = whole(&mut fields, "group_size", 1e15)?;
    if group_size == Some(0) {
        return Err(Problem::invalid_request("the field \"group_size\" is 0; accepted is 1 row or more"));
    }
    let epsilon = fields.optional_text("epsilon")?;
    let margin = fields.take("margin");
    let accuracy = accuracy(epsilon, margin)?;
    Ok(Ask { sql, accuracy, rows_per_unit, group_size, purpose })
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

fn accuracy(epsilon: Option<String>, margin: Option<Json>) -> Result<Option<Wanted>, Problem> {
    let margins = match &margin {
        Some(Json::Object(fields)) => Some(named_margins(fields)?),
        Some(Json::Text(_)) | None => None,
        Some(other) => {
            return Err(wrong_kind("margin", other, "a decimal string, or an object of them by output name"));
        }
    };
    match (epsilon, margin) {
        (Some(_), Some(_)) => {
            Err(Problem::invalid_request("both epsilon and margin are given; accepted is one of them"))
        }
        (None, None) => Ok(None),
        (Some(text), None) => Epsilon::parse(&text)
            .map(|epsilon| Some(Wanted::Epsilon(epsilon)))
            .map_err(|fault| Problem::invalid_epsilon(format!("epsilon: {fault}"))),
        (None, Some(Json::Text(text))) => margin_of("margin", &text).map(|margin| Some(Wanted::Margin(margin))),
        (None, Some(_)) => {
            let read = |(name, text): (String, String)| margin_of(&name, &text).map(|margin| (name, margin));
            let margins = margins.unwrap_or_default().into_iter().map(read).collect::<Result<BTreeMap<_, _>, _>>()?;
            Ok(Some(Wanted::Margins(margins)))
        }
    }
}

fn margin_of(name: &str, text: &str) -> Result<Margin, Problem> {
    Margin::parse(text)
        .map_err(|fault| Problem::invalid_epsilon(format!("{}: {fault}", crate::query::error::shown(name))))
}

fn named_margins(fields: &[(String, Json)]) -> Result<Vec<(String, String)>, Problem> {
    if fields.is_empty() {
        return Err(Problem::invalid_request("the field \"margin\" names no output"));
    }
    let mut margins: Vec<(String, String)> = Vec::with_capacity(fields.len());
    let mut names = HashSet::new();
    for (name, value) in fields {
        let Json::Text(text) = value else { return Err(wrong_kind("margin", value, "decimal strings by output name")) };
        if !names.insert(name) {
            let shown = crate::query::error::shown(name);
            return Err(Problem::invalid_request(format!("margin names \"{shown}\" twice")));
        }
        margins.push((name.clone(), text.clone()));
    }
    Ok(margins)
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
