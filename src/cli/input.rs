//! What several commands read: amounts in options, and files that people write.

use std::io::{self, Read};
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

/// Reads a text from standard input, up to the size of a text file.
pub(super) fn standard_input() -> Result<String, CommandFailure> {
    let mut text = String::new();
    let read = io::stdin().take(files::TEXT_BYTES_MAX + 1).read_to_string(&mut text);
    let read = read.and_then(|bytes| match bytes as u64 > files::TEXT_BYTES_MAX {
        true => Err(io::ErrorKind::FileTooLarge.into()),
        false => Ok(text),
    });
    read.map_err(|error| unreadable(Path::new("standard input"), &error))
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
