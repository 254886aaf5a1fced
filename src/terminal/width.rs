//! How wide texts are on a terminal, and breaking them into lines.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The number of screen columns that a text takes.
#[must_use]
pub fn text_width(text: &str) -> usize {
    text.width()
}

/// A text without control characters, so that no value can move the cursor or change colours.
#[must_use]
pub fn clean(text: &str) -> String {
    text.replace(|letter: char| letter.is_control(), " ")
}

/// Breaks a text into lines of at most this width, at spaces if possible. Spaces that align parts of a line stay where nothing is broken.
#[must_use]
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    if text_width(text) <= width {
        return vec![text.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in words(text) {
        // Unwrap safety: there is a line from the start, and lines are only added.
        let line = lines.last_mut().expect("a line");
        if line.is_empty() {
            line.push_str(&word);
        } else if text_width(line) + 1 + text_width(&word) <= width {
            line.push(' ');
            line.push_str(&word);
        } else {
            lines.push(word);
        }
    }
    lines.into_iter().flat_map(|line| cut(&line, width)).collect()
}

/// The words of a text; a number stays with its sign and its unit.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match words.last_mut() {
            Some(before) if word.starts_with('%') || matches!(before.as_str(), "ε" | "±" | "(ε" | "(±") => {
                before.push(' ');
                before.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

/// Breaks a heading into lines of at most this width, also after an underscore within a name.
#[must_use]
pub(super) fn head_lines(head: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for part in head_parts(head) {
        let is_room = |line: &String| text_width(line) + text_width(part.trim_end()) <= width;
        match lines.last_mut() {
            Some(line) if line.is_empty() || is_room(line) => line.push_str(part),
            _ => lines.push(part.to_owned()),
        }
    }
    lines.into_iter().flat_map(|line| cut(line.trim_end(), width)).collect()
}

/// The pieces of a heading that are never broken.
pub(super) fn head_parts(head: &str) -> impl Iterator<Item = &str> {
    head.split_inclusive([' ', '_'])
}

/// Cuts a line without spaces that is too long.
fn cut(line: &str, width: usize) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut taken = 0;
    for letter in line.chars() {
        let wide = letter.width().unwrap_or(0);
        if taken + wide > width.max(1) && taken > 0 {
            parts.push(String::new());
            taken = 0;
        }
        taken += wide;
        if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts
}
