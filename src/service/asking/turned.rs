//! Work off the async threads: planning, rendering and writing, each in its asker's turn ([`super::queues`]).

use std::sync::Arc;

use super::rooms::Reservation;
use crate::service::{Service, ServiceError};

impl Service {
    /// Reads, plans or prices something off the async threads, in `who`'s turn.
    ///
    /// # Errors
    /// [`ServiceError::Overloaded`] if too many wait already; [`ServiceError::CutOff`] if the work broke off.
    pub async fn planning<T: Send + 'static>(
        self: &Arc<Self>,
        who: &str,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let this = Arc::clone(self);
        let running = self.queues.planning.run(who, move || work(&this)).map_err(|_| ServiceError::Overloaded)?;
        running.await.ok_or(ServiceError::CutOff)
    }

    /// Lays out or encodes something off the async threads, in `who`'s turn; `""` stands for nobody in particular.
    ///
    /// # Errors
    /// [`ServiceError::Overloaded`] if too many wait already; [`ServiceError::CutOff`] if the work broke off.
    pub async fn rendering<T: Send + 'static>(
        self: &Arc<Self>,
        who: &str,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let this = Arc::clone(self);
        let running = self.queues.rendering.run(who, move || work(&this)).map_err(|_| ServiceError::Overloaded)?;
        running.await.ok_or(ServiceError::CutOff)
    }

    /// Lays out or encodes something that has its memory reserved and may be paid for, so it is never refused, however many wait.
    ///
    /// # Errors
    /// [`ServiceError::CutOff`] if the work broke off.
    pub async fn rendering_in<T: Send + 'static>(
        self: &Arc<Self>,
        room: &Reservation,
        who: &str,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let this = Arc::clone(self);
        let turns = if room.is_large() { &self.queues.large } else { &self.queues.rendering };
        turns.run_on(who, move || work(&this)).await.ok_or(ServiceError::CutOff)
    }

    /// Runs work that waits for the ledger, off the async threads. Work that charges catches its own panics.
    pub(crate) async fn writing<T: Send + 'static>(
        self: &Arc<Self>,
        who: &str,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let this = Arc::clone(self);
        self.queues.writing.run_on(who, move || work(&this)).await.ok_or(ServiceError::CutOff)
    }

    /// Number of questions that wait to be planned, and of answers, lists and pages that wait to be laid out.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        let rendering = self.queues.rendering.waiting().saturating_add(self.queues.large.waiting());
        (self.queues.planning.waiting(), rendering)
    }
}
