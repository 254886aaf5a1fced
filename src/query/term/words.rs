//! Functions of texts: what they compute from the values of a row's categories.
//!
//! Promises that each is total and the same everywhere: it maps single characters, as PostgreSQL does without a language, and has no other
//! input than its operands. A text is found by its label, so a function of categories is a finite map of public lists.

use borsh::{BorshDeserialize, BorshSerialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::letters::{lower, upper};
use super::patterns::replacements::Replacement;

/// Largest number of characters that a text is filled to, and of times that it is repeated.
pub(super) const SIZE_MAX: i64 = 1_000;

/// A function of texts and whole numbers, by its name in SQL.
///
/// Stored answers hold the numbers of the variants: neither they nor their order change.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    BorshSerialize,
    BorshDeserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[strum(serialize_all = "snake_case")]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum WordFunction {
    /// `LOWER(a)`, each letter as a small one.
    Lower = 0,
    /// `UPPER(a)`, each letter as a capital one.
    Upper = 1,
    /// `INITCAP(a)`, a capital letter at the start of each word and small ones behind it.
    Initcap = 2,
    /// `LEFT(a, n)`, the first n characters; without the last −n of them if n is negative.
    Left = 3,
    /// `RIGHT(a, n)`, the last n characters; without the first −n of them if n is negative.
    Right = 4,
    /// `SUBSTRING(a, from[, count])`, the characters from a place that is counted from 1.
    Substring = 5,
    /// `BTRIM(a[, characters])`, without these characters at both ends; blanks if none are given.
    Btrim = 6,
    /// `LTRIM(a[, characters])`, without these characters at the start.
    Ltrim = 7,
    /// `RTRIM(a[, characters])`, without these characters at the end.
    Rtrim = 8,
    /// `CONCAT(a, …)`, the texts one after the other; missing ones count as empty.
    Concat = 9,
    /// `a || b`, the texts one after the other; missing if one of them is.
    Joined = 10,
    /// `REPLACE(a, b, c)`, with c in the place of each b.
    Replace = 11,
    /// `LENGTH(a)`, the number of characters.
    Length = 12,
    /// `STRPOS(a, b)`, the place of the first b in a, counted from 1; 0 if there is none.
    Strpos = 13,
    /// `SPLIT_PART(a, b, n)`, the n-th part between the bs; from the end if n is negative.
    SplitPart = 14,
    /// `REVERSE(a)`, the characters from the last to the first.
    Reverse = 15,
    /// `CONCAT_WS(b, a, …)`, the texts that are not missing, with b between them.
    ConcatWs = 16,
    /// `TRANSLATE(a, from, to)`, each character of `from` as the one at its place in `to`, or left out if there is none.
    Translate = 17,
    /// `REGEXP_REPLACE(a, pattern, with[, flags])`, with the first match replaced, or all of them.
    RegexpReplace = 18,
    /// `LPAD(a, n[, fill])`, filled at the start, or cut at the end, to n characters.
    Lpad = 19,
    /// `RPAD(a, n[, fill])`, filled or cut at the end to n characters.
    Rpad = 20,
    /// `REPEAT(a, n)`, the text n times.
    Repeat = 21,
}

/// A value that such a function takes or gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A missing value, for functions that skip it.
    Missing,
}

/// Kind of an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperandKind {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// A text, or a value that is written as one.
    Any,
}

impl WordFunction {
    /// Name of the function in SQL, in lower case; `||` is an operator and has none.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// The least and the greatest number of operands.
    #[must_use]
    pub fn operands(self) -> (usize, usize) {
        match self {
            Self::Lower | Self::Upper | Self::Initcap | Self::Length | Self::Reverse => (1, 1),
            Self::Left | Self::Right | Self::Strpos | Self::Repeat => (2, 2),
            Self::Substring | Self::Lpad | Self::Rpad => (2, 3),
            Self::Btrim | Self::Ltrim | Self::Rtrim => (1, 2),
            Self::Replace | Self::SplitPart | Self::Translate => (3, 3),
            Self::RegexpReplace => (3, 4),
            Self::Concat => (1, usize::MAX),
            Self::Joined | Self::ConcatWs => (2, usize::MAX),
        }
    }

    /// Kind of the operand at a place.
    #[must_use]
    pub fn kind(self, place: usize) -> OperandKind {
        match (self, place) {
            (Self::Concat | Self::Joined, _) | (Self::ConcatWs, 1..) => OperandKind::Any,
            (Self::Left | Self::Right | Self::Lpad | Self::Rpad | Self::Repeat, 1)
            | (Self::Substring, 1..)
            | (Self::SplitPart, 2) => OperandKind::Number,
            (
                Self::Lower
                | Self::Upper
                | Self::Initcap
                | Self::Left
                | Self::Right
                | Self::Substring
                | Self::Btrim
                | Self::Ltrim
                | Self::Rtrim
                | Self::Replace
                | Self::Length
                | Self::Strpos
                | Self::SplitPart
                | Self::Reverse
                | Self::ConcatWs
                | Self::Translate
                | Self::RegexpReplace
                | Self::Lpad
                | Self::Rpad
                | Self::Repeat,
                _,
            ) => OperandKind::Text,
        }
    }

    /// How a truth value is written: CONCAT and CONCAT_WS take its letter, and a cast its word.
    #[must_use]
    pub fn truth(self, is_true: bool) -> &'static str {
        match (matches!(self, Self::Concat | Self::ConcatWs), is_true) {
            (true, true) => "t",
            (true, false) => "f",
            (false, true) => "true",
            (false, false) => "false",
        }
    }

    /// Whether a missing operand counts as an empty text, and does not make the result missing.
    #[must_use]
    pub fn skips_missing(self) -> bool {
        matches!(self, Self::Concat | Self::ConcatWs)
    }

    /// The function's value. Operands that do not fit count as empty texts or 0, which typing excludes.
    #[must_use]
    pub fn of(self, operands: &[&Word]) -> Word {
        let text = |place: usize| match operands.get(place) {
            Some(Word::Text(text)) => text.as_str(),
            Some(Word::Number(_) | Word::Missing) | None => "",
        };
        let number = |place: usize| match operands.get(place) {
            Some(Word::Number(number)) => Some(*number),
            Some(Word::Text(_) | Word::Missing) | None => None,
        };
        let trimmed = |start: bool, end: bool| trim(text(0), operands.get(1).map(|_| text(1)), start, end);
        Word::Text(match self {
            Self::Lower => text(0).chars().map(lower).collect(),
            Self::Upper => text(0).chars().map(upper).collect(),
            Self::Initcap => initcap(text(0)),
            Self::Left => left(text(0), number(1).unwrap_or(0)),
            Self::Right => right(text(0), number(1).unwrap_or(0)),
            Self::Substring => substring(text(0), number(1).unwrap_or(0), number(2)),
            Self::Btrim => trimmed(true, true),
            Self::Ltrim => trimmed(true, false),
            Self::Rtrim => trimmed(false, true),
            Self::Concat | Self::Joined => operands.iter().map(|one| one.to_text()).collect(),
            // PostgreSQL replaces nothing if there is nothing to look for.
            Self::Replace if text(1).is_empty() => text(0).to_owned(),
            Self::Replace => text(0).replace(text(1), text(2)),
            Self::SplitPart => split_part(text(0), text(1), number(2).unwrap_or(0)).to_owned(),
            Self::Reverse => text(0).chars().rev().collect(),
            Self::ConcatWs => {
                let there = operands.iter().skip(1).filter(|one| ***one != Word::Missing);
                there.map(|one| one.to_text()).collect::<Vec<_>>().join(text(0))
            }
            Self::Translate => translate(text(0), text(1), text(2)),
            // A pattern that is not taken was refused before.
            Self::RegexpReplace => Replacement::parse(text(1), text(2), text(3))
                .map_or_else(|_| text(0).to_owned(), |replacement| replacement.replaced(text(0))),
            Self::Lpad | Self::Rpad => {
                padded(text(0), number(1).unwrap_or(0), operands.get(2).map_or(" ", |_| text(2)), self == Self::Lpad)
            }
            Self::Repeat => text(0).repeat(usize::try_from(number(1).unwrap_or(0).clamp(0, SIZE_MAX)).unwrap_or(0)),
            Self::Length => return Word::Number(text(0).chars().count() as i64),
            Self::Strpos => {
                let found = text(0).find(text(1)).map(|at| text(0)[..at].chars().count() as i64 + 1);
                return Word::Number(found.unwrap_or(0));
            }
        })
    }
}

impl Word {
    /// The value as a text.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Missing => String::new(),
        }
    }
}

fn initcap(text: &str) -> String {
    let mut is_inside = false;
    let mut one = |letter: char| {
        let written = if is_inside { lower(letter) } else { upper(letter) };
        is_inside = letter.is_alphanumeric();
        written
    };
    text.chars().map(&mut one).collect()
}

/// The number of characters of a text that `n` stands for: n of them, or all but −n.
fn counted(text: &str, n: i64) -> usize {
    let all = text.chars().count();
    let size = usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX);
    if n < 0 { all.saturating_sub(size) } else { size.min(all) }
}

fn left(text: &str, n: i64) -> String {
    text.chars().take(counted(text, n)).collect()
}

fn right(text: &str, n: i64) -> String {
    text.chars().skip(text.chars().count() - counted(text, n)).collect()
}

/// The characters at the places from `from` to `from + count − 1`; places before the first are empty.
fn substring(text: &str, from: i64, count: Option<i64>) -> String {
    let end = count.map_or(i64::MAX, |count| from.saturating_add(count.max(0)));
    let place = |at: usize| i64::try_from(at).unwrap_or(i64::MAX).saturating_add(1);
    text.chars().enumerate().filter(|(at, _)| (from..end).contains(&place(*at))).map(|(_, letter)| letter).collect()
}

fn trim(text: &str, characters: Option<&str>, start: bool, end: bool) -> String {
    let gone = |letter: char| characters.unwrap_or(" ").contains(letter);
    let text = if start { text.trim_start_matches(gone) } else { text };
    let text = if end { text.trim_end_matches(gone) } else { text };
    text.to_owned()
}

/// Each character of `from` as the one at its place in `to`; those without one are left out.
fn translate(text: &str, from: &str, to: &str) -> String {
    let one = |letter: char| match from.chars().position(|known| known == letter) {
        Some(place) => to.chars().nth(place),
        None => Some(letter),
    };
    text.chars().filter_map(one).collect()
}

/// A text of exactly so many characters, unless there is nothing to fill it with.
fn padded(text: &str, size: i64, fill: &str, is_left: bool) -> String {
    let size = usize::try_from(size.clamp(0, SIZE_MAX)).unwrap_or(0);
    let kept: String = text.chars().take(size).collect();
    let filling: String = fill.chars().cycle().take(size.saturating_sub(kept.chars().count())).collect();
    if is_left { filling + &kept } else { kept + &filling }
}

fn split_part<'a>(text: &'a str, by: &str, n: i64) -> &'a str {
    if by.is_empty() {
        return if n == 1 || n == -1 { text } else { "" };
    }
    let place = usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX);
    let part = match (n.signum(), place.checked_sub(1)) {
        (1, Some(before)) => text.split(by).nth(before),
        (-1, Some(behind)) => text.split(by).count().checked_sub(behind + 1).and_then(|at| text.split(by).nth(at)),
        _ => None,
    };
    part.unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(function: WordFunction, operands: &[Word]) -> Word {
        function.of(&operands.iter().collect::<Vec<_>>())
    }

    fn text(text: &str) -> Word {
        Word::Text(text.to_owned())
    }

    #[test]
    fn texts_become_what_postgresql_makes_of_them() {
        use WordFunction::*;
        let n = Word::Number;
        for (function, operands, wanted) in [
            (Lower, vec![text("ÜBER Maß")], text("über maß")),
            (Upper, vec![text("über maß")], text("ÜBER MAß")),
            (Initcap, vec![text("hELLO wORLD-two 3x")], text("Hello World-Two 3x")),
            (Left, vec![text("abcde"), n(2)], text("ab")),
            (Left, vec![text("abcde"), n(-2)], text("abc")),
            (Left, vec![text("ab"), n(9)], text("ab")),
            (Right, vec![text("abcde"), n(2)], text("de")),
            (Right, vec![text("abcde"), n(-2)], text("cde")),
            (Right, vec![text("abcde"), n(-9)], text("")),
            (Substring, vec![text("abcde"), n(2)], text("bcde")),
            (Substring, vec![text("abcde"), n(2), n(3)], text("bcd")),
            (Substring, vec![text("abcde"), n(-1), n(4)], text("ab")),
            (Substring, vec![text("abcde"), n(0), n(1)], text("")),
            (Btrim, vec![text("  a b ")], text("a b")),
            (Btrim, vec![text("xyaxy"), text("yx")], text("a")),
            (Ltrim, vec![text("  a ")], text("a ")),
            (Rtrim, vec![text(" a  ")], text(" a")),
            (Joined, vec![text("a"), n(-7), text("b")], text("a-7b")),
            (Replace, vec![text("aXbX"), text("X"), text("--")], text("a--b--")),
            (Replace, vec![text("ab"), text(""), text("-")], text("ab")),
            (Length, vec![text("über")], n(4)),
            (Strpos, vec![text("über"), text("er")], n(3)),
            (Strpos, vec![text("über"), text("x")], n(0)),
            (Strpos, vec![text("über"), text("")], n(1)),
            (SplitPart, vec![text("a,b,c"), text(","), n(2)], text("b")),
            (SplitPart, vec![text("a,b,c"), text(","), n(-1)], text("c")),
            (SplitPart, vec![text("a,b,c"), text(","), n(4)], text("")),
            (SplitPart, vec![text("a,b,c"), text(""), n(1)], text("a,b,c")),
            (Reverse, vec![text("über")], text("rebü")),
            (ConcatWs, vec![text(", "), text("a"), Word::Missing, text(""), n(3)], text("a, , 3")),
            (Concat, vec![text("a"), Word::Missing, n(3)], text("a3")),
            (Translate, vec![text("12345"), text("143"), text("ax")], text("a2x5")),
            (RegexpReplace, vec![text("a1b2"), text("[0-9]"), text(""), text("g")], text("ab")),
            (Lpad, vec![text("7"), n(2), text("0")], text("07")),
            (Lpad, vec![text("hi"), n(5), text("xy")], text("xyxhi")),
            (Lpad, vec![text("hello"), n(2)], text("he")),
            (Rpad, vec![text("hi"), n(4)], text("hi  ")),
            (Rpad, vec![text("hi"), n(4), text("")], text("hi")),
            (Repeat, vec![text("ab"), n(2)], text("abab")),
            (Repeat, vec![text("ab"), n(-2)], text("")),
        ] {
            assert_eq!(of(function, &operands), wanted, "{function:?} of {operands:?}");
        }
    }

    #[test]
    fn no_operand_is_too_odd() {
        for function in WordFunction::VARIANTS {
            for n in [i64::MIN, -1, 0, 1, i64::MAX] {
                for one in ["", "a", "é,b"] {
                    let operands = [text(one), Word::Number(n), Word::Number(n), text(one)];
                    let _ = (of(*function, &operands), of(*function, &[]));
                    let _ = of(*function, &[text(one), text(","), Word::Number(n)]);
                }
            }
        }
    }
}
