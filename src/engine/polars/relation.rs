//! The executor of unit-local relations: what a computation makes of the dataset's tables before it adds anything up.
//!
//! Promises the rows that [`crate::query::computation::relation`] describes, in the order that it states, for one block after another. A
//! relation is compiled once: every operator has one program for all of its terms and works out those columns alone that something further
//! up reads. Blocks are cut into pieces at the borders of units, the same for every table, so that everything in between stays in the
//! processor's cache, whatever joins multiply. Evaluation is total: no row makes it fail.

mod reads;
mod frame;
mod conditions;
mod order;
mod rows;
mod grouped;
mod sorted;
mod windows;
mod window_frames;
mod frame_values;
mod pairs;
mod joined;
mod matches;
mod public;
mod operator;
mod pieces;
#[cfg(test)]
mod reference_tests;
#[cfg(test)]
mod listed_tests;
#[cfg(test)]
mod generator_tests;
#[cfg(test)]
mod differential_tests;
#[cfg(test)]
mod neighbours_tests;

use super::stored::Block;
use super::table::Loaded;
use crate::query::computation::relation::Relation;
use crate::query::terms::edition::layout::BLOCK_ROWS;
use crate::query::terms::policy::{Terms, Unit};
use operator::CompiledOperator;
use pieces::PieceSize;
use polars::prelude::{DataFrame, PolarsResult, polars_bail};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

pub(in crate::engine) use reads::reads;

/// A relation, compiled against a dataset.
pub(super) struct RelationProgram {
    root: CompiledOperator,
    /// The columns that are read of each table, by the table's index. Operators refer to tables by their place in it.
    tables: BTreeMap<u32, BTreeSet<usize>>,
    /// Whether every row is a unit.
    by_row: bool,
    pieces: PieceSize,
}

impl RelationProgram {
    /// Compiles a relation of which these columns are wanted.
    pub(super) fn of(relation: &Relation, wanted: &BTreeSet<usize>, terms: &Terms) -> PolarsResult<Self> {
        let tables = reads(relation, wanted, terms);
        let (root, _) = CompiledOperator::of(relation, wanted, terms, &tables)?;
        Ok(Self { root, tables, by_row: terms.unit == Unit::Row, pieces: PieceSize::CACHED })
    }

    /// Makes the relation's rows of a block, piece by piece.
    pub(super) fn each(&self, loaded: &Loaded, block: usize, mut take: impl FnMut(&Block<'_>)) -> PolarsResult<()> {
        let read = |(table, columns): (&u32, &BTreeSet<usize>)| loaded.table_block(block, *table, columns);
        let frames = self.tables.iter().map(read).collect::<PolarsResult<Vec<_>>>()?;
        let units = frames.iter().map(|frame| self.units(frame, block)).collect::<PolarsResult<Vec<_>>>()?;
        let units: Vec<&[u32]> = units.iter().map(|units| &units[..]).collect();
        let pieces = if self.root.multiplies() {
            pieces::bounded(&units, self.pieces, |rows| self.root.bound(rows))
        } else {
            pieces::even(&units, self.pieces)
        };
        for piece in pieces {
            let parts: Vec<DataFrame> = frames.iter().zip(&piece).map(|(frame, rows)| part(frame, rows)).collect();
            let columns = parts.iter().zip(self.tables.values());
            let blocks = columns.map(|(part, columns)| Block::of(part, columns.iter().copied()));
            let mut blocks = blocks.collect::<PolarsResult<Vec<_>>>()?;
            for (block, (units, rows)) in blocks.iter_mut().zip(units.iter().zip(&piece)) {
                block.units = Some(&units[rows.clone()]);
            }
            take(&self.root.evaluate(&blocks)?.block());
        }
        Ok(())
    }

    /// The numbers of the units of a table's rows. If every row is a unit, rows are numbered; each has another number than the rows around
    /// it, which is what numbers of units are told apart by.
    fn units<'f>(&self, frame: &'f DataFrame, block: usize) -> PolarsResult<Cow<'f, [u32]>> {
        if self.by_row {
            let first = block.wrapping_mul(BLOCK_ROWS) as u32;
            return Ok((0..frame.height()).map(|row| first.wrapping_add(row as u32)).collect());
        }
        match Block::of(frame, std::iter::empty())?.units {
            Some(units) if units.is_sorted() => Ok(Cow::Borrowed(units)),
            Some(_) | None => polars_bail!(ComputeError: "rows are not sorted by unit"),
        }
    }
}

fn part(frame: &DataFrame, rows: &Range<usize>) -> DataFrame {
    frame.slice(rows.start as i64, rows.len())
}
