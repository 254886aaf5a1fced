//! Splits text that arrives in chunks into records, each with the number of the line in which it begins.

use std::borrow::Cow;

use super::scan::{Field, RECORD_BYTES_MAX, Scanned, Scanner};
use super::unpack::Unpacking;
use crate::engine::seal::source::batch::Read;
use crate::engine::seal::source::fault::TextFault;

/// A reader of records.
pub(super) struct Lines<'a> {
    scanner: &'a Scanner,
    /// For each column, whether it may contain line breaks within quotes. Until the header is read, all may.
    may_hold_lines: Vec<bool>,
    /// The number of columns of the table; 0 until the header is read.
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

/// A record that borrows the text it was read from.
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

    /// Sets the number of columns of the records after the header. Multi-line values in the header do not count.
    pub(super) fn header_read(&mut self, width: usize) {
        self.width = width;
        self.multiline_values = 0;
    }

    /// The next record; `None` if a chunk is needed first, and after the last record. A fault comes with its line.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>, (TextFault, u64)> {
        loop {
            let (width, may) = (self.width, &self.may_hold_lines);
            let may_hold_lines = |column: usize| width == 0 || may.get(column).copied().unwrap_or(false);
            let bytes = self.text.as_bytes();
            let found =
                self.scanner.record(bytes, self.at, self.is_last, width == 1, &may_hold_lines, &mut self.fields);
            let found = found.map_err(|(fault, at)| (fault, self.line + line_ends(&bytes[self.at..at])))?;
            match found {
                Scanned::Blank(next) => {
                    self.line += 1;
                    self.blank_lines += 1;
                    self.at = next;
                }
                Scanned::End => {
                    self.is_ended = true;
                    return Ok(None);
                }
                Scanned::More => {
                    if self.text.len() - self.at > RECORD_BYTES_MAX {
                        return Err((TextFault::LongLine(RECORD_BYTES_MAX), self.line));
                    }
                    return Ok(None);
                }
                Scanned::Record(next) => {
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

    /// Takes the next chunk, or the information that there is none. A fault comes with its line.
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

    /// Whether the last record was returned.
    pub(super) fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Adds the counts of lines and of multi-line values to `read`.
    pub(super) fn count(&self, read: &mut Read) {
        read.lines += self.line - 1;
        read.blank_lines += self.blank_lines;
        read.multiline_values += self.multiline_values;
    }
}

impl Record<'_> {
    /// The number of fields in the record.
    pub(super) fn count(&self) -> usize {
        self.fields.len()
    }

    /// The number of the line in which the record begins.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Whether the last field is empty.
    pub(super) fn ends_empty(&self) -> bool {
        self.fields.last().is_some_and(|field| field.range.is_empty())
    }

    /// The text of one field; empty if there is no such field.
    pub(super) fn field(&self, place: usize) -> Cow<'_, str> {
        let Some(field) = self.fields.get(place) else { return Cow::Borrowed("") };
        let text = &self.text[field.range.clone()];
        if field.doubled { Cow::Owned(text.replace("\"\"", "\"")) } else { Cow::Borrowed(text) }
    }

    /// The texts of all fields.
    pub(super) fn fields(&self) -> impl Iterator<Item = Cow<'_, str>> {
        (0..self.fields.len()).map(|place| self.field(place))
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
