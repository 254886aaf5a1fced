//! Scans records of a text file: finds the fields of a line, or what is wrong with the line.
//!
//! Promises that a text is read in a single way or refused: a quote opens a value or is a fault, and so is a line break within quotes
//! unless the column may contain it. It knows no header and no types.

use std::ops::Range;

use crate::engine::seal::source::fault::TextFault;

/// The largest size of a record, in bytes.
pub(super) const RECORD_BYTES_MAX: usize = 16 << 20;

/// The rules by which a text is split into records and fields.
#[derive(Debug, Clone)]
pub(super) struct Scanner {
    separator: u8,
    quoted: bool,
    /// The role of each byte in a value without quotes.
    kinds: Box<[Kind; 256]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ordinary,
    Separator,
    LineFeed,
    CarriageReturn,
    Quote,
    Nul,
}

/// The range of a field's text, without the quotes around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub range: Range<usize>,
    /// Whether it contains doubled quotes.
    pub doubled: bool,
    /// Whether it contains a line break.
    pub multiline: bool,
}

/// What was found at a position.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scanned {
    /// A record, whose fields were stored, and the position after its line end.
    Record(usize),
    /// A blank line, and the position after its line end.
    Blank(usize),
    /// More text is needed.
    More,
    /// The end of the text.
    End,
}

/// A fault and its position.
pub(super) type ScanFault = (TextFault, usize);

impl Scanner {
    pub(super) fn new(separator: u8, quoted: bool) -> Result<Self, TextFault> {
        let taken =
            separator.is_ascii_alphanumeric() || matches!(separator, b'"' | b'\n' | b'\r' | 0) || !separator.is_ascii();
        if taken {
            return Err(TextFault::Separator(separator));
        }
        let mut kinds = Box::new([Kind::Ordinary; 256]);
        kinds[usize::from(b'\n')] = Kind::LineFeed;
        kinds[usize::from(b'\r')] = Kind::CarriageReturn;
        kinds[0] = Kind::Nul;
        if quoted {
            kinds[usize::from(b'"')] = Kind::Quote;
        }
        kinds[usize::from(separator)] = Kind::Separator;
        Ok(Self { separator, quoted, kinds })
    }

    /// Scans the line that begins at `from`. `last` says that no more text follows, and `may_hold_lines` which columns may contain line
    /// breaks. If `one_column` says that the table has a single column, a line of blanks is a record.
    pub(super) fn record(
        &self,
        text: &[u8],
        from: usize,
        last: bool,
        one_column: bool,
        may_hold_lines: &dyn Fn(usize) -> bool,
        fields: &mut Vec<Field>,
    ) -> Result<Scanned, ScanFault> {
        fields.clear();
        if from == text.len() {
            return Ok(if last { Scanned::End } else { Scanned::More });
        }
        if let Some(found) = self.blank(text, from, last, one_column) {
            return Ok(found);
        }
        let mut at = from;
        loop {
            let is_quoted = self.quoted && text.get(at) == Some(&b'"');
            let end = if is_quoted {
                let may_hold_lines = may_hold_lines(fields.len());
                self.enclosed(text, at, last, may_hold_lines, fields)?
            } else {
                self.bare(text, at, last, fields)?
            };
            match end {
                FieldEnd::More => return Ok(Scanned::More),
                FieldEnd::Separator(next) => at = next,
                FieldEnd::Line(next) => return Ok(Scanned::Record(next)),
            }
        }
    }

    /// Recognises a line that is empty or contains only blanks.
    fn blank(&self, text: &[u8], from: usize, last: bool, one_column: bool) -> Option<Scanned> {
        let mut at = from;
        while at < text.len() && matches!(text[at], b' ' | b'\t') && text[at] != self.separator {
            at += 1;
        }
        if at > from && one_column {
            return None;
        }
        match (text.get(at), text.get(at + 1)) {
            (Some(b'\n'), _) => Some(Scanned::Blank(at + 1)),
            (Some(b'\r'), Some(b'\n')) => Some(Scanned::Blank(at + 2)),
            (None, _) if last => Some(Scanned::Blank(at)),
            (None, _) | (Some(b'\r'), None) if !last => Some(Scanned::More),
            _ => None,
        }
    }

    /// Scans a value without quotes.
    fn bare(&self, text: &[u8], from: usize, last: bool, fields: &mut Vec<Field>) -> Result<FieldEnd, ScanFault> {
        let mut at = from;
        while at < text.len() && self.kinds[usize::from(text[at])] == Kind::Ordinary {
            at += 1;
        }
        let end = match text.get(at).map(|byte| self.kinds[usize::from(*byte)]) {
            Some(Kind::Quote) => return Err((TextFault::QuoteInside, at)),
            Some(Kind::Nul) => return Err((TextFault::Nul, at)),
            Some(Kind::Separator | Kind::Ordinary | Kind::LineFeed | Kind::CarriageReturn) | None => {
                self.end(text, at, last, TextFault::LoneCarriageReturn)?
            }
        };
        fields.push(Field { range: from..at, doubled: false, multiline: false });
        Ok(end)
    }

    /// Scans a value whose opening quote is at `from`.
    fn enclosed(
        &self,
        text: &[u8],
        from: usize,
        last: bool,
        may_hold_lines: bool,
        fields: &mut Vec<Field>,
    ) -> Result<FieldEnd, ScanFault> {
        let (mut at, mut doubled, mut multiline) = (from + 1, false, false);
        loop {
            match text.get(at) {
                None if last => return Err((TextFault::Unclosed, from)),
                None => return Ok(FieldEnd::More),
                Some(b'"') => match text.get(at + 1) {
                    None if !last => return Ok(FieldEnd::More),
                    Some(b'"') => {
                        doubled = true;
                        at += 1;
                    }
                    _ => break,
                },
                Some(b'\n' | b'\r') if !may_hold_lines => {
                    return Err((TextFault::LineEnd { column: fields.len() + 1 }, from));
                }
                Some(b'\n' | b'\r') => multiline = true,
                Some(0) => return Err((TextFault::Nul, at)),
                Some(_) => {}
            }
            at += 1;
        }
        let end = self.end(text, at + 1, last, TextFault::BehindQuote)?;
        fields.push(Field { range: from + 1..at, doubled, multiline });
        Ok(end)
    }

    /// What ends a field at `at`; anything but a separator or line end is `fault`.
    fn end(&self, text: &[u8], at: usize, last: bool, fault: TextFault) -> Result<FieldEnd, ScanFault> {
        match (text.get(at), text.get(at + 1)) {
            (Some(byte), _) if *byte == self.separator => Ok(FieldEnd::Separator(at + 1)),
            (Some(b'\n'), _) => Ok(FieldEnd::Line(at + 1)),
            (Some(b'\r'), Some(b'\n')) => Ok(FieldEnd::Line(at + 2)),
            (None, _) | (Some(b'\r'), None) if !last => Ok(FieldEnd::More),
            (None, _) => Ok(FieldEnd::Line(at)),
            (Some(b'\r'), _) => Err((TextFault::LoneCarriageReturn, at)),
            (Some(_), _) => Err((fault, at)),
        }
    }
}

enum FieldEnd {
    Separator(usize),
    Line(usize),
    More,
}
