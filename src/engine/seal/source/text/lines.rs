//! The records of a file whose text arrives in chunks, with the number of the line that each begins in.

use std::borrow::Cow;

use super::scan::{Field, Found, RECORD_BYTES_MAX, Scanner};
use super::unpack::Unpacking;
use crate::engine::seal::source::Read;
use crate::engine::seal::source::fault::TextFault;

/// A reader of records.
pub(super) struct Lines<'a> {
    scanner: &'a Scanner,
    /// Columns that may hold line ends within quotes, once the header is read: before, all may.
    may_hold_lines: Vec<bool>,
    /// Columns of the table; 0 until the header is read.
    width: usize,
    text: String,
    at: usize,
    /// The number of the line at `at`.
    line: u64,
    is_last: bool,
    is_ended: bool,
    fields: Vec<Field>,
    blank_lines: u64,
    multiline_values: u64,
}

/// A record whose text is still there.
pub(super) struct Record<'a> {
    text: &'a str,
    fields: &'a [Field],
    line: u64,
}

impl<'a> Lines<'a> {
    pub(super) fn new(scanner: &'a Scanner, may_hold_lines: Vec<bool>) -> Self {
        Self {
            scanner,
            may_hold_lines,
            width: 0,
            text: String::new(),
            at: 0,
            line: 1,
            is_last: false,
            is_ended: false,
            fields: Vec::new(),
            blank_lines: 0,
            multiline_values: 0,
        }
    }

    /// Says how many columns the records behind the header have; what the header holds is not counted.
    pub(super) fn header_read(&mut self, width: usize) {
        self.width = width;
        self.multiline_values = 0;
    }

    /// The next record; `None` where a chunk is wanted first, or behind the last. A fault comes with its line.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>, (TextFault, u64)> {
        loop {
            let (width, may) = (self.width, &self.may_hold_lines);
            let may_hold_lines = |column: usize| width == 0 || may.get(column).copied().unwrap_or(false);
            let bytes = self.text.as_bytes();
            let found =
                self.scanner.record(bytes, self.at, self.is_last, width == 1, &may_hold_lines, &mut self.fields);
            let found = found.map_err(|(fault, at)| (fault, self.line + line_ends(&bytes[self.at..at])))?;
            match found {
                Found::Blank(next) => {
                    self.line += 1;
                    self.blank_lines += 1;
                    self.at = next;
                }
                Found::End => {
                    self.is_ended = true;
                    return Ok(None);
                }
                Found::More => {
                    if self.text.len() - self.at > RECORD_BYTES_MAX {
                        return Err((TextFault::LongLine(RECORD_BYTES_MAX), self.line));
                    }
                    return Ok(None);
                }
                Found::Record(next) => {
                    if next - self.at > RECORD_BYTES_MAX {
                        return Err((TextFault::LongLine(RECORD_BYTES_MAX), self.line));
                    }
                    let (begin, line) = (self.at, self.line);
                    let several = self.fields.iter().filter(|field| field.multiline).count() as u64;
                    self.multiline_values += several;
                    let is_cut = u64::from(!bytes[..next].ends_with(b"\n"));
                    self.line += if several == 0 { 1 } else { line_ends(&bytes[begin..next]) + is_cut };
                    self.at = next;
                    return Ok(Some(Record { text: &self.text, fields: &self.fields, line }));
                }
            }
        }
    }

    /// Takes the next chunk, or that there is none. A fault comes with its line.
    pub(super) fn take(&mut self, chunk: Result<Option<String>, Unpacking>) -> Result<(), (Unpacking, u64)> {
        match chunk.map_err(|error| (error, self.line + line_ends(&self.text.as_bytes()[self.at..])))? {
            None => self.is_last = true,
            Some(chunk) if self.at == self.text.len() => {
                self.text = chunk;
                self.at = 0;
            }
            Some(chunk) => {
                self.text.drain(..self.at);
                self.text.push_str(&chunk);
                self.at = 0;
            }
        }
        Ok(())
    }

    /// Whether the last record was given.
    pub(super) fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Adds what was counted.
    pub(super) fn count(&self, read: &mut Read) {
        read.lines += self.line - 1;
        read.blank_lines += self.blank_lines;
        read.multiline_values += self.multiline_values;
    }
}

impl Record<'_> {
    /// How many fields it has.
    pub(super) fn count(&self) -> usize {
        self.fields.len()
    }

    /// The line that it begins in.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Whether its last field is empty.
    pub(super) fn ends_empty(&self) -> bool {
        self.fields.last().is_some_and(|field| field.range.is_empty())
    }

    /// The text of one field; empty where there is none.
    pub(super) fn field(&self, place: usize) -> Cow<'_, str> {
        let Some(field) = self.fields.get(place) else { return Cow::Borrowed("") };
        let text = &self.text[field.range.clone()];
        if field.doubled { Cow::Owned(text.replace("\"\"", "\"")) } else { Cow::Borrowed(text) }
    }

    /// The texts of all.
    pub(super) fn fields(&self) -> impl Iterator<Item = Cow<'_, str>> {
        (0..self.fields.len()).map(|place| self.field(place))
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
