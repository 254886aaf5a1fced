//! Editions: immutable sealed tables with their manifests.
//!
//! Promises that what is read is what was sealed, by digests. Digests and row counts stay on the steward's side.

pub mod index;
pub mod layout;
mod whole;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::layout::{Blocks, TableFacts};
use self::whole::TableFault;
pub use self::whole::digest_of_file;
use super::policy::Terms;
use crate::files;
use crate::kernel::budget::entry::Digest;

/// The folder that holds the editions within a state directory.
pub const EDITIONS: &str = "editions";
/// The table of format 1: an Arrow IPC file.
const TABLE_ARROW: &str = "table.arrow";
/// The table of format 2: see [`layout`].
const TABLE_BLOCKS: &str = "table.blocks";
const MANIFEST: &str = "manifest.json";
/// The format version of manifests and tables that are sealed now, of datasets with a single table. Those of version 1 can be read.
pub const FORMAT_VERSION: u32 = 2;
/// The format version of datasets with several tables, whose blocks have the rows of the same units in all of them.
pub const TABLES_FORMAT_VERSION: u32 = 3;

/// The name of the column with the dense number of a row's unit in a sealed table; absent if every row is a unit.
pub const UNIT_COLUMN: &str = "unit";
/// The name of the column with the rank of a row within its unit.
pub const RANK_COLUMN: &str = "rank";

/// The name of declared column `index` of a sealed table. Declared names are never passed to polars.
#[must_use]
pub fn column_name(index: usize) -> String {
    format!("c{index}")
}

/// The name of the column of a table of format 1 that holds the texts of declared column `index`. Each
/// text is stored in the row where it occurs first; all other rows are null.
#[must_use]
pub fn text_name(index: usize) -> String {
    format!("t{index}")
}

/// The manifest of an edition: what was sealed, under which terms, and the digest of its table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format version: 1 or 2, or 3 for a dataset with several tables.
    pub v: u32,
    /// The edition's random id.
    pub edition: String,
    /// The name of the dataset that the edition belongs to.
    pub dataset: String,
    /// The terms under which the table was sealed.
    pub terms: Terms,
    /// The number of rows in the table, or in all of them.
    pub rows: u64,
    /// The BLAKE3 digest of the table's index; in format 1, of all of the table's bytes.
    #[serde(with = "hex")]
    pub table: Digest,
    /// Where the table's blocks and its index are; absent in format 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<Blocks>,
    /// A secret that keys the commitment in the ledger, so that nobody who guesses the table can confirm the guess.
    #[serde(with = "hex")]
    pub nonce: Digest,
    /// The tables that this one is joined with: each one's name and the commitment of its own edition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<(String, String)>,
}

/// The id of the edition of a joined table, made of the dataset's edition and the table's name.
#[must_use]
pub fn of_table(edition: &str, table: &str) -> String {
    format!("{edition}.{table}")
}

/// The id of the dataset's edition, given that edition or the edition of one of its joined tables.
#[must_use]
pub fn of_dataset(edition: &str) -> &str {
    edition.split_once('.').map_or(edition, |(dataset, _)| dataset)
}

/// The reason why an edition cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditionError {
    /// A file of the edition cannot be read.
    #[error("{path}: cannot be read: {}", files::because(*kind))]
    Unreadable {
        /// The path of the file.
        path: String,
        /// The kind of error that the system reports.
        kind: io::ErrorKind,
    },
    /// A file of the edition differs from what was sealed.
    #[error("{path}: is not what was sealed; restore it or seal again")]
    Damaged {
        /// The path of the file.
        path: String,
    },
    /// A block of the edition's table differs from what was sealed.
    #[error("{path}: block {block} is not what was sealed; restore the file or seal again")]
    DamagedBlock {
        /// The path of the table.
        path: String,
        /// The number of the block, counted from 0.
        block: u64,
    },
}

impl Manifest {
    /// The folder of an edition within a state directory.
    #[must_use]
    pub fn dir(state: &Path, edition: &str) -> PathBuf {
        state.join(EDITIONS).join(edition)
    }

    /// The path of the edition's table.
    #[must_use]
    pub fn table_path(&self, state: &Path) -> PathBuf {
        let name = if self.blocks.is_some() { TABLE_BLOCKS } else { TABLE_ARROW };
        Self::dir(state, &self.edition).join(name)
    }

    /// What the manifest says about the table.
    #[must_use]
    pub fn facts(&self) -> TableFacts {
        TableFacts { digest: self.table, rows: self.rows, blocks: self.blocks.clone() }
    }

    /// The commitment for the ledger: a digest that binds manifest and table and reveals neither.
    #[must_use]
    pub fn commitment(&self) -> String {
        // Unwrap safety: a manifest is plain data with string keys.
        let bytes = serde_json::to_vec(self).expect("a manifest is plain data");
        hex::encode(blake3::keyed_hash(&self.nonce, &bytes).as_bytes())
    }

    /// Writes the manifest into `dir`, with mode 600.
    ///
    /// # Errors
    /// Fails if the file system does.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        let file = files::create_private(&dir.join(MANIFEST))?;
        // Long lists, which public tables have, would take a line for each label.
        if self.terms.public.is_empty() {
            serde_json::to_writer_pretty(&file, self)?;
        } else {
            let mut out = io::BufWriter::new(&file);
            serde_json::to_writer(&mut out, self)?;
            out.flush()?;
        }
        file.sync_all()
    }

    /// Reads the manifest of an edition, and checks it against the ledger's commitment, and its table against the manifest: the length, the
    /// texts, and the index, which has the digests by which an engine checks each block before its first use. A table of format 1 is checked
    /// as a whole.
    ///
    /// # Errors
    /// [`EditionError`] if a file cannot be read or differs from what was sealed.
    pub fn open(state: &Path, edition: &str, commitment: &str) -> Result<Self, EditionError> {
        let manifest = Self::read(state, edition, commitment)?;
        manifest.check_table(state, |file| whole::check_frame(&manifest.facts(), &manifest.terms, file).map(|_| ()))?;
        Ok(manifest)
    }

    /// Reads the manifest of an edition as [`Self::open`] does, and checks every byte of its table.
    ///
    /// # Errors
    /// [`EditionError`] if a file cannot be read or differs from what was sealed.
    pub fn open_whole(state: &Path, edition: &str, commitment: &str) -> Result<Self, EditionError> {
        let manifest = Self::read(state, edition, commitment)?;
        manifest.check_table(state, |file| whole::check(&manifest.facts(), &manifest.terms, file))?;
        Ok(manifest)
    }

    fn read(state: &Path, edition: &str, commitment: &str) -> Result<Self, EditionError> {
        let path = Self::dir(state, edition).join(MANIFEST);
        let bytes = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
        let damaged = || EditionError::Damaged { path: path.display().to_string() };
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
        let is_known = match (manifest.terms.tables.is_empty(), &manifest.blocks) {
            (true, None) => manifest.v == 1,
            (true, Some(_)) => manifest.v == FORMAT_VERSION,
            (false, blocks) => manifest.v == TABLES_FORMAT_VERSION && blocks.is_some(),
        };
        if !is_known || manifest.edition != edition || manifest.commitment() != commitment {
            return Err(damaged());
        }
        Ok(manifest)
    }

    fn check_table(
        &self,
        state: &Path,
        check: impl FnOnce(&mut fs::File) -> Result<(), TableFault>,
    ) -> Result<(), EditionError> {
        let path = self.table_path(state);
        let shown = || path.display().to_string();
        let mut file = fs::File::open(&path).map_err(|error| unreadable(&path, &error))?;
        check(&mut file).map_err(|fault| match fault {
            TableFault::Unreadable(error) => unreadable(&path, &error),
            TableFault::Damaged => EditionError::Damaged { path: shown() },
            TableFault::DamagedBlock(block) => EditionError::DamagedBlock { path: shown(), block },
        })
    }
}

fn unreadable(path: &Path, error: &io::Error) -> EditionError {
    EditionError::Unreadable { path: path.display().to_string(), kind: error.kind() }
}

/// The path of a new table in `dir`.
#[must_use]
pub fn new_table_path(dir: &Path) -> PathBuf {
    dir.join(TABLE_BLOCKS)
}
