//! Memory limits: the memory that answers take while they are composed, laid out, encoded and read by clients.
//!
//! All answers together stay within a bound, however many are asked for and however slowly they are read. An answer reserves its
//! memory (its *room*) before it is charged or loaded, by an estimate from the question's shape (never from a row), and holds it
//! until its last byte is written or dropped. Small answers have a reserve of their own, so that they never wait behind large
//! ones; tiny answers need no reservation.

use std::sync::Arc;

use super::turns::{Turn, TurnBounds, Turns, WaitingTurn};
use crate::service::error::ServiceError;

/// Answers up to this many bytes need no reservation: the number of connections bounds what they take together.
const TINY_BYTES_MAX: usize = 16 << 10;
/// Answers up to this many bytes count as small.
const SMALL_BYTES_MAX: usize = 4 << 20;
/// Bytes that all small answers together may take.
const SMALL_BYTES_ALL: usize = 128 << 20;
/// Bytes that all large answers together may take. An answer that is larger by itself waits until it is the only one.
const LARGE_BYTES_ALL: usize = 448 << 20;
/// Bytes reserved for a list or a page before its size is known.
pub const LIST_BYTES: usize = 1 << 20;
/// Largest number of bytes that the pixels of a picture take: while they are drawn, and once more while they are packed.
pub const PICTURE_BYTES_MAX: usize = 48_000_000;
/// Largest number of answers that wait for memory, in total and of one person.
const WAITING_MAX: usize = 4_096;
const WAITING_OF_ONE_MAX: usize = 2_048;

/// What an answer is rendered as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rendering {
    /// Not rendered: the answer is stored, and nobody reads it now.
    Nothing,
    /// Data: JSON, CSV, Arrow or Parquet.
    Data,
    /// A workbook, which is built cell by cell before it is packed.
    Workbook,
    /// A page of the console, or a chart as SVG.
    Page,
    /// A chart as PNG, which is drawn pixel by pixel before it is packed.
    Picture,
}

/// The reserves of a service: one for small answers, one for large ones.
pub(crate) struct Reserves {
    small: Turns,
    large: Turns,
}

impl Default for Reserves {
    fn default() -> Self {
        let bounds = |all: usize| TurnBounds {
            waiting: WAITING_MAX,
            waiting_of_one: WAITING_OF_ONE_MAX,
            ..TurnBounds::held(all, all / 2)
        };
        let turns = |bytes| Turns::new("tacit-room", bounds(bytes));
        Self { small: turns(SMALL_BYTES_ALL), large: turns(LARGE_BYTES_ALL) }
    }
}

impl Reserves {
    /// Reserves memory if it is free at once; otherwise returns the future to wait for.
    pub(super) fn now(&self, who: &str, bytes: usize) -> Result<Result<Reservation, WaitingTurn>, ServiceError> {
        if bytes <= TINY_BYTES_MAX {
            return Ok(Ok(Reservation::default()));
        }
        let room = if bytes <= SMALL_BYTES_MAX { &self.small } else { &self.large };
        let waiting = room.ask(who, bytes).map_err(|_| ServiceError::Overloaded)?;
        Ok(waiting.now().map(Reservation::from))
    }

    /// Number of answers, lists and pages that wait for memory.
    pub(super) fn waiting(&self) -> usize {
        self.small.waiting().saturating_add(self.large.waiting())
    }

    /// Bytes of memory that are reserved now.
    pub(super) fn held(&self) -> usize {
        self.small.held().saturating_add(self.large.held())
    }
}

/// A reservation of memory. It is freed when the last copy is dropped.
#[derive(Clone, Default)]
#[must_use = "a room is free again once it is dropped"]
pub struct Reservation {
    turn: Option<Arc<Turn>>,
    is_large: bool,
}

impl From<Turn> for Reservation {
    fn from(turn: Turn) -> Self {
        Self { is_large: turn.units() > SMALL_BYTES_MAX, turn: Some(Arc::new(turn)) }
    }
}

impl Reservation {
    /// Changes the reservation to the size that the answer turned out to have. It has no effect while other copies exist.
    pub fn resize(&mut self, bytes: usize) {
        if let Some(turn) = self.turn.as_mut().and_then(Arc::get_mut) {
            turn.resize(bytes);
        }
    }

    /// Whether this reserves nothing, because the answer is tiny.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.turn.is_none()
    }

    /// Whether this reserves memory for a large answer.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.is_large
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn the_largest_answer_is_alone_and_the_small_ones_go_on() {
        let rooms = Reserves::default();
        let large = rooms.large.insist("ada", usize::MAX).now().unwrap_or_else(|_| panic!("a turn"));
        assert_eq!(large.units(), LARGE_BYTES_ALL);
        assert!(rooms.large.insist("bob", SMALL_BYTES_MAX + 1).now().is_err(), "it waits");
        assert!(rooms.small.insist("bob", SMALL_BYTES_MAX).now().is_ok());
        // Together with the caches of answers and statistics, everything stays within one gibibyte.
        const { assert!(LARGE_BYTES_ALL + SMALL_BYTES_ALL <= 640 << 20) };
    }
}
