//! The cache of published statistics, as the bytes that readers get.
//!
//! Promises that a release is rendered once in each form, so that equal requests have identical bytes and reading costs no more than
//! finding them; that nothing in it is older than what the ledger says is shown; and that it holds a bounded number of bytes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use axum::http::HeaderValue;
use serde::Serialize;

use super::pieces::with_bytes;
use crate::http::api::response;
use crate::http::cite::{self, CitedStatistic};
use crate::http::formats::{AnswerFormat, CsvStyle, Wanted, encoded};
use crate::query::answer::{Table, tabulate};
use crate::query::file::Presentation;
use crate::render::card;
use crate::render::chart::{self, Figure};
use crate::render::figure;
use crate::render::frame;
use crate::render::page::{self, Panel, Published};
use crate::render::provenance::Provenance;
use crate::render::vega;
use crate::service::asking::body::AnswerBody;
use crate::service::asking::rooms::{Rendering, Reservation};
use crate::service::publishing::statistics::{State, Statistic};
use crate::service::stewarding::accounts::timestamp;
use crate::service::{Answer, Service, ServiceError};

/// The last moment of the year 9999, in milliseconds since 1970 in UTC.
const HTTP_DATE_MS_MAX: u64 = 253_402_300_799_999;

/// A form in which a statistic is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatisticForm {
    /// An answer in one of the data formats.
    Answer(Wanted),
    /// A chart as SVG.
    Svg,
    /// A Vega-Lite specification with its data.
    Vega,
    /// A citation in plain text.
    Citation,
    /// An HTML page by itself, with the way to the gallery.
    Page,
    /// An HTML page to embed, without anything around it.
    Embedded,
    /// What its pages show, as a part of a page.
    Article,
    /// The picture on its card in the gallery: a part of a page.
    Card,
    /// A part of a page of several statistics: the chart, or a short table.
    Panel,
}

impl StatisticForm {
    /// The form for the ending of a path, like `csv`, which is written in `style`; `None` for an unknown ending.
    #[must_use]
    pub fn of_ending(ending: &str, style: CsvStyle) -> Option<Self> {
        match ending {
            "svg" => Some(Self::Svg),
            "vl.json" => Some(Self::Vega),
            "txt" => Some(Self::Citation),
            data => AnswerFormat::of_ending(data).map(|format| Self::Answer(Wanted::new(format, style))),
        }
    }

    /// A word for the form, for messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Answer(wanted) => wanted.format.ending(),
            Self::Svg => "SVG",
            Self::Vega => "Vega-Lite",
            Self::Citation => "a citation",
            Self::Page | Self::Embedded | Self::Article => "a page",
            Self::Card => "a card",
            Self::Panel => "a panel",
        }
    }

    /// The kind of rendering, which determines how much memory it may take.
    #[must_use]
    pub fn rendering(self) -> Rendering {
        match self {
            Self::Page | Self::Embedded | Self::Article | Self::Card | Self::Panel => Rendering::Page,
            Self::Answer(wanted) => wanted.format.rendering(),
            Self::Svg | Self::Vega | Self::Citation => Rendering::Data,
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Answer(wanted) => wanted.format.media_type(),
            Self::Svg => "image/svg+xml",
            Self::Vega => "application/vnd.vegalite.v5+json",
            Self::Citation => "text/plain; charset=utf-8",
            Self::Page | Self::Embedded | Self::Article | Self::Card | Self::Panel => "text/html; charset=utf-8",
        }
    }
}

/// A statistic, rendered in one form.
#[derive(Debug)]
pub struct Rendered {
    /// The bytes of the body.
    pub bytes: Bytes,
    /// The entity tag of the bytes.
    pub etag: HeaderValue,
    /// The time of the release, formatted for HTTP.
    pub last_modified: HeaderValue,
    /// The media type of the bytes.
    pub media_type: HeaderValue,
}

/// The largest number of bytes that the cache keeps. What was read longest ago is dropped, and rendered again when somebody asks for it.
const KEPT_BYTES_MAX: usize = 128 << 20;
/// The largest number of bytes that were cached at some time and are still being read. Beyond it, readers hold rooms of their own.
const LIVE_BYTES_MAX: usize = 192 << 20;

/// The rendered statistics, by statistic and form.
#[derive(Debug, Default)]
pub struct Shelf {
    rendered: RwLock<Kept>,
    looks: AtomicU64,
    live: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Kept {
    forms: HashMap<String, HashMap<StatisticForm, Item>>,
    bytes: usize,
}

/// One statistic in one form.
#[derive(Debug)]
struct Item {
    /// The version of the statistic's state that was rendered.
    version: u64,
    /// The result; `None` if there is nothing to show in that form.
    rendered: Option<Arc<Rendered>>,
    /// The number of the latest lookup that found it.
    found: AtomicU64,
}

impl Item {
    fn bytes(&self) -> usize {
        self.rendered.as_ref().map_or(0, |rendered| rendered.bytes.len())
    }
}

/// Counts bytes for as long as anybody holds them.
struct Live {
    all: Arc<AtomicUsize>,
    bytes: usize,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Shelf {
    /// The cached result for a statistic in this state; the inner `None` means that there is nothing to show in that form.
    #[must_use]
    pub fn found(&self, statistic: &Statistic, version: u64, form: StatisticForm) -> Option<Option<Arc<Rendered>>> {
        let rendered = self.rendered.read().unwrap_or_else(PoisonError::into_inner);
        let item = rendered.forms.get(&statistic.name)?.get(&form)?;
        item.found.store(self.looks.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        (item.version == version).then(|| item.rendered.clone())
    }

    /// Renders a statistic and caches its bytes; `None` before its first release.
    /// It blocks. If the cache has no place for the bytes, they hold `room`.
    ///
    /// # Errors
    /// [`ServiceError::Ledger`] if the store cannot be read.
    pub fn render(
        &self,
        service: &Service,
        statistic: &Statistic,
        (version, form): (u64, StatisticForm),
        room: Reservation,
    ) -> Result<Option<Arc<Rendered>>, ServiceError> {
        // Somebody who waited for the same bytes finds them.
        if let Some(found) = self.found(statistic, version, form) {
            return Ok(found);
        }
        let state = &service.reading_of(statistic);
        let Some((_, at_ms)) = state.shown.as_ref() else { return Ok(None) };
        let Some(answer) = service.shown_answer(statistic)? else { return Ok(None) };
        let made = Sheet::new(service, statistic, state, &answer).bytes(form);
        let (held, is_kept) = made.map_or((None, true), |bytes| {
            let (bytes, is_kept) = self.counted(bytes, room);
            (Some(bytes), is_kept)
        });
        let rendered = held.map(|bytes| Arc::new(Rendered::new(bytes, form, *at_ms)));
        if is_kept {
            let found = AtomicU64::new(self.looks.fetch_add(1, Ordering::Relaxed));
            let item = Item { version, rendered: rendered.clone(), found };
            let mut rendered = self.rendered.write().unwrap_or_else(PoisonError::into_inner);
            rendered.keep(&statistic.name, form, item, KEPT_BYTES_MAX);
        }
        Ok(rendered)
    }

    /// Counts the bytes as cached and returns `true`; or, if there is no place, lets them hold `room` and returns `false`.
    fn counted(&self, bytes: Bytes, mut room: Reservation) -> (Bytes, bool) {
        let (size, all) = (bytes.len(), Arc::clone(&self.live));
        if all.fetch_add(size, Ordering::Relaxed).saturating_add(size) <= LIVE_BYTES_MAX && size <= KEPT_BYTES_MAX {
            return (with_bytes(bytes, Live { all, bytes: size }), true);
        }
        all.fetch_sub(size, Ordering::Relaxed);
        room.resize(size);
        (with_bytes(bytes, room), false)
    }
}

impl Kept {
    fn keep(&mut self, name: &str, form: StatisticForm, item: Item, bytes_max: usize) {
        self.bytes += item.bytes();
        let before = self.forms.entry(name.to_owned()).or_default().insert(form, item);
        self.bytes -= before.map_or(0, |item| item.bytes());
        while self.bytes > bytes_max {
            let all =
                self.forms.iter().flat_map(|(name, forms)| forms.iter().map(move |(form, item)| (name, form, item)));
            let held = all.filter(|(_, _, item)| item.bytes() > 0);
            let oldest = held.min_by_key(|(_, _, item)| item.found.load(Ordering::Relaxed));
            let Some((name, form)) = oldest.map(|(name, form, _)| (name.clone(), *form)) else { break };
            let gone = self.forms.get_mut(&name).and_then(|forms| forms.remove(&form));
            self.bytes -= gone.map_or(0, |item| item.bytes());
        }
    }
}

impl Rendered {
    fn new(bytes: Bytes, form: StatisticForm, at_ms: u64) -> Self {
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

/// A moment as HTTP writes it (RFC 9110, section 5.6.7); one after the year 9999, which HTTP cannot write, as the end of that year.
fn http_date(at_ms: u64) -> String {
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_millis(at_ms.min(HTTP_DATE_MS_MAX)))
}

/// Everything that the forms are made from.
struct Sheet<'a> {
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
    fn new(service: &Service, statistic: &'a Statistic, state: &'a State, answer: &'a Answer) -> Self {
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

    fn bytes(self, form: StatisticForm) -> Option<Bytes> {
        match form {
            StatisticForm::Answer(wanted) => self.answer(wanted),
            StatisticForm::Svg => Some(chart::file(self.figure.as_ref()?, &self.about()).into_string().into()),
            StatisticForm::Vega => Some(vega::file(self.figure.as_ref()?, &self.about()).to_string().into()),
            StatisticForm::Citation => Some(format!("{}\n", self.cite).into()),
            StatisticForm::Page => Some(frame::public(&self.state.face.title, &self.article()).into()),
            StatisticForm::Embedded => Some(frame::embedded(&self.state.face.title, &self.article()).into()),
            StatisticForm::Article => Some(self.article().into_string().into()),
            StatisticForm::Card => Some(card::card(&self.table, self.figure.as_ref()).into_string().into()),
            StatisticForm::Panel => Some(self.panel().into()),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn item(version: u64, found: u64, bytes: usize) -> Item {
        let rendered = Rendered::new(vec![0; bytes].into(), StatisticForm::Svg, 0);
        Item { version, rendered: (bytes > 0).then(|| Arc::new(rendered)), found: AtomicU64::new(found) }
    }

    #[test]
    fn what_was_read_longest_ago_makes_way() {
        let mut kept = Kept::default();
        for (name, form, found, bytes) in [
            ("a", StatisticForm::Svg, 5, 40),
            ("a", StatisticForm::Page, 1, 30),
            ("b", StatisticForm::Svg, 2, 30),
            ("c", StatisticForm::Svg, 0, 0),
            ("d", StatisticForm::Svg, 6, 50),
        ] {
            kept.keep(name, form, item(1, found, bytes), 100);
            assert!(kept.bytes <= 100, "{} bytes", kept.bytes);
        }
        let has = |kept: &Kept, name: &str, form| kept.forms.get(name).is_some_and(|forms| forms.contains_key(&form));
        assert!(
            has(&kept, "a", StatisticForm::Svg) && has(&kept, "d", StatisticForm::Svg),
            "those that were found last"
        );
        assert!(!has(&kept, "a", StatisticForm::Page) && !has(&kept, "b", StatisticForm::Svg));
        assert!(has(&kept, "c", StatisticForm::Svg), "that there is nothing to show is kept for nothing");
        kept.keep("d", StatisticForm::Svg, item(2, 7, 20), 100);
        assert_eq!(kept.bytes, 60, "a new state takes the place of the old one");
    }

    #[test]
    fn bytes_count_until_nobody_reads_them() {
        let shelf = Shelf::default();
        let live = || shelf.live.load(Ordering::Relaxed);
        let (bytes, is_kept) = shelf.counted(vec![0; 1_000].into(), Reservation::default());
        let read = bytes.slice(10..20);
        assert!(is_kept && live() == 1_000);
        drop(bytes);
        assert_eq!(live(), 1_000, "somebody reads still");
        drop(read);
        assert_eq!(live(), 0);
        let (_, is_kept) = shelf.counted(vec![0; KEPT_BYTES_MAX + 1].into(), Reservation::default());
        assert!(!is_kept && live() == 0, "what is larger than the shelf is its reader's");
    }
}
