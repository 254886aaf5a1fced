//! Output to the terminal. This is the only module that prints.

mod screen;
mod table;
mod width;

use std::io::{IsTerminal, Write, stderr, stdin, stdout};

pub use screen::{Screen, Tone, is_person};
pub use table::{TextColumn, TextTable};
pub use width::text_width;

/// Writes a line to standard output. A closed pipe is not an error.
pub fn say(line: impl AsRef<str>) {
    let _ = writeln!(stdout(), "{}", line.as_ref());
}

/// Writes bytes to standard output unchanged and flushes them. A closed pipe is not an error.
pub fn say_bytes(bytes: &[u8]) {
    let _ = stdout().write_all(bytes).and_then(|()| stdout().flush());
}

/// Writes a line to standard error. A closed pipe is not an error.
pub fn complain(line: impl AsRef<str>) {
    let _ = writeln!(stderr(), "{}", line.as_ref());
}

/// Writes a table to standard output, as it fits there.
pub fn say_table(table: &TextTable) {
    say(table.shown(&Screen::of_stdout()));
}

/// Returns whether a person can type answers: standard input and standard output are both terminals.
#[must_use]
pub fn is_conversation() -> bool {
    stdin().is_terminal() && is_person()
}
