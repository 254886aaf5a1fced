//! Pieces: parts of a block that are evaluated one after the other, cut at the borders of units in all tables alike.
//!
//! Promises pieces that are small, so that what is worked out for one fits the processor's cache, and that have all rows of each of their
//! units.

use std::ops::Range;

/// How large pieces are.
#[derive(Clone, Copy)]
pub(super) struct PieceSize {
    /// Number of rows of a table after which a piece ends, as soon as the rows of the unit do.
    pub(super) rows: usize,
    /// Number of rows that an operator may make of a piece before it ends.
    pub(super) made: u64,
}

impl PieceSize {
    /// Pieces whose columns fit the processor's cache.
    pub(super) const CACHED: Self = Self { rows: 1 << 15, made: 1 << 16 };
}

/// The rows of each table that are in a piece.
type Piece = Vec<Range<usize>>;

/// Cuts tables, given by the ascending numbers of their rows' units, into pieces with about as many rows of the largest one.
pub(super) fn even(units: &[&[u32]], size: PieceSize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut starts = vec![0; units.len()];
    while starts.iter().zip(units).any(|(start, units)| *start < units.len()) {
        // The first unit, of all tables, with which so many rows of a table are reached.
        let reached = starts.iter().zip(units).filter_map(|(start, units)| units.get(start + size.rows - 1));
        let last = reached.min().copied().unwrap_or(u32::MAX);
        let end = |(start, units): (&usize, &&[u32])| start + units[*start..].partition_point(|unit| *unit <= last);
        let ends: Vec<usize> = starts.iter().zip(units).map(end).collect();
        pieces.push(starts.iter().zip(&ends).map(|(start, end)| *start..*end).collect());
        starts = ends;
    }
    pieces
}

/// Cuts tables into pieces of which not too many rows are made. `bound` bounds that number for a unit with so many rows in each table.
pub(super) fn bounded(units: &[&[u32]], size: PieceSize, bound: impl Fn(&[u64]) -> u64) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (mut starts, mut ends) = (vec![0; units.len()], vec![0; units.len()]);
    let mut made = 0_u64;
    let mut rows = vec![0_u64; units.len()];
    while let Some(unit) = ends.iter().zip(units).filter_map(|(end, units): (&usize, _)| units.get(*end)).min() {
        for (table, end) in ends.iter_mut().enumerate() {
            let own = units[table][*end..].iter().take_while(|other| *other == unit).count();
            *end += own;
            rows[table] = own as u64;
        }
        made = made.saturating_add(bound(&rows));
        let read = ends.iter().zip(&starts).map(|(end, start)| end - start).max().unwrap_or(0);
        if made >= size.made || read >= size.rows {
            pieces.push(starts.iter().zip(&ends).map(|(start, end)| *start..*end).collect());
            (starts, made) = (ends.clone(), 0);
        }
    }
    if starts != ends {
        pieces.push(starts.iter().zip(&ends).map(|(start, end)| *start..*end).collect());
    }
    pieces
}
