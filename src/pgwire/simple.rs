//! Statements that are run at once, one after the other, until one fails.

use std::io;

use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::response::EmptyQueryResponse;

use super::fault::DoorFault;
use super::link::{Link, Stream};
use super::portals::{Bound, Outcome, formats};
use super::sending;
use super::series::Next;
use super::session::Session;
use super::statements::{self, Piece, Statement};

/// Runs the statements of a text.
pub(super) async fn query<S: Stream>(link: &mut Link<S>, session: &mut Session, sql: &str) -> io::Result<Next> {
    session.statements.remove("");
    session.portals.remove("");
    let pieces = statements::pieces(sql);
    if pieces.is_empty() {
        link.put(&PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new()))?;
    }
    for piece in pieces {
        let before = sending::reported(session);
        let done = one(link, session, piece).await?;
        sending::changes(link, &before, session)?;
        if let Err((fault, at)) = done {
            let is_fatal = fault.is_fatal;
            session.failed();
            link.put(&fault.frame(at))?;
            if is_fatal {
                link.flush().await?;
                return Ok(Next::End);
            }
            break;
        }
    }
    session.synced();
    link.put(&sending::ready(session.block))?;
    link.flush().await?;
    Ok(Next::Frame)
}

/// A fault, and its place in the text that was sent.
type Placed = (DoorFault, Option<usize>);

async fn one<S: Stream>(link: &mut Link<S>, session: &mut Session, piece: Piece) -> io::Result<Result<(), Placed>> {
    if let Err(fault) = session.check_token() {
        return Ok(Err((fault, None)));
    }
    let statement = match statements::read(piece.clone(), &|table| session.is_free_table(table)) {
        Ok(statement) => statement,
        Err(fault) => {
            let place = fault.at.map(|at| piece.before + super::places::chars_before(&piece.text, at) + 1);
            return Ok(Err((fault, place)));
        }
    };
    let outcome = match session.run(&statement, &Bound::default()).await {
        Ok(outcome) => outcome,
        Err(fault) => return Ok(Err(placed(&statement, fault))),
    };
    let sent = send(link, outcome).await?;
    Ok(sent.map_err(|fault| placed(&statement, fault)))
}

fn placed(statement: &Statement, fault: DoorFault) -> Placed {
    let at = fault.at.and_then(|at| statement.place(at));
    (fault, at)
}

async fn send<S: Stream>(link: &mut Link<S>, outcome: Outcome) -> io::Result<Result<(), DoorFault>> {
    let tag = match outcome {
        Outcome::Rows(mut rows) => {
            let (table, range, _) = rows.next(0);
            let (formats, count) = (formats(&[], table.columns.len()).unwrap_or_default(), range.len());
            if let Some(notice) = rows.notice.take() {
                link.put(&notice.frame())?;
            }
            link.put(&sending::columns(&table.columns, &formats))?;
            if let Err(fault) = sending::rows(link, &table, range, &formats).await? {
                return Ok(Err(fault));
            }
            rows.tagged(count)
        }
        Outcome::Copy(mut rows, style) => {
            if let Some(notice) = rows.notice.take() {
                link.put(&notice.frame())?;
            }
            if let Err(fault) = sending::file(link, &rows, &style).await? {
                return Ok(Err(fault));
            }
            rows.tagged(rows.table.rows.len())
        }
        Outcome::Done(tag) => tag,
        Outcome::Empty => {
            link.put(&PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new()))?;
            return Ok(Ok(()));
        }
    };
    link.put(&sending::complete(tag))?;
    Ok(Ok(()))
}
