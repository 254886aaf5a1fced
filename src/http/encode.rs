//! Stored answers as JSON, CSV, Arrow and Parquet.
//!
//! Promises that equal answers have equal bytes: rendering is a function of the stored answer and the account beside it.

use std::io::Cursor;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use polars::prelude::{Column, CompatLevel, DataFrame, IpcStreamWriter, ParquetWriter, PolarsResult, SerWriter};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::problem::Problem;
use crate::budget::people::{Person, Role};
use crate::query::answer::{Cell, ColumnInfo, ColumnKind, Table, tabulate};
use crate::service::account::{AccountView, significant, timestamp};
use crate::service::free::FreeAnswer;
use crate::service::quote::{LegsView, ThresholdView};
use crate::service::stored::StoredAnswer;
use crate::service::{Answer, ServiceError};

/// A format that answers come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `application/json`
    Json,
    /// `text/csv`
    Csv,
    /// `application/vnd.apache.arrow.stream`
    Arrow,
    /// `application/vnd.apache.parquet`
    Parquet,
}

impl Format {
    const ALL: [Self; 4] = [Self::Json, Self::Csv, Self::Arrow, Self::Parquet];

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::Arrow => "application/vnd.apache.arrow.stream",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// The format that `Accept` asks for: the first with the highest weight; JSON where nothing is said.
    pub fn negotiate(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut asked = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
        if asked.peek().is_none() {
            return Ok(Self::Json);
        }
        let mut best: Option<(f32, Self)> = None;
        for range in asked.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or("").to_ascii_lowercase();
            let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0_f32);
            let found = Self::ALL.into_iter().find(|format| {
                let (kind, _) = format.media_type().split_once('/').unwrap_or_default();
                name == format.media_type() || name == "*/*" || name == format!("{kind}/*")
            });
            if let Some(format) = found
                && weight > best.map_or(0.0, |(weight, _)| weight)
            {
                best = Some((weight, format));
            }
        }
        best.map(|(_, format)| format).ok_or_else(Problem::not_acceptable)
    }
}

/// One column's description.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ColumnBody {
    /// The output's name.
    name: String,
    /// `key` or `estimate`.
    kind: &'static str,
    /// `count`, `sum`, `mean` or `formula`.
    #[serde(skip_serializing_if = "Option::is_none")]
    aggregate: Option<&'static str>,
    /// The standard error of counts and sums, as decimal text.
    #[serde(skip_serializing_if = "Option::is_none")]
    std_error: Option<String>,
    /// 1.959964 × the standard error.
    #[serde(skip_serializing_if = "Option::is_none")]
    margin: Option<String>,
    /// In quotes: the least that one row can add to what is summed or averaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<String>,
    /// In quotes: the greatest.
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<String>,
}

impl ColumnBody {
    /// A column of an answer; quotes show its margin, too.
    pub fn of(column: &ColumnInfo, with_margin: bool) -> Self {
        let is_key = matches!(column.kind, ColumnKind::Key | ColumnKind::BooleanKey | ColumnKind::IntegerKey);
        let (min, max) = column.bounds.clone().filter(|_| with_margin).unzip();
        Self {
            name: column.name.clone(),
            kind: if is_key { "key" } else { "estimate" },
            aggregate: (!is_key).then(|| column.kind.word()),
            std_error: column.kind.std_error().map(|error| significant(error, 9)),
            margin: column.kind.margin().filter(|_| with_margin).map(|margin| significant(margin, 9)),
            min,
            max,
        }
    }
}

/// What an answer cost.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PriceBody {
    /// The ε.
    pub epsilon: String,
    /// The dataset's δ.
    pub delta: String,
}

/// An answer as JSON.
#[derive(Serialize)]
pub struct AnswerBody<'a> {
    release: &'a str,
    dataset: &'a str,
    edition: &'a str,
    sql: &'a str,
    replayed: bool,
    mechanism: &'a str,
    confidence: &'static str,
    rows_per_unit: u32,
    columns: Vec<ColumnBody>,
    rows: Rows<'a>,
    price: PriceBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<ThresholdView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    legs: Option<LegsView>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    derived_from: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<&'a str>,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountView>,
}

struct Rows<'a>(&'a Table);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut rows = out.serialize_seq(Some(self.0.rows.len()))?;
        for row in &self.0.rows {
            rows.serialize_element(&RowBody { names: &self.0.names, cells: row, plain: self.0.plain })?;
        }
        rows.end()
    }
}

struct RowBody<'a> {
    names: &'a [String],
    cells: &'a [Cell],
    /// Cells that stand in every row; words about them stand where there is one.
    plain: usize,
}

impl Serialize for RowBody<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut row = out.serialize_map(Some(self.names.len()))?;
        for (place, (name, cell)) in self.names.iter().zip(self.cells).enumerate() {
            match cell {
                Cell::Missing if place >= self.plain => {}
                Cell::Missing => row.serialize_entry(name, &())?,
                Cell::Text(text) => row.serialize_entry(name, text)?,
                Cell::Boolean(truth) => row.serialize_entry(name, truth)?,
                Cell::Float(value) => row.serialize_entry(name, value)?,
                Cell::Decimal(_) => {
                    let digits = RawValue::from_string(cell.text().unwrap_or_default());
                    row.serialize_entry(name, &digits.map_err(serde::ser::Error::custom)?)?;
                }
            }
        }
        row.end()
    }
}

/// Above this many noisy cells an answer is encoded off the async threads.
const CELLS_INLINE_MAX: usize = 2_000;

/// Runs an encoding, off the async threads where it is a large one.
pub async fn off_thread(
    cells: usize,
    encode: impl FnOnce() -> Response + Send + 'static,
) -> Result<Response, ServiceError> {
    if cells <= CELLS_INLINE_MAX {
        return Ok(encode());
    }
    tokio::task::spawn_blocking(encode).await.map_err(|_| ServiceError::Overloaded)
}

/// An answer with its account, in the format asked for.
pub fn answer(answer: &Answer, format: Format) -> Response {
    let stored = &answer.stored;
    let table = tabulate(&answer.layout, stored.vectors());
    let account = AccountView::of(stored.accountant, &answer.standing.account);
    let shown = Shown {
        sql: &answer.sql,
        replayed: answer.standing.replayed,
        epsilon: answer.epsilon(),
        purpose: stored.purpose.as_deref().filter(|_| !answer.standing.replayed),
        legs: Some(LegsView::of(stored.accountant, &answer.standing.legs)),
        account: Some(account.clone()),
    };
    let bytes = match format {
        Format::Json => Some(json(&body(stored, &table, shown))),
        Format::Csv | Format::Arrow | Format::Parquet => encoded(&table, format),
    };
    let Some(bytes) = bytes else { return Problem::overloaded("the answer could not be encoded").into_response() };
    let mut response = (typed(format), bytes).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        ("tacit-release", &stored.release.id),
        ("tacit-epsilon-spent", &account.epsilon_spent),
        ("tacit-epsilon-remaining", &account.epsilon_remaining),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

#[derive(Serialize)]
struct FreeBody<'a> {
    release: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dataset: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edition: Option<&'a str>,
    sql: &'a str,
    replayed: bool,
    columns: Vec<ColumnBody>,
    rows: Rows<'a>,
    price: PriceBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a AccountView>,
}

/// An answer that costs nothing: there is no release, for nothing was drawn.
pub fn free(answer: &FreeAnswer, format: Format) -> Response {
    let about = answer.about.as_ref();
    let body = FreeBody {
        release: None,
        dataset: about.map(|about| about.dataset.as_str()),
        edition: about.map(|about| about.edition.as_str()),
        sql: &answer.sql,
        replayed: true,
        columns: answer.table.columns.iter().map(|column| ColumnBody::of(column, false)).collect(),
        rows: Rows(&answer.table),
        price: PriceBody {
            epsilon: "0".to_owned(),
            delta: about.map_or_else(|| "0".to_owned(), |about| about.delta.clone()),
        },
        account: about.map(|about| &about.account),
    };
    let bytes = match format {
        // Unwrap safety: the body is plain data with string keys, and its raw numbers are decimal digits.
        Format::Json => Some(serde_json::to_vec(&body).expect("an answer is plain data").into()),
        Format::Csv | Format::Arrow | Format::Parquet => encoded(&answer.table, format),
    };
    match bytes {
        Some(bytes) => (typed(format), bytes).into_response(),
        None => Problem::overloaded("the answer could not be encoded").into_response(),
    }
}

/// A stored answer by itself: the same bytes for ever.
pub fn stored(stored: &StoredAnswer, person: &Person, format: Format) -> Response {
    let is_seen = person.role == Role::Steward || person.name == stored.researcher;
    let table = tabulate(&stored.layout_for(is_seen), stored.vectors());
    let shown = Shown {
        sql: &stored.sql,
        replayed: true,
        epsilon: stored.epsilon.clone(),
        purpose: stored.purpose.as_deref().filter(|_| is_seen),
        legs: None,
        account: None,
    };
    let bytes = match format {
        Format::Json => Some(json(&body(stored, &table, shown))),
        Format::Csv | Format::Arrow | Format::Parquet => encoded(&table, format),
    };
    let Some(bytes) = bytes else { return Problem::overloaded("the answer could not be encoded").into_response() };
    let mut response = (typed(format), bytes).into_response();
    // Unwrap safety: an id is plain ASCII.
    let id = HeaderValue::from_str(&stored.release.id).expect("an id is plain ASCII");
    response.headers_mut().insert(HeaderName::from_static("tacit-release"), id);
    response
}

fn typed(format: Format) -> [(HeaderName, HeaderValue); 1] {
    [(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()))]
}

/// What stands beside a stored answer: how it was asked for, and what it cost whom.
struct Shown<'a> {
    sql: &'a str,
    replayed: bool,
    epsilon: String,
    /// Of whom it was made for alone.
    purpose: Option<&'a str>,
    legs: Option<LegsView>,
    account: Option<AccountView>,
}

/// A published answer: nobody's account stands beside it.
pub fn published<'a>(stored: &'a StoredAnswer, sql: &'a str, epsilon: &str, table: &'a Table) -> AnswerBody<'a> {
    let epsilon = epsilon.to_owned();
    body(stored, table, Shown { sql, replayed: true, epsilon, purpose: None, legs: None, account: None })
}

fn body<'a>(stored: &'a StoredAnswer, table: &'a Table, shown: Shown<'a>) -> AnswerBody<'a> {
    let Shown { sql, replayed, epsilon, purpose, legs, account } = shown;
    AnswerBody {
        release: &stored.release.id,
        dataset: &stored.release.subject.dataset,
        edition: &stored.release.subject.edition,
        sql,
        replayed,
        mechanism: stored.release.mechanism.name(),
        confidence: "0.95",
        rows_per_unit: stored.rows_per_unit,
        columns: table.columns.iter().map(|column| ColumnBody::of(column, false)).collect(),
        rows: Rows(table),
        price: PriceBody { epsilon, delta: stored.delta().to_string() },
        threshold: stored.threshold(),
        legs,
        derived_from: &stored.derived_from,
        purpose,
        at: timestamp(stored.at_ms),
        account,
    }
}

fn json(body: &AnswerBody<'_>) -> Bytes {
    // Unwrap safety: the body is plain data with string keys, and its raw numbers are decimal digits.
    serde_json::to_vec(body).expect("an answer is plain data").into()
}

/// A table as CSV, Arrow or Parquet.
pub fn encoded(table: &Table, format: Format) -> Option<Bytes> {
    let mut buffer = Cursor::new(Vec::new());
    let written = match format {
        Format::Json => None,
        Format::Csv => csv(table, &mut buffer),
        Format::Arrow => frame(table)
            .and_then(|mut frame| {
                IpcStreamWriter::new(&mut buffer).with_compat_level(CompatLevel::oldest()).finish(&mut frame)
            })
            .ok(),
        Format::Parquet => {
            frame(table).and_then(|mut frame| ParquetWriter::new(&mut buffer).finish(&mut frame)).ok().map(|_| ())
        }
    };
    written.map(|()| buffer.into_inner().into())
}

fn csv(table: &Table, out: &mut Cursor<Vec<u8>>) -> Option<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(&table.names).ok()?;
    for row in &table.rows {
        writer.write_record(row.iter().map(|cell| cell.text().unwrap_or_default())).ok()?;
    }
    writer.flush().ok()
}

/// Keys as text or booleans, counts as integers, everything else as floats: types depend on the question alone.
fn frame(table: &Table) -> PolarsResult<DataFrame> {
    let columns = table.names.iter().enumerate().map(|(index, name)| {
        let cells = table.rows.iter().map(|row| &row[index]);
        let name = name.as_str().into();
        match table.kinds[index] {
            ColumnKind::Key => Column::new(name, cells.map(Cell::text).collect::<Vec<_>>()),
            ColumnKind::BooleanKey => Column::new(name, cells.map(truth_value).collect::<Vec<_>>()),
            ColumnKind::Count(_) | ColumnKind::IntegerKey => {
                Column::new(name, cells.map(whole_value).collect::<Vec<_>>())
            }
            ColumnKind::Sum(_) | ColumnKind::Mean | ColumnKind::Formula => {
                Column::new(name, cells.map(float_value).collect::<Vec<_>>())
            }
        }
    });
    DataFrame::new(table.rows.len(), columns.collect())
}

fn truth_value(cell: &Cell) -> Option<bool> {
    match cell {
        Cell::Boolean(truth) => Some(*truth),
        Cell::Missing | Cell::Text(_) | Cell::Decimal(_) | Cell::Float(_) => None,
    }
}

fn whole_value(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Decimal(value) => i64::try_from(value / 1_000_000_000).ok(),
        Cell::Missing | Cell::Text(_) | Cell::Boolean(_) | Cell::Float(_) => None,
    }
}

fn float_value(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Decimal(value) => Some(*value as f64 / 1e9),
        Cell::Float(value) => Some(*value),
        Cell::Missing | Cell::Text(_) | Cell::Boolean(_) => None,
    }
}
