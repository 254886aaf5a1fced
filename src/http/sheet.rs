//! A published statistic as everything that is shown of it: the forms that the cache keeps.
//!
//! Promises that the bytes depend only on the release that is shown and on the statistic's state.

use axum::body::Bytes;
use serde::Serialize;

use super::api::response;
use super::cite::{self, CitedStatistic};
use super::formats::{Wanted, encoded};
use super::forms::{FileForm, StatisticForm};
use crate::query::answer::{Table, tabulate};
use crate::query::file::Presentation;
use crate::render::card;
use crate::render::chart::{self, Figure};
use crate::render::figure;
use crate::render::frame;
use crate::render::page::{self, Panel, Published};
use crate::render::picture;
use crate::render::provenance::Provenance;
use crate::render::samples;
use crate::render::vega;
use crate::service::asking::body::AnswerBody;
use crate::service::publishing::statistics::{State, Statistic};
use crate::service::stewarding::accounts::timestamp;
use crate::service::{Answer, Service};

/// Everything that the forms are made from.
pub struct Sheet<'a> {
    statistic: &'a Statistic,
    state: &'a State,
    whom: String,
    answer: &'a Answer,
    table: Table,
    figure: Option<Figure>,
    date: String,
    skipped: Option<(String, &'a str)>,
    cite: String,
}

/// A statistic as JSON: its description and its answer.
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
    /// Whether a refresh has been due since the release and was not made.
    stale: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stale_reason: Option<&'a str>,
    cite: &'a str,
    #[serde(flatten)]
    answer: AnswerBody<response::Unwritten>,
}

impl<'a> Sheet<'a> {
    /// Lays out the release that a statistic shows in this state.
    pub fn new(service: &Service, statistic: &'a Statistic, state: &'a State, answer: &'a Answer) -> Self {
        let table = tabulate(&answer.layout, answer.stored.vectors());
        let shape = match state.face.shape {
            Presentation::Line => chart::Shape::Line,
            Presentation::Bar | Presentation::Table | Presentation::Hidden => chart::Shape::Bar,
        };
        let figure = figure::figure(&state.face.title, state.face.unit.as_deref(), shape, &table);
        let date = state.shown.as_ref().map_or_else(String::new, |(_, at_ms)| service.date(*at_ms));
        let skipped = state.skipped.as_ref().map(|(at_ms, why)| (service.date(*at_ms), why.as_str()));
        let cited = CitedStatistic { name: &statistic.name, title: &state.face.title, epsilon: price(state, answer) };
        let dataset = (statistic.lineage.as_str(), statistic.dataset.as_str());
        let cite = cite::statistic(service, dataset, &answer.stored, &cited, &date);
        let whom = service.dataset(&statistic.dataset).map_or("unit", |dataset| dataset.terms.unit.name()).to_owned();
        Self { statistic, state, whom, answer, table, figure, date, skipped, cite }
    }

    /// The statistic in a form; `None` if it has nothing to show in it.
    pub fn bytes(self, form: StatisticForm) -> Option<Bytes> {
        match form {
            StatisticForm::File(form) => self.file(form),
            StatisticForm::Page => Some(frame::public(&self.state.face.title, &self.article()).into()),
            StatisticForm::Embedded => Some(frame::embedded(&self.state.face.title, &self.article()).into()),
            StatisticForm::Article => Some(self.article().into_string().into()),
            StatisticForm::Card => Some(card::card(&self.table, self.figure.as_ref()).into_string().into()),
            StatisticForm::Panel => Some(self.panel().into()),
            StatisticForm::Samples => samples::lines(&self.statistic.name, &self.table).map(Bytes::from),
        }
    }

    fn file(self, form: FileForm) -> Option<Bytes> {
        match form {
            FileForm::Answer(wanted) => self.answer(wanted),
            FileForm::Svg => Some(chart::file(self.figure.as_ref()?, &self.about()).into_string().into()),
            FileForm::Png => picture::file(self.figure.as_ref()?, &self.about()).ok().map(Bytes::from),
            FileForm::Vega => Some(vega::file(self.figure.as_ref()?, &self.about()).to_string().into()),
            FileForm::Citation => Some(format!("{}\n", self.cite).into()),
        }
    }

    fn published(&self) -> AnswerBody<response::Unwritten> {
        let Self { state, answer, table, .. } = self;
        response::published(&answer.stored, &answer.sql, price(state, answer), table)
    }

    /// Where the statistic came from.
    fn about(&self) -> Provenance {
        Provenance::of(&self.published(), Some(&self.state.face.title), Some(&self.cite))
    }

    fn answer(self, wanted: Wanted) -> Option<Bytes> {
        let (about, published) = (self.about(), self.published());
        let Self { statistic, state, answer, table, cite, .. } = self;
        let face = &state.face;
        let document = StatisticBody {
            name: &statistic.name,
            title: &face.title,
            description: face.description.as_deref(),
            refresh: statistic.refresh.name(),
            public: face.is_public,
            chart: face.shape.name(),
            unit: face.unit.as_deref(),
            released_at: timestamp(answer.stored.at_ms),
            stale: state.stale().is_some(),
            stale_reason: state.stale(),
            cite: &cite,
            answer: published,
        };
        let pieces = encoded(table, wanted, &document, &about).ok()?;
        pieces.joined().ok().map(Bytes::from)
    }

    fn panel(&self) -> String {
        let face = &self.state.face;
        let is_drawn = matches!(face.shape, Presentation::Bar | Presentation::Line);
        let panel = Panel {
            name: &self.statistic.name,
            title: &face.title,
            table: &self.table,
            figure: self.figure.as_ref().filter(|_| is_drawn),
            date: &self.date,
            is_older: self.state.waits().is_some() || self.skipped.is_some(),
        };
        page::panel(&panel).into_string()
    }

    fn article(&self) -> page::Article {
        let Self { statistic, state, answer, table, date, cite, .. } = self;
        let face = &state.face;
        let is_drawn = matches!(face.shape, Presentation::Bar | Presentation::Line);
        let shown = Published {
            name: &statistic.name,
            title: &face.title,
            description: face.description.as_deref(),
            table,
            figure: self.figure.as_ref().filter(|_| is_drawn),
            date,
            whom: &self.whom,
            skipped: self.skipped.as_ref().map(|(date, why)| (date.as_str(), *why)),
            waiting: state.waits(),
            cite,
            sql: &answer.sql,
        };
        page::body(&shown)
    }
}

/// The price of each draw of the statistic that is shown, as ε.
fn price<'a>(state: &'a State, answer: &'a Answer) -> &'a str {
    state.face.price.as_deref().unwrap_or(&answer.stored.epsilon)
}
