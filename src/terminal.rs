//! Output to the terminal. This is the only module that prints.

use std::io::{IsTerminal, Write, stderr, stdout};

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

/// Returns whether standard output is a terminal, that is, whether a person is likely to read it.
#[must_use]
pub fn is_person() -> bool {
    stdout().is_terminal()
}

/// Formats a table as text: with ruled borders on a terminal, without borders when another program reads the output.
#[must_use]
pub fn table(header: &[String], rows: &[Vec<String>]) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(if is_person() {
        comfy_table::presets::UTF8_FULL_CONDENSED
    } else {
        comfy_table::presets::NOTHING
    });
    table.set_header(header);
    table.add_rows(rows);
    let lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}
