//! Bodies of answers, encoded piece by piece within the room that they take.
//!
//! Promises that a table is dropped row by row while it is encoded; that a short answer is encoded as a
//! whole, with its length, and a long one only as fast as its reader takes it; and that the memory of a
//! body counts until its last byte was written or its connection is gone ([`crate::service::rooms`]).

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec::IntoIter;

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::App;
use crate::query::answer::{Cell, Table};
use crate::query::terms::domain::date_text;
use crate::render::columns::{FileColumn, TextStyle, columns};
use crate::service::ServiceError;
use crate::service::asking::rooms::Reservation;

/// The size of a piece in bytes, give or take one row.
const PIECE_BYTES: usize = 256 << 10;
/// The number of bytes that are encoded before the first one is sent. A longer body has no declared length, and is encoded as it is read.
const AHEAD_BYTES_MAX: usize = 8 << 20;

/// The error that an answer could not be encoded. It does not tell the library's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer could not be encoded")]
pub struct Unencodable;

/// The encoded part of an answer, and the rows still to be encoded.
pub struct Pieces {
    ready: VecDeque<Bytes>,
    rest: Option<TextRows>,
}

impl Pieces {
    /// An answer that is encoded completely.
    #[must_use]
    pub fn whole(bytes: Vec<u8>) -> Self {
        Self { ready: VecDeque::from([bytes.into()]), rest: None }
    }

    /// Encodes rows up to the number of bytes that are encoded at once.
    ///
    /// # Errors
    /// [`Unencodable`] if a row could not be encoded.
    pub fn ahead(mut rows: TextRows) -> Result<Self, Unencodable> {
        let (mut ready, mut bytes) = (VecDeque::new(), 0);
        while let Some(piece) = rows.next_piece() {
            let piece = piece?;
            bytes += piece.len();
            ready.push_back(piece);
            if bytes >= AHEAD_BYTES_MAX {
                return Ok(Self { ready, rest: Some(rows) });
            }
        }
        Ok(Self { ready, rest: None })
    }

    /// Encodes everything at once, for callers who keep the bytes.
    ///
    /// # Errors
    /// [`Unencodable`] if a row could not be encoded.
    pub fn joined(self) -> Result<Vec<u8>, Unencodable> {
        let Self { ready, mut rest } = self;
        let mut all = Vec::with_capacity(ready.iter().map(Bytes::len).sum());
        ready.iter().for_each(|piece| all.extend_from_slice(piece));
        while let Some(piece) = rest.as_mut().and_then(TextRows::next_piece) {
            all.extend_from_slice(&piece?);
        }
        Ok(all)
    }

    /// Turns the pieces into a body that holds `room`. Whatever is encoded later is encoded in the turn of `who`.
    pub fn body(self, service: &App, who: &str, mut room: Reservation) -> Body {
        let body = match self.rest {
            None => {
                let whole = Whole(self.ready);
                room.resize(whole.bytes());
                Body::new(whole)
            }
            Some(rows) => Body::from_stream(Flow {
                ready: self.ready,
                step: Step::Rows(Box::new(rows)),
                service: service.clone(),
                who: who.to_owned(),
                room: room.clone(),
            }),
        };
        held(body, room)
    }
}

/// The text format into which rows are written.
enum Form {
    Json { tail: Vec<u8> },
    Csv { columns: Vec<FileColumn>, style: TextStyle },
}

/// The rows of a table, to be written as text.
pub struct TextRows {
    form: Form,
    /// What precedes the rows, until it is written.
    head: Option<Vec<u8>>,
    names: Vec<String>,
    plain: usize,
    rows: IntoIter<Vec<Cell>>,
    is_first: bool,
    is_over: bool,
}

impl TextRows {
    /// Rows to fill the empty list `rows` of a JSON document.
    #[must_use]
    pub fn json(document: &impl Serialize, table: Table) -> Self {
        const ROWS: &[u8] = b"\"rows\":[]";
        // Unwrap safety: documents are plain data with string keys.
        let mut head = serde_json::to_vec(document).expect("a document is plain data");
        // Quotation marks within texts are escaped, so no text is mistaken for it.
        let place = head.windows(ROWS.len()).position(|window| window == ROWS);
        let tail = head.split_off(place.map_or(head.len(), |place| place + ROWS.len() - 1));
        Self::new(Form::Json { tail }, head, table)
    }

    /// Rows in CSV format, with a header. Each of `lines` stands before it and begins with `#`.
    #[must_use]
    pub fn csv(table: Table, style: TextStyle, lines: &[String]) -> Self {
        let head: String = lines.iter().map(|line| format!("# {line}\n")).collect();
        Self::new(Form::Csv { columns: columns(&table), style }, head.into_bytes(), table)
    }

    fn new(form: Form, head: Vec<u8>, table: Table) -> Self {
        let Table { names, plain, rows, .. } = table;
        Self { form, head: Some(head), names, plain, rows: rows.into_iter(), is_first: true, is_over: false }
    }

    /// The next piece; `None` after the last one.
    fn next_piece(&mut self) -> Option<Result<Bytes, Unencodable>> {
        if self.is_over {
            return None;
        }
        let piece = match &self.form {
            Form::Json { .. } => self.json_piece(),
            Form::Csv { .. } => self.csv_piece(),
        };
        self.is_over |= piece.is_err();
        Some(piece.map(Bytes::from))
    }

    fn json_piece(&mut self) -> Result<Vec<u8>, Unencodable> {
        let mut piece = self.head.take().unwrap_or_default();
        while piece.len() < PIECE_BYTES {
            let Some(row) = self.rows.next() else {
                self.is_over = true;
                if let Form::Json { tail } = &mut self.form {
                    piece.append(tail);
                }
                break;
            };
            if !std::mem::take(&mut self.is_first) {
                piece.push(b',');
            }
            let row = RowBody { names: &self.names, cells: &row, plain: self.plain };
            serde_json::to_writer(&mut piece, &row).map_err(|_| Unencodable)?;
        }
        Ok(piece)
    }

    fn csv_piece(&mut self) -> Result<Vec<u8>, Unencodable> {
        let Form::Csv { columns, style } = &self.form else { return Err(Unencodable) };
        let mut writer = csv::Writer::from_writer(self.head.take().unwrap_or_default());
        if std::mem::take(&mut self.is_first) {
            writer.write_record(columns.iter().map(|column| &column.name)).map_err(|_| Unencodable)?;
        }
        let mut bytes = 0;
        while bytes < PIECE_BYTES {
            let Some(row) = self.rows.next() else {
                self.is_over = true;
                break;
            };
            let texts: Vec<String> = columns.iter().map(|column| column.text(&row, *style)).collect();
            bytes += texts.iter().map(|text| text.len() + 1).sum::<usize>();
            writer.write_record(&texts).map_err(|_| Unencodable)?;
        }
        writer.into_inner().map_err(|_| Unencodable)
    }
}

struct RowBody<'a> {
    names: &'a [String],
    cells: &'a [Cell],
    /// The number of cells that every row has. The cells after them hold words about the others, and are left out if empty.
    plain: usize,
}

impl Serialize for RowBody<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut row = out.serialize_map(Some(self.names.len()))?;
        for (place, (name, cell)) in self.names.iter().zip(self.cells).enumerate() {
            match cell {
                Cell::Missing if place >= self.plain => {}
                Cell::Missing | Cell::Total => row.serialize_entry(name, &())?,
                Cell::Text(text) => row.serialize_entry(name, text)?,
                Cell::Date(days) => row.serialize_entry(name, &date_text(*days))?,
                Cell::Boolean(truth) => row.serialize_entry(name, truth)?,
                Cell::Float(value) => row.serialize_entry(name, value)?,
                Cell::Decimal(_) => {
                    let digits = RawValue::from_string(cell.text().unwrap_or_default());
                    row.serialize_entry(name, &digits.map_err(serde::ser::Error::custom)?)?;
                }
            }
        }
        row.end()
    }
}

/// A body that is complete, and whose length is known.
struct Whole(VecDeque<Bytes>);

impl Whole {
    fn bytes(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }
}

impl HttpBody for Whole {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes() as u64)
    }
}

/// A body that is encoded while it is read.
struct Flow {
    ready: VecDeque<Bytes>,
    step: Step,
    service: App,
    who: String,
    room: Reservation,
}

type Encoding =
    Pin<Box<dyn Future<Output = Result<(Box<TextRows>, Option<Result<Bytes, Unencodable>>), ServiceError>> + Send>>;

enum Step {
    Rows(Box<TextRows>),
    Encoding(Encoding),
    Over,
}

impl Flow {
    fn begin(&self, mut rows: Box<TextRows>) -> Encoding {
        let (service, who, room) = (self.service.clone(), self.who.clone(), self.room.clone());
        Box::pin(async move {
            let encode = move |_: &crate::service::Service| {
                let piece = rows.next_piece();
                (rows, piece)
            };
            service.rendering_in(&room, &who, encode).await
        })
    }
}

impl futures_core::Stream for Flow {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(piece) = self.ready.pop_front() {
            return Poll::Ready(Some(Ok(piece)));
        }
        loop {
            match std::mem::replace(&mut self.step, Step::Over) {
                Step::Over => return Poll::Ready(None),
                Step::Rows(rows) => self.step = Step::Encoding(self.begin(rows)),
                Step::Encoding(mut encoding) => {
                    let Poll::Ready(encoded) = encoding.as_mut().poll(context) else {
                        self.step = Step::Encoding(encoding);
                        return Poll::Pending;
                    };
                    return Poll::Ready(match encoded {
                        Ok((_, None)) => None,
                        Ok((rows, Some(Ok(piece)))) => {
                            self.step = Step::Rows(rows);
                            Some(Ok(piece))
                        }
                        // The reader must not mistake a part for the whole.
                        Ok((_, Some(Err(Unencodable)))) | Err(_) => Some(Err(std::io::ErrorKind::Other.into())),
                    });
                }
            }
        }
    }
}

/// A body whose bytes hold `room` for as long as they wait to be written.
pub fn held(body: Body, room: Reservation) -> Body {
    if room.is_none() { body } else { Body::new(Held { body, room }) }
}

/// A response that holds its room, which is resized to the response's actual size.
pub fn held_response(response: Response, mut room: Reservation) -> Response {
    if let Some(bytes) = response.body().size_hint().exact() {
        room.resize(usize::try_from(bytes).unwrap_or(usize::MAX));
    }
    response.map(|body| held(body, room))
}

struct Held {
    body: Body,
    room: Reservation,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let hold = |bytes: Bytes| with_bytes(bytes, self.room.clone());
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(hold))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Returns the same bytes; `kept` is dropped with their last copy.
pub fn with_bytes(bytes: Bytes, kept: impl Send + 'static) -> Bytes {
    struct Owner<K> {
        bytes: Bytes,
        _kept: K,
    }
    impl<K> AsRef<[u8]> for Owner<K> {
        fn as_ref(&self) -> &[u8] {
            &self.bytes
        }
    }
    Bytes::from_owner(Owner { bytes, _kept: kept })
}
