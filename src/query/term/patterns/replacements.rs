//! Replacements in texts by regular expressions: REGEXP_REPLACE.
//!
//! Promises PostgreSQL's result: of the matches at the leftmost place it takes the longest one. The library takes the first alternative
//! instead, so that patterns in which both could differ are refused.

use regex::Regex;

use super::{PatternFault, expression};

/// A pattern with what stands in its place.
#[derive(Debug)]
pub struct Replacement {
    regex: Regex,
    pieces: Vec<Piece>,
    is_everywhere: bool,
}

#[derive(Debug)]
enum Piece {
    Literal(String),
    /// A group of the match; 0 is the whole match.
    Group(usize),
}

impl Replacement {
    /// Reads a pattern, its replacement and the flags: `g` replaces every match, and `i` takes capitals for small letters.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(pattern: &str, with: &str, flags: &str) -> Result<Self, PatternFault> {
        if !flags.bytes().all(|flag| b"gi".contains(&flag)) {
            return Err(PatternFault::Flags);
        }
        if is_ambiguous(pattern) {
            return Err(PatternFault::Alternatives);
        }
        let regex = expression(pattern, flags.contains('i'))?;
        let is_everywhere = flags.contains('g');
        if is_everywhere && regex.is_match("") {
            return Err(PatternFault::Empty);
        }
        Ok(Self { regex, pieces: pieces(with), is_everywhere })
    }

    /// The text with its first match replaced, or with all of them.
    #[must_use]
    pub fn replaced(&self, text: &str) -> String {
        let (mut out, mut end) = (String::new(), 0);
        let count = if self.is_everywhere { usize::MAX } else { 1 };
        for found in self.regex.captures_iter(text).take(count) {
            let Some(whole) = found.get(0) else { continue };
            out.push_str(&text[end..whole.start()]);
            for piece in &self.pieces {
                match piece {
                    Piece::Literal(literal) => out.push_str(literal),
                    Piece::Group(group) => out.push_str(found.get(*group).map_or("", |group| group.as_str())),
                }
            }
            end = whole.end();
        }
        out.push_str(&text[end..]);
        out
    }
}

/// Reads a replacement: `\1` stands for a group, `\&` for the whole match, `\\` for a backslash.
fn pieces(with: &str) -> Vec<Piece> {
    let (mut pieces, mut literal, mut letters) = (Vec::new(), String::new(), with.chars().peekable());
    while let Some(letter) = letters.next() {
        let group = match (letter, letters.peek()) {
            ('\\', Some('&')) => Some(0),
            ('\\', Some(digit @ '1'..='9')) => digit.to_digit(10).and_then(|digit| usize::try_from(digit).ok()),
            ('\\', Some('\\')) => {
                letters.next();
                literal.push('\\');
                continue;
            }
            _ => None,
        };
        match group {
            Some(group) => {
                letters.next();
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                pieces.push(Piece::Group(group));
            }
            None => literal.push(letter),
        }
    }
    pieces.push(Piece::Literal(literal));
    pieces
}

/// Whether the first and the longest match could differ: the pattern has a quantifier that takes as little as it can, or alternatives that
/// are not all plain texts of which none begins with another.
fn is_ambiguous(pattern: &str) -> bool {
    let (mut is_inside, mut is_escaped, mut has_alternatives, mut before) = (false, false, false, ' ');
    for letter in pattern.chars() {
        if is_escaped {
            (is_escaped, before) = (false, 'x');
            continue;
        }
        match letter {
            '\\' => is_escaped = true,
            '[' => is_inside = true,
            ']' => is_inside = false,
            '|' if !is_inside => has_alternatives = true,
            '?' if !is_inside && matches!(before, '*' | '+' | '?' | '}') => return true,
            _ => {}
        }
        before = if is_inside { 'x' } else { letter };
    }
    if !has_alternatives {
        return false;
    }
    let parts: Vec<&str> = pattern.split('|').collect();
    let is_plain = |part: &&str| !part.is_empty() && !part.contains(|letter: char| "\\^$.[](){}*+?".contains(letter));
    let begins =
        |one: usize| parts.iter().enumerate().any(|(other, text)| other != one && parts[one].starts_with(text));
    !parts.iter().all(is_plain) || (0..parts.len()).any(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_replaced_as_postgresql_replaces_them() {
        for (text, pattern, with, flags, wanted) in [
            ("a1b2", "[^a-z]", "", "", "ab2"),
            ("a1b2", "[^a-z]", "", "g", "ab"),
            ("North", "n", "x", "i", "xorth"),
            ("type 2 diabetes", "^type ([0-9]) (.*)$", "\\2 \\1", "", "diabetes 2"),
            ("abc", "b", "<\\&\\\\>", "", "a<b\\>c"),
            ("a  b   c", " +", " ", "g", "a b c"),
            ("foobar", "foo|bar", "", "g", ""),
            ("abc", "x", "y", "", "abc"),
            ("abc", "$", "!", "", "abc!"),
        ] {
            let replacement = Replacement::parse(pattern, with, flags).unwrap_or_else(|fault| panic!("{fault}"));
            assert_eq!(replacement.replaced(text), wanted, "{pattern} in {text}");
        }
        for (pattern, flags) in [("a|ab", ""), ("(a|b)c", ""), ("a*?", ""), ("x*", "g"), ("a", "n"), ("[a", "")] {
            assert!(Replacement::parse(pattern, "", flags).is_err(), "{pattern}");
        }
    }
}
