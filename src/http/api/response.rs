//! Encodes stored answers, in each format with where they came from.
//!
//! Promises that equal answers have equal bytes: rendering depends only on the stored answer and the account shown with it.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use serde::Serialize;

use crate::http::formats::{AnswerFormat, Wanted, encoded};
use crate::http::pieces::Pieces;
use crate::http::problem::Problem;
use crate::http::{App, cite};
use crate::kernel::budget::people::{Person, Role};
use crate::query::answer::{Table, tabulate};
use crate::render::provenance::Provenance;
use crate::render::workbook;
use crate::service::asking::body::{AnswerBody, CONFIDENCE, OutputColumn, PriceBody};
use crate::service::asking::free::FreeAnswer;
use crate::service::asking::quote::LegsView;
use crate::service::asking::rooms::Reservation;
use crate::service::asking::stored::StoredAnswer;
use crate::service::shares::AccountShare;
use crate::service::stewarding::accounts::{AccountView, timestamp};
use crate::service::{Answer, Service};

/// A placeholder for the list into which [`crate::http::pieces::TextRows`] are written.
pub type Unwritten = [(); 0];

/// An answer in some format: its headers, and the part of its body that is encoded so far.
pub struct EncodedAnswer {
    headers: HeaderMap,
    pieces: Pieces,
}

impl EncodedAnswer {
    fn of(table: Table, wanted: Wanted, document: &impl Serialize, about: &Provenance) -> Result<Self, Problem> {
        if wanted.format == AnswerFormat::Xlsx && table.rows.len() > workbook::ROWS_MAX {
            let detail = format!("a workbook has at most {} rows; take CSV, Arrow or Parquet", workbook::ROWS_MAX);
            return Err(Problem::not_found(detail));
        }
        let pieces = encoded(table, wanted, document, about);
        let pieces = pieces.map_err(|fault| Problem::overloaded(&fault.to_string()))?;
        let media_type = HeaderValue::from_static(wanted.format.media_type());
        Ok(Self { headers: HeaderMap::from_iter([(header::CONTENT_TYPE, media_type)]), pieces })
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// All bytes at once, for callers who keep them.
    ///
    /// # Errors
    /// A problem if a row could not be encoded.
    pub fn joined(self) -> Result<Bytes, Problem> {
        self.pieces.joined().map(Bytes::from).map_err(|fault| Problem::overloaded(&fault.to_string()))
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
pub fn answer(service: &Service, answer: &Answer, wanted: Wanted) -> Result<EncodedAnswer, Problem> {
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
    let document = body(stored, &table, shown);
    let about = Provenance::of(&document, None, Some(&cite::answer(service, stored)));
    let encoded = EncodedAnswer::of(table, wanted, &document, &about)?.with("tacit-release", &stored.release.id);
    let encoded = encoded.with("tacit-epsilon-spent", &account.epsilon_spent.to_string());
    Ok(encoded.with("tacit-epsilon-remaining", &account.epsilon_remaining.to_string()))
}

/// Encodes a free answer. It has no release, because nothing was drawn.
///
/// # Errors
/// A problem if the answer could not be encoded.
pub fn free(answer: FreeAnswer, wanted: Wanted) -> Result<EncodedAnswer, Problem> {
    let FreeAnswer { about, sql, table } = answer;
    let about = about.as_ref();
    let document = AnswerBody::<Unwritten> {
        release: None,
        dataset: about.map(|about| about.dataset.clone()),
        edition: about.map(|about| about.edition.clone()),
        sql,
        replayed: true,
        mechanism: None,
        confidence: None,
        rows_per_unit: None,
        columns: columns(&table),
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
    let about = Provenance::of(&document, None, None);
    EncodedAnswer::of(table, wanted, &document, &about)
}

/// Encodes a stored answer by itself. Its bytes never change.
///
/// # Errors
/// A problem if the answer could not be encoded.
pub fn stored(
    service: &Service,
    stored: &StoredAnswer,
    person: &Person,
    wanted: Wanted,
) -> Result<EncodedAnswer, Problem> {
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
    let document = body(stored, &table, shown);
    let about = Provenance::of(&document, None, Some(&cite::answer(service, stored)));
    Ok(EncodedAnswer::of(table, wanted, &document, &about)?.with("tacit-release", &stored.release.id))
}

/// Where a stored answer came from, for files that hold no table.
pub fn provenance(service: &Service, stored: &StoredAnswer, table: &Table) -> Provenance {
    let document = published(stored, &stored.sql, &stored.epsilon, table);
    Provenance::of(&document, None, Some(&cite::answer(service, stored)))
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
