//! The conversation of a session: frame after frame, until one side ends it.
//!
//! Promises that after an error in a series of frames everything is passed over until the series ends, and that a session ends in a word when
//! the server stops.

use std::io;

use tokio::sync::watch;

use super::extended;
use super::fault::DoorFault;
use super::frames::{FRAME_BYTES_MAX, Frame, FrameFault};
use super::link::{Link, Stream};
use super::sending;
use super::series::Next;
use super::session::Session;
use super::simple;

/// Talks until one side ends it.
pub(super) async fn talk<S: Stream>(
    link: &mut Link<S>,
    session: &mut Session,
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut next = Next::Frame;
    loop {
        let frame = tokio::select! {
            frame = link.frame(FRAME_BYTES_MAX) => frame?,
            // An idle session must not keep an edition that was replaced.
            Ok(()) = session.services.changed() => {
                session.renew();
                continue;
            }
            () = stopped(&mut stopping) => {
                let fault = DoorFault::new("57P01", "terminating connection due to administrator command").fatal();
                link.put(&fault.frame(None))?;
                return link.flush().await;
            }
        };
        let Some(frame) = frame else { return Ok(()) };
        next = match frame {
            Ok(Frame::Terminate) => return Ok(()),
            Ok(Frame::Sync) => {
                session.synced();
                link.put(&sending::ready(session.block))?;
                link.flush().await?;
                Next::Frame
            }
            Ok(_) | Err(_) if next == Next::Sync && !is_fatal(&frame) => Next::Sync,
            Ok(Frame::Query(sql)) => simple::query(link, session, &sql).await?,
            Ok(frame) => extended::frame(link, session, frame).await?,
            Err(fault) => refused(link, session, fault).await?,
        };
        if next == Next::End {
            return Ok(());
        }
    }
}

/// Resolves when the server stops.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // Whoever would say so is gone only with the server.
    let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
}

fn is_fatal(frame: &Result<Frame, FrameFault>) -> bool {
    frame.as_ref().is_err_and(|fault| !fault.is_passed_over())
}

async fn refused<S: Stream>(link: &mut Link<S>, session: &mut Session, fault: FrameFault) -> io::Result<Next> {
    let fault = DoorFault::from(fault);
    session.failed();
    link.put(&fault.frame(None))?;
    link.flush().await?;
    Ok(if fault.is_fatal { Next::End } else { Next::Sync })
}
