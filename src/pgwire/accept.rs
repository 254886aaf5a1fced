//! The listener of the PostgreSQL door: accepts connections, limits them, and agrees on TLS.
//!
//! Promises that who says nothing is cut off after ten seconds, that those who have not come in take no place from those who have, that one
//! too many is told so, and that plain text is spoken on this machine alone.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::cancel::Cancels;
use super::door::{self, Door, DoorTls, PROTOCOL};
use super::fault::DoorFault;
use super::frames::Opening;
use super::link::{Link, Stream};
use super::startup::{self, Entered, Hello};
use super::talk;
use crate::net::pace::{Pace, Paced};
use crate::service::Service;

/// Largest number of sessions.
pub const SESSIONS_MAX: usize = 1_024;
/// Largest number of connections that have not come in.
pub const STARTING_MAX: usize = 1_024;
/// Longest time in which somebody comes in, in seconds.
const STARTUP_SECONDS_MAX: u64 = 10;
/// Longest time that a stop waits for statements that run, in seconds.
const STOP_SECONDS_MAX: u64 = 30;
/// The pause after a connection could not be accepted, in milliseconds.
const ACCEPT_PAUSE_MS: u64 = 50;
/// The byte that a TLS handshake begins with.
const HANDSHAKE: u8 = 0x16;

/// Serves `service` on `listener` until `stopping` says so; then statements that run may end. Without `tls`, the listener has to be
/// reached from this machine alone.
pub async fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    tls: Option<DoorTls>,
    stopping: watch::Receiver<bool>,
) {
    let needs_tls = listener.local_addr().map_or(true, |address| !address.ip().to_canonical().is_loopback());
    let door = Arc::new(Door {
        services: door::services(service),
        cancels: Arc::new(Cancels::default()),
        needs_tls,
        tls,
        sessions: Arc::new(Semaphore::new(SESSIONS_MAX)),
        stopping: stopping.clone(),
    });
    let starting = Arc::new(Semaphore::new(STARTING_MAX));
    let (mut stop, mut all) = (stopping, JoinSet::new());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|is_stopping| *is_stopping) => break,
        };
        while all.try_join_next().is_some() {}
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
            continue;
        };
        // Small answers should leave at once; if this fails, they only leave later.
        let _ = stream.set_nodelay(true);
        // One too many hears nothing, as it has said nothing yet.
        let Ok(place) = Arc::clone(&starting).try_acquire_owned() else { continue };
        let door = Arc::clone(&door);
        all.spawn(async move {
            if let Err(error) = attend(stream, &door, place).await {
                tracing::debug!(kind = ?error.kind(), "a connection to the PostgreSQL door broke off");
            }
        });
    }
    drop(listener);
    let _ = timeout(Duration::from_secs(STOP_SECONDS_MAX), async { while all.join_next().await.is_some() {} }).await;
}

type Place = tokio::sync::OwnedSemaphorePermit;

/// Serves one connection until it ends.
async fn attend(stream: TcpStream, door: &Door, place: Place) -> io::Result<()> {
    let limit = tokio::time::Instant::now() + Duration::from_secs(STARTUP_SECONDS_MAX);
    let mut first = [0];
    let peeked = tokio::time::timeout_at(limit, stream.peek(&mut first)).await;
    let Ok(Ok(1)) = peeked else { return Ok(()) };
    let stream = Paced::new(stream, Pace::default());
    let is_direct = first == [HANDSHAKE];
    match (&door.tls, is_direct) {
        (Some(tls), true) => {
            let Ok(stream) = tokio::time::timeout_at(limit, tls.acceptor.accept(stream)).await else { return Ok(()) };
            let stream = stream?;
            // Clients that begin with TLS have to say what they speak in it, so that no other protocol is taken for it.
            if stream.get_ref().1.alpn_protocol() != Some(PROTOCOL) {
                return Ok(());
            }
            begin(Link::new(stream, BytesMut::new()), door, (place, limit), true).await
        }
        (None, true) => Ok(()),
        (_, false) => begin(Link::new(stream, BytesMut::new()), door, (place, limit), false).await,
    }
}

/// Agrees on TLS, if it is asked for, and goes on with whoever comes in.
async fn begin<S: Stream + 'static>(
    mut link: Link<S>,
    door: &Door,
    (place, limit): (Place, tokio::time::Instant),
    is_secure: bool,
) -> io::Result<()> {
    let mut asked = 0;
    loop {
        let Ok(opening) = tokio::time::timeout_at(limit, link.opening()).await else { return Ok(()) };
        match opening? {
            None => return Ok(()),
            Some(Err(fault)) => return end(&mut link, &DoorFault::from(fault).fatal()).await,
            Some(Ok(Opening::Cancel { pid, secret })) => {
                door.cancels.tell(pid, &secret);
                return Ok(());
            }
            Some(Ok(Opening::Startup { minor, parameters })) => {
                return come_in(&mut link, door, (place, limit), &Hello { minor, parameters }, is_secure).await;
            }
            // Each of both may be asked for once.
            Some(Ok(Opening::Tls | Opening::Gss)) if asked >= 2 => return Ok(()),
            Some(Ok(Opening::Tls)) if !is_secure && door.tls.is_some() => {
                link.out().extend_from_slice(b"S");
                link.flush().await?;
                let (stream, before) = link.into_parts();
                // What was sent in plain text before the handshake may be somebody else's.
                let (Some(tls), true) = (&door.tls, before.is_empty()) else { return Ok(()) };
                let accepted = tokio::time::timeout_at(limit, tls.acceptor.accept(stream)).await;
                let Ok(stream) = accepted else { return Ok(()) };
                let link = Link::new(stream?, BytesMut::new());
                return Box::pin(in_tls(link, door, (place, limit))).await;
            }
            Some(Ok(Opening::Tls | Opening::Gss)) => {
                asked += 1;
                link.out().extend_from_slice(b"N");
                link.flush().await?;
            }
        }
    }
}

/// Goes on in TLS, in which TLS is not asked for again.
async fn in_tls<S: Stream>(
    mut link: Link<S>,
    door: &Door,
    (place, limit): (Place, tokio::time::Instant),
) -> io::Result<()> {
    let Ok(opening) = tokio::time::timeout_at(limit, link.opening()).await else { return Ok(()) };
    match opening? {
        Some(Ok(Opening::Startup { minor, parameters })) => {
            come_in(&mut link, door, (place, limit), &Hello { minor, parameters }, true).await
        }
        Some(Ok(Opening::Cancel { pid, secret })) => {
            door.cancels.tell(pid, &secret);
            Ok(())
        }
        Some(Ok(Opening::Tls | Opening::Gss)) | None => Ok(()),
        Some(Err(fault)) => end(&mut link, &DoorFault::from(fault).fatal()).await,
    }
}

async fn come_in<S: Stream>(
    link: &mut Link<S>,
    door: &Door,
    (place, limit): (Place, tokio::time::Instant),
    hello: &Hello,
    is_secure: bool,
) -> io::Result<()> {
    let Ok(entered) = tokio::time::timeout_at(limit, startup::enter(link, door, hello, is_secure)).await else {
        return Ok(());
    };
    let Entered { mut session, places: _places } = match entered? {
        Ok(Some(entered)) => entered,
        Ok(None) => return Ok(()),
        Err(fault) => return end(link, &fault).await,
    };
    drop(place);
    talk::talk(link, &mut session, door.stopping.clone()).await
}

async fn end<S: Stream>(link: &mut Link<S>, fault: &DoorFault) -> io::Result<()> {
    link.put(&fault.frame(None))?;
    link.flush().await
}
