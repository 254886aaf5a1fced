//! The cache of published statistics and of files of stored answers, as the bytes that readers get.
//!
//! Promises that a release is rendered once in each form, so that equal requests have identical bytes and reading costs no more than
//! finding them; that nothing in it is older than what the ledger says is shown; and that it holds a bounded number of bytes.
//! It does not know who may read what.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use axum::http::HeaderValue;

use super::forms::{FileForm, StatisticForm};
use super::pieces::with_bytes;
use super::sheet::Sheet;
use crate::service::asking::rooms::Reservation;
use crate::service::publishing::statistics::Statistic;
use crate::service::{Service, ServiceError};

/// The last moment of the year 9999, in milliseconds since 1970 in UTC.
const HTTP_DATE_MS_MAX: u64 = 253_402_300_799_999;

/// A statistic or an answer, rendered in one form.
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
    /// The cached result for what has this name, in this version of it; the inner `None` means that there is nothing to show in that form.
    #[must_use]
    pub fn found(&self, name: &str, version: u64, form: StatisticForm) -> Option<Option<Arc<Rendered>>> {
        let rendered = self.rendered.read().unwrap_or_else(PoisonError::into_inner);
        let item = rendered.forms.get(name)?.get(&form)?;
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
        if let Some(found) = self.found(&statistic.name, version, form) {
            return Ok(found);
        }
        let state = &service.reading_of(statistic);
        let Some((_, at_ms)) = state.shown.as_ref() else { return Ok(None) };
        let Some(answer) = service.shown_answer(statistic)? else { return Ok(None) };
        let made = Sheet::new(service, statistic, state, &answer).bytes(form);
        let name = |bytes: &Bytes| format!("\"{}\"", &blake3::hash(bytes).to_hex()[..32]);
        let (held, is_kept) = made.map_or((None, true), |bytes| {
            let etag = name(&bytes);
            let (bytes, is_kept) = self.counted(bytes, room);
            (Some(Rendered::new(bytes, form, &etag, *at_ms)), is_kept)
        });
        let rendered = held.map(Arc::new);
        if is_kept {
            self.keep(&statistic.name, (version, form), rendered.clone());
        }
        Ok(rendered)
    }

    /// Caches a file of a stored answer, which never changes, under a name that no statistic has. If the cache has no place for the bytes,
    /// they hold `room`.
    pub fn put(
        &self,
        name: &str,
        form: FileForm,
        (bytes, etag, at_ms): (Bytes, &str, u64),
        room: Reservation,
    ) -> Arc<Rendered> {
        let form = StatisticForm::File(form);
        let (bytes, is_kept) = self.counted(bytes, room);
        let rendered = Arc::new(Rendered::new(bytes, form, etag, at_ms));
        if is_kept {
            self.keep(name, (0, form), Some(Arc::clone(&rendered)));
        }
        rendered
    }

    fn keep(&self, name: &str, (version, form): (u64, StatisticForm), rendered: Option<Arc<Rendered>>) {
        let found = AtomicU64::new(self.looks.fetch_add(1, Ordering::Relaxed));
        let mut kept = self.rendered.write().unwrap_or_else(PoisonError::into_inner);
        kept.keep(name, form, Item { version, rendered, found }, KEPT_BYTES_MAX);
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
            let Some(forms) = self.forms.get_mut(&name) else { break };
            self.bytes -= forms.remove(&form).map_or(0, |item| item.bytes());
            if forms.is_empty() {
                self.forms.remove(&name);
            }
        }
    }
}

impl Rendered {
    fn new(bytes: Bytes, form: StatisticForm, etag: &str, at_ms: u64) -> Self {
        let header = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        Self {
            etag: header(etag),
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

#[cfg(test)]
mod tests {
    use super::*;

    const SVG: StatisticForm = StatisticForm::File(FileForm::Svg);

    fn item(version: u64, found: u64, bytes: usize) -> Item {
        let rendered = Rendered::new(vec![0; bytes].into(), SVG, "\"e\"", 0);
        Item { version, rendered: (bytes > 0).then(|| Arc::new(rendered)), found: AtomicU64::new(found) }
    }

    #[test]
    fn what_was_read_longest_ago_makes_way() {
        let mut kept = Kept::default();
        for (name, form, found, bytes) in [
            ("a", SVG, 5, 40),
            ("a", StatisticForm::Page, 1, 30),
            ("b", SVG, 2, 30),
            ("c", SVG, 0, 0),
            ("d", SVG, 6, 50),
        ] {
            kept.keep(name, form, item(1, found, bytes), 100);
            assert!(kept.bytes <= 100, "{} bytes", kept.bytes);
        }
        let has = |kept: &Kept, name: &str, form| kept.forms.get(name).is_some_and(|forms| forms.contains_key(&form));
        assert!(has(&kept, "a", SVG) && has(&kept, "d", SVG), "those that were found last");
        assert!(!has(&kept, "a", StatisticForm::Page) && !has(&kept, "b", SVG));
        assert!(has(&kept, "c", SVG), "that there is nothing to show is kept for nothing");
        kept.keep("d", SVG, item(2, 7, 20), 100);
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
