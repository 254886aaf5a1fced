//! Editions: immutable sealed tables with their manifests.
//!
//! Promises that what is read is what was sealed, by checking the table's digest. Digests and row counts stay on the steward's side.

use std::fs;
use std::io::{self, Seek};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::policy::Terms;
use crate::files;
use crate::kernel::budget::entry::Digest;

/// The folder that holds the editions within a state directory.
pub const EDITIONS: &str = "editions";
const TABLE: &str = "table.arrow";
const MANIFEST: &str = "manifest.json";
/// The format version of manifest and table.
pub const FORMAT_VERSION: u32 = 1;

/// The name of the column with the dense number of a row's unit in a sealed table; absent if every row is a unit.
pub const UNIT_COLUMN: &str = "unit";
/// The name of the column with the rank of a row within its unit.
pub const RANK_COLUMN: &str = "rank";

/// The name of declared column `index` in a sealed table. Declared names are never passed to polars.
#[must_use]
pub fn column_name(index: usize) -> String {
    format!("c{index}")
}

/// The name of the column that holds the texts of declared column `index`. Each
/// text is stored in the row where it occurs first; all other rows are null.
#[must_use]
pub fn text_name(index: usize) -> String {
    format!("t{index}")
}

/// The manifest of an edition: what was sealed, under which terms, and the digest of its table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format version, [`FORMAT_VERSION`].
    pub v: u32,
    /// The edition's random id.
    pub edition: String,
    /// The name of the dataset that the edition belongs to.
    pub dataset: String,
    /// The terms under which the table was sealed.
    pub terms: Terms,
    /// The number of rows in the table.
    pub rows: u64,
    /// The BLAKE3 digest of the table's bytes.
    #[serde(with = "hex")]
    pub table: Digest,
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
    #[error("{path}: cannot be read: {kind}")]
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
}

impl Manifest {
    /// The folder of an edition within a state directory.
    #[must_use]
    pub fn dir(state: &Path, edition: &str) -> PathBuf {
        state.join(EDITIONS).join(edition)
    }

    /// The path of an edition's table.
    #[must_use]
    pub fn table_path(state: &Path, edition: &str) -> PathBuf {
        Self::dir(state, edition).join(TABLE)
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
        serde_json::to_writer_pretty(&file, self)?;
        file.sync_all()
    }

    /// Reads the manifest of an edition and checks it against the ledger's commitment and its table against the digest in the manifest.
    ///
    /// # Errors
    /// [`EditionError`] if a file cannot be read or differs from what was sealed.
    pub fn open(state: &Path, edition: &str, commitment: &str) -> Result<Self, EditionError> {
        let path = Self::dir(state, edition).join(MANIFEST);
        let shown = path.display().to_string();
        let unreadable =
            |path: &str, error: io::Error| EditionError::Unreadable { path: path.to_owned(), kind: error.kind() };
        let bytes = fs::read(&path).map_err(|error| unreadable(&shown, error))?;
        let manifest: Self =
            serde_json::from_slice(&bytes).map_err(|_| EditionError::Damaged { path: shown.clone() })?;
        if manifest.v != FORMAT_VERSION || manifest.edition != edition || manifest.commitment() != commitment {
            return Err(EditionError::Damaged { path: shown });
        }
        let table = Self::table_path(state, edition);
        let shown = table.display().to_string();
        let digest = digest_of(&table).map_err(|error| unreadable(&shown, error))?;
        if digest == manifest.table { Ok(manifest) } else { Err(EditionError::Damaged { path: shown }) }
    }
}

/// The BLAKE3 digest of a file's bytes.
///
/// # Errors
/// Fails if the file system does.
pub fn digest_of(path: &Path) -> io::Result<Digest> {
    digest_of_file(&mut fs::File::open(path)?)
}

/// The BLAKE3 digest of an open file's bytes. Rewinds the file to its beginning afterwards.
///
/// # Errors
/// Fails if the file system does.
pub fn digest_of_file(file: &mut fs::File) -> io::Result<Digest> {
    let mut hasher = blake3::Hasher::new();
    io::copy(file, &mut hasher)?;
    file.rewind()?;
    Ok(*hasher.finalize().as_bytes())
}

/// The path of a new table in `dir`.
#[must_use]
pub fn new_table_path(dir: &Path) -> PathBuf {
    dir.join(TABLE)
}
