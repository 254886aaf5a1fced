//! Memory limits: the memory that answers take while they are composed, laid out, encoded and read by clients.
//!
//! All answers together stay within a bound, however many are asked for and however slowly they are read. An answer reserves its
//! memory (its *room*) before it is charged or loaded, by an estimate from the question's shape (never from a row), and holds it
//! until its last byte is written or dropped. Small answers have a reserve of their own, so that they never wait behind large
//! ones; tiny answers need no reservation.

use std::sync::Arc;

use super::stored::StoredAnswer;
use super::turns::{Bounds, Turn, Turns, Waiting};
use crate::kernel::budget::ledger::read;
use crate::query::answer::{Label, Layout, Output, OutputValue};
use crate::query::computation::CELLS_MAX;
use crate::service::publishing::statistics::Statistic;
use crate::service::{Answer, Priced, Service, ServiceError};

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
/// Largest number of answers that wait for memory, in total and of one person.
const WAITING_MAX: usize = 4_096;
const WAITING_OF_ONE_MAX: usize = 2_048;

/// Bytes of one cell of a table.
const CELL_BYTES: usize = 32;
/// Bytes of one cell in a columnar table or in an encoding of one.
const ENCODED_BYTES: usize = 16;
/// Bytes of one output on a page, while the page is built and put into its frame.
const PAGE_BYTES: usize = 320;
/// Bytes of a row in addition to its cells.
const ROW_BYTES: usize = 96;
/// Bytes of a text in addition to its characters.
const TEXT_BYTES: usize = 48;
/// Bytes of a noisy cell in all of its forms: in memory, as stored, and as a float.
const NOISY_BYTES: usize = 96;
/// Bytes of a noisy cell, with its labels, while an answer is read back from the store.
const LOADED_BYTES: usize = 192;

/// What an answer is rendered as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rendering {
    /// Not rendered: the answer is stored, and nobody reads it now.
    Nothing,
    /// Data: JSON, CSV, Arrow or Parquet.
    Data,
    /// A page of the console.
    Page,
}

/// The size of an answer, in terms of what is shown of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    rows: usize,
    /// Number of selected columns.
    outputs: usize,
    /// Number of cells in a row: estimates are accompanied by their intervals.
    columns: usize,
    /// Number of bytes in a row's keys, on average.
    letters: usize,
    /// Number of noisy cells that the answer is computed from.
    noisy: usize,
}

impl Extent {
    /// The extent of a stored answer in one of its layouts.
    pub(crate) fn stored(layout: &Layout, stored: &StoredAnswer) -> Self {
        Self::new(layout, noisy(stored), None)
    }

    /// The extent of a question's answer before anything is known of it.
    pub(crate) fn planned(priced: &Priced) -> Self {
        let plan = &priced.plan;
        // The groups of a text column are not known yet; their largest number is declared.
        let found = plan.computation.text.as_ref().map(|_| usize(plan.computation.groups()));
        Self::new(&plan.layout, sought(priced), found)
    }

    fn new(layout: &Layout, noisy: usize, found: Option<usize>) -> Self {
        let rows = found.map_or_else(|| rows(layout), |found| found.saturating_add(1));
        let letters = |output: &Output| match &output.value {
            OutputValue::Key { index } => layout.keys.get(*index).map_or(0, |labels| average(labels)),
            _ => 0,
        };
        Self {
            rows,
            outputs: layout.outputs.len(),
            columns: layout.outputs.iter().map(columns).sum(),
            letters: layout.outputs.iter().map(letters).sum(),
            noisy,
        }
    }

    /// Bytes needed to render an answer of this extent.
    pub(crate) fn bytes(&self, rendering: Rendering) -> usize {
        let of_cells = match rendering {
            Rendering::Nothing => 0,
            Rendering::Data => self.columns.saturating_mul(CELL_BYTES + ENCODED_BYTES),
            Rendering::Page => self.outputs.saturating_mul(PAGE_BYTES).saturating_add(self.columns * CELL_BYTES),
        };
        let of_row = of_cells
            .saturating_add(self.outputs.saturating_mul(CELL_BYTES))
            .saturating_add(self.letters.saturating_mul(2))
            .saturating_add(ROW_BYTES);
        let rows = if rendering == Rendering::Nothing { 0 } else { self.rows };
        rows.saturating_mul(of_row).saturating_add(self.noisy.saturating_mul(NOISY_BYTES))
    }
}

/// Number of rows in a table before any is filtered out.
fn rows(layout: &Layout) -> usize {
    let size = |key: &usize| layout.keys.get(*key).map_or(1, |labels| labels.len());
    let product = |keys: &mut dyn Iterator<Item = usize>| keys.fold(1, usize::saturating_mul);
    match &layout.sets {
        None => product(&mut layout.keys.iter().map(|labels| labels.len())),
        Some(sets) => {
            let shown = sets.shown.iter().map(|keys| product(&mut keys.iter().map(size)));
            shown.fold(0, usize::saturating_add)
        }
    }
}

fn noisy(stored: &StoredAnswer) -> usize {
    stored.vectors().iter().map(|one| one.cells.len()).sum()
}

fn sought(priced: &Priced) -> usize {
    usize(priced.plan.sought.iter().fold(0, |all, one| all.saturating_add(one.cells)))
}

/// Up to this many outputs (over all rows) and noisy cells, laying out an answer takes less time than handing it to another
/// thread.
const LIGHT_OUTPUTS_MAX: usize = 128;
const LIGHT_NOISY_MAX: usize = 512;

fn is_light(layout: &Layout, noisy: usize) -> bool {
    let outputs = rows(layout).saturating_mul(layout.outputs.len());
    layout.sets.is_none() && outputs <= LIGHT_OUTPUTS_MAX && noisy <= LIGHT_NOISY_MAX
}

impl Answer {
    /// Whether laying out and encoding the answer takes less time than handing it to another thread.
    #[must_use]
    pub fn is_light(&self) -> bool {
        is_light(&self.layout, noisy(&self.stored))
    }
}

impl Priced {
    /// Whether the question's answer will be a light one.
    pub(crate) fn is_light(&self) -> bool {
        self.plan.computation.text.is_none() && is_light(&self.plan.layout, sought(self))
    }
}

/// Largest number of cells that one output adds to a row.
fn columns(output: &Output) -> usize {
    match output.value {
        OutputValue::Key { .. } | OutputValue::Grouping { .. } => 1,
        OutputValue::Count { .. }
        | OutputValue::Sum { .. }
        | OutputValue::Mean { .. }
        | OutputValue::Formula { .. } => 4,
    }
}

/// Bytes of a label, on average.
fn average(labels: &[Label]) -> usize {
    let letters = labels.iter().map(|label| match label {
        Label::Text(text) => text.len() + TEXT_BYTES,
        Label::Boolean(_) | Label::Integer(_) | Label::Missing => 0,
    });
    letters.sum::<usize>().div_ceil(labels.len().max(1))
}

fn usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The reserves of a service: one for small answers, one for large ones.
pub(crate) struct Rooms {
    small: Turns,
    large: Turns,
}

impl Default for Rooms {
    fn default() -> Self {
        let bounds = |all: usize| Bounds {
            waiting: WAITING_MAX,
            waiting_of_one: WAITING_OF_ONE_MAX,
            ..Bounds::held(all, all / 2)
        };
        let turns = |bytes| Turns::new("tacit-room", bounds(bytes));
        Self { small: turns(SMALL_BYTES_ALL), large: turns(LARGE_BYTES_ALL) }
    }
}

/// A reservation of memory. It is freed when the last copy is dropped.
#[derive(Clone, Default)]
#[must_use = "a room is free again once it is dropped"]
pub struct Room {
    turn: Option<Arc<Turn>>,
    is_large: bool,
}

impl From<Turn> for Room {
    fn from(turn: Turn) -> Self {
        Self { is_large: turn.units() > SMALL_BYTES_MAX, turn: Some(Arc::new(turn)) }
    }
}

impl Room {
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

impl Service {
    /// Waits until `bytes` of memory are free, and reserves them. People take turns, and no one person takes more than half of
    /// all the memory.
    ///
    /// # Errors
    /// [`ServiceError::Overloaded`] if too many wait already.
    pub async fn room(&self, who: &str, bytes: usize) -> Result<Room, ServiceError> {
        match self.room_now(who, bytes)? {
            Ok(room) => Ok(room),
            Err(waiting) => Ok(waiting.await.into()),
        }
    }

    /// Reserves memory if it is free at once; otherwise returns the future to wait for.
    pub(crate) fn room_now(&self, who: &str, bytes: usize) -> Result<Result<Room, Waiting>, ServiceError> {
        let rooms = &self.queues.rooms;
        if bytes <= TINY_BYTES_MAX {
            return Ok(Ok(Room::default()));
        }
        let room = if bytes <= SMALL_BYTES_MAX { &rooms.small } else { &rooms.large };
        let waiting = room.ask(who, bytes).map_err(|_| ServiceError::Overloaded)?;
        Ok(waiting.now().map(Room::from))
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
    ) -> Result<(Arc<StoredAnswer>, Room), ServiceError> {
        let (loading, id) = (self.room_to_load(who, release).await?, release.to_owned());
        let (in_room, taken) = (loading.clone(), loading);
        let look = move |service: &Self| {
            let _loading = taken;
            let stored = service.stored_answer(&id)?;
            Ok::<_, ServiceError>(Extent::stored(&stored.layout, &stored))
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
    ) -> Result<Room, ServiceError> {
        let Some((release, _)) = self.reading_of(statistic).shown else { return Ok(Room::default()) };
        let (loading, name) = (self.room_to_load(who, &release).await?, statistic.name.clone());
        let taken = loading.clone();
        let look = move |service: &Self| {
            let _loading = taken;
            let answer = service.statistic(&name).map(|statistic| service.shown_answer(statistic)).transpose()?;
            Ok::<_, ServiceError>(answer.flatten().map(|answer| Extent::stored(&answer.layout, &answer.stored)))
        };
        let extent = self.rendering_in(&loading, who, look).await??;
        drop(loading);
        self.room(who, extent.map_or(0, |extent| extent.bytes(rendering))).await
    }

    /// Reserves memory for reading a stored answer back; nothing is reserved if it is in memory already.
    ///
    /// # Errors
    /// [`ServiceError::Overloaded`] if too many wait already.
    pub(crate) async fn room_to_load(&self, who: &str, release: &str) -> Result<Room, ServiceError> {
        if self.answers.in_memory(release).is_some() {
            return Ok(Room::default());
        }
        // However many draws the answer was combined from, it keeps at most twice the cells of one answer.
        let cells = read(self.ledger(), |book| {
            let card = book.release(release)?;
            Some(card.draws().map(|draw| book.draw(draw).certified.cells).fold(0, u64::saturating_add))
        });
        let cells = usize(cells.unwrap_or(0).min(2 * CELLS_MAX));
        self.room(who, cells.saturating_mul(LOADED_BYTES)).await
    }

    /// Number of answers, lists and pages that wait for memory.
    #[must_use]
    pub fn waiting_for_room(&self) -> usize {
        self.queues.rooms.small.waiting().saturating_add(self.queues.rooms.large.waiting())
    }

    /// Bytes of memory reserved now by answers, lists and pages; tiny ones reserve none.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.queues.rooms.small.held().saturating_add(self.queues.rooms.large.held())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::answer::Cell;

    fn layout(keys: &[usize], outputs: usize) -> Layout {
        let key = |index| Output { name: format!("k{index}"), value: OutputValue::Key { index } };
        let count = |at| Output { name: format!("n{at}"), value: OutputValue::Count { count: 0 } };
        Layout {
            keys: keys.iter().map(|size| (0..*size).map(|at| Label::Integer(at as i64)).collect()).collect(),
            sets: None,
            outputs: (0..keys.len()).map(key).chain((0..outputs).map(count)).collect(),
            having: None,
            small: None,
            order: Vec::new(),
            limit: Some(1),
        }
    }

    #[test]
    fn room_is_for_all_rows_and_columns_whatever_is_shown_of_them() {
        assert_eq!(size_of::<Cell>(), CELL_BYTES);
        for (keys, outputs) in [(&[10, 7][..], 1), (&[100_000], 1), (&[1_000, 100], 5), (&[], 120)] {
            let (layout, rows) = (layout(keys, outputs), keys.iter().product::<usize>());
            let extent = Extent::new(&layout, rows, None);
            let cells = rows * (keys.len() + 4 * outputs);
            for rendering in [Rendering::Data, Rendering::Page] {
                assert!(extent.bytes(rendering) >= cells * CELL_BYTES, "{keys:?} {outputs}");
            }
            assert!(extent.bytes(Rendering::Nothing) <= rows * NOISY_BYTES);
            assert_eq!(is_light(&layout, rows), rows * (keys.len() + outputs) <= LIGHT_OUTPUTS_MAX);
        }
        let found = Extent::new(&layout(&[0], 1), 10, Some(usize::MAX));
        assert_eq!(found.bytes(Rendering::Data), usize::MAX, "nothing wraps");
    }

    #[test]
    fn the_largest_answer_is_alone_and_the_small_ones_go_on() {
        let rooms = Rooms::default();
        let large = rooms.large.insist("ada", usize::MAX).now().unwrap_or_else(|_| panic!("a turn"));
        assert_eq!(large.units(), LARGE_BYTES_ALL);
        assert!(rooms.large.insist("bob", SMALL_BYTES_MAX + 1).now().is_err(), "it waits");
        assert!(rooms.small.insist("bob", SMALL_BYTES_MAX).now().is_ok());
        // Together with the caches of answers and statistics, everything stays within one gibibyte.
        const { assert!(LARGE_BYTES_ALL + SMALL_BYTES_ALL <= 640 << 20) };
    }
}
