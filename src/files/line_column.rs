//! Places in a text file, as editors show them.

/// A line and a column, both counted from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineColumn {
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1 in characters.
    pub column: usize,
}

impl LineColumn {
    /// The place of the byte at `offset` in `text`. Beyond the end it is the end; within a character it is that character.
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        let before = &text[..text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Self { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let text = "ä = 1\n\nβγ = 2";
        for (offset, line, column) in
            [(0, 1, 1), (1, 1, 1), (2, 1, 2), (6, 1, 6), (7, 2, 1), (8, 3, 1), (10, 3, 2), (12, 3, 3), (16, 3, 7)]
        {
            assert_eq!(LineColumn::of(text, offset), LineColumn { line, column }, "at byte {offset}");
        }
        assert_eq!(LineColumn::of(text, 1_000), LineColumn::of(text, text.len()));
        assert_eq!(LineColumn::of("", 0), LineColumn { line: 1, column: 1 });
    }
}
