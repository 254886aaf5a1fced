//! Editions: immutable sealed tables with their manifests.
//!
//! Promises that what is read is what was sealed: the table's digest is checked. Digests and row counts stay on the steward's side.

use std::fs;
use std::io::{self, Seek};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::policy::Terms;
use crate::budget::entry::Digest;
use crate::files;

/// The folder of editions in a state directory.
pub const EDITIONS: &str = "editions";
const TABLE: &str = "table.arrow";
const MANIFEST: &str = "manifest.json";
/// The version of manifest and table.
pub const FORMAT_VERSION: u32 = 1;

/// Name of the dense unit number in a sealed table, where units are not rows.
pub const UNIT_COLUMN: &str = "unit";
/// Name of the rank of a row within its unit.
pub const RANK_COLUMN: &str = "rank";

/// The name of declared column `index` in a sealed table; declared names never meet polars.
#[must_use]
pub fn column_name(index: usize) -> String {
    format!("c{index}")
}

/// The name of the column that holds the texts of declared column `index`: each in the row where it stands first, and nothing in any other.
#[must_use]
pub fn text_name(index: usize) -> String {
    format!("t{index}")
}

/// What an edition is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the format.
    pub v: u32,
    /// The random id.
    pub edition: String,
    /// The dataset's name.
    pub dataset: String,
    /// The terms that it was sealed under.
    pub terms: Terms,
    /// Rows of the table.
    pub rows: u64,
    /// BLAKE3 of the table's bytes.
    #[serde(with = "hex")]
    pub table: Digest,
    /// A secret, so that the commitment in the ledger confirms nothing to who can guess the table.
    #[serde(with = "hex")]
    pub nonce: Digest,
    /// The tables that it is joined with, by name, with the commitments of their own editions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<(String, String)>,
}

/// The id of the edition of a table that a dataset is joined with: its dataset's, and its name.
#[must_use]
pub fn of_table(edition: &str, table: &str) -> String {
    format!("{edition}.{table}")
}

/// The edition of the dataset that an edition is of, or of one of its tables.
#[must_use]
pub fn of_dataset(edition: &str) -> &str {
    edition.split_once('.').map_or(edition, |(dataset, _)| dataset)
}

/// Why an edition cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditionError {
    /// A file of it cannot be read.
    #[error("{path}: cannot be read: {kind}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        kind: io::ErrorKind,
    },
    /// A file of it is not what was sealed.
    #[error("{path}: is not what was sealed; restore it or seal again")]
    Damaged {
        /// The file.
        path: String,
    },
}

impl Manifest {
    /// Where the edition lies.
    #[must_use]
    pub fn dir(state: &Path, edition: &str) -> PathBuf {
        state.join(EDITIONS).join(edition)
    }

    /// Where an edition's table lies.
    #[must_use]
    pub fn table_path(state: &Path, edition: &str) -> PathBuf {
        Self::dir(state, edition).join(TABLE)
    }

    /// The digest for the ledger: it binds manifest and table, and tells neither.
    #[must_use]
    pub fn commitment(&self) -> String {
        // Unwrap safety: a manifest is plain data with string keys.
        let bytes = serde_json::to_vec(self).expect("a manifest is plain data");
        hex::encode(blake3::keyed_hash(&self.nonce, &bytes).as_bytes())
    }

    /// Writes the manifest into `dir`, with mode 600.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        let file = files::create_private(&dir.join(MANIFEST))?;
        serde_json::to_writer_pretty(&file, self)?;
        file.sync_all()
    }

    /// Reads the manifest of an edition and checks it against the ledger's commitment and its table's digest.
    ///
    /// # Errors
    /// [`EditionError`].
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

/// BLAKE3 of a file's bytes.
///
/// # Errors
/// Those of the file system.
pub fn digest_of(path: &Path) -> io::Result<Digest> {
    digest_of_file(&mut fs::File::open(path)?)
}

/// BLAKE3 of an open file's bytes, which it is then at the beginning of again.
///
/// # Errors
/// Those of the file system.
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
