//! Rooms: the memory that answers take while they are made, laid out, encoded and read.
//!
//! Promises that all answers together stay within a bound, however many are asked for and however slowly they are read. An answer takes
//! its room before it is charged or loaded, by an estimate from the question's shape (never from a row), and holds it until its last byte was
//! written or dropped. What is small has a room of its own, so that it never waits behind what is large, and what is tiny takes none.

use std::sync::Arc;

use super::stored::StoredAnswer;
use super::turns::{Bounds, Turn, Turns, Waiting};
use crate::kernel::budget::ledger::read;
use crate::query::answer::{Label, Layout, Output, OutputValue};
use crate::query::plan::CELLS_MAX;
use crate::service::publishing::statistics::Statistic;
use crate::service::{Answer, Priced, Service, ServiceError};

/// Bytes up to which an answer takes no room: connections are bounded, and so is what they hold of these.
const TINY_BYTES_MAX: usize = 16 << 10;
/// Bytes of an answer up to which it is a small one.
const SMALL_BYTES_MAX: usize = 4 << 20;
/// Bytes of all small answers together.
const SMALL_BYTES_ALL: usize = 128 << 20;
/// Bytes of all large answers together. One that is larger by itself waits until it is alone.
const LARGE_BYTES_ALL: usize = 448 << 20;
/// Bytes that a list or a page is taken to have before it is made.
pub const LIST_BYTES: usize = 1 << 20;
/// Answers that wait for room at the most, and those of one person.
const WAITING_MAX: usize = 4_096;
const WAITING_OF_ONE_MAX: usize = 2_048;

/// Bytes of a table's cell.
const CELL_BYTES: usize = 32;
/// Bytes of a cell in a column, and in an encoding of columns.
const ENCODED_BYTES: usize = 16;
/// Bytes of an output on a page, while the page grows and is put into its frame.
const PAGE_BYTES: usize = 320;
/// Bytes of a row beside its cells.
const ROW_BYTES: usize = 96;
/// Bytes of a text beside its letters.
const TEXT_BYTES: usize = 48;
/// Bytes of a noisy cell: as it is kept, as it is stored, and as a float.
const NOISY_BYTES: usize = 96;
/// Bytes of a noisy cell while an answer is read back from the store, with its labels.
const LOADED_BYTES: usize = 192;

/// What an answer is made into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rendering {
    /// Nothing: it is kept, and nobody looks at it now.
    Nothing,
    /// JSON, CSV, Arrow or Parquet.
    Data,
    /// A page of the console.
    Page,
}

/// How much there is to show of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    rows: usize,
    /// Selected columns.
    outputs: usize,
    /// Cells of a row: estimates have their intervals beside them.
    columns: usize,
    /// Letters of a row's keys, on average.
    letters: usize,
    /// Noisy cells that it is made of.
    noisy: usize,
}

impl Extent {
    /// Of a stored answer in one of its layouts.
    pub(crate) fn stored(layout: &Layout, stored: &StoredAnswer) -> Self {
        Self::new(layout, noisy(stored), None)
    }

    /// Of a question, before anything is known of its answer.
    pub(crate) fn planned(priced: &Priced) -> Self {
        let plan = &priced.plan;
        // Which groups a text has is not known before; how many at the most is declared.
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

    /// Bytes that it takes to be made into something.
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

/// Rows of a table before any is left out.
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

/// Outputs in all rows, and noisy cells, up to which an answer is laid out sooner than it is handed to another thread.
const LIGHT_OUTPUTS_MAX: usize = 128;
const LIGHT_NOISY_MAX: usize = 512;

fn is_light(layout: &Layout, noisy: usize) -> bool {
    let outputs = rows(layout).saturating_mul(layout.outputs.len());
    layout.sets.is_none() && outputs <= LIGHT_OUTPUTS_MAX && noisy <= LIGHT_NOISY_MAX
}

impl Answer {
    /// Whether it is laid out and encoded sooner than it is handed to another thread.
    #[must_use]
    pub fn is_light(&self) -> bool {
        is_light(&self.layout, noisy(&self.stored))
    }
}

impl Priced {
    /// Whether its answer will be a light one.
    pub(crate) fn is_light(&self) -> bool {
        self.plan.computation.text.is_none() && is_light(&self.plan.layout, sought(self))
    }
}

/// Cells of an output's row, the most it may have.
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

/// The rooms of a service.
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

/// Memory that is taken until the last copy of this is dropped.
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
    /// Holds as much as it turned out to be; whoever else has a copy of it holds what it was.
    pub fn resize(&mut self, bytes: usize) {
        if let Some(turn) = self.turn.as_mut().and_then(Arc::get_mut) {
            turn.resize(bytes);
        }
    }

    /// Whether it is that of something tiny.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.turn.is_none()
    }

    /// Whether it was taken for something large.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.is_large
    }
}

impl Service {
    /// Room for so many bytes, once there is some; people take turns, and nobody takes more than half of it.
    ///
    /// # Errors
    /// [`ServiceError::Overloaded`] where too many wait for it.
    pub async fn room(&self, who: &str, bytes: usize) -> Result<Room, ServiceError> {
        match self.room_now(who, bytes)? {
            Ok(room) => Ok(room),
            Err(waiting) => Ok(waiting.await.into()),
        }
    }

    /// The same where there is room at once; otherwise what has to be waited for.
    pub(crate) fn room_now(&self, who: &str, bytes: usize) -> Result<Result<Room, Waiting>, ServiceError> {
        let rooms = &self.queues.rooms;
        if bytes <= TINY_BYTES_MAX {
            return Ok(Ok(Room::default()));
        }
        let room = if bytes <= SMALL_BYTES_MAX { &rooms.small } else { &rooms.large };
        let waiting = room.ask(who, bytes).map_err(|_| ServiceError::Overloaded)?;
        Ok(waiting.now().map(Room::from))
    }

    /// A stored answer with the room that it takes; whoever calls has looked who may see it.
    ///
    /// # Errors
    /// [`ServiceError::Ledger`] where the store cannot be read; [`ServiceError::Overloaded`] where too many wait.
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
        // How much there is to show is not known before it is read, and nobody holds what is large while waiting for room.
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

    /// The room that a published statistic takes to be made into something.
    ///
    /// # Errors
    /// As for [`Service::stored_in_room`].
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

    /// Room to read a stored answer back; none where it is in memory already.
    ///
    /// # Errors
    /// [`ServiceError::Overloaded`] where too many wait for it.
    pub(crate) async fn room_to_load(&self, who: &str, release: &str) -> Result<Room, ServiceError> {
        if self.answers.in_memory(release).is_some() {
            return Ok(Room::default());
        }
        // Of what it was drawn or combined from, the answer itself keeps no more than one answer's cells twice.
        let cells = read(self.ledger(), |book| {
            let card = book.release(release)?;
            Some(card.draws().map(|draw| book.draw(draw).certified.cells).fold(0, u64::saturating_add))
        });
        let cells = usize(cells.unwrap_or(0).min(2 * CELLS_MAX));
        self.room(who, cells.saturating_mul(LOADED_BYTES)).await
    }

    /// How many answers, lists and pages wait for room.
    #[must_use]
    pub fn waiting_for_room(&self) -> usize {
        self.queues.rooms.small.waiting().saturating_add(self.queues.rooms.large.waiting())
    }

    /// Bytes of memory that answers, lists and pages hold now, those that take no room left aside.
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
        // With what is kept of answers and statistics, all of it is within a gibibyte.
        const { assert!(LARGE_BYTES_ALL + SMALL_BYTES_ALL <= 640 << 20) };
    }
}
