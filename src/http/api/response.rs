//! Encodes stored answers as JSON, CSV, Arrow and Parquet.
//!
//! Promises that equal answers have equal bytes: rendering depends only on the stored answer and the account shown with it.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use polars::prelude::{
    Column, CompatLevel, DataFrame, DataType, IpcStreamWriter, ParquetWriter, PolarsResult, SerWriter,
};
use serde::Serialize;
use strum::VariantArray;

use crate::http::App;
use crate::http::pieces::{Pieces, TextRows, Unencodable};
use crate::http::problem::Problem;
use crate::kernel::budget::people::{Person, Role};
use crate::query::answer::{Cell, ColumnKind, Table, tabulate};
use crate::service::Answer;
use crate::service::asking::body::{AnswerBody, CONFIDENCE, OutputColumn, PriceBody};
use crate::service::asking::free::FreeAnswer;
use crate::service::asking::quote::LegsView;
use crate::service::asking::rooms::Reservation;
use crate::service::asking::stored::StoredAnswer;
use crate::service::shares::AccountShare;
use crate::service::stewarding::accounts::{AccountView, timestamp};

/// A format in which answers are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, VariantArray)]
pub enum AnswerFormat {
    /// JSON, with media type `application/json`.
    Json,
    /// CSV, with media type `text/csv`.
    Csv,
    /// An Arrow IPC stream, with media type `application/vnd.apache.arrow.stream`.
    Arrow,
    /// Parquet, with media type `application/vnd.apache.parquet`.
    Parquet,
}

impl AnswerFormat {
    /// The format's media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::Arrow => "application/vnd.apache.arrow.stream",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// The format that `Accept` asks for: the first one with the highest weight; JSON if the header is absent.
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
            let found = Self::VARIANTS.iter().copied().find(|format| {
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

/// A placeholder for the list into which [`TextRows`] are written.
pub type Unwritten = [(); 0];

/// An answer in some format: its headers, and the part of its body that is encoded so far.
pub struct EncodedAnswer {
    headers: HeaderMap,
    pieces: Pieces,
}

impl EncodedAnswer {
    fn of(format: AnswerFormat, pieces: Result<Pieces, Unencodable>) -> Result<Self, Problem> {
        let pieces = pieces.map_err(|fault| Problem::overloaded(&fault.to_string()))?;
        let media_type = HeaderValue::from_static(format.media_type());
        Ok(Self { headers: HeaderMap::from_iter([(header::CONTENT_TYPE, media_type)]), pieces })
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// The response, which holds `room` until it is read.
    pub fn response(self, service: &App, who: &str, room: Reservation) -> Response {
        let mut response = Response::new(self.pieces.body(service, who, room));
        *response.headers_mut() = self.headers;
        response
    }
}

/// Encodes an answer with its account, in the format that was asked for.
///
/// # Errors
/// A problem if the answer could not be encoded.
pub fn answer(answer: &Answer, format: AnswerFormat) -> Result<EncodedAnswer, Problem> {
    let stored = &answer.stored;
    let table = tabulate(&answer.layout, stored.vectors());
    let shown = Shown {
        sql: &answer.sql,
        replayed: answer.standing.replayed,
        epsilon: answer.epsilon(),
        purpose: stored.purpose.as_deref().filter(|_| !answer.standing.replayed),
        legs: Some(LegsView::of(stored.accountant, &answer.standing.legs)),
        paid: Some((answer.fraction(), answer.account())),
    };
    let account = answer.account();
    let pieces = encoded(table, format, |table| body(stored, table, shown));
    let encoded = EncodedAnswer::of(format, pieces)?.with("tacit-release", &stored.release.id);
    let encoded = encoded.with("tacit-epsilon-spent", &account.epsilon_spent.to_string());
    Ok(encoded.with("tacit-epsilon-remaining", &account.epsilon_remaining.to_string()))
}

/// Encodes a free answer. It has no release, because nothing was drawn.
///
/// # Errors
/// A problem if the answer could not be encoded.
pub fn free(answer: FreeAnswer, format: AnswerFormat) -> Result<EncodedAnswer, Problem> {
    let FreeAnswer { about, sql, table } = answer;
    let about = about.as_ref();
    let document = |table: &Table| AnswerBody::<Unwritten> {
        release: None,
        dataset: about.map(|about| about.dataset.clone()),
        edition: about.map(|about| about.edition.clone()),
        sql,
        replayed: true,
        mechanism: None,
        confidence: None,
        rows_per_unit: None,
        columns: columns(table),
        rows: [],
        price: PriceBody {
            epsilon: "0".to_owned(),
            delta: about.map_or_else(|| "0".to_owned(), |about| about.delta.clone()),
            fraction: about.map(|_| AccountShare::NONE),
        },
        threshold: None,
        legs: None,
        derived_from: Vec::new(),
        purpose: None,
        at: None,
        account: about.map(|about| about.account.clone()),
    };
    EncodedAnswer::of(format, encoded(table, format, document))
}

/// Encodes a stored answer by itself. Its bytes never change.
///
/// # Errors
/// A problem if the answer could not be encoded.
pub fn stored(stored: &StoredAnswer, person: &Person, format: AnswerFormat) -> Result<EncodedAnswer, Problem> {
    let is_seen = is_seen(stored, person);
    let table = tabulate(&stored.layout_for(is_seen), stored.vectors());
    let shown = Shown {
        sql: &stored.sql,
        replayed: true,
        epsilon: stored.epsilon.clone(),
        purpose: stored.purpose.as_deref().filter(|_| is_seen),
        legs: None,
        paid: None,
    };
    let pieces = encoded(table, format, |table| body(stored, table, shown));
    Ok(EncodedAnswer::of(format, pieces)?.with("tacit-release", &stored.release.id))
}

/// Whether a person sees everything about a stored answer: its purpose, and the LIMIT and HAVING with which it was first asked for.
pub fn is_seen(stored: &StoredAnswer, person: &Person) -> bool {
    person.role == Role::Steward || person.name == stored.researcher
}

/// What is shown beside a stored answer: how it was asked for, and what it cost whom.
struct Shown<'a> {
    sql: &'a str,
    replayed: bool,
    epsilon: String,
    /// The declared purpose, shown only to those who may see it.
    purpose: Option<&'a str>,
    legs: Option<LegsView>,
    /// The share of their account that the asker paid, and the account after it.
    paid: Option<(AccountShare, AccountView)>,
}

/// A published answer, without anyone's account.
pub fn published(stored: &StoredAnswer, sql: &str, epsilon: &str, table: &Table) -> AnswerBody<Unwritten> {
    let epsilon = epsilon.to_owned();
    body(stored, table, Shown { sql, replayed: true, epsilon, purpose: None, legs: None, paid: None })
}

fn body(stored: &StoredAnswer, table: &Table, shown: Shown<'_>) -> AnswerBody<Unwritten> {
    let Shown { sql, replayed, epsilon, purpose, legs, paid } = shown;
    let (fraction, account) = paid.unzip();
    AnswerBody {
        release: Some(stored.release.id.clone()),
        dataset: Some(stored.release.subject.dataset.clone()),
        edition: Some(stored.release.subject.edition.clone()),
        sql: sql.to_owned(),
        replayed,
        mechanism: Some(stored.release.mechanism.name().into()),
        confidence: Some(CONFIDENCE),
        rows_per_unit: Some(stored.rows_per_unit),
        columns: columns(table),
        rows: [],
        price: PriceBody { epsilon, delta: stored.delta().to_string(), fraction },
        threshold: stored.threshold(),
        legs,
        derived_from: stored.derived_from.clone(),
        purpose: purpose.map(str::to_owned),
        at: Some(timestamp(stored.at_ms)),
        account,
    }
}

fn columns(table: &Table) -> Vec<OutputColumn> {
    table.columns.iter().map(|column| OutputColumn::of(column, false)).collect()
}

/// Encodes a table in a format. `document` makes the JSON document that surrounds it.
///
/// # Errors
/// [`Unencodable`] if the table could not be encoded.
pub fn encoded<D: Serialize>(
    table: Table,
    format: AnswerFormat,
    document: impl FnOnce(&Table) -> D,
) -> Result<Pieces, Unencodable> {
    match format {
        AnswerFormat::Json => {
            let document = document(&table);
            Pieces::ahead(TextRows::json(&document, table))
        }
        AnswerFormat::Csv => Pieces::ahead(TextRows::csv(table)),
        AnswerFormat::Arrow => {
            let mut bytes = Vec::new();
            let write = |mut frame: DataFrame| {
                IpcStreamWriter::new(&mut bytes).with_compat_level(CompatLevel::oldest()).finish(&mut frame)
            };
            frame(table).and_then(write).map_err(|_| Unencodable)?;
            Ok(Pieces::whole(bytes))
        }
        AnswerFormat::Parquet => {
            let mut bytes = Vec::new();
            let write = |mut frame: DataFrame| ParquetWriter::new(&mut bytes).finish(&mut frame);
            frame(table).and_then(write).map_err(|_| Unencodable)?;
            Ok(Pieces::whole(bytes))
        }
    }
}

/// The values of one column, with its type.
enum Values {
    Text(Vec<Option<String>>),
    Truth(Vec<Option<bool>>),
    Day(Vec<Option<i32>>),
    Whole(Vec<Option<i64>>),
    Float(Vec<Option<f64>>),
}

impl Values {
    /// Keys are text, booleans, days or numbers, counts are integers, and everything else is floats: types depend on the question alone.
    fn new(kind: ColumnKind, rows: usize) -> Self {
        match kind {
            ColumnKind::Key => Self::Text(Vec::with_capacity(rows)),
            ColumnKind::BooleanKey => Self::Truth(Vec::with_capacity(rows)),
            ColumnKind::DateKey => Self::Day(Vec::with_capacity(rows)),
            ColumnKind::Count(_) | ColumnKind::IntegerKey => Self::Whole(Vec::with_capacity(rows)),
            ColumnKind::Sum(_) | ColumnKind::Mean | ColumnKind::Formula | ColumnKind::DecimalKey => {
                Self::Float(Vec::with_capacity(rows))
            }
        }
    }

    fn push(&mut self, cell: Cell) {
        match self {
            Self::Text(values) => values.push(match cell {
                Cell::Text(text) => Some(text),
                other => other.text(),
            }),
            Self::Truth(values) => values.push(truth_value(&cell)),
            Self::Day(values) => values.push(day_value(&cell)),
            Self::Whole(values) => values.push(whole_value(&cell)),
            Self::Float(values) => values.push(float_value(&cell)),
        }
    }

    fn column(self, name: &str) -> PolarsResult<Column> {
        Ok(match self {
            Self::Text(values) => Column::new(name.into(), values),
            Self::Truth(values) => Column::new(name.into(), values),
            Self::Day(values) => Column::new(name.into(), values).cast(&DataType::Date)?,
            Self::Whole(values) => Column::new(name.into(), values),
            Self::Float(values) => Column::new(name.into(), values),
        })
    }
}

/// Turns rows into columns. Each row is dropped once it has been added.
fn frame(table: Table) -> PolarsResult<DataFrame> {
    let Table { names, kinds, rows, .. } = table;
    let height = rows.len();
    let mut values: Vec<Values> = kinds.iter().map(|kind| Values::new(*kind, height)).collect();
    for row in rows {
        values.iter_mut().zip(row).for_each(|(values, cell)| values.push(cell));
    }
    let columns = values.into_iter().zip(&names).map(|(values, name)| values.column(name));
    DataFrame::new(height, columns.collect::<PolarsResult<_>>()?)
}

fn day_value(cell: &Cell) -> Option<i32> {
    match cell {
        Cell::Date(days) => Some(*days),
        Cell::Missing | Cell::Total | Cell::Text(_) | Cell::Boolean(_) | Cell::Decimal(_) | Cell::Float(_) => None,
    }
}

fn truth_value(cell: &Cell) -> Option<bool> {
    match cell {
        Cell::Boolean(truth) => Some(*truth),
        Cell::Missing | Cell::Total | Cell::Text(_) | Cell::Date(_) | Cell::Decimal(_) | Cell::Float(_) => None,
    }
}

fn whole_value(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Decimal(value) => i64::try_from(value / 1_000_000_000).ok(),
        Cell::Missing | Cell::Total | Cell::Text(_) | Cell::Date(_) | Cell::Boolean(_) | Cell::Float(_) => None,
    }
}

fn float_value(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Decimal(value) => Some(*value as f64 / 1e9),
        Cell::Float(value) => Some(*value),
        Cell::Missing | Cell::Total | Cell::Text(_) | Cell::Date(_) | Cell::Boolean(_) => None,
    }
}
