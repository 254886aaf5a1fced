//! Faults in a query: a code, a position, what was read and what would be accepted.

use std::fmt;

use serde::Serialize;

/// A position in the caller's SQL, with columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Position {
    /// Line, counted from 1.
    pub line: u64,
    /// Column in characters, counted from 1.
    pub column: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}, column {}", self.line, self.column)
    }
}

/// Kind of a fault, with the codes of the API's contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The text is not SQL, or is outside our subset of it.
    UnsupportedSql,
    /// The dataset does not exist or is not visible to this person.
    UnknownDataset,
    /// The query asks for rows instead of aggregates.
    NotAnAggregate,
    /// The column does not exist.
    UnknownColumn,
    /// A literal is outside the column's domain, so no value can equal it.
    OutOfDomain,
    /// The answer would have more cells than one answer may hold.
    TooManyGroups,
    /// The accuracy does not fit the query.
    InvalidRequest,
}

/// A refused query. Its message contains only the caller's own words and the public terms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// Kind of the fault.
    pub code: Code,
    /// What is wrong, including its position.
    pub message: String,
    /// Position of the fault; `None` if it is about the whole query.
    pub position: Option<Position>,
    /// The nearest accepted form that means what was asked, if there is one: `write …`, `did you mean …?`, `leave … out`, or how several
    /// questions tell it, `ask …`. A hint that proposes nothing says what is known, like the names of a table's columns. No hint leads to
    /// another question.
    pub hint: Option<String>,
}

impl QueryError {
    /// Creates a fault at a position, which becomes part of the message.
    #[must_use]
    pub fn at(code: Code, position: Position, message: impl fmt::Display) -> Self {
        let message = match position.line {
            0 => message.to_string(),
            _ => format!("{message} at {position}"),
        };
        let position = (position.line > 0).then_some(position);
        Self { code, message, position, hint: None }
    }

    /// Creates a fault of the query as a whole, without a position.
    #[must_use]
    pub fn whole(code: Code, message: impl fmt::Display) -> Self {
        Self::at(code, Position { line: 0, column: 0 }, message)
    }

    /// Adds a hint to the fault.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The candidate nearest to `word` within the allowed edit distance; `None` if there is none.
///
/// The number of letters that one word has and the other lacks is a lower bound of their distance and cheap to count. So only the most
/// promising candidates are compared letter by letter, and only as many as take a few milliseconds.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const COMPARED_MAX: usize = 50_000;
    let (chars, letters) = (word.chars().count(), Letters::of(word));
    let allowed = |candidate: &str| 1 + candidate.len() / 4;
    let promising = |candidate: &'a str| {
        // A word of very different length is not near.
        let is_alike = candidate.len() / 4 <= chars + 1 && chars <= candidate.len() + allowed(candidate);
        let least = is_alike.then(|| letters.apart(candidate))?;
        (least <= allowed(candidate)).then_some((least, candidate))
    };
    let mut promising: Vec<(usize, &str)> = candidates.filter_map(promising).collect();
    promising.sort_unstable();
    let mut best: Option<(usize, &str)> = None;
    let mut compared = 0;
    for (least, candidate) in promising {
        if best.is_some_and(|(distance, _)| distance < least) || compared > COMPARED_MAX {
            break;
        }
        let (one, other) = apart(word, candidate);
        compared += 16 + one.len() * other.len();
        let distance = strsim::damerau_levenshtein(one, other);
        if distance <= allowed(candidate) && best.is_none_or(|best| (distance, candidate) < best) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Removes the common prefix and suffix of two words.
fn apart<'a>(one: &'a str, other: &'a str) -> (&'a str, &'a str) {
    let same = |(a, b): &(char, char)| a == b;
    let begin: usize = one.chars().zip(other.chars()).take_while(same).map(|(a, _)| a.len_utf8()).sum();
    let (one, other) = (&one[begin..], &other[begin..]);
    let end: usize = one.chars().rev().zip(other.chars().rev()).take_while(same).map(|(a, _)| a.len_utf8()).sum();
    (&one[..one.len() - end], &other[..other.len() - end])
}

/// Histogram of a word's letters; some letters share a count.
struct Letters([i16; Self::KINDS]);

impl Letters {
    const KINDS: usize = 64;

    fn of(word: &str) -> Self {
        let mut counts = [0; Self::KINDS];
        word.chars().for_each(|letter| counts[Self::kind(letter)] += 1);
        Self(counts)
    }

    fn kind(letter: char) -> usize {
        letter as usize % Self::KINDS
    }

    /// Lower bound of the edit distance to `word`: the letters that one word has and the other lacks, counted in the word with more of
    /// them. One edit changes, adds or drops at most one letter of each word.
    fn apart(&self, word: &str) -> usize {
        let mut counts = self.0;
        word.chars().for_each(|letter| counts[Self::kind(letter)] -= 1);
        let over = |sign: i16| counts.iter().map(|count| usize::try_from(count * sign).unwrap_or(0)).sum::<usize>();
        over(1).max(over(-1))
    }
}

/// The caller's words for a message, cut to a readable length.
#[must_use]
pub fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 64;
    let mut short: String = text.chars().take(CHARS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_among_many() {
        let codes: Vec<String> = (0..10_000).map(|at| format!("code {at:05} of a long list")).collect();
        let of = |word: &str| nearest(word, codes.iter().map(String::as_str));
        assert_eq!(of("code 09876 of a lnog list"), Some("code 09876 of a long list"));
        assert_eq!(of("cod 00007 of long list"), Some("code 00007 of a long list"));
        assert_eq!(of("something else altogether"), None);
        assert_eq!(of(&"code ".repeat(3_000)), None);
    }

    #[test]
    fn what_is_near_is_what_few_steps_reach() {
        let words = ["north", "south", "nor", "über", ""];
        for (word, near) in [
            ("nroth", Some("north")),
            ("noth", Some("north")),
            ("sooth", Some("south")),
            ("no", Some("nor")),
            ("ubre", Some("über")),
            ("x", Some("")),
            ("west", None),
            ("northsouth", None),
        ] {
            assert_eq!(nearest(word, words.into_iter()), near, "{word}");
            let all = words.into_iter().map(|one| (strsim::damerau_levenshtein(word, one), one));
            assert_eq!(
                near,
                all.filter(|(steps, one)| *steps <= 1 + one.len() / 4).min().map(|(_, one)| one),
                "{word}"
            );
        }
    }
}
