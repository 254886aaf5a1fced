//! What several commands read: amounts in options, and files that people write.

use std::io;
use std::path::Path;

use super::CommandFailure;
use crate::files;
use crate::kernel::privacy::amounts::Epsilon;
use crate::service::stewarding::declared::DeclaredFile;

/// Reads the option `--epsilon`.
pub(super) fn epsilon(text: &str) -> Result<Epsilon, CommandFailure> {
    Epsilon::parse(text).map_err(|fault| CommandFailure::Usage(format!("--epsilon: {fault}")))
}

/// Reads a text file.
pub(super) fn text(path: &Path) -> Result<String, CommandFailure> {
    files::text(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> CommandFailure {
    CommandFailure::Could(format!("{}: cannot be read: {}", path.display(), files::because(error.kind())))
}

/// The files directly in a folder that `is_wanted` selects by path and name, with their texts, by name. If there are none, the
/// command was used wrongly, because the folder holds no `what`.
pub(super) fn files_in(
    dir: &Path,
    is_wanted: impl Fn(&Path, &str) -> bool,
    what: &str,
) -> Result<Vec<DeclaredFile>, CommandFailure> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|error| unreadable(dir, &error))? {
        let path = entry.map_err(|error| unreadable(dir, &error))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if is_wanted(&path, &name) {
            found.push((name, path));
        }
    }
    if found.is_empty() {
        return Err(CommandFailure::Usage(format!("{}: holds no {what}", dir.display())));
    }
    found.sort();
    found.into_iter().map(|(name, path)| Ok(DeclaredFile { name, text: text(&path)? })).collect()
}
