//! Patterns of texts: LIKE, SIMILAR TO and regular expressions, matched against the labels of public lists.
//!
//! Promises that matching takes time linear in the label, that a pattern is bounded in size, and that one which PostgreSQL reads differently
//! is refused. The library's own messages do not leave this module.

pub mod replacements;

use borsh::{BorshDeserialize, BorshSerialize};
use regex::{Regex, RegexBuilder};

use super::letters::lower;

/// Largest size of a compiled regular expression, in bytes.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// How a text is compared with a pattern; a backslash stands before what is meant literally.
///
/// Stored answers hold the numbers of the variants: neither they nor their order change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum PatternKind {
    /// `LIKE`.
    Like = 0,
    /// `ILIKE`: LIKE without regard to capitals.
    CaselessLike = 1,
    /// `SIMILAR TO`, a regular expression of the whole text.
    Similar = 2,
    /// `~`, a regular expression that matches a part.
    Expression = 3,
    /// `~*`, such an expression without regard to capitals.
    CaselessExpression = 4,
}

impl PatternKind {
    /// The operator in SQL.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Like => "LIKE",
            Self::CaselessLike => "ILIKE",
            Self::Similar => "SIMILAR TO",
            Self::Expression => "~",
            Self::CaselessExpression => "~*",
        }
    }
}

/// A pattern with a backslash in the place of another escape character; `None` stands for no such character at all.
///
/// # Errors
/// What is wrong with the pattern.
pub fn with_backslash(text: &str, escape: Option<char>) -> Result<String, PatternFault> {
    let (mut letters, mut out) = (text.chars(), String::with_capacity(text.len()));
    while let Some(letter) = letters.next() {
        match letter {
            letter if Some(letter) == escape => out.extend(['\\', letters.next().ok_or(PatternFault::Unfinished)?]),
            '\\' => out.push_str("\\\\"),
            letter => out.push(letter),
        }
    }
    Ok(out)
}

/// The pattern that matches what begins with a text.
#[must_use]
pub fn starting(text: &str) -> String {
    let escaped =
        text.chars().flat_map(|letter| ['%', '_', '\\'].contains(&letter).then_some('\\').into_iter().chain([letter]));
    escaped.chain(['%']).collect()
}

/// Why a pattern is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternFault {
    /// Nothing stands behind the last escape character.
    #[error("it ends in its escape character")]
    Unfinished,
    /// It is no regular expression, or compiles to more than a megabyte.
    #[error("it is no regular expression that is known here, or a very large one")]
    Expression,
    /// It has options, or looks around.
    #[error("options and looking around in a regular expression are not known here")]
    Options,
    /// A letter behind a backslash has no meaning here.
    #[error("a backslash in it stands before a letter that is not known here")]
    Backslash,
    /// A bracket is not closed.
    #[error("a bracket in it is not closed")]
    Open,
    /// A bracket has collating elements.
    #[error("collating elements in brackets are not known here")]
    Collating,
    /// The flags of a replacement are not known.
    #[error("its flags are g and i alone")]
    Flags,
    /// Alternatives or short quantifiers of a replacement, in which PostgreSQL takes another match than is found here.
    #[error(
        "of alternatives it has plain texts alone, none of which begins with another, and of quantifiers those that take as much as they can"
    )]
    Alternatives,
    /// A replacement of every match of what matches the empty text.
    #[error("it matches the empty text, and every match is to be replaced")]
    Empty,
    /// A range in a bracket ends in a hyphen.
    #[error("a range in brackets ends in a hyphen")]
    Hyphen,
}

const ESCAPE: char = '\\';

/// A pattern that texts are compared with.
#[derive(Debug)]
pub enum Pattern {
    /// Parts of LIKE, and whether capitals matter.
    Like(Vec<PatternPart>, bool),
    /// A regular expression.
    Expression(Regex),
}

/// A part of a pattern of LIKE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternPart {
    /// This character.
    Literal(char),
    /// `_`, any one character.
    One,
    /// `%`, any characters.
    Any,
}

impl Pattern {
    /// Reads a pattern; the error says what cannot be read.
    ///
    /// # Errors
    /// What is wrong with the pattern.
    pub fn parse(kind: PatternKind, text: &str) -> Result<Self, PatternFault> {
        Ok(match kind {
            PatternKind::Like => Self::Like(parts(text)?, true),
            PatternKind::CaselessLike => {
                let small = |part: PatternPart| match part {
                    PatternPart::Literal(letter) => PatternPart::Literal(lower(letter)),
                    PatternPart::One | PatternPart::Any => part,
                };
                Self::Like(parts(text)?.into_iter().map(small).collect(), false)
            }
            PatternKind::Similar => Self::Expression(compiled(&similar(text)?, false)?),
            PatternKind::Expression => Self::Expression(compiled(&translated(text)?, false)?),
            PatternKind::CaselessExpression => Self::Expression(compiled(&translated(text)?, true)?),
        })
    }

    /// Whether a text matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Like(parts, true) => is_like(parts, &text.chars().collect::<Vec<_>>()),
            Self::Like(parts, false) => is_like(parts, &text.chars().map(lower).collect::<Vec<_>>()),
            Self::Expression(regex) => regex.is_match(text),
        }
    }
}

/// A regular expression that matches a part of a text.
///
/// # Errors
/// What is wrong with it.
pub(super) fn expression(text: &str, caseless: bool) -> Result<Regex, PatternFault> {
    compiled(&translated(text)?, caseless)
}

fn parts(text: &str) -> Result<Vec<PatternPart>, PatternFault> {
    let mut letters = text.chars();
    let mut parts = Vec::new();
    while let Some(letter) = letters.next() {
        parts.push(match letter {
            ESCAPE => PatternPart::Literal(letters.next().ok_or(PatternFault::Unfinished)?),
            '_' => PatternPart::One,
            '%' => PatternPart::Any,
            letter => PatternPart::Literal(letter),
        });
    }
    parts.dedup_by(|one, other| *one == PatternPart::Any && *other == PatternPart::Any);
    Ok(parts)
}

/// Matches from the left; only the last `%` is ever tried again, so that the time is at most parts × letters.
fn is_like(parts: &[PatternPart], text: &[char]) -> bool {
    let (mut part, mut at, mut again) = (0, 0, None);
    while at < text.len() {
        match parts.get(part) {
            Some(PatternPart::Any) => {
                again = Some((part + 1, at));
                part += 1;
            }
            Some(PatternPart::One) => (part, at) = (part + 1, at + 1),
            Some(PatternPart::Literal(letter)) if *letter == text[at] => (part, at) = (part + 1, at + 1),
            Some(PatternPart::Literal(_)) | None => match again {
                Some((behind, from)) => {
                    again = Some((behind, from + 1));
                    (part, at) = (behind, from + 1);
                }
                None => return false,
            },
        }
    }
    parts[part..].iter().all(|part| *part == PatternPart::Any)
}

fn compiled(text: &str, caseless: bool) -> Result<Regex, PatternFault> {
    RegexBuilder::new(text)
        .case_insensitive(caseless)
        .dot_matches_new_line(true)
        .size_limit(COMPILED_BYTES_MAX)
        .build()
        .map_err(|_| PatternFault::Expression)
}

/// A pattern of SIMILAR TO as a regular expression of the whole text.
fn similar(text: &str) -> Result<String, PatternFault> {
    let mut out = String::from("^(?:");
    let (mut letters, mut inside) = (text.chars().peekable(), false);
    while let Some(letter) = letters.next() {
        match letter {
            ESCAPE => {
                let literal = letters.next().ok_or(PatternFault::Unfinished)?;
                out.push_str(&regex::escape(&literal.to_string()));
            }
            '%' if !inside => out.push_str(".*"),
            '_' if !inside => out.push('.'),
            '|' | '*' | '+' | '?' | '(' | ')' | '{' | '}' if !inside => out.push(letter),
            '[' if !inside => {
                inside = true;
                out.push('[');
                if letters.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
            }
            ']' if inside => {
                inside = false;
                out.push(']');
            }
            '-' if inside => out.push('-'),
            letter => out.push_str(&regex::escape(&letter.to_string())),
        }
    }
    out.push_str(")$");
    Ok(out)
}

/// A regular expression of PostgreSQL as one of the library; refused where both would read it differently.
fn translated(text: &str) -> Result<String, PatternFault> {
    let (caseless, text) = text.strip_prefix("(?i)").map_or((false, text), |rest| (true, rest));
    if text.starts_with("***") {
        return Err(PatternFault::Options);
    }
    let mut out = String::from(if caseless { "(?i)" } else { "" });
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => out.push_str(&escaped(letters.next(), false)?),
            '[' => bracket(&mut letters, &mut out)?,
            '(' if letters.peek() == Some(&'?') => {
                letters.next();
                letters.next_if_eq(&':').ok_or(PatternFault::Options)?;
                out.push_str("(?:");
            }
            letter => out.push(letter),
        }
    }
    Ok(out)
}

fn escaped(letter: Option<char>, inside: bool) -> Result<String, PatternFault> {
    Ok(match letter {
        Some(class @ ('d' | 'w' | 's' | 'D' | 'W' | 'S' | 'n' | 't' | 'r' | 'f' | 'v')) => format!("\\{class}"),
        Some('y') if !inside => "\\b".to_owned(),
        Some('Y') if !inside => "\\B".to_owned(),
        Some('m') if !inside => "\\b{start}".to_owned(),
        Some('M') if !inside => "\\b{end}".to_owned(),
        Some('A') if !inside => "\\A".to_owned(),
        Some('Z') if !inside => "\\z".to_owned(),
        Some(letter) if !letter.is_ascii_alphanumeric() => regex::escape(&letter.to_string()),
        Some(_) | None => return Err(PatternFault::Backslash),
    })
}

/// What stands in brackets, up to the one that ends it. The library knows sets of sets, which PostgreSQL does not.
fn bracket(letters: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) -> Result<(), PatternFault> {
    out.push('[');
    if letters.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut is_first = true;
    loop {
        match letters.next().ok_or(PatternFault::Open)? {
            ']' if !is_first => break,
            '\\' => out.push_str(&escaped(letters.next(), true)?),
            '[' if letters.peek() == Some(&':') => {
                let mut class = String::from("[");
                while !class.ends_with(":]") || class.len() < 4 {
                    class.push(letters.next().ok_or(PatternFault::Open)?);
                }
                out.push_str(&class);
            }
            '[' if matches!(letters.peek(), Some('.' | '=')) => {
                return Err(PatternFault::Collating);
            }
            '-' if letters.peek() == Some(&'-') => return Err(PatternFault::Hyphen),
            '-' => out.push('-'),
            letter if letter.is_alphanumeric() => out.push(letter),
            letter => out.push_str(&format!("\\x{{{:X}}}", u32::from(letter))),
        }
        is_first = false;
    }
    out.push(']');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: PatternKind, pattern: &str, is: &[&str], is_not: &[&str]) {
        let read = Pattern::parse(kind, pattern).unwrap_or_else(|fault| panic!("{pattern}: {fault}"));
        for text in is {
            assert!(read.matches(text), "{text} is like {pattern}");
        }
        for text in is_not {
            assert!(!read.matches(text), "{text} is not like {pattern}");
        }
    }

    #[test]
    fn patterns_match_what_postgresql_matches() {
        let like = PatternKind::Like;
        check(like, "n%", &["north", "n"], &["North", "an", ""]);
        check(like, "%th", &["north", "south", "th"], &["th "]);
        check(like, "%o%t%", &["north", "ot"], &["to"]);
        check(like, "_or__", &["north"], &["nort", "norths"]);
        check(like, "a\\%b", &["a%b"], &["axb"]);
        check(like, "", &[""], &["a"]);
        check(like, "%a%b%c", &["xaxbxbc", "abc"], &["acb"]);
        check(like, &with_backslash("a\\_", None).expect("a pattern"), &["a\\b"], &["a_"]);
        check(like, &with_backslash("a!%%", Some('!')).expect("a pattern"), &["a%", "a%b"], &["ab"]);
        check(PatternKind::CaselessLike, "Ü%", &["über", "ÜBER"], &["uber"]);
        check(like, &starting("E_1"), &["E_11.9"], &["EX1", "XE_1"]);
        let similar = PatternKind::Similar;
        check(similar, "(north|south)%", &["north", "southern"], &["a north"]);
        check(similar, "E1[0-4]", &["E10", "E14"], &["E15", "E100"]);
        check(similar, "a.b", &["a.b"], &["axb"]);
        check(similar, "a|b", &["a", "b"], &["ab"]);
        let expression = PatternKind::Expression;
        check(expression, "^E1[0-4]", &["E10", "E14.5"], &["xE10", "E15"]);
        check(expression, "or", &["north"], &["NORTH"]);
        check(expression, "^[[:alpha:]]+$", &["north"], &["n1"]);
        check(expression, "[]a]", &["]", "a"], &["b"]);
        check(expression, "[a&&b]", &["&"], &["c"]);
        check(expression, "^(?:a|b)$", &["a"], &["ab"]);
        check(expression, "\\yor\\y", &["this or that"], &["north"]);
        check(expression, "\\mor", &["or", "x orb"], &["nor"]);
        check(expression, "(?i)^N", &["north", "North"], &["south"]);
        check(PatternKind::CaselessExpression, "^n", &["north", "North"], &["south"]);
        check(expression, "^\\d{2}$", &["42"], &["4", "421"]);
        check(expression, "a.b", &["a\nb"], &["ab"]);
    }

    #[test]
    fn what_would_be_read_differently_is_refused() {
        for pattern in
            ["(?=a)", "(?s)a", "***=a", "\\b", "\\1", "[a", "a\\", "(", "[[.a.]]", "a{1000}{1000}", "(?<x>a)"]
        {
            assert!(Pattern::parse(PatternKind::Expression, pattern).is_err(), "{pattern}");
        }
        assert!(Pattern::parse(PatternKind::Like, "a\\").is_err());
        assert!(Pattern::parse(PatternKind::Similar, "(").is_err());
        assert!(with_backslash("a!", Some('!')).is_err());
    }
}
