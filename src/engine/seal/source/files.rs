//! The files of a source: a single one, those of a folder, those that match a glob, or a list of these.
//!
//! Promises that every file is found once, in the order of the list and then of paths, or the source is refused. Names in folders that
//! begin with `_` or `.` are skipped, as is usual for tools that write tables into folders.

#[cfg(test)]
#[path = "files_tests.rs"]
mod whole;
mod fault;

use super::fault::{SourceError, SourceFault};
use super::format::SourceFormat;
use crate::query::terms::source::SourceLocation;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

pub use self::fault::FilesFault;
use self::fault::{DEPTH_MAX, FILES_MAX};

/// The value that Hive and Spark write for a missing key.
const MISSING_KEY: &str = "__HIVE_DEFAULT_PARTITION__";

/// One file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceFile {
    pub path: PathBuf,
    /// The names and values of keys in the names of the file's folders, like `year=2020`, outermost first. A value may be missing.
    pub keys: Vec<(String, Option<String>)>,
}

/// Finds all files of a source. The flag says whether the source may have several.
pub(super) fn files(from: &SourceLocation) -> Result<(Vec<SourceFile>, bool), SourceError> {
    let (found, several) = match from {
        SourceLocation::Path(path) => of_path(path)?,
        SourceLocation::Files(paths) => {
            let mut found = Vec::new();
            for path in paths {
                found.extend(of_path(path)?.0);
            }
            (found, true)
        }
        SourceLocation::Postgres { .. } => (Vec::new(), false),
    };
    let mut seen = HashSet::new();
    for file in &found {
        let fail = |fault: SourceFault| SourceError::new(file.path.display().to_string(), fault);
        let real = fs::canonicalize(&file.path).map_err(|error| fail(SourceFault::Unreadable(error.kind())))?;
        if !seen.insert(real) {
            return Err(fail(FilesFault::Twice.into()));
        }
    }
    if found.is_empty() {
        return Err(SourceError::new("source", FilesFault::EmptyList));
    }
    Ok((found, several))
}

fn of_path(path: &Path) -> Result<(Vec<SourceFile>, bool), SourceError> {
    let fail = |fault: SourceFault| SourceError::new(path.display().to_string(), fault);
    let unreadable = |error: io::Error| fail(SourceFault::Unreadable(error.kind()));
    let (base, pattern) = split(path);
    let mut walk = Walk { found: Vec::new(), depth: 0 };
    match fs::metadata(path) {
        meta if pattern.is_empty()
            && SourceFormat::of(path).is_none()
            && !meta.as_ref().is_ok_and(fs::Metadata::is_dir) =>
        {
            return Err(fail(SourceFault::UnknownFormat));
        }
        Ok(meta) if meta.is_dir() => walk.folder(path).map_err(|fault| fault.into_error(path))?,
        Ok(meta) if meta.is_file() => {
            fs::File::open(path).map_err(unreadable)?;
            return Ok((vec![SourceFile { path: path.to_owned(), keys: Vec::new() }], false));
        }
        Ok(_) => return Err(fail(SourceFault::Unreadable(io::ErrorKind::InvalidInput))),
        Err(_) if !pattern.is_empty() => walk.matching(&base, &pattern).map_err(|fault| fault.into_error(path))?,
        Err(error) => return Err(unreadable(error)),
    }
    walk.found.sort();
    walk.found.dedup();
    // Keys are read from the names of all folders, including those that the source itself names.
    let found = walk.found.into_iter().map(|path| Ok(SourceFile { keys: keys(Path::new(""), &path)?, path }));
    match found.collect::<Result<Vec<_>, SourceError>>()? {
        found if found.is_empty() && path.is_dir() => Err(fail(FilesFault::NoFiles.into())),
        found if found.is_empty() => Err(fail(FilesFault::NoMatch.into())),
        found => Ok((found, true)),
    }
}

/// Splits a path into the folder before the first component with a wildcard, and the components from there on.
fn split(path: &Path) -> (PathBuf, Vec<String>) {
    let has_wildcard = |part: &Component<'_>| part.as_os_str().to_string_lossy().contains(['*', '?']);
    let parts: Vec<Component<'_>> = path.components().collect();
    let first = parts.iter().position(has_wildcard).unwrap_or(parts.len());
    let pattern = parts[first..].iter().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    (parts[..first].iter().collect(), pattern)
}

/// The reason why a walk through folders ended.
enum WalkFault {
    Files(FilesFault),
    Unreadable(PathBuf, io::ErrorKind),
}

impl WalkFault {
    fn into_error(self, path: &Path) -> SourceError {
        match self {
            Self::Files(fault) => SourceError::new(path.display().to_string(), fault),
            Self::Unreadable(path, kind) => SourceError::new(path.display().to_string(), SourceFault::Unreadable(kind)),
        }
    }
}

struct Walk {
    found: Vec<PathBuf>,
    depth: usize,
}

impl Walk {
    /// Adds every file of a folder and of the folders within it.
    fn folder(&mut self, folder: &Path) -> Result<(), WalkFault> {
        for (path, _) in self.entries(folder)?.into_iter().filter(|(_, name)| !is_skipped(name, "")) {
            self.file_or_folder(path)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Adds the files below a folder that match a pattern.
    fn matching(&mut self, folder: &Path, pattern: &[String]) -> Result<(), WalkFault> {
        let Some((first, rest)) = pattern.split_first() else { return Ok(()) };
        if first == "**" && rest.is_empty() {
            return self.folder(folder);
        }
        if first == "**" {
            self.matching(folder, rest)?;
        }
        for (path, name) in self.entries(folder)? {
            let is_folder = path.is_dir();
            let fits = first != "**" && !is_skipped(&name, first) && matches(first, &name);
            if first == "**" && is_folder && !is_skipped(&name, "") {
                self.matching(&path, pattern)?;
            } else if fits && rest.is_empty() {
                self.file_or_folder(path)?;
            } else if fits && is_folder {
                self.matching(&path, rest)?;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn file_or_folder(&mut self, path: PathBuf) -> Result<(), WalkFault> {
        let meta = fs::metadata(&path).map_err(|error| WalkFault::Unreadable(path.clone(), error.kind()))?;
        if meta.is_dir() {
            return self.folder(&path);
        }
        if !meta.is_file() {
            return Err(WalkFault::Unreadable(path, io::ErrorKind::InvalidInput));
        }
        if self.found.len() == FILES_MAX {
            return Err(WalkFault::Files(FilesFault::TooMany));
        }
        self.found.push(path);
        Ok(())
    }

    /// The entries of a folder, one level deeper than before.
    fn entries(&mut self, folder: &Path) -> Result<Vec<(PathBuf, String)>, WalkFault> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(WalkFault::Files(FilesFault::TooMany));
        }
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let unreadable = |error: io::Error| WalkFault::Unreadable(folder.to_owned(), error.kind());
        let is_plain = folder == Path::new(".");
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(unreadable)?,
        };
        let named = |entry: fs::DirEntry| {
            let name = entry.file_name();
            (if is_plain { PathBuf::from(&name) } else { entry.path() }, name.to_string_lossy().into_owned())
        };
        entries.map(|entry| entry.map(named).map_err(unreadable)).collect()
    }
}

/// Whether a name is skipped even if `pattern` matches it.
fn is_skipped(name: &str, pattern: &str) -> bool {
    name.starts_with(['_', '.']) && !pattern.starts_with(['_', '.'])
}

/// Whether a name matches a pattern in which `*` stands for any characters and `?` for a single one.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut of) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while of < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at + 1, of));
                at += 1;
            }
            Some(c) if *c == '?' || *c == name[of] => (at, of) = (at + 1, of + 1),
            _ => match star {
                // The last star takes one more character.
                Some((behind, taken)) => {
                    star = Some((behind, taken + 1));
                    (at, of) = (behind, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// The keys in the names of the folders between `base` and a file.
fn keys(base: &Path, path: &Path) -> Result<Vec<(String, Option<String>)>, SourceError> {
    let below = path.parent().and_then(|folder| folder.strip_prefix(base).ok()).unwrap_or(Path::new(""));
    let fail = || SourceError::new(path.display().to_string(), FilesFault::KeyEncoding);
    let mut keys = Vec::new();
    for part in below.components() {
        let part = part.as_os_str().to_str().ok_or_else(fail)?;
        if let Some((key, value)) = part.split_once('=').filter(|(key, _)| !key.is_empty()) {
            let value = if value == MISSING_KEY { None } else { Some(unescaped(value).ok_or_else(fail)?) };
            keys.push((unescaped(key).ok_or_else(fail)?, value));
        }
    }
    Ok(keys)
}

/// Decodes characters that are written like `%2F`.
pub(super) fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits
            .filter(|digits| *first == b'%' && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match() {
        for (pattern, name, fits) in [
            ("*.parquet", "v.parquet", true),
            ("*.parquet", "v.csv", false),
            ("v*.csv", "v.csv", true),
            ("v?.csv", "v1.csv", true),
            ("v?.csv", "v.csv", false),
            ("*a*b*", "xaxxb", true),
            ("*a*b*", "xbxxa", false),
            ("*", "", true),
            ("a", "ab", false),
            ("**", "ab", true),
            ("v[1].csv", "v1.csv", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn keys_are_read_from_folders() {
        for (path, found) in [
            ("v/year=2020/month=01/p.parquet", vec![("year", Some("2020")), ("month", Some("01"))]),
            ("v/other/a%3Db=x%2Fy/p.parquet", vec![("a=b", Some("x/y"))]),
            ("v/year=__HIVE_DEFAULT_PARTITION__/p.parquet", vec![("year", None)]),
            ("v/year=100%/p.parquet", vec![("year", Some("100%"))]),
            ("v/year=/p.parquet", vec![("year", Some(""))]),
            ("v/=x/p=1.parquet", vec![]),
        ] {
            let found: Vec<_> = found.iter().map(|(key, value)| (key.to_string(), value.map(str::to_owned))).collect();
            assert_eq!(keys(Path::new("v"), Path::new(path)), Ok(found), "{path}");
        }
        assert!(keys(Path::new("v"), Path::new("v/year=%ff/p.parquet")).is_err());
    }
}
