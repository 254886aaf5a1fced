//! Reads a policy from its file.

use std::path::Path;

use super::dataset::{Policy, TableReading};
use super::faults::{PolicyError, PolicyFault};
use super::file;
use super::public::ReadPublic;
use super::source::beside;
use crate::files;
use crate::query::terms::source::SourceSpec;

/// The largest size of a policy file, in bytes.
pub const BYTES_MAX: u64 = 4 << 20;

/// Why the text of a policy alone is not enough.
#[derive(Debug, thiserror::Error)]
#[error("it is read from a file beside the policy, and this policy is not read from a file")]
struct NoFolder;

impl Policy {
    /// Reads and checks a policy file. Paths of sources are taken relative to it, and public tables are read with `read`.
    ///
    /// # Errors
    /// [`PolicyError`] with every fault that was found.
    pub fn load_with(path: &Path, read: &mut ReadPublic<'_>) -> Result<Self, PolicyError> {
        let shown = path.display().to_string();
        let unreadable = |error: std::io::Error| PolicyError::Unreadable { path: shown.clone(), kind: error.kind() };
        let meta = std::fs::metadata(path).map_err(unreadable)?;
        if !meta.is_file() {
            let kind = std::io::ErrorKind::InvalidInput;
            return Err(PolicyError::Unreadable { path: shown, kind });
        }
        if meta.len() > BYTES_MAX {
            return Err(PolicyError::TooLarge { path: shown, bytes: meta.len(), bytes_max: BYTES_MAX });
        }
        let text = files::text(path).map_err(unreadable)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let read = &mut |spec: &SourceSpec, columns: &[String]| read(&beside(spec.clone(), folder), columns);
        let mut policy = file::parse(&text, read).map_err(|faults| PolicyError::Faulty { path: shown, faults })?;
        policy.source = beside(policy.source, folder);
        policy.exclude = policy.exclude.map(|file| folder.join(file));
        policy.joined = policy.joined.into_iter().map(|spec| beside(spec, folder)).collect();
        let table = |table: TableReading| TableReading { source: beside(table.source, folder), ..table };
        policy.tables = policy.tables.into_iter().map(table).collect();
        Ok(policy)
    }

    /// Checks the text of a policy, which has no public tables.
    ///
    /// # Errors
    /// Every fault that was found, in the order of the file.
    pub fn parse(text: &str) -> Result<Self, Vec<PolicyFault>> {
        Self::parse_with(text, &mut |_, _| Err(NoFolder.into()))
    }

    /// Checks the text of a policy, and reads its public tables with `read`.
    ///
    /// # Errors
    /// Every fault that was found, in the order of the file.
    pub fn parse_with(text: &str, read: &mut ReadPublic<'_>) -> Result<Self, Vec<PolicyFault>> {
        file::parse(text, read)
    }
}
