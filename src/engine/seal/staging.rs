//! Staging folders, which hold editions until they are complete.
//!
//! Promises that an edition exists completely or not at all, and that a sealing publishes all of its editions or none.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::SealError;
use crate::kernel::budget::entry::Digest;
use crate::kernel::random;
use crate::query::terms::edition::layout::Blocks;
use crate::query::terms::edition::{EDITIONS, FORMAT_VERSION, Manifest, TABLES_FORMAT_VERSION};
use crate::query::terms::policy::Terms;

/// The prefix of the names of staging folders.
pub(super) const STAGING: &str = ".sealing-";

/// Creates a folder beside the editions of a state directory, in which a process of its own seals as if it were a state directory. What is
/// left of it is removed with the superseded editions.
///
/// # Errors
/// Fails if the file system does.
pub fn staging_beside(state: &Path, name: &str) -> io::Result<PathBuf> {
    let folder = state.join(EDITIONS).join(format!("{STAGING}{name}"));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    Ok(folder)
}

/// The folder of all editions, which is created if it does not exist.
pub(super) fn editions(state: &Path) -> Result<PathBuf, SealError> {
    let editions = state.join(EDITIONS);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&editions)?;
    Ok(editions)
}

/// A staging folder, which is removed when dropped unless it was published.
pub(super) struct Staging {
    pub(super) dir: PathBuf,
}

impl Staging {
    /// Creates the staging folder of a new edition.
    pub(super) fn create(editions: &Path, edition: &str) -> Result<Self, SealError> {
        let dir = editions.join(format!("{STAGING}{edition}"));
        fs::DirBuilder::new().mode(0o700).create(&dir)?;
        Ok(Self { dir })
    }

    /// Turns the folder into a published edition, complete and durable.
    fn publish(&self, state: &Path, manifest: &Manifest) -> Result<(), SealError> {
        manifest.write(&self.dir)?;
        fs::File::open(&self.dir)?.sync_all()?;
        fs::rename(&self.dir, Manifest::dir(state, &manifest.edition))?;
        fs::File::open(state.join(EDITIONS))?.sync_all()?;
        Ok(())
    }
}

/// Publishes all editions of a sealing, or none.
pub(super) fn publish_all<'a>(
    state: &Path,
    all: impl Iterator<Item = (&'a Staging, &'a Manifest)>,
) -> Result<(), SealError> {
    let mut published: Vec<&Manifest> = Vec::new();
    for (staging, manifest) in all {
        published.push(manifest);
        if let Err(error) = staging.publish(state, manifest) {
            for manifest in published {
                let _ = fs::remove_dir_all(Manifest::dir(state, &manifest.edition));
            }
            return Err(error);
        }
    }
    Ok(())
}

/// Creates the manifest of a table with this index.
pub(super) fn manifest(
    edition: &str,
    dataset: &str,
    terms: Terms,
    (table, blocks): (Digest, Blocks),
    tables: Vec<(String, String)>,
) -> Result<Manifest, SealError> {
    let several = terms.tables.len();
    Ok(Manifest {
        v: if several == 0 { FORMAT_VERSION } else { TABLES_FORMAT_VERSION },
        edition: edition.to_owned(),
        dataset: dataset.to_owned(),
        terms,
        rows: blocks.rows(several),
        table,
        blocks: Some(blocks),
        nonce: random::bytes()?,
        tables,
    })
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}
