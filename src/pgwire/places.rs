//! Places in a statement's text: lines and columns, as the parser counts them, and characters, as PostgreSQL's clients do.

use crate::query::error::Position;

/// The number of characters before a place in a text.
pub(super) fn chars_before(text: &str, at: Position) -> usize {
    let lines = usize::try_from(at.line).unwrap_or(1).saturating_sub(1);
    let before: usize = text.split_inclusive('\n').take(lines).map(|line| line.chars().count()).sum();
    before + usize::try_from(at.column).unwrap_or(1).saturating_sub(1)
}

/// The byte at which the character stands that so many are before.
pub(super) fn byte_of(text: &str, chars: usize) -> usize {
    text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_characters() {
        let text = "SELECT ä,\n  b";
        for (line, column, before, byte) in [(1, 1, 0, 0), (1, 9, 8, 9), (2, 3, 12, 13), (9, 9, 21, 14)] {
            let found = chars_before(text, Position { line, column });
            assert_eq!((found, byte_of(text, found)), (before, byte));
        }
    }
}
