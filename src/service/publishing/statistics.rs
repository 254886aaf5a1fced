//! Published statistics: what they are, when they are due, and what they show.
//!
//! Reading a statistic spends nothing. Nothing is drawn that no steward has agreed to. A schedule draws at most once a period and
//! at most once per edition. What was shown stays up if it cannot be drawn anew. A statistic is asked like a researcher's
//! question, by an asker whose name no person can have, so it is charged, shared and stored like any other answer.

pub mod check;
mod drawing;
mod face;
mod reading;
pub(crate) mod statistic;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::schedule::CalendarZone;
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::STATISTICS;
use crate::kernel::budget::state::StatisticRecord;
use crate::query::file::{QueryFile, Refresh};
use crate::service::{Answer, Service, ServiceError};

pub use drawing::{Refreshed, confirm};
pub use face::Face;
pub use reading::{StatisticFault, read_file};
use statistic::agreement;
pub use statistic::{Agreement, State, Statistic};

impl Service {
    /// Makes this service publish the given files; days begin in `zone`.
    ///
    /// # Errors
    /// [`StatisticFault`] names the first file whose question cannot be asked under the policies that are served.
    pub fn publishing(mut self, files: Vec<(PathBuf, QueryFile)>, zone: CalendarZone) -> Result<Self, StatisticFault> {
        self.zone = zone;
        // A server with statistics is not ready before its first check for draws that are due.
        self.has_looked.store(files.is_empty(), Ordering::Release);
        self.query_files = Arc::new(files);
        self.with_statistics()
    }

    /// Reads the statistics under the terms of this service's datasets.
    pub(in crate::service) fn with_statistics(mut self) -> Result<Self, StatisticFault> {
        self.statistics.clear();
        for (path, file) in self.query_files.iter() {
            let statistic = read_file(&self.datasets, path, file)?;
            self.statistics.insert(statistic.name.clone(), statistic);
        }
        Ok(self)
    }

    /// All published statistics, ordered by name.
    pub fn statistics(&self) -> impl Iterator<Item = &Statistic> {
        self.statistics.values()
    }

    /// The published statistic of this name, if there is one.
    #[must_use]
    pub fn statistic(&self, name: &str) -> Option<&Statistic> {
        self.statistics.get(name)
    }

    /// The date of a moment in this server's time zone.
    #[must_use]
    pub fn date(&self, at_ms: u64) -> String {
        self.zone.date(at_ms)
    }

    /// The date and the time of day of a moment in this server's time zone.
    #[must_use]
    pub fn minute(&self, at_ms: u64) -> String {
        self.zone.minute(at_ms)
    }

    /// The present state of a statistic. Costs nothing and reads only the ledger's state.
    #[must_use]
    pub fn state_of(&self, statistic: &Statistic) -> State {
        let now_ms = self.now_ms();
        let edition = self.dataset(&statistic.dataset).map_or("", |dataset| dataset.edition.as_str());
        let state = self.reading_of(statistic);
        let is_due =
            read(self.ledger(), |book| self.is_due(statistic, edition, book.statistic(&statistic.name), now_ms));
        let since_ms = state.shown.as_ref().map_or(now_ms, |(_, at_ms)| now_ms.max(*at_ms));
        State { next_ms: self.zone.next_ms(statistic.refresh, since_ms), is_due, ..state }
    }

    /// The present state without the next due time: everything a reader needs to know, computed quickly.
    #[must_use]
    pub fn reading_of(&self, statistic: &Statistic) -> State {
        read(self.ledger(), |book| {
            let card = book.statistic(&statistic.name);
            let shown = card.and_then(|card| card.shown.as_ref()).filter(|shown| book.is_stored(&shown.release));
            let is_earlier = shown.is_some_and(|shown| !statistic.asks(&shown.key.body));
            State {
                shown: shown.map(|shown| (shown.release.clone(), shown.at_ms)),
                face: match shown {
                    Some(shown) if is_earlier => Face::earlier(shown.face.as_deref(), &statistic.name, &statistic.face),
                    _ => statistic.face.clone(),
                },
                is_earlier,
                agreement: agreement(card, statistic),
                skipped: card.and_then(|card| card.skipped.clone()),
                next_ms: None,
                is_due: false,
            }
        })
    }

    fn is_due(&self, statistic: &Statistic, edition: &str, card: Option<&StatisticRecord>, now_ms: u64) -> bool {
        if agreement(card, statistic) != Agreement::Given {
            return false;
        }
        let known = card.and_then(|card| card.shown.as_ref()).filter(|shown| statistic.asks(&shown.key.body));
        let Some(known) = known else { return true };
        // Drawing from the same edition again would show nothing new and cost as much.
        known.edition != edition
            && match statistic.refresh {
                Refresh::Never => false,
                Refresh::OnNewEdition => true,
                Refresh::Daily | Refresh::Weekly | Refresh::Monthly => {
                    self.zone.has_turned(statistic.refresh, known.at_ms, now_ms)
                }
            }
    }

    /// The answer that a statistic shows, laid out as it was asked; `None` before its first release. Blocks.
    ///
    /// # Errors
    /// [`ServiceError::Ledger`] if the store cannot be read.
    pub fn shown_answer(&self, statistic: &Statistic) -> Result<Option<Answer>, ServiceError> {
        let known = read(self.ledger(), |book| {
            let shown = book.statistic(&statistic.name)?.shown.clone()?;
            book.under_key(STATISTICS, &shown.key)
        });
        known.map(|known| self.again(known)).transpose()
    }
}
