//! Loading stored answers, and reserving the memory that answers take before they are loaded or charged ([`super::rooms`]).

use std::sync::Arc;

use super::extent::{AnswerSize, usize};
use super::rooms::{Rendering, Reservation};
use super::stored::{self, StoredAnswer, StoredSummary};
use super::turns::WaitingTurn;
use crate::kernel::budget::ledger::read;
use crate::query::computation::CELLS_MAX;
use crate::service::publishing::statistics::statistic::Statistic;
use crate::service::{Service, ServiceError};

/// Bytes of a noisy cell, with its labels, while an answer is read back from the store.
const LOADED_BYTES: usize = 192;

impl Service {
    /// Waits until `bytes` of memory are free, and reserves them. People take turns, and no one person takes more than half of
    /// all the memory.
    ///
    /// # Errors
    /// [`ServiceError::Overloaded`] if too many wait already.
    pub async fn room(&self, who: &str, bytes: usize) -> Result<Reservation, ServiceError> {
        match self.room_now(who, bytes)? {
            Ok(room) => Ok(room),
            Err(waiting) => Ok(waiting.await.into()),
        }
    }

    /// Reserves memory if it is free at once; otherwise returns the future to wait for.
    pub(crate) fn room_now(&self, who: &str, bytes: usize) -> Result<Result<Reservation, WaitingTurn>, ServiceError> {
        self.queues.rooms.now(who, bytes)
    }

    /// Loads a stored answer and reserves the memory for rendering it. The caller must have checked that the person may see it.
    ///
    /// # Errors
    /// [`ServiceError::Ledger`] if the store cannot be read; [`ServiceError::Overloaded`] if too many wait already.
    pub async fn stored_in_room(
        self: &Arc<Self>,
        who: &str,
        release: &str,
        rendering: Rendering,
    ) -> Result<(Arc<StoredAnswer>, Reservation), ServiceError> {
        let (loading, id) = (self.room_to_load(who, release).await?, release.to_owned());
        let (in_room, taken) = (loading.clone(), loading);
        let look = move |service: &Self| {
            let _loading = taken;
            let stored = service.stored_answer(&id)?;
            Ok::<_, ServiceError>(AnswerSize::stored(&stored.layout, &stored))
        };
        // The size of the answer is only known after it is read, and a large answer must not be held while waiting for memory.
        let extent = self.rendering_in(&in_room, who, look).await??;
        drop(in_room);
        let room = self.room(who, extent.bytes(rendering)).await?;
        let id = release.to_owned();
        let stored = match self.answers.in_memory(release) {
            Some(stored) => stored,
            None => self.rendering_in(&room, who, move |service| service.stored_answer(&id)).await??,
        };
        Ok((stored, room))
    }

    /// Reserves the memory for rendering a published statistic.
    ///
    /// # Errors
    /// The errors of [`Service::stored_in_room`].
    pub async fn room_of_statistic(
        self: &Arc<Self>,
        who: &str,
        statistic: &Statistic,
        rendering: Rendering,
    ) -> Result<Reservation, ServiceError> {
        let Some((release, _)) = self.reading_of(statistic).shown else { return Ok(Reservation::default()) };
        let (loading, name) = (self.room_to_load(who, &release).await?, statistic.name.clone());
        let taken = loading.clone();
        let look = move |service: &Self| {
            let _loading = taken;
            let answer = service.statistic(&name).map(|statistic| service.shown_answer(statistic)).transpose()?;
            Ok::<_, ServiceError>(answer.flatten().map(|answer| AnswerSize::stored(&answer.layout, &answer.stored)))
        };
        let extent = self.rendering_in(&loading, who, look).await??;
        drop(loading);
        self.room(who, extent.map_or(0, |extent| extent.bytes(rendering))).await
    }

    /// Reserves memory for reading a stored answer back; nothing is reserved if it is in memory already.
    ///
    /// # Errors
    /// [`ServiceError::Overloaded`] if too many wait already.
    pub(crate) async fn room_to_load(&self, who: &str, release: &str) -> Result<Reservation, ServiceError> {
        if self.answers.in_memory(release).is_some() {
            return Ok(Reservation::default());
        }
        // However many draws the answer was combined from, it keeps at most twice the cells of one answer.
        let cells = read(self.ledger(), |book| {
            let card = book.release(release)?;
            Some(card.draws().map(|draw| book.draw(draw).certified.cells).fold(card.cells(), u64::saturating_add))
        });
        let cells = usize(cells.unwrap_or(0).min(2 * CELLS_MAX));
        self.room(who, cells.saturating_mul(LOADED_BYTES)).await
    }

    /// Number of answers, lists and pages that wait for memory.
    #[must_use]
    pub fn waiting_for_room(&self) -> usize {
        self.queues.rooms.waiting()
    }

    /// Bytes of memory reserved now by answers, lists and pages; tiny ones reserve none.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.queues.rooms.held()
    }

    /// Loads a stored answer. The caller must have checked that the person may see it. Blocks.
    ///
    /// # Errors
    /// [`ServiceError::Ledger`] if the store cannot be read.
    pub fn stored_answer(&self, release: &str) -> Result<Arc<StoredAnswer>, ServiceError> {
        self.answers.get(self.ledger(), release)
    }

    /// Loads the part of a stored answer that lists show. The caller must have checked that the person may see it. Blocks.
    ///
    /// # Errors
    /// [`ServiceError::Ledger`] if the store cannot be read.
    pub fn stored_summary(&self, release: &str) -> Result<StoredSummary, ServiceError> {
        stored::summary(self.ledger(), release)
    }
}
