//! Rows on disk by unit, so that sealing needs the memory of one part at a time.
//!
//! Promises that all rows of a unit land in one part. A part is ordered by keyed hashes alone, never by position in the source.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Parts that rows are spread over; ten million rows of eight columns make parts of 14 MB.
pub const PARTS: usize = 64;
const BUFFER_BYTES: usize = 64 << 10;

/// One row on its way: the unit's keyed digest, the row's keyed digest, the values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Names the unit.
    pub unit: u128,
    /// Orders the unit's rows.
    pub order: u64,
    /// Stored integers by column.
    pub values: Vec<i64>,
}

/// The parts while they are written.
pub struct Spill {
    dir: PathBuf,
    parts: Vec<BufWriter<File>>,
    columns: usize,
}

impl Spill {
    /// Opens the parts in `dir`.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn create(dir: &Path, columns: usize) -> io::Result<Self> {
        let part =
            |index| File::create_new(part_path(dir, index)).map(|file| BufWriter::with_capacity(BUFFER_BYTES, file));
        let parts = (0..PARTS).map(part).collect::<io::Result<_>>()?;
        Ok(Self { dir: dir.to_owned(), parts, columns })
    }

    /// Adds one row.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn push(&mut self, unit: u128, order: u64, values: impl Iterator<Item = i64>) -> io::Result<()> {
        // The top bits choose the part, so that parts in order hold units in order.
        let part = &mut self.parts[(unit >> 122) as usize % PARTS];
        part.write_all(&unit.to_le_bytes())?;
        part.write_all(&order.to_le_bytes())?;
        for value in values {
            part.write_all(&value.to_le_bytes())?;
        }
        Ok(())
    }

    /// Gives each part, sorted by unit and order, to `taker`, and removes it.
    ///
    /// # Errors
    /// Those of the file system or of the taker.
    pub fn drain<E: From<io::Error>>(self, mut taker: impl FnMut(Vec<Row>) -> Result<(), E>) -> Result<(), E> {
        for part in self.parts {
            part.into_inner().map_err(|error| E::from(error.into_error()))?;
        }
        for index in 0..PARTS {
            let path = part_path(&self.dir, index);
            let mut rows = read_part(&path, self.columns)?;
            std::fs::remove_file(&path)?;
            rows.sort_unstable();
            taker(rows)?;
        }
        Ok(())
    }
}

fn part_path(dir: &Path, index: usize) -> PathBuf {
    dir.join(format!("part-{index:02}"))
}

fn read_part(path: &Path, columns: usize) -> io::Result<Vec<Row>> {
    let file = File::open(path)?;
    let record_bytes = 24 + 8 * columns;
    let count = usize::try_from(file.metadata()?.len()).unwrap_or(0) / record_bytes;
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, file);
    let mut record = vec![0; record_bytes];
    let mut rows = Vec::with_capacity(count);
    for _ in 0..count {
        reader.read_exact(&mut record)?;
        let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| record[at + byte]));
        let unit = u128::from(word(0)) | u128::from(word(8)) << 64;
        let values = (0..columns).map(|column| word(24 + 8 * column).cast_signed()).collect();
        rows.push(Row { unit, order: word(16), values });
    }
    Ok(rows)
}
