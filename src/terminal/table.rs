//! Tables as text: columns side by side where they fit, and one record below the other where they do not.
//!
//! Promises that no line is wider than the screen, that a number is never broken over lines, and that a column which is left out is
//! named. On a pipe nothing is wrapped or left out.

use super::screen::{Screen, Tone};
use super::width::{clean, head_lines, head_parts, text_width, wrapped};

/// The space between two columns.
const GAP: &str = "  ";
/// The narrowest that a column of texts becomes by wrapping before another column is left out, unless it says otherwise.
const WRAPPED_MIN: usize = 16;

/// A column of a table of text.
#[derive(Debug, Clone)]
pub struct TextColumn {
    head: String,
    is_number: bool,
    /// The narrowest that the column becomes by wrapping; `None` if its cells are never wrapped.
    wrapped: Option<usize>,
    tone: Tone,
    /// Columns with a rank are left out on narrow screens, those with the highest first.
    rank: Option<u8>,
}

impl TextColumn {
    /// A column of short texts, such as names, which are never broken over lines.
    #[must_use]
    pub fn word(head: &str) -> Self {
        Self { head: clean(head), is_number: false, wrapped: None, tone: Tone::Plain, rank: None }
    }

    /// A column of texts, which are broken over lines where the screen is narrow.
    #[must_use]
    pub fn text(head: &str) -> Self {
        Self { wrapped: Some(WRAPPED_MIN), ..Self::word(head) }
    }

    /// A column of numbers, which are aligned on the right.
    #[must_use]
    pub fn number(head: &str) -> Self {
        Self { is_number: true, ..Self::word(head) }
    }

    /// A column of texts that are not wrapped to less than this width while another column can be left out.
    #[must_use]
    pub fn wide(self, columns: usize) -> Self {
        Self { wrapped: Some(columns), ..self }
    }

    /// The column in a tone.
    #[must_use]
    pub fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }

    /// A column that may be left out on a narrow screen; the highest `rank` goes first.
    #[must_use]
    pub fn optional(self, rank: u8) -> Self {
        Self { rank: Some(rank), ..self }
    }
}

/// A table of text for people to read.
#[derive(Debug, Clone)]
pub struct TextTable {
    columns: Vec<TextColumn>,
    rows: Vec<Vec<String>>,
}

impl TextTable {
    /// A table with these columns and rows. A row has one cell for each column.
    #[must_use]
    pub fn new(columns: Vec<TextColumn>, rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        let rows: Vec<Vec<String>> = rows.into_iter().map(|row| row.iter().map(|cell| clean(cell)).collect()).collect();
        debug_assert!(rows.iter().all(|row| row.len() == columns.len()), "one cell for each column");
        Self { columns, rows }
    }

    /// The number of screen columns that the table takes if nothing is wrapped or left out.
    #[must_use]
    pub fn width(&self) -> usize {
        let widths = (0..self.columns.len()).map(|at| self.natural(at));
        widths.sum::<usize>() + GAP.len() * self.columns.len().saturating_sub(1)
    }

    /// Whether all columns fit a screen side by side, with wrapped headings and texts if need be.
    #[must_use]
    pub fn fits(&self, screen: &Screen) -> bool {
        let all: Vec<usize> = (0..self.columns.len()).collect();
        screen.columns().is_none_or(|room| self.widths(&all, room).is_some())
    }

    /// The table as it fits a screen.
    #[must_use]
    pub fn shown(&self, screen: &Screen) -> String {
        let mut kept: Vec<usize> = (0..self.columns.len()).collect();
        let Some(room) = screen.columns() else {
            let widths: Vec<usize> = kept.iter().map(|at| self.natural(*at)).collect();
            return self.side_by_side(&kept, &widths, screen);
        };
        // What is empty in every row says nothing.
        kept.retain(|at| self.rows.is_empty() || self.widest_cell(*at) > 0);
        let mut left_out = Vec::new();
        loop {
            if let Some(widths) = self.widths(&kept, room) {
                let mut text = self.side_by_side(&kept, &widths, screen);
                text.push_str(&self.remark(&left_out, screen));
                return text;
            }
            let ranks = kept.iter().enumerate().filter_map(|(place, at)| Some((self.columns[*at].rank?, place)));
            match ranks.max() {
                Some((_, place)) => left_out.push(kept.remove(place)),
                None => return self.records(room, screen),
            }
        }
    }

    /// Which columns were left out, as a line of its own; empty if none were.
    fn remark(&self, left_out: &[usize], screen: &Screen) -> String {
        if left_out.is_empty() {
            return String::new();
        }
        let mut order = left_out.to_vec();
        order.sort_unstable();
        let names: Vec<&str> = order.iter().map(|at| self.columns[*at].head.as_str()).collect();
        let text = format!("(no room for: {}; a wider terminal or --json shows them)", names.join(", "));
        format!("\n{}", screen.paint(Tone::Faint, &screen.wrapped(&text)))
    }

    fn natural(&self, at: usize) -> usize {
        self.widest_cell(at).max(text_width(&self.columns[at].head))
    }

    fn widest_cell(&self, at: usize) -> usize {
        self.rows.iter().map(|row| text_width(&row[at])).max().unwrap_or(0)
    }

    /// The least width of a column: headings always wrap, cells only where they are texts.
    fn least(&self, at: usize) -> usize {
        let column = &self.columns[at];
        let word = head_parts(&column.head).map(|part| text_width(part.trim_end())).max().unwrap_or(0);
        let cell = self.widest_cell(at);
        word.max(column.wrapped.map_or(cell, |least| cell.min(least)))
    }

    /// The widths of columns that fit together; `None` if they do not.
    fn widths(&self, kept: &[usize], room: usize) -> Option<Vec<usize>> {
        let mut widths: Vec<usize> = kept.iter().map(|at| self.natural(*at)).collect();
        let least: Vec<usize> = kept.iter().map(|at| self.least(*at)).collect();
        let room = room.checked_sub(GAP.len() * kept.len().saturating_sub(1))?;
        while widths.iter().sum::<usize>() > room {
            let slack = |at: &usize| widths[*at].saturating_sub(least[*at]);
            let widest = (0..widths.len()).max_by_key(slack).filter(|at| slack(at) > 0)?;
            widths[widest] -= 1;
        }
        Some(widths)
    }

    fn side_by_side(&self, kept: &[usize], widths: &[usize], screen: &Screen) -> String {
        let heads = kept.iter().zip(widths).map(|(at, width)| head_lines(&self.columns[*at].head, *width)).collect();
        let mut lines = self.row(kept, widths, heads, |text, _| screen.paint(Tone::Strong, text));
        if screen.columns().is_some() {
            let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
            lines.push(screen.paint(Tone::Faint, &rule.join(GAP)));
        }
        for row in &self.rows {
            let cells = kept.iter().zip(widths).map(|(at, width)| wrapped(&row[*at], *width)).collect();
            lines.extend(self.row(kept, widths, cells, |text, column| screen.paint(column.tone, text)));
        }
        lines.join("\n")
    }

    /// The lines of one row whose cells are broken over lines.
    fn row(
        &self,
        kept: &[usize],
        widths: &[usize],
        broken: Vec<Vec<String>>,
        painted: impl Fn(&str, &TextColumn) -> String,
    ) -> Vec<String> {
        let height = broken.iter().map(Vec::len).max().unwrap_or(1);
        let line = |height: usize| {
            let mut line = String::new();
            let mut owed = 0;
            for ((at, width), parts) in kept.iter().zip(widths).zip(&broken) {
                let column = &self.columns[*at];
                let part = parts.get(height).map_or("", String::as_str);
                let space = width.saturating_sub(text_width(part));
                let (before, after) = if column.is_number { (space, 0) } else { (0, space) };
                // Spaces are written before a text alone, so that no line ends in them.
                if !part.is_empty() {
                    line.push_str(&" ".repeat(owed + before));
                    line.push_str(&painted(part, column));
                    owed = 0;
                } else {
                    owed += before;
                }
                owed += after + GAP.len();
            }
            line
        };
        (0..height).map(line).collect()
    }

    /// One record below the other, each value beside its heading.
    fn records(&self, room: usize, screen: &Screen) -> String {
        let widest = self.columns.iter().map(|column| text_width(&column.head)).max().unwrap_or(0);
        let name_width = widest.min(room / 2);
        let value_width = room.saturating_sub(name_width + GAP.len()).max(1);
        let mut lines = Vec::new();
        for (number, row) in self.rows.iter().enumerate() {
            let title = format!("── {} ", number + 1);
            let rule = "─".repeat(room.min(40).saturating_sub(text_width(&title)));
            lines.push(screen.paint(Tone::Faint, &format!("{title}{rule}")));
            for (column, cell) in self.columns.iter().zip(row) {
                let (heads, values) = (wrapped(&column.head, name_width), wrapped(cell, value_width));
                for at in 0..heads.len().max(values.len()) {
                    let head = heads.get(at).map_or("", String::as_str);
                    let value = screen.paint(column.tone, values.get(at).map_or("", String::as_str));
                    let space = " ".repeat(name_width - text_width(head).min(name_width));
                    lines
                        .push(format!("{}{space}{GAP}{value}", screen.paint(Tone::Strong, head)).trim_end().to_owned());
                }
            }
        }
        lines.join("\n")
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
