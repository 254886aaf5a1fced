//! What standard output can show: how wide it is, whether colours are wanted, and whether a person reads it.
//!
//! Promises that output for programs is never coloured unless `CLICOLOR_FORCE` asks for it, and that `NO_COLOR` always wins.

use std::env;
use std::io::{IsTerminal, stderr, stdout};
use std::os::fd::AsFd;

use super::width;

/// The width that is assumed for a terminal that does not tell its own.
const WIDTH_DEFAULT: usize = 80;
/// The smallest width that text is laid out for.
const WIDTH_MIN: usize = 20;

/// The meaning of a piece of text, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text.
    Plain,
    /// A heading.
    Strong,
    /// Something beside the point: an interval, a remark.
    Faint,
    /// A picture: error bars.
    Picture,
    /// Something that needs attention.
    Warning,
}

impl Tone {
    /// The codes that switch the tone on; `None` for ordinary text.
    fn codes(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Strong => Some("1"),
            Self::Faint => Some("2"),
            Self::Picture => Some("36"),
            Self::Warning => Some("33"),
        }
    }
}

/// A place where text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    width: Option<usize>,
    has_colour: bool,
}

impl Screen {
    /// Standard output: a terminal of its present width, or a pipe or file.
    #[must_use]
    pub fn of_stdout() -> Self {
        let variable = |name: &str| env::var(name).ok();
        Self { width: is_person().then(|| columns_of(stdout())), has_colour: has_colour(variable, is_person()) }
    }

    /// Standard error, for messages.
    #[must_use]
    pub fn of_stderr() -> Self {
        let is_terminal = stderr().is_terminal();
        let colour = has_colour(|name| env::var(name).ok(), is_terminal);
        Self { width: is_terminal.then(|| columns_of(stderr())), has_colour: colour }
    }

    /// A pipe or a file, which programs read: as wide as it needs to be, and without colours.
    #[must_use]
    pub fn plain() -> Self {
        Self { width: None, has_colour: false }
    }

    /// A terminal with this number of columns, without colours.
    #[must_use]
    pub fn terminal(columns: usize) -> Self {
        Self { width: Some(columns.max(WIDTH_MIN)), has_colour: false }
    }

    /// The screen with colours.
    #[must_use]
    pub fn coloured(self) -> Self {
        Self { has_colour: true, ..self }
    }

    /// The number of columns; `None` for a pipe or file.
    #[must_use]
    pub fn columns(&self) -> Option<usize> {
        self.width
    }

    /// A text in a tone.
    #[must_use]
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        match tone.codes().filter(|_| self.has_colour && !text.trim().is_empty()) {
            Some(codes) => format!("\u{1b}[{codes}m{text}\u{1b}[0m"),
            None => text.to_owned(),
        }
    }

    /// A number that was formatted for reading. Programs get it without separators of thousands and with the minus sign of ASCII.
    #[must_use]
    pub fn number(&self, formatted: String) -> String {
        match self.width {
            Some(_) => formatted,
            None => formatted.replace('\u{202f}', "").replace('\u{2212}', "-"),
        }
    }

    /// A text broken into lines that fit, at spaces if possible.
    #[must_use]
    pub fn wrapped(&self, text: &str) -> String {
        match self.width {
            Some(columns) => {
                let lines: Vec<_> = text.lines().flat_map(|line| indented(line, columns)).collect();
                lines.join("\n")
            }
            None => text.to_owned(),
        }
    }
}

/// Returns whether standard output is a terminal, that is, whether a person is likely to read it.
#[must_use]
pub fn is_person() -> bool {
    stdout().is_terminal()
}

/// A line broken into lines that are indented as it is.
fn indented(line: &str, columns: usize) -> Vec<String> {
    let (indent, text) = line.split_at(line.len() - line.trim_start_matches(' ').len());
    let room = columns.saturating_sub(indent.len()).max(WIDTH_MIN / 2);
    width::wrapped(text, room).into_iter().map(|part| format!("{indent}{part}")).collect()
}

/// The number of columns of a terminal.
fn columns_of(terminal: impl AsFd) -> usize {
    let told = rustix::termios::tcgetwinsize(terminal).map_or(0, |size| usize::from(size.ws_col));
    if told == 0 { WIDTH_DEFAULT } else { told.max(WIDTH_MIN) }
}

/// Whether colours are wanted: not with `NO_COLOR`, always with `CLICOLOR_FORCE`, and otherwise on a terminal that is not dumb.
fn has_colour(variable: impl Fn(&str) -> Option<String>, is_terminal: bool) -> bool {
    let given = |name: &str| variable(name).filter(|value| !value.is_empty());
    if given("NO_COLOR").is_some() {
        return false;
    }
    if given("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    is_terminal && given("TERM").is_none_or(|terminal| terminal != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_shown_where_they_are_wanted() {
        let check = |variables: &[(&str, &str)], is_terminal: bool, expected: bool| {
            let variable = |name: &str| variables.iter().find(|(known, _)| *known == name);
            let found = |name: &str| variable(name).map(|(_, value)| (*value).to_owned());
            assert_eq!(has_colour(found, is_terminal), expected, "{variables:?}");
        };
        check(&[], true, true);
        check(&[], false, false);
        check(&[("TERM", "dumb")], true, false);
        check(&[("NO_COLOR", "1")], true, false);
        check(&[("NO_COLOR", "")], true, true);
        check(&[("CLICOLOR_FORCE", "1")], false, true);
        check(&[("CLICOLOR_FORCE", "0")], false, false);
        check(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], true, false);
    }

    #[test]
    fn a_broken_line_stays_indented() {
        let text = "refused: no\n  hint: ask with a smaller epsilon";
        assert_eq!(Screen::terminal(20).wrapped(text), "refused: no\n  hint: ask with a\n  smaller epsilon");
        assert_eq!(Screen::plain().wrapped(text), text);
    }

    #[test]
    fn programs_get_numbers_that_they_can_read() {
        let number = || "\u{2212}20\u{202f}688".to_owned();
        assert_eq!(Screen::plain().number(number()), "-20688");
        assert_eq!(Screen::terminal(80).number(number()), number());
        assert_eq!(Screen::terminal(80).paint(Tone::Faint, "a"), "a");
        assert_eq!(Screen::terminal(80).coloured().paint(Tone::Faint, "a"), "\u{1b}[2ma\u{1b}[0m");
    }
}
