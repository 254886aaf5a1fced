//! COPY … TO STDOUT: the rows of a statement as text, CSV or in binary.
//!
//! Promises the bytes that PostgreSQL writes for the same rows. Nothing is copied to the server, and no file is read or written.

use std::ops::Range;

use bytes::{BufMut, BytesMut};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::fault::{DoorFault, state};
use super::table::{Cell, Column};
use super::values::{self, Format};
use crate::query::error::Position;

/// Where the rows come from, in characters of the statement's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// A query in parentheses, without them.
    Query(Range<usize>),
    /// A table's name.
    Table(Range<usize>),
}

/// How rows are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CopyStyle {
    /// Whether rows are written as text, CSV or binary.
    pub(super) format: CopyFormat,
    has_header: bool,
    delimiter: char,
    null: String,
    quote: char,
    escape: char,
    quotes_all: bool,
}

/// The formats of COPY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CopyFormat {
    /// Lines with tabs between values.
    Text,
    /// Values separated by a sign that may be chosen, with quotes where they are needed.
    Csv,
    /// PostgreSQL's own.
    Binary,
}

/// Reads a COPY: where the rows come from, and how they are written.
///
/// # Errors
/// [`DoorFault`] for anything but COPY … TO STDOUT.
pub(super) fn read(
    tokens: &[&TokenWithSpan],
    offset: &dyn Fn(&TokenWithSpan) -> usize,
) -> Result<(Source, CopyStyle), DoorFault> {
    let (source, mut at) = match tokens.get(1).map(|token| &token.token) {
        Some(Token::LParen) => {
            let end = closing(tokens, 1).ok_or_else(|| fault(tokens, 1, "a parenthesis is not closed"))?;
            (Source::Query(offset(tokens[1]) + 1..offset(tokens[end])), end + 1)
        }
        _ => {
            let end = tokens.iter().skip(1).position(|token| word(token) == "TO").map_or(tokens.len(), |at| at + 1);
            let listed = tokens[1..end].iter().position(|token| token.token == Token::LParen);
            let (Some(first), None) = (tokens.get(1), listed) else {
                return Err(
                    fault(tokens, 1, "COPY of some columns is not supported").hint("write COPY (SELECT …) TO STDOUT")
                );
            };
            let behind = tokens.get(end).map_or(0, |token| offset(token));
            (Source::Table(offset(first)..behind), end)
        }
    };
    let to = [at, at + 1].map(|place| tokens.get(place).map_or_else(String::new, |token| word(token)));
    if to != ["TO", "STDOUT"] {
        return Err(fault(tokens, at, "only COPY (SELECT …) TO STDOUT is supported"));
    }
    at += 2;
    Ok((source, style(&tokens[at..], tokens)?))
}

fn word(token: &TokenWithSpan) -> String {
    token.token.to_string().to_uppercase()
}

fn closing(tokens: &[&TokenWithSpan], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn fault(tokens: &[&TokenWithSpan], at: usize, message: &str) -> DoorFault {
    let place = tokens.get(at).or(tokens.last()).map(|token| token.span.start);
    let at = place.map(|start| Position { line: start.line, column: start.column });
    DoorFault { at, ..DoorFault::new(state::UNSUPPORTED, message) }
}

fn style(options: &[&TokenWithSpan], tokens: &[&TokenWithSpan]) -> Result<CopyStyle, DoorFault> {
    let mut options = Options { options, at: 0 };
    let (mut format, mut has_header, mut quotes_all) = (CopyFormat::Text, false, false);
    let (mut delimiter, mut quote, mut escape, mut null) = (None, '"', None, None);
    while let Some(name) = options.next() {
        match name.as_str() {
            "(" | ")" | "," | "WITH" => {}
            "FORMAT" => {
                let named = options.next().unwrap_or_default();
                format = CopyFormat::named(named.trim_matches('\'')).ok_or_else(|| {
                    fault(tokens, 0, "the format of COPY is not known; accepted are text, csv and binary")
                })?;
            }
            "CSV" | "BINARY" | "TEXT" => format = CopyFormat::named(&name).unwrap_or(format),
            "HEADER" => has_header = options.truth(),
            "FORCE_QUOTE" => {
                quotes_all = true;
                options.pass_over();
            }
            "DELIMITER" | "QUOTE" | "ESCAPE" | "NULL" | "ENCODING" => {
                let text = options.text().ok_or_else(|| fault(tokens, 0, "an option of COPY has no text"))?;
                let letter = || text.chars().next().ok_or_else(|| fault(tokens, 0, "an option of COPY is empty"));
                match name.as_str() {
                    "DELIMITER" => delimiter = Some(letter()?),
                    "QUOTE" => quote = letter()?,
                    "ESCAPE" => escape = Some(letter()?),
                    "NULL" => null = Some(text),
                    _ if text.to_uppercase().replace('-', "") == "UTF8" => {}
                    _ => return Err(fault(tokens, 0, "the encoding is not known; accepted is UTF8")),
                }
            }
            _ => {
                let accepted =
                    "accepted are FORMAT, HEADER, DELIMITER, NULL, QUOTE, ESCAPE, FORCE_QUOTE and ENCODING 'UTF8'";
                return Err(fault(tokens, 0, "an option of COPY is not known").hint(accepted));
            }
        }
    }
    let is_csv = format == CopyFormat::Csv;
    let delimiter = delimiter.unwrap_or(if is_csv { ',' } else { '\t' });
    let null = null.unwrap_or_else(|| if is_csv { String::new() } else { "\\N".to_owned() });
    Ok(CopyStyle { format, has_header, delimiter, null, quote, escape: escape.unwrap_or(quote), quotes_all })
}

/// The options of a COPY, word by word.
struct Options<'a> {
    options: &'a [&'a TokenWithSpan],
    at: usize,
}

impl Options<'_> {
    fn next(&mut self) -> Option<String> {
        let next = self.options.get(self.at).map(|token| word(token));
        self.at += 1;
        next
    }

    /// A text, with or without AS before it.
    fn text(&mut self) -> Option<String> {
        while self.options.get(self.at).is_some_and(|next| matches!(word(next).as_str(), "AS" | "=")) {
            self.at += 1;
        }
        let text = match &self.options.get(self.at)?.token {
            Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => text.clone(),
            _ => return None,
        };
        self.at += 1;
        Some(text)
    }

    /// A truth value, if there is one; true if there is none.
    fn truth(&mut self) -> bool {
        let said = self.options.get(self.at).map(|next| word(next).trim_matches('\'').to_owned()).unwrap_or_default();
        let is_false = matches!(said.as_str(), "FALSE" | "OFF" | "0");
        self.at += usize::from(is_false || matches!(said.as_str(), "TRUE" | "ON" | "1" | "MATCH"));
        !is_false
    }

    /// Passes over everything before the next option.
    fn pass_over(&mut self) {
        while self.options.get(self.at).is_some_and(|next| !matches!(next.token, Token::Comma)) {
            self.at += 1;
        }
    }
}

impl CopyFormat {
    fn named(name: &str) -> Option<Self> {
        match name.to_uppercase().as_str() {
            "TEXT" => Some(Self::Text),
            "CSV" => Some(Self::Csv),
            "BINARY" => Some(Self::Binary),
            _ => None,
        }
    }
}

impl CopyStyle {
    /// What stands before the rows, as one part for each frame.
    pub(super) fn head(&self, columns: &[Column]) -> Option<BytesMut> {
        let mut out = BytesMut::new();
        match self.format {
            CopyFormat::Binary => {
                out.put_slice(b"PGCOPY\n\xff\r\n\0");
                out.put_i64(0);
                Some(out)
            }
            CopyFormat::Text | CopyFormat::Csv if self.has_header => {
                let names = columns.iter().map(|column| Some(column.name.clone()));
                self.line(names, &mut out);
                Some(out)
            }
            CopyFormat::Text | CopyFormat::Csv => None,
        }
    }

    /// Writes one row in the format that was asked for.
    pub(super) fn row(&self, columns: &[Column], row: &[Cell], out: &mut BytesMut) -> Result<(), DoorFault> {
        match self.format {
            CopyFormat::Binary => {
                out.put_u16(u16::try_from(row.len()).unwrap_or(u16::MAX));
                for (cell, column) in row.iter().zip(columns) {
                    values::write(cell, column.of, Format::Binary, out)?;
                }
            }
            CopyFormat::Text | CopyFormat::Csv => {
                let texts = row.iter().zip(columns);
                let texts = texts.map(|(cell, column)| (*cell != Cell::Null).then(|| values::text(cell, column.of)));
                self.line(texts, out);
            }
        }
        Ok(())
    }

    /// What stands behind the rows.
    pub(super) fn tail(&self) -> Option<&'static [u8]> {
        match self.format {
            CopyFormat::Binary => Some(&[0xff, 0xff]),
            CopyFormat::Text | CopyFormat::Csv => None,
        }
    }

    fn line(&self, texts: impl Iterator<Item = Option<String>>, out: &mut BytesMut) {
        let written = texts.map(|text| match (text, self.format) {
            (None, _) => self.null.clone(),
            (Some(text), CopyFormat::Csv) => self.quoted(text),
            (Some(text), CopyFormat::Text | CopyFormat::Binary) => self.escaped(&text),
        });
        let line = written.collect::<Vec<_>>().join(&self.delimiter.to_string());
        out.put_slice(line.as_bytes());
        out.put_u8(b'\n');
    }

    fn quoted(&self, text: String) -> String {
        let special = [self.delimiter, self.quote, '\n', '\r'];
        if !self.quotes_all && !text.contains(special) && text != self.null && text != "\\." {
            return text;
        }
        let mut out = String::from(self.quote);
        for letter in text.chars() {
            if letter == self.quote || letter == self.escape {
                out.push(self.escape);
            }
            out.push(letter);
        }
        out.push(self.quote);
        out
    }

    fn escaped(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for letter in text.chars() {
            let short = match letter {
                '\\' => '\\',
                '\n' => 'n',
                '\r' => 'r',
                '\t' => 't',
                '\u{8}' => 'b',
                '\u{c}' => 'f',
                '\u{b}' => 'v',
                letter if letter == self.delimiter => letter,
                letter => {
                    out.push(letter);
                    continue;
                }
            };
            out.push('\\');
            out.push(short);
        }
        out
    }
}

#[cfg(test)]
#[path = "copy_tests.rs"]
mod tests;
