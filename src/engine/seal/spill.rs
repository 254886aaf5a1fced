//! Rows spilled to disk and partitioned by unit, so that sealing needs the memory of only one part at a time.
//!
//! Promises that all rows of a unit land in one part. A part is ordered by keyed hashes alone, never by position in the source.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::files;

/// The number of parts that rows are spread over. Ten million rows of eight columns make parts of 14 MB.
pub const PARTS: usize = 64;
const BUFFER_BYTES: usize = 64 << 10;
/// The number of rows of a part that are held in memory before each unit is cut to the rows that it may keep.
const ROWS_BEFORE_CUT: usize = 1 << 20;

/// One row on its way to a sealed table: the unit's keyed digest, the row's keyed digest, and the values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The keyed digest that identifies the unit.
    pub unit: u128,
    /// The keyed digest that orders the unit's rows.
    pub order: u64,
    /// The stored integers, one per column.
    pub values: Vec<i64>,
}

/// The parts while they are being written.
pub struct Spill {
    dir: PathBuf,
    parts: Vec<BufWriter<File>>,
    columns: usize,
}

impl Spill {
    /// Creates the files of all parts in `dir`.
    ///
    /// # Errors
    /// Fails if the file system does.
    pub fn create(dir: &Path, columns: usize) -> io::Result<Self> {
        let part = |index| {
            files::create_private(&part_path(dir, index)).map(|file| BufWriter::with_capacity(BUFFER_BYTES, file))
        };
        let parts = (0..PARTS).map(part).collect::<io::Result<_>>()?;
        Ok(Self { dir: dir.to_owned(), parts, columns })
    }

    /// Adds one row to the part of its unit.
    ///
    /// # Errors
    /// Fails if the file system does.
    pub fn push(&mut self, unit: u128, order: u64, values: impl Iterator<Item = i64>) -> io::Result<()> {
        // The top bits choose the part, so that units are in order across parts.
        let part = &mut self.parts[(unit >> 122) as usize % PARTS];
        part.write_all(&unit.to_le_bytes())?;
        part.write_all(&order.to_le_bytes())?;
        for value in values {
            part.write_all(&value.to_le_bytes())?;
        }
        Ok(())
    }

    /// Completes the files. The parts can be read afterwards.
    ///
    /// # Errors
    /// Fails if the file system does.
    pub fn finish(self) -> io::Result<Parts> {
        for part in self.parts {
            part.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        }
        Ok(Parts { dir: self.dir, columns: self.columns, spare: Vec::new() })
    }

    /// Passes each part to `taker`, sorted by unit and order, with the number of rows that were cut because their unit has more than
    /// `rows_per_unit`, and then removes the part's file. `None` means that every row is a unit, so nothing is cut. `settle` sees the rows
    /// of each unit and may change their values: it is called before rows are cut, with the rows read so far, and again with the rows that
    /// were kept; its second argument says whether these are all of them.
    ///
    /// # Errors
    /// Fails if the file system or `taker` does.
    pub fn drain<E: From<io::Error>>(
        self,
        rows_per_unit: Option<usize>,
        mut settle: impl FnMut(&mut [Row], bool),
        mut taker: impl FnMut(&[Row], u64) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut parts = self.finish()?;
        for index in 0..PARTS {
            let (rows, cut) = parts.take(index, rows_per_unit, &mut settle)?;
            taker(&rows, cut)?;
            parts.reuse(rows);
        }
        Ok(())
    }
}

/// The parts once they are complete. Units are in order across parts.
pub struct Parts {
    dir: PathBuf,
    columns: usize,
    spare: Vec<Vec<i64>>,
}

impl Parts {
    /// Reads a part as [`Spill::drain`] does, and removes its file.
    ///
    /// # Errors
    /// Fails if the file system does.
    pub fn take(
        &mut self,
        index: usize,
        rows_per_unit: Option<usize>,
        settle: &mut impl FnMut(&mut [Row], bool),
    ) -> io::Result<(Vec<Row>, u64)> {
        let path = part_path(&self.dir, index);
        let read = read_part(&path, self.columns, rows_per_unit, (&mut self.spare, settle))?;
        std::fs::remove_file(&path)?;
        Ok(read)
    }

    /// Keeps the memory of these rows for the next part.
    pub fn reuse(&mut self, rows: Vec<Row>) {
        self.spare.extend(rows.into_iter().map(|row| row.values));
    }
}

fn part_path(dir: &Path, index: usize) -> PathBuf {
    dir.join(format!("part-{index:02}"))
}

/// Reads the rows of a part, sorted and cut, and returns them with the number of rows that were cut.
/// The values are put into the `spare` vectors of earlier parts. A unit with very many rows is cut
/// along the way, so that memory holds no more than [`ROWS_BEFORE_CUT`] rows and those that are kept.
fn read_part(
    path: &Path,
    columns: usize,
    rows_per_unit: Option<usize>,
    (spare, settle): (&mut Vec<Vec<i64>>, &mut impl FnMut(&mut [Row], bool)),
) -> io::Result<(Vec<Row>, u64)> {
    let file = File::open(path)?;
    let record_bytes = 24 + 8 * columns;
    let count = usize::try_from(file.metadata()?.len()).unwrap_or(0) / record_bytes;
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, file);
    let mut record = vec![0; record_bytes];
    let mut rows = Vec::with_capacity(count.min(ROWS_BEFORE_CUT));
    let (mut cut_at, mut cut) = (ROWS_BEFORE_CUT, 0);
    for _ in 0..count {
        reader.read_exact(&mut record)?;
        let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| record[at + byte]));
        let unit = u128::from(word(0)) | u128::from(word(8)) << 64;
        let mut values = spare.pop().unwrap_or_default();
        values.clear();
        values.extend((0..columns).map(|column| word(24 + 8 * column).cast_signed()));
        rows.push(Row { unit, order: word(16), values });
        if rows.len() >= cut_at {
            cut += sort_and_cut(&mut rows, rows_per_unit, &mut |rows: &mut [Row]| settle(rows, false));
            cut_at = ROWS_BEFORE_CUT.max(2 * rows.len());
        }
    }
    cut += sort_and_cut(&mut rows, rows_per_unit, &mut |rows: &mut [Row]| settle(rows, true));
    Ok((rows, cut))
}

/// Sorts rows by unit and order, settles each unit, and keeps the first rows of each. Returns the number of rows removed.
fn sort_and_cut(rows: &mut Vec<Row>, rows_per_unit: Option<usize>, settle: &mut impl FnMut(&mut [Row])) -> u64 {
    rows.sort_unstable();
    let Some(most) = rows_per_unit else { return 0 };
    rows.chunk_by_mut(|one, next| one.unit == next.unit).for_each(settle);
    let before = rows.len();
    let (mut unit, mut seen) = (None, 0);
    rows.retain(|row| {
        seen = if unit == Some(row.unit) { seen + 1 } else { 1 };
        unit = Some(row.unit);
        seen <= most
    });
    (before - rows.len()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rows_of_each_unit_stay_whatever_the_pieces() {
        let row = |unit, order| Row { unit, order, values: vec![] };
        let mut rows: Vec<Row> = (0..50).map(|at| row(at % 3, u64::try_from(at * 7 % 50).expect("small"))).collect();
        let mut pieces = rows[..20].to_vec();
        let mut cut = sort_and_cut(&mut pieces, Some(4), &mut |_| ());
        pieces.extend_from_slice(&rows[20..]);
        cut += sort_and_cut(&mut pieces, Some(4), &mut |_| ());
        assert_eq!(sort_and_cut(&mut rows, Some(4), &mut |_| ()), cut);
        assert_eq!((rows.len(), &rows), (12, &pieces));
        assert_eq!(sort_and_cut(&mut rows, None, &mut |_| ()), 0);
    }
}
