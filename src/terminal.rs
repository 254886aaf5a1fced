//! The one place that writes to the terminal.

use std::io::{IsTerminal, Write, stderr, stdout};

/// Writes a line to standard output. A reader that is gone is no failure of ours.
pub fn say(line: impl AsRef<str>) {
    let _ = writeln!(stdout(), "{}", line.as_ref());
}

/// Writes bytes to standard output as they are.
pub fn say_bytes(bytes: &[u8]) {
    let _ = stdout().write_all(bytes).and_then(|()| stdout().flush());
}

/// Writes a line to standard error.
pub fn complain(line: impl AsRef<str>) {
    let _ = writeln!(stderr(), "{}", line.as_ref());
}

/// Whether a person is likely to read standard output.
#[must_use]
pub fn is_person() -> bool {
    stdout().is_terminal()
}

/// A table as text, with rules where a person reads it and tabs where a program does.
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
