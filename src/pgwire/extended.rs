//! Statements that are prepared, described, bound and executed, frame by frame.
//!
//! Promises that preparing, binding and describing compute nothing and cost nothing, and that a portal is computed when it is first executed
//! and never again, however its rows are taken.

use std::io;
use std::sync::Arc;

use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::extendedquery::{BindComplete, CloseComplete, ParseComplete};
use pgwire::messages::response::EmptyQueryResponse;

use super::fault::{DoorFault, state};
use super::frames::{Bind, Frame, PARAMETERS_MAX, Target};
use super::link::{Link, Stream};
use super::params;
use super::portals::{Bound, Outcome, Portal, Prepared, STATEMENTS_MAX, formats};
use super::series::{Next, misplaced};
use super::session::{Session, no_cursor, no_statement};
use super::statements::{self, Piece, Statement};
use super::table::Type;
use super::values::Format;
use super::{oids, sending};
use crate::query::error::shown;

/// Takes a frame of a series.
pub(super) async fn frame<S: Stream>(link: &mut Link<S>, session: &mut Session, frame: Frame) -> io::Result<Next> {
    let before = sending::reported(session);
    let done = match frame {
        Frame::Parse { name, sql, types } => parse(session, name, sql, types)
            .map(|()| link.put(&PgWireBackendMessage::ParseComplete(ParseComplete::new()))),
        Frame::Bind(bound) => {
            bind(session, bound).await.map(|()| link.put(&PgWireBackendMessage::BindComplete(BindComplete::new())))
        }
        Frame::Describe(Target::Statement, name) => describe_statement(link, session, &name).await,
        Frame::Describe(Target::Portal, name) => describe_portal(link, session, &name).await,
        Frame::Execute { portal, rows } => execute(link, session, &portal, rows).await?.map(Ok),
        Frame::Close(target, name) => {
            match target {
                Target::Statement => drop(session.statements.remove(&name)),
                Target::Portal => drop(session.portals.remove(&name)),
            }
            Ok(link.put(&PgWireBackendMessage::CloseComplete(CloseComplete::new())))
        }
        Frame::Flush => Ok(link.flush().await),
        // What is left of a COPY to the server that was refused.
        Frame::Copy => Ok(Ok(())),
        Frame::Query(_) | Frame::Sync | Frame::Terminate | Frame::Password(_) => Err(misplaced()),
    };
    sending::changes(link, &before, session)?;
    match done {
        Ok(written) => written.map(|()| Next::Frame),
        Err(fault) => {
            session.failed();
            link.put(&fault.frame(fault.at.map(|at| usize::try_from(at.column).unwrap_or(0)).filter(|at| *at > 0)))?;
            link.flush().await?;
            Ok(if fault.is_fatal { Next::End } else { Next::Sync })
        }
    }
}

/// A fault whose place is that in the text that was sent: as a column of one line, from 1.
fn placed(statement: &Statement, fault: DoorFault) -> DoorFault {
    use crate::query::error::Position;
    let at = fault.at.and_then(|at| statement.place(at));
    let at = at.and_then(|at| u64::try_from(at).ok()).map(|column| Position { line: 1, column });
    DoorFault { at, ..fault }
}

fn parse(session: &mut Session, name: String, sql: String, declared: Vec<u32>) -> Result<(), DoorFault> {
    session.check_token()?;
    if name.is_empty() {
        session.statements.remove("");
    } else if session.statements.contains_key(&name) {
        let message = format!("prepared statement \"{}\" already exists", shown(&name));
        return Err(DoorFault::new(state::STATEMENT_HELD, message));
    }
    if session.statements.len() >= STATEMENTS_MAX {
        let message = format!("a session has at most {STATEMENTS_MAX} prepared statements");
        return Err(DoorFault::new(state::TOO_MUCH, message));
    }
    if declared.len() > PARAMETERS_MAX {
        return Err(statements::no_parameter(declared.len()));
    }
    let mut pieces = statements::pieces(&sql);
    if pieces.len() > 1 {
        return Err(DoorFault::new("42601", "cannot insert multiple commands into a prepared statement"));
    }
    let statement = match pieces.pop() {
        None => None,
        Some(piece) => {
            let at = piece.clone();
            let read = statements::read(piece, &|table| session.is_free_table(table));
            let statement = read.map_err(|fault| unread(&at, fault))?;
            session.check(&statement)?;
            Some(Arc::new(statement))
        }
    };
    session.statements.insert(name, Prepared { statement, declared });
    Ok(())
}

/// The fault of a statement that could not be read, with its place in the text that was sent.
fn unread(piece: &Piece, fault: DoorFault) -> DoorFault {
    let whole = Statement::unread(piece.clone());
    placed(&whole, fault)
}

async fn bind(session: &mut Session, bind: Bind) -> Result<(), DoorFault> {
    session.check_token()?;
    let Bind { portal, statement: name, formats: given, values, results } = bind;
    let prepared = session.statements.get(&name).ok_or_else(|| no_statement(&name))?;
    let (statement, declared) = (prepared.statement.clone(), prepared.declared.clone());
    let wanted = statement.as_ref().map_or(0, |statement| statement.parameters().max(declared.len()));
    if values.len() != wanted {
        let message = format!(
            "bind message supplies {} parameters, but prepared statement \"{}\" requires {wanted}",
            values.len(),
            shown(&name)
        );
        return Err(DoorFault::new(state::PROTOCOL, message));
    }
    let read = |codes: &[i16]| codes.iter().map(|code| Format::of(*code)).collect::<Result<Vec<_>, _>>();
    let (given, results) = (read(&given)?, read(&results)?);
    let given = formats(&given, values.len()).ok_or_else(|| {
        DoorFault::new(state::PROTOCOL, "bind message has another number of formats than of parameters")
    })?;
    let params: Vec<Type> = match &statement {
        Some(statement) if wanted > 0 => {
            let (mut types, _) =
                session.described(statement, &declared).await.map_err(|fault| placed(statement, fault))?;
            types.resize(wanted, Type::Text);
            types
        }
        _ => Vec::new(),
    };
    let cells = values.iter().zip(given).zip(&params);
    let cells =
        cells.map(|((value, format), of)| params::cell(value.as_ref(), format, *of)).collect::<Result<_, _>>()?;
    if portal.is_empty() {
        session.portals.remove("");
    } else if session.portals.contains_key(&portal) {
        return Err(DoorFault::new(state::CURSOR_HELD, format!("portal \"{}\" already exists", shown(&portal))));
    }
    session.check_portals()?;
    let bound = Bound { params, cells };
    let opened = Portal { statement, bound, results, outcome: None, columns: None, cursor: None };
    session.portals.insert(portal, opened);
    Ok(())
}

type Written = Result<io::Result<()>, DoorFault>;

async fn describe_statement<S: Stream>(link: &mut Link<S>, session: &mut Session, name: &str) -> Written {
    let prepared = session.statements.get(name).ok_or_else(|| no_statement(name))?;
    let (statement, declared) = (prepared.statement.clone(), prepared.declared.clone());
    let Some(statement) = statement else {
        return Ok(link.put(&sending::parameters(&[])).and_then(|()| link.put(&sending::no_data())));
    };
    session.check(&statement)?;
    let described = session.described(&statement, &declared).await.map_err(|fault| placed(&statement, fault))?;
    let (types, columns) = described;
    let rows = match columns {
        Some(columns) => sending::columns(&columns, &formats(&[], columns.len()).unwrap_or_default()),
        None => sending::no_data(),
    };
    Ok(link.put(&sending::parameters(&types)).and_then(|()| link.put(&rows)))
}

async fn describe_portal<S: Stream>(link: &mut Link<S>, session: &mut Session, name: &str) -> Written {
    let portal = session.portals.get(name).ok_or_else(|| no_cursor(name))?;
    let (statement, types) = (portal.statement.clone(), portal.bound.params.clone());
    let Some(statement) = statement else { return Ok(link.put(&sending::no_data())) };
    session.check(&statement)?;
    let portal = session.portals.get(name).ok_or_else(|| no_cursor(name))?;
    let columns = match (&portal.columns, &portal.outcome) {
        (Some(columns), _) => Some(columns.clone()),
        (None, Some(Outcome::Rows(rows))) => Some(rows.table.columns.clone()),
        (None, _) => {
            let declared: Vec<u32> = types.iter().map(|of| oids::of(*of).0).collect();
            let described = session.described(&statement, &declared).await;
            described.map_err(|fault| placed(&statement, fault))?.1
        }
    };
    let Some(portal) = session.portals.get_mut(name) else { return Err(no_cursor(name)) };
    portal.columns.clone_from(&columns);
    Ok(match columns {
        Some(columns) => {
            let formats = formats(&portal.results, columns.len()).ok_or_else(wrong_formats)?;
            link.put(&sending::columns(&columns, &formats))
        }
        None => link.put(&sending::no_data()),
    })
}

fn wrong_formats() -> DoorFault {
    DoorFault::new(state::PROTOCOL, "bind message has another number of result formats than the query has columns")
}

async fn execute<S: Stream>(
    link: &mut Link<S>,
    session: &mut Session,
    name: &str,
    max: usize,
) -> io::Result<Result<(), DoorFault>> {
    // What was computed before is for the role that its holder has now.
    if let Err(fault) = session.check_token() {
        return Ok(Err(fault));
    }
    let Some(portal) = session.portals.get(name) else { return Ok(Err(no_cursor(name))) };
    if portal.outcome.is_none() {
        let (statement, bound) = (portal.statement.clone(), portal.bound.clone());
        let outcome = match &statement {
            None => Ok(Outcome::Empty),
            Some(statement) => session.run(statement, &bound).await.map_err(|fault| placed(statement, fault)),
        };
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(fault) => return Ok(Err(fault)),
        };
        match (session.portals.get_mut(name), outcome) {
            (Some(portal), outcome) => portal.outcome = Some(outcome),
            // DISCARD ALL has dropped the portal that it ran in.
            (None, Outcome::Done(tag)) => {
                link.put(&sending::complete(tag))?;
                return Ok(Ok(()));
            }
            (None, _) => return Ok(Err(no_cursor(name))),
        }
    }
    let Some(portal) = session.portals.get_mut(name) else { return Ok(Err(no_cursor(name))) };
    let results = portal.results.clone();
    let tag = match &mut portal.outcome {
        Some(Outcome::Rows(rows)) => {
            if let Some(notice) = rows.notice.take() {
                link.put(&notice.frame())?;
            }
            let (table, range, is_end) = rows.next(max);
            let Some(formats) = formats(&results, table.columns.len()) else { return Ok(Err(wrong_formats())) };
            let count = range.len();
            if let Err(fault) = sending::rows(link, &table, range, &formats).await? {
                return Ok(Err(fault));
            }
            if !is_end {
                link.put(&sending::suspended())?;
                return Ok(Ok(()));
            }
            rows.tagged(count)
        }
        Some(Outcome::Copy(rows, style)) => {
            if let Some(notice) = rows.notice.take() {
                link.put(&notice.frame())?;
            }
            if let Err(fault) = sending::file(link, rows, style).await? {
                return Ok(Err(fault));
            }
            rows.tagged(rows.table.rows.len())
        }
        Some(Outcome::Done(tag)) => tag.clone(),
        Some(Outcome::Empty) | None => {
            link.put(&PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new()))?;
            return Ok(Ok(()));
        }
    };
    link.put(&sending::complete(tag))?;
    Ok(Ok(()))
}
