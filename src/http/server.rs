//! The listener: connections, their limits and their end.
//!
//! Promises that a head that does not arrive within ten seconds is cut off, that connections are bounded, and that a stop lets
//! running requests end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::ServiceExt;

/// Connections at the most; the next one waits.
pub const CONNECTIONS_MAX: usize = 8_192;
/// Seconds that a request's head may take to arrive.
const HEAD_SECONDS_MAX: u64 = 10;
/// Bytes of a request's head at the most.
const HEAD_BYTES_MAX: usize = 32 << 10;
/// Seconds that a stop waits for running requests.
const STOP_SECONDS_MAX: u64 = 30;
/// Pause after the system would not give a connection, in milliseconds.
const ACCEPT_PAUSE_MS: u64 = 50;

/// Bytes of a thread's stack: sqlparser drops long chains by recursion.
const STACK_BYTES: usize = 8 << 20;

/// File descriptors beside those of connections: the ledger, editions, the runtime's own.
const FILES_BESIDE: u64 = 256;

/// Raises this process's limit of open files towards what all connections need; what it is then is logged.
fn raise_file_limit() {
    let wanted = CONNECTIONS_MAX as u64 + FILES_BESIDE;
    match rlimit::increase_nofile_limit(wanted) {
        Ok(limit) if limit >= wanted => {}
        Ok(limit) => tracing::warn!(limit, wanted, "the system allows fewer open files than connections need"),
        Err(error) => tracing::warn!(kind = ?error.kind(), "the limit of open files could not be raised"),
    }
}

/// The runtime that servers run on.
///
/// # Errors
/// Those of the system.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    raise_file_limit();
    tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK_BYTES).build()
}

/// Serves `router` on `listener` until `stop` resolves, then lets running requests end.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    tokio::pin!(stop);
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = &mut stop => break,
        };
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
                continue;
            }
        };
        // Small answers should leave at once; without it they are only later.
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let router = router.clone();
            async move { Ok::<_, Infallible>(answer(router, request.map(Body::new)).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(HEAD_SECONDS_MAX))
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A connection that breaks off is its client's business.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(Duration::from_secs(STOP_SECONDS_MAX), graceful.shutdown()).await;
}

async fn answer(router: Router, request: hyper::Request<Body>) -> axum::response::Response {
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Resolves at the first interrupt or termination.
pub async fn stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
