//! Results on their way to a client: descriptions, rows and files.

use std::io;
use std::ops::Range;

use bytes::{BufMut, BytesMut};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::copy::{CopyDone, CopyOutResponse};
use pgwire::messages::data::{FieldDescription, NoData, ParameterDescription, RowDescription};
use pgwire::messages::extendedquery::PortalSuspended;
use pgwire::messages::response::{CommandComplete, ReadyForQuery, TransactionStatus};
use pgwire::messages::startup::ParameterStatus;

use super::copy::{CopyFormat, CopyStyle};
use super::fault::DoorFault;
use super::link::{Link, Stream};
use super::oids;
use super::portals::Rows;
use super::session::{Block, Session};
use super::table::{Column, Table, Type};
use super::values::{self, Format};

/// Describes the columns of rows in these formats.
pub(super) fn columns(columns: &[Column], formats: &[Format]) -> PgWireBackendMessage {
    let field = |(column, format): (&Column, &Format)| {
        let (oid, size) = oids::of(column.of);
        FieldDescription::new(column.name.replace('\0', ""), 0, 0, oid, size, -1, format.code())
    };
    PgWireBackendMessage::RowDescription(RowDescription::new(columns.iter().zip(formats).map(field).collect()))
}

/// Says that there are no rows.
pub(super) fn no_data() -> PgWireBackendMessage {
    PgWireBackendMessage::NoData(NoData::new())
}

/// Describes parameters of these types.
pub(super) fn parameters(types: &[Type]) -> PgWireBackendMessage {
    let oids = types.iter().map(|of| oids::of(*of).0).collect();
    PgWireBackendMessage::ParameterDescription(ParameterDescription::new(oids))
}

/// Says that a statement is done.
pub(super) fn complete(tag: String) -> PgWireBackendMessage {
    PgWireBackendMessage::CommandComplete(CommandComplete::new(tag))
}

/// Says that a portal has more rows.
pub(super) fn suspended() -> PgWireBackendMessage {
    PgWireBackendMessage::PortalSuspended(PortalSuspended::new())
}

/// Says that the next statement may come.
pub(super) fn ready(block: Block) -> PgWireBackendMessage {
    let status = match block {
        Block::None => TransactionStatus::Idle,
        Block::Open => TransactionStatus::Transaction,
        Block::Failed => TransactionStatus::Error,
    };
    PgWireBackendMessage::ReadyForQuery(ReadyForQuery::new(status))
}

/// Says a parameter's value.
pub(super) fn setting(name: &str, value: &str) -> PgWireBackendMessage {
    PgWireBackendMessage::ParameterStatus(ParameterStatus::new(name.to_owned(), value.replace('\0', "")))
}

/// The parameters that clients are told of, as they are now.
pub(super) fn reported(session: &Session) -> Vec<(&'static str, String)> {
    session.settings.reported().map(|(name, value)| (name, value.to_owned())).collect()
}

/// Says the parameters that have changed since `before`.
pub(super) fn changes<S: Stream>(
    link: &mut Link<S>,
    before: &[(&'static str, String)],
    session: &Session,
) -> io::Result<()> {
    for ((name, value), (_, old)) in session.settings.reported().zip(before) {
        if value != old {
            link.put(&setting(name, value))?;
        }
    }
    Ok(())
}

/// Sends rows of a table. A value without a form in its format ends them with a fault.
pub(super) async fn rows<S: Stream>(
    link: &mut Link<S>,
    table: &Table,
    range: Range<usize>,
    formats: &[Format],
) -> io::Result<Result<(), DoorFault>> {
    let columns: Vec<(Type, Format)> =
        table.columns.iter().map(|column| column.of).zip(formats.iter().copied()).collect();
    for row in table.rows.get(range).unwrap_or_default() {
        let out = link.out();
        let begin = out.len();
        out.put_u8(b'D');
        out.put_i32(0);
        out.put_u16(u16::try_from(columns.len()).unwrap_or(u16::MAX));
        let written =
            row.iter().zip(&columns).try_for_each(|(cell, (of, format))| values::write(cell, *of, *format, out));
        if let Err(fault) = written {
            out.truncate(begin);
            return Ok(Err(fault));
        }
        close(out, begin);
        link.flush_if_full().await?;
    }
    Ok(Ok(()))
}

/// Writes the length of a frame that begins at a byte, behind its type.
fn close(out: &mut BytesMut, begin: usize) {
    let length = u32::try_from(out.len() - begin - 1).unwrap_or(u32::MAX);
    out[begin + 1..begin + 5].copy_from_slice(&length.to_be_bytes());
}

/// Sends all rows as a file.
pub(super) async fn file<S: Stream>(
    link: &mut Link<S>,
    rows: &Rows,
    style: &CopyStyle,
) -> io::Result<Result<(), DoorFault>> {
    let (columns, code) = (&rows.table.columns, i8::from(style.format == CopyFormat::Binary));
    let count = i16::try_from(columns.len()).unwrap_or(i16::MAX);
    let response = CopyOutResponse::new(code, count, vec![i16::from(code); columns.len()]);
    link.put(&PgWireBackendMessage::CopyOutResponse(response))?;
    if let Some(head) = style.head(columns) {
        part(link.out(), |out| {
            out.put_slice(&head);
            Ok(())
        })
        .unwrap_or(());
    }
    for row in &rows.table.rows {
        if let Err(fault) = part(link.out(), |out| style.row(columns, row, out)) {
            return Ok(Err(fault));
        }
        link.flush_if_full().await?;
    }
    if let Some(tail) = style.tail() {
        part(link.out(), |out| {
            out.put_slice(tail);
            Ok(())
        })
        .unwrap_or(());
    }
    link.put(&PgWireBackendMessage::CopyDone(CopyDone::new()))?;
    Ok(Ok(()))
}

/// Writes a frame of a file's data.
fn part(out: &mut BytesMut, write: impl FnOnce(&mut BytesMut) -> Result<(), DoorFault>) -> Result<(), DoorFault> {
    let begin = out.len();
    out.put_u8(b'd');
    out.put_i32(0);
    match write(out) {
        Ok(()) => {
            close(out, begin);
            Ok(())
        }
        Err(fault) => {
            out.truncate(begin);
            Err(fault)
        }
    }
}
