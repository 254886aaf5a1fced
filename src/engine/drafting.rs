//! Drafts of policies in a process of their own: a server reads a steward's file without its memory, its threads or its life at stake.
//!
//! Promises that the process ends with its server and within a time, that its memory is bounded, that it is given nothing but the file, and
//! that no words but our own come back: messages of libraries could hold values of rows.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::confine;
use super::port::EngineFault;
use super::seal::draft::draft;
use super::seal::source::SourceSpec;
use crate::query::terms::policy::BYTES_MAX;

/// The longest time that a draft may take, in seconds.
pub const SECONDS_MAX: u64 = 900;
/// The address space of the process besides the size of its file, in bytes.
const ADDRESS_SPACE_BYTES: u64 = 4 << 30;
/// How often the process is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Why there is no draft.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftFault {
    /// The file is not a table; the words name its columns and places, and no values.
    #[error("{0}")]
    Source(String),
    /// It took too long.
    #[error("reading it took more than {SECONDS_MAX} seconds; draft it with tacit policy draft instead")]
    TooLong,
    /// The process ended without a word, as one that needs more memory than it may have does.
    #[error(
        "reading it broke off, as it does where it would take too much memory; draft it with tacit policy draft instead"
    )]
    BrokenOff,
}

/// What the process says on its standard output.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    /// The text of the draft.
    Draft(String),
    /// Why there is none.
    Fault(String),
}

/// Drafts policies in processes of their own.
#[derive(Debug, Clone)]
pub struct Drafter {
    program: PathBuf,
}

impl Drafter {
    /// Starts processes from the binary at this path, which has the command `drafter`.
    #[must_use]
    pub fn new(program: PathBuf) -> Self {
        Self { program }
    }

    /// Drafts a policy for a file. Blocks until the process ends, at most [`SECONDS_MAX`] seconds.
    ///
    /// # Errors
    /// [`DraftFault`]; it names the file by its name alone.
    pub fn draft(&self, file: &Path) -> Result<String, DraftFault> {
        let child = Command::new(&self.program)
            .arg0("tacit")
            .arg("drafter")
            .arg(file)
            .env_clear()
            .env("POLARS_MAX_THREADS", "1")
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|_| DraftFault::BrokenOff)?;
        match heard(child)? {
            // A comment of the draft names the file.
            Said::Draft(text) => Ok(with_name(&text, file)),
            Said::Fault(words) => Err(DraftFault::Source(with_name(&words, file))),
        }
    }
}

/// What the process says before it ends. One that takes too long is ended.
fn heard(mut child: Child) -> Result<Said, DraftFault> {
    let stdout = child.stdout.take().ok_or(DraftFault::BrokenOff)?;
    // Read on another thread, so that a process which says nothing cannot hold this one for longer than it may.
    let reading = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // A text of JSON may be some times as long as the text that it holds.
        stdout.take(8 * BYTES_MAX).read_to_end(&mut bytes).map(|_| bytes)
    });
    let begun = Instant::now();
    let ended = loop {
        match child.try_wait() {
            Ok(None) if begun.elapsed() < Duration::from_secs(SECONDS_MAX) => std::thread::sleep(LOOK),
            Ok(None) => break Err(DraftFault::TooLong),
            Ok(Some(_)) => break Ok(()),
            Err(_) => break Err(DraftFault::BrokenOff),
        }
    };
    let _ = child.kill();
    let _ = child.wait();
    let bytes = reading.join();
    ended?;
    let bytes = bytes.ok().and_then(Result::ok).ok_or(DraftFault::BrokenOff)?;
    serde_json::from_slice(&bytes).map_err(|_| DraftFault::BrokenOff)
}

/// A text about a file with the file's name in place of its path.
fn with_name(words: &str, file: &Path) -> String {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    words.replace(&file.display().to_string(), &name)
}

/// The process's side: drafts a policy for a file and returns what is to be written to standard output.
///
/// # Errors
/// [`EngineFault`] if the process could not be bound to its server and its memory.
pub fn run(file: &Path) -> Result<String, EngineFault> {
    confine::follow_parent()?;
    let size = std::fs::metadata(file).map_err(|_| EngineFault)?.len();
    confine::bound_memory(ADDRESS_SPACE_BYTES.saturating_add(size))?;
    let drafted = draft(&SourceSpec::file(file), file.file_name().map(Path::new));
    let said = drafted.map_or_else(|error| Said::Fault(error.to_string()), Said::Draft);
    // Unwrap safety: both are plain texts.
    Ok(serde_json::to_string(&said).expect("texts are JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_the_file_without_its_folder() {
        let file = Path::new("/var/lib/tacit/uploads/up_1/a.csv");
        assert_eq!(
            with_name("/var/lib/tacit/uploads/up_1/a.csv, line 3: holds nothing", file),
            "a.csv, line 3: holds nothing"
        );
    }

    #[test]
    fn a_program_that_says_nothing_is_no_draft() {
        let file = std::env::temp_dir();
        assert_eq!(Drafter::new("/bin/true".into()).draft(&file), Err(DraftFault::BrokenOff));
        assert_eq!(Drafter::new("/bin/none-of-this-name".into()).draft(&file), Err(DraftFault::BrokenOff));
    }
}
