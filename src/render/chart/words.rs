//! The texts of charts: formats numbers, and shortens texts to fit.
//!
//! Promises that the results of `short` and `wrapped` are no wider than stated, by an estimate that is generous because the reader's font
//! is unknown, and that they may appear in XML. It does not escape them.

use crate::render::reading::{self, grouped};

/// The largest number of characters of a label that is shown.
const LABEL_CHARS_MAX: usize = 28;
const LABEL_WIDTH_MAX: f64 = 270.0;
const TITLE_CHARS_MAX: usize = 500;
/// From this number on, whole numbers are no longer exact.
pub(super) const WHOLE_MAX: f64 = 9e15;

/// Formats a number for reading: with the digits that its interval leaves; without one, whole numbers in full, others with two decimals, or
/// four if they are below one.
pub(super) fn number(value: f64, half_width: Option<f64>) -> String {
    let size = value.abs();
    if size >= WHOLE_MAX || (size > 0.0 && size < 1e-3 && half_width.is_none()) {
        powers(value)
    } else if half_width.is_some_and(|width| width < WHOLE_MAX) {
        reading::number(value, half_width)
    } else if value.fract() == 0.0 {
        grouped(value, 0)
    } else {
        grouped(value, if size >= 1.0 { 2 } else { 4 })
    }
}

/// Formats a very large or very small number with a power of ten.
pub(super) fn powers(value: f64) -> String {
    if value == 0.0 { "0".to_owned() } else { format!("{value:.2e}").replace('-', "\u{2212}") }
}

/// An estimate of a text's width at 13 px, based on the widest of the usual system fonts.
pub(super) fn width(text: &str) -> f64 {
    let wide = |c: char| match c {
        'f' | 'i' | 'j' | 'l' | 't' | 'I' | ' ' | '.' | ',' | ':' | ';' | '\'' | '|' | '\u{202f}' => 5.2,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '\u{2026}' => 13.0,
        'A'..='Z' => 10.3,
        '\u{0}'..='\u{2ff}' => 8.4,
        '\u{300}'..='\u{2dff}' => 10.3,
        _ => 17.0,
    };
    text.chars().map(wide).sum()
}

/// Shortens a label with an ellipsis if it is too long.
pub(super) fn short(text: &str) -> String {
    let text = clean(text);
    if text.chars().count() <= LABEL_CHARS_MAX && width(&text) <= LABEL_WIDTH_MAX {
        return text;
    }
    let mut short = String::new();
    for c in text.chars().take(LABEL_CHARS_MAX - 1) {
        if width(&short) > LABEL_WIDTH_MAX - 30.0 {
            break;
        }
        short.push(c);
    }
    short.trim_end().to_owned() + "\u{2026}"
}

/// Breaks a text into lines, at spaces if possible.
pub(super) fn wrapped(text: &str, room: f64) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for c in clean(text).chars().take(TITLE_CHARS_MAX) {
        line.push(c);
        if width(&line) > room {
            let cut = line.rfind(' ').map_or(line.len() - c.len_utf8(), |space| space + 1);
            let rest = line.split_off(cut);
            lines.push(std::mem::replace(&mut line, rest));
        }
    }
    lines.push(line);
    lines
}

/// Replaces the characters that XML does not allow.
pub(super) fn clean(text: &str) -> String {
    text.replace(|c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'), " ")
}
