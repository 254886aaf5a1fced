//! Reads a policy from its file.

use std::path::Path;

use super::dataset::Policy;
use super::faults::{PolicyError, PolicyFault};
use super::file;
use super::source::beside;
use crate::files;

/// The largest size of a policy file, in bytes.
pub const BYTES_MAX: u64 = 4 << 20;

impl Policy {
    /// Reads and checks a policy file. Paths of sources are taken relative to it.
    ///
    /// # Errors
    /// [`PolicyError`] with every fault that was found.
    pub fn load(path: &Path) -> Result<Self, PolicyError> {
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
        let mut policy = Self::parse(&text).map_err(|faults| PolicyError::Faulty { path: shown, faults })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        policy.source = beside(policy.source, folder);
        policy.exclude = policy.exclude.map(|file| folder.join(file));
        policy.joined = policy.joined.into_iter().map(|spec| beside(spec, folder)).collect();
        Ok(policy)
    }

    /// Checks the text of a policy.
    ///
    /// # Errors
    /// Every fault that was found, in the order of the file.
    pub fn parse(text: &str) -> Result<Self, Vec<PolicyFault>> {
        file::parse(text)
    }
}
