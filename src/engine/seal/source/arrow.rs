//! Arrow IPC files and streams, read one record batch at a time.
//!
//! Promises to read all of a file: a stream ends with its end marker and with the file, or it is refused.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use polars::prelude::{ArrowField, ArrowSchema, PolarsError, PolarsResult, Series};
use polars_arrow::array::Array;
use polars_arrow::io::ipc::read::{FileReader, StreamReader, StreamState, read_file_metadata, read_stream_metadata};
use polars_arrow::record_batch::RecordBatchT;
use polars_arrow_format::ipc::planus::ReadAsRoot;
use polars_arrow_format::ipc::{FooterRef, MessageHeaderRef, MessageRef, SchemaRef, TypeRef};

use super::batch::{BATCH_ROWS, Batch, Read, SourceColumn};
use super::fault::{SourceError, SourceFault};
use super::names::first_twins;
use super::place::{Marks, RowPlaces};
use super::schema::{self, guarded};

/// The bytes with which a file, but not a stream, begins and ends.
const MAGIC: &[u8] = b"ARROW1";
/// The largest size of a schema, in bytes.
const SCHEMA_BYTES_MAX: u64 = 64 << 20;
/// The bytes that precede a message's length since version 0.15 of the format.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// An Arrow IPC file or stream.
#[derive(Debug)]
pub(super) struct ArrowSource {
    path: PathBuf,
    is_file: bool,
    columns: Vec<SourceColumn>,
}

type Chunk = RecordBatchT<Box<dyn Array>>;

impl ArrowSource {
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        let fail = |fault| SourceError::new(path.display().to_string(), fault);
        let malformed = || fail(SourceFault::Malformed { format: "Arrow IPC", rows: None });
        let is_file = begins_as_file(path).map_err(|error| fail(SourceFault::Unreadable(error.kind())))?;
        let fields = fields(path, is_file).ok_or_else(malformed)?;
        if let Some(place) = fields.iter().position(|(_, unread)| unread.is_some()) {
            let found = fields[place].1.unwrap_or_default().to_owned();
            return Err(fail(SourceFault::UnreadType { column: format!("column {}", place + 1), found }));
        }
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        let columns = if first_twins(&names).is_some() {
            names.iter().map(|name| schema::nameless(name)).collect()
        } else {
            let schema = guarded(|| arrow_schema(path, is_file)).ok_or_else(|| fail(SourceFault::UnreadTypes))?;
            schema.iter_values().map(schema::column_of_arrow).collect()
        };
        Ok(Self { path: path.to_owned(), is_file, columns })
    }

    pub(super) fn columns(&self) -> &[SourceColumn] {
        &self.columns
    }

    /// Passes batches of the wanted columns, which must be distinct, to `give` until it returns false.
    pub(super) fn read(
        &self,
        wanted: &[usize],
        read: &mut Read,
        give: &mut (dyn FnMut(Batch) -> bool + Send),
    ) -> Result<(), SourceError> {
        let mut sorted = wanted.to_vec();
        sorted.sort_unstable();
        let order: Vec<usize> = wanted.iter().map(|place| sorted.partition_point(|other| other < place)).collect();
        let mut rows = 0;
        let malformed = |rows| {
            let fault = SourceFault::Malformed { format: "Arrow IPC", rows: Some(rows) };
            SourceError::new(self.path.display().to_string(), fault)
        };
        let mut chunks = guarded(|| self.chunks(sorted)).ok_or_else(|| malformed(rows))?;
        while let Some(chunk) = guarded(|| chunks.next().transpose()).ok_or_else(|| malformed(rows))? {
            let height = chunk.height();
            let series = guarded(|| series(chunk)).ok_or_else(|| malformed(rows))?;
            for first in (0..height).step_by(BATCH_ROWS) {
                let length = BATCH_ROWS.min(height - first);
                let columns =
                    order.iter().map(|place| series[*place].slice(first.cast_signed() as i64, length)).collect();
                let places = RowPlaces::new(rows + 1, length, Marks::Rows);
                rows += length as u64;
                if !give(Batch { columns, places }) {
                    return Ok(());
                }
            }
        }
        read.rows += rows;
        Ok(())
    }

    fn chunks(&self, wanted: Vec<usize>) -> PolarsResult<Box<dyn Iterator<Item = PolarsResult<Chunk>>>> {
        let mut file = BufReader::new(File::open(&self.path)?);
        if self.is_file {
            let metadata = read_file_metadata(&mut file)?;
            return Ok(Box::new(FileReader::new(file, metadata, Some(wanted), None)));
        }
        let metadata = read_stream_metadata(&mut file)?;
        Ok(Box::new(Stream { reader: Some(StreamReader::new(file, metadata, Some(wanted))), path: self.path.clone() }))
    }
}

/// A stream up to its end marker, which must be the end of the file.
struct Stream {
    reader: Option<StreamReader<BufReader<File>>>,
    path: PathBuf,
}

impl Iterator for Stream {
    type Item = PolarsResult<Chunk>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.reader.as_mut()?.next() {
            Some(Ok(StreamState::Some(chunk))) => Some(Ok(chunk)),
            Some(Ok(StreamState::Waiting)) => Some(Err(cut())),
            Some(Err(error)) => Some(Err(error)),
            None => {
                self.reader = None;
                match ends_with_marker(&self.path) {
                    Ok(true) => None,
                    Ok(false) => Some(Err(cut())),
                    Err(error) => Some(Err(error.into())),
                }
            }
        }
    }
}

fn cut() -> PolarsError {
    io::Error::from(io::ErrorKind::UnexpectedEof).into()
}

/// Whether the file ends with the end marker. Otherwise rows of another stream behind it would be lost.
fn ends_with_marker(path: &Path) -> io::Result<bool> {
    let mut walk = BufReader::new(File::open(path)?);
    while let Some(message) = message(&mut walk)? {
        let Some(body) = MessageRef::read_as_root(&message).ok().and_then(|message| message.body_length().ok()) else {
            return Ok(false);
        };
        walk.seek_relative(body)?;
    }
    Ok(walk.read(&mut [0])? == 0)
}

/// Reads the next message of a stream; `None` at its end marker.
fn message(stream: &mut impl io::Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    if length == CONTINUATION {
        stream.read_exact(&mut length)?;
    }
    let length = u64::from(u32::from_le_bytes(length));
    if length == 0 {
        return Ok(None);
    }
    if length > SCHEMA_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut message = Vec::new();
    stream.take(length).read_to_end(&mut message)?;
    Ok(Some(message))
}

fn begins_as_file(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(start == MAGIC)
}

fn arrow_schema(path: &Path, is_file: bool) -> PolarsResult<ArrowSchema> {
    let mut file = BufReader::new(File::open(path)?);
    match is_file {
        true => read_file_metadata(&mut file).map(|metadata| metadata.schema.as_ref().clone()),
        false => read_stream_metadata(&mut file).map(|metadata| metadata.schema),
    }
}

/// The names of all fields, and the types of those that cannot be read. polars keeps only
/// one of two fields with the same name, and refuses a whole file because of one type.
fn fields(path: &Path, is_file: bool) -> Option<Vec<(String, Option<&'static str>)>> {
    let mut file = BufReader::new(File::open(path).ok()?);
    if is_file {
        let end = file.seek(SeekFrom::End(-10)).ok()?;
        let mut length = [0; 4];
        file.read_exact(&mut length).ok()?;
        let length = u64::from(u32::from_le_bytes(length));
        file.seek(SeekFrom::Start(end.checked_sub(length)?)).ok()?;
        let mut footer = Vec::new();
        file.take(length.min(SCHEMA_BYTES_MAX)).read_to_end(&mut footer).ok()?;
        return fields_of(FooterRef::read_as_root(&footer).ok()?.schema().ok()??);
    }
    let message = message(&mut file).ok()??;
    match MessageRef::read_as_root(&message).ok()?.header().ok()?? {
        MessageHeaderRef::Schema(schema) => fields_of(schema),
        _ => None,
    }
}

fn fields_of(schema: SchemaRef<'_>) -> Option<Vec<(String, Option<&'static str>)>> {
    let fields = schema.fields().ok()??;
    let field = |field: polars_arrow_format::ipc::planus::Result<polars_arrow_format::ipc::FieldRef<'_>>| {
        let field = field.ok()?;
        let unread = match field.type_().ok()?? {
            TypeRef::RunEndEncoded(_) => Some("run-end encoded values"),
            TypeRef::ListView(_) | TypeRef::LargeListView(_) => Some("list view"),
            _ => None,
        };
        Some((field.name().ok()?.unwrap_or_default().to_owned(), unread))
    };
    fields.iter().map(field).collect()
}

/// Converts a record batch into its columns.
fn series(chunk: Chunk) -> PolarsResult<Vec<Series>> {
    let (schema, arrays) = chunk.into_schema_and_arrays();
    let fields: Vec<ArrowField> = schema.iter_values().cloned().collect();
    fields.iter().zip(arrays).map(|(field, array)| Series::try_from((field, array))).collect()
}
