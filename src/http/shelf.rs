//! The shelf: published statistics as the bytes that readers get.
//!
//! Promises that a release is rendered once in each form, so that equal requests have identical bytes and reading costs no more than
//! finding them, and that nothing on it is older than what the ledger says is shown.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Bytes;
use axum::http::HeaderValue;
use serde::Serialize;

use super::encode::{self, Format};
use crate::console::chart::{self, Chart, Place};
use crate::console::published::{self, Published};
use crate::console::{figure, frame, vega};
use crate::query::answer::{Table, tabulate};
use crate::query::file::Shape;
use crate::service::account::timestamp;
use crate::service::statistics::{State, Statistic};
use crate::service::{Answer, Service, ServiceError};

/// A form that a statistic comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// As an answer.
    Answer(Format),
    /// A chart.
    Svg,
    /// A Vega-Lite specification with its data.
    Vega,
    /// How to cite it.
    Citation,
    /// A page to embed.
    Page,
}

impl Form {
    /// The form of an ending, like `csv`.
    #[must_use]
    pub fn of_ending(ending: &str) -> Option<Self> {
        match ending {
            "json" => Some(Self::Answer(Format::Json)),
            "csv" => Some(Self::Answer(Format::Csv)),
            "arrow" => Some(Self::Answer(Format::Arrow)),
            "parquet" => Some(Self::Answer(Format::Parquet)),
            "svg" => Some(Self::Svg),
            "vl.json" => Some(Self::Vega),
            "txt" => Some(Self::Citation),
            _ => None,
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Answer(format) => format.media_type(),
            Self::Svg => "image/svg+xml",
            Self::Vega => "application/vnd.vegalite.v5+json",
            Self::Citation => "text/plain; charset=utf-8",
            Self::Page => "text/html; charset=utf-8",
        }
    }
}

/// A statistic in one form.
#[derive(Debug)]
pub struct Rendered {
    /// The bytes.
    pub bytes: Bytes,
    /// A name of the bytes.
    pub etag: HeaderValue,
    /// When it was released, as HTTP says it.
    pub last_modified: HeaderValue,
    /// Its media type.
    pub media_type: HeaderValue,
}

/// The state that something was rendered of, and what came of it; nothing where there is nothing to show in that form.
type Kept = (u64, Option<Arc<Rendered>>);

/// What is rendered, by statistic and form.
#[derive(Debug, Default)]
pub struct Shelf {
    rendered: RwLock<HashMap<String, HashMap<Form, Kept>>>,
}

impl Shelf {
    /// A statistic's bytes in this state, if it was rendered; nothing within where there is nothing to show in that form.
    #[must_use]
    pub fn found(&self, statistic: &Statistic, version: u64, form: Form) -> Option<Option<Arc<Rendered>>> {
        let rendered = self.rendered.read().unwrap_or_else(PoisonError::into_inner);
        let (known, found) = rendered.get(&statistic.name)?.get(&form)?;
        (*known == version).then(|| found.clone())
    }

    /// Renders a statistic and keeps its bytes; nothing before its first release. Blocks.
    ///
    /// # Errors
    /// [`ServiceError::Ledger`] where the store cannot be read.
    pub fn render(
        &self,
        service: &Service,
        statistic: &Statistic,
        version: u64,
        form: Form,
    ) -> Result<Option<Arc<Rendered>>, ServiceError> {
        let state = &service.reading_of(statistic);
        let Some((_, at_ms)) = state.shown.as_ref() else { return Ok(None) };
        let Some(answer) = service.shown_answer(statistic)? else { return Ok(None) };
        let made = Sheet::new(service, statistic, state, &answer).bytes(form);
        let rendered = made.map(|bytes| Arc::new(Rendered::new(bytes, form, *at_ms)));
        let mut kept = self.rendered.write().unwrap_or_else(PoisonError::into_inner);
        kept.entry(statistic.name.clone()).or_default().insert(form, (version, rendered.clone()));
        Ok(rendered)
    }
}

impl Rendered {
    fn new(bytes: Bytes, form: Form, at_ms: u64) -> Self {
        let digest = blake3::hash(&bytes).to_hex();
        let header = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        Self {
            etag: header(&format!("\"{}\"", &digest.as_str()[..32])),
            last_modified: header(&http_date(at_ms)),
            media_type: HeaderValue::from_static(form.media_type()),
            bytes,
        }
    }
}

fn http_date(at_ms: u64) -> String {
    let moment = i64::try_from(at_ms).ok().and_then(chrono::DateTime::from_timestamp_millis);
    moment.map_or_else(String::new, |moment| moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

/// Everything that the forms are made of.
struct Sheet<'a> {
    statistic: &'a Statistic,
    state: &'a State,
    whom: String,
    answer: &'a Answer,
    table: Table,
    chart: Option<Chart>,
    date: String,
    skipped: Option<(String, &'a str)>,
    cite: String,
}

/// A statistic as JSON: what it is, and its answer.
#[derive(Serialize)]
struct StatisticBody<'a> {
    name: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    refresh: &'static str,
    public: bool,
    chart: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
    released_at: String,
    /// Whether a refresh was due since and was not made.
    stale: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stale_reason: Option<&'a str>,
    cite: &'a str,
    #[serde(flatten)]
    answer: encode::AnswerBody<'a>,
}

impl<'a> Sheet<'a> {
    fn new(service: &Service, statistic: &'a Statistic, state: &'a State, answer: &'a Answer) -> Self {
        let table = tabulate(&answer.layout, answer.stored.vectors());
        let shape = match state.face.shape {
            Shape::Line => chart::Shape::Line,
            Shape::Bar | Shape::Table | Shape::Hidden => chart::Shape::Bar,
        };
        let chart = figure::chart(&state.face.title, state.face.unit.as_deref(), shape, &table);
        let date = state.shown.as_ref().map_or_else(String::new, |(_, at_ms)| service.date(*at_ms));
        let skipped = state.skipped.as_ref().map(|(at_ms, why)| (service.date(*at_ms), why.as_str()));
        let cite = cite(service, (statistic, state), answer, &date);
        let whom = service.dataset(&statistic.dataset).map_or("unit", |dataset| dataset.terms.unit.name()).to_owned();
        Self { statistic, state, whom, answer, table, chart, date, skipped, cite }
    }

    fn bytes(&self, form: Form) -> Option<Bytes> {
        match form {
            Form::Answer(Format::Json) => Some(self.json()),
            Form::Answer(format) => encode::encoded(&self.table, format),
            Form::Svg => Some(chart::svg(self.chart.as_ref()?, Place::File).into_string().into()),
            Form::Vega => Some(vega::specification(self.chart.as_ref()?).to_string().into()),
            Form::Citation => Some(format!("{}\n", self.cite).into()),
            Form::Page => Some(self.page().into()),
        }
    }

    fn json(&self) -> Bytes {
        let Self { statistic, state, answer, table, .. } = self;
        let (at_ms, face) = (answer.stored.at_ms, &state.face);
        let body = StatisticBody {
            name: &statistic.name,
            title: &face.title,
            description: face.description.as_deref(),
            refresh: statistic.refresh.name(),
            public: face.is_public,
            chart: face.shape.name(),
            unit: face.unit.as_deref(),
            released_at: timestamp(at_ms),
            stale: state.stale().is_some(),
            stale_reason: state.stale(),
            cite: &self.cite,
            answer: encode::published(&answer.stored, &answer.sql, price(state, answer), table),
        };
        // Unwrap safety: the body is plain data with string keys, and its raw numbers are decimal digits.
        serde_json::to_vec(&body).expect("a statistic is plain data").into()
    }

    fn page(&self) -> String {
        let Self { statistic, state, answer, table, date, cite, .. } = self;
        let face = &state.face;
        let is_drawn = matches!(face.shape, Shape::Bar | Shape::Line);
        let shown = Published {
            name: &statistic.name,
            title: &face.title,
            description: face.description.as_deref(),
            table,
            chart: self.chart.as_ref().filter(|_| is_drawn),
            date,
            whom: &self.whom,
            skipped: self.skipped.as_ref().map(|(date, why)| (date.as_str(), *why)),
            waiting: state.waits(),
            cite,
            sql: &answer.sql,
        };
        frame::embedded(&face.title, &published::body(&shown))
    }
}

/// What each draw of what is shown costs, as ε.
fn price<'a>(state: &'a State, answer: &'a Answer) -> &'a str {
    state.face.price.as_deref().unwrap_or(&answer.stored.epsilon)
}

fn cite(service: &Service, (statistic, state): (&Statistic, &State), answer: &Answer, date: &str) -> String {
    let dataset = service.dataset(&statistic.lineage).and_then(|dataset| dataset.title.clone());
    let dataset = dataset.unwrap_or_else(|| statistic.dataset.clone());
    let (stored, year) = (&answer.stored, date.get(..4).unwrap_or(date));
    format!(
        "{dataset} ({year}). {}. Differentially private statistic \"{}\", release {}, {date}; epsilon {}, delta {}, per {}; \
         95 % intervals of the noise.",
        state.face.title,
        statistic.name,
        stored.release.id,
        price(state, answer),
        stored.delta(),
        service.dataset(&statistic.dataset).map_or("unit", |dataset| dataset.terms.unit.name()),
    )
}
