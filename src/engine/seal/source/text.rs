//! Text files with a separator between fields: CSV, TSV and the like; plain, or compressed by gzip or Zstandard.
//!
//! Promises that every line is a row with as many fields as the header, or a fault with its number: nothing is filled in, skipped or
//! guessed. Files are read piece by piece, in bounded memory. All values are texts; an empty one is missing, quoted or not.

mod build;
mod decode;
mod lines;
mod scan;
mod unpack;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::batch::{BATCH_ROWS, Batch, Read};
use super::digest::{SourceDigest, Tallied};
use super::fault::{FieldsHint, Packing, SourceError, SourceFault, TextFault};
use super::place::{Marks, RowPlace, RowPlaces};
use crate::query::terms::source::{Encoding, SourceSpec};
use build::ColumnBuilders;
use decode::Chunks;
use lines::{Lines, Record};
use scan::Scanner;
use unpack::{Unpacking, unpack};

/// The largest number of chunks that wait to be scanned.
const CHUNKS_WAITING_MAX: usize = 4;
/// The separators to try if neither the policy nor the file's name states one.
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A text file with its header.
#[derive(Debug)]
pub(super) struct TextSource {
    path: PathBuf,
    packing: Packing,
    encoding: Option<Encoding>,
    scanner: Scanner,
    has_header: bool,
    names: Vec<String>,
    /// A separator that occurs in the header if that is a single column.
    other_separator: Option<u8>,
    multiline: Vec<bool>,
}

impl TextSource {
    /// Opens a text file, and reads its header.
    pub(super) fn open(
        path: &Path,
        (separator, packing): (Option<u8>, Packing),
        spec: &SourceSpec,
    ) -> Result<Self, SourceError> {
        let scanner = |separator| {
            Scanner::new(separator, spec.quoted).map_err(|fault| SourceError::new(path.display().to_string(), fault))
        };
        let known = spec.separator.or(separator);
        let mut table = Self {
            path: path.to_owned(),
            packing,
            encoding: spec.encoding,
            scanner: scanner(known.unwrap_or(b'\t'))?,
            has_header: spec.header,
            names: Vec::new(),
            other_separator: None,
            multiline: Vec::new(),
        };
        if known.is_none() {
            table.scanner = table.only_candidate(&CANDIDATES.map(scanner))?;
        }
        let first = table.first_record()?;
        if let [only] = first.as_slice() {
            table.other_separator = CANDIDATES.into_iter().find(|candidate| only.as_bytes().contains(candidate));
        }
        table.names = match spec.header {
            true => first,
            false => (1..=first.len()).map(|number| format!("column_{number}")).collect(),
        };
        table.multiline = table.names.iter().map(|name| spec.multiline.contains(name)).collect();
        Ok(table)
    }

    /// The only candidate that splits the first line into several fields; the present scanner if there is none.
    fn only_candidate(&mut self, candidates: &[Result<Scanner, SourceError>]) -> Result<Scanner, SourceError> {
        let (present, mut found) = (self.scanner.clone(), Vec::new());
        for candidate in candidates.iter().flatten() {
            self.scanner = candidate.clone();
            if self.first_record().is_ok_and(|fields| fields.len() > 1) {
                found.push(candidate);
            }
        }
        match found.as_slice() {
            [] => Ok(present),
            [only] => Ok((*only).clone()),
            _ => Err(SourceError::new(self.shown(), TextFault::NoSeparator)),
        }
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn has_header(&self) -> bool {
        self.has_header
    }

    /// A separator that occurs in the header although it is a single column.
    pub(super) fn other_separator(&self) -> Option<u8> {
        self.other_separator
    }

    /// The fields of the first line that is not blank.
    fn first_record(&self) -> Result<Vec<String>, SourceError> {
        let mut tally = SourceDigest::default();
        let mut chunks = self.chunks(&mut tally)?;
        let mut lines = Lines::new(&self.scanner, Vec::new());
        loop {
            if let Some(record) = lines.next().map_err(|(fault, line)| self.fault(fault, line))? {
                return Ok(record.fields().map(std::borrow::Cow::into_owned).collect());
            }
            if lines.is_ended() {
                return Err(SourceError::new(self.shown(), TextFault::Empty));
            }
            let chunk = chunks.next();
            lines.take(chunk).map_err(|(error, line)| self.unpacking(error, Some(line)))?;
        }
    }

    /// Passes batches of the wanted columns to `give` until it returns false.
    pub(super) fn read(
        &self,
        wanted: &[(usize, bool)],
        tally: &mut SourceDigest,
        read: &mut Read,
        give: &mut dyn FnMut(Batch) -> bool,
    ) -> Result<(), SourceError> {
        let (send, receive) = sync_channel(CHUNKS_WAITING_MAX);
        thread::scope(|scope| {
            scope.spawn(move || self.unpack_all(tally, &send));
            self.scan_all(wanted, receive, read, give)
        })
    }

    fn unpack_all(&self, tally: &mut SourceDigest, send: &SyncSender<Result<Option<String>, Unpacking>>) {
        let mut chunks = match self.open_chunks(tally) {
            Ok(chunks) => chunks,
            Err(error) => {
                // If this fails, nobody is listening.
                let _ = send.send(Err(error));
                return;
            }
        };
        loop {
            let chunk = chunks.next();
            let goes_on = matches!(chunk, Ok(Some(_)));
            if send.send(chunk).is_err() || !goes_on {
                return;
            }
        }
    }

    fn scan_all(
        &self,
        wanted: &[(usize, bool)],
        chunks: Receiver<Result<Option<String>, Unpacking>>,
        read: &mut Read,
        give: &mut dyn FnMut(Batch) -> bool,
    ) -> Result<(), SourceError> {
        let multiline = self.may_hold_lines(wanted);
        let places: Vec<usize> = wanted.iter().map(|(place, _)| *place).collect();
        let mut columns = ColumnBuilders::new(&places);
        let mut lines = Lines::new(&self.scanner, multiline);
        let (mut rows, mut waits_for_header) = (0, self.has_header);
        if !self.has_header {
            lines.header_read(self.names.len());
        }
        let mut give_batch = |columns: &mut ColumnBuilders, rows: &mut u64| {
            let (series, starts) = columns.finish();
            let places = RowPlaces::new(*rows + 1, starts.len(), Marks::Lines(starts));
            *rows += places.rows() as u64;
            give(Batch { columns: series, places })
        };
        loop {
            while let Some(record) = lines.next().map_err(|(fault, line)| self.fault(fault, line))? {
                if waits_for_header {
                    waits_for_header = false;
                    if !record.fields().eq(self.names.iter().map(String::as_str)) {
                        return Err(SourceError::new(self.shown(), SourceFault::Changed));
                    }
                    lines.header_read(self.names.len());
                    continue;
                }
                if record.count() != self.names.len() {
                    let hint = self.hint(record.count(), record.ends_empty(), rows + columns.rows() as u64 == 0);
                    let fault = TextFault::Fields { found: record.count(), wanted: self.names.len(), hint };
                    return Err(self.fault(fault, record.line()));
                }
                if self.is_header(&record) {
                    return Err(self.fault(TextFault::HeaderAgain, record.line()));
                }
                columns.push(&record);
                if columns.rows() == BATCH_ROWS && !give_batch(&mut columns, &mut rows) {
                    return Ok(());
                }
            }
            if lines.is_ended() {
                break;
            }
            let chunk = chunks.recv().unwrap_or(Err(Unpacking::System(std::io::ErrorKind::Other)));
            lines.take(chunk).map_err(|(error, line)| self.unpacking(error, Some(line)))?;
        }
        if columns.rows() > 0 {
            give_batch(&mut columns, &mut rows);
        }
        lines.count(read);
        read.rows += rows;
        Ok(())
    }

    /// Whether a record of several fields repeats the header, with or without a byte-order mark.
    fn is_header(&self, record: &Record<'_>) -> bool {
        let names = self.names.iter().map(String::as_str);
        let first = |text: &str| self.names.first().is_some_and(|name| text.trim_start_matches('\u{feff}') == name);
        self.has_header && names.len() > 1 && first(&record.field(0)) && record.fields().skip(1).eq(names.skip(1))
    }

    /// For each column, whether it may contain line breaks within quotes.
    fn may_hold_lines(&self, wanted: &[(usize, bool)]) -> Vec<bool> {
        let mut may = self.multiline.clone();
        for (place, _) in wanted {
            may[*place] = false;
        }
        for (place, _) in wanted.iter().filter(|(_, may)| *may) {
            may[*place] = true;
        }
        may
    }

    fn hint(&self, found: usize, ends_empty: bool, is_first: bool) -> FieldsHint {
        match self.names.len() {
            1 => FieldsHint::Separator,
            wanted if found == wanted + 1 && ends_empty => FieldsHint::TrailingSeparator,
            wanted if found == wanted + 1 && is_first && self.has_header => FieldsHint::RowNames,
            _ => FieldsHint::Unknown,
        }
    }

    fn chunks<'a>(&self, tally: &'a mut SourceDigest) -> Result<Chunks<'a>, SourceError> {
        self.open_chunks(tally).map_err(|error| self.unpacking(error, None))
    }

    fn open_chunks<'a>(&self, tally: &'a mut SourceDigest) -> Result<Chunks<'a>, Unpacking> {
        let file = File::open(&self.path)?;
        Chunks::new(unpack(Tallied::new(file, tally), self.packing)?, self.encoding)
    }

    fn unpacking(&self, error: Unpacking, line: Option<u64>) -> SourceError {
        match (error, line) {
            (Unpacking::System(kind), _) => SourceError::new(self.shown(), SourceFault::Unreadable(kind)),
            (Unpacking::Fault(fault @ TextFault::Encoding(_)), Some(line)) => self.fault(fault, line),
            (Unpacking::Fault(fault), _) => SourceError::new(self.shown(), fault),
        }
    }

    fn fault(&self, fault: TextFault, line: u64) -> SourceError {
        SourceError::at(self.shown(), RowPlace::line(line), fault)
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
