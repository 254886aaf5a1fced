//! The listener: accepts connections, limits them, and ends them.
//!
//! Promises that a handshake or a head that does not arrive within ten seconds is cut off, that the number of connections is bounded, that
//! no connection keeps another one from being accepted, that clients who stop reading are dropped ([`super::pace`]), that every request
//! says who sent it ([`Peer`]), and that stopping lets running requests finish.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::pace::{Pace, Paced};

/// The largest number of connections; further ones wait.
pub const CONNECTIONS_MAX: usize = 8_192;
/// The longest time that a TLS handshake may take, in seconds.
const HANDSHAKE_SECONDS_MAX: u64 = 10;
/// The longest time in which the head of a request must arrive, in seconds.
const HEAD_SECONDS_MAX: u64 = 10;
/// The largest size of the head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 32 << 10;
/// The longest time that a stop waits for running requests, in seconds.
const STOP_SECONDS_MAX: u64 = 30;
/// The pause after a connection could not be accepted, in milliseconds.
const ACCEPT_PAUSE_MS: u64 = 50;

/// The stack size of a thread, in bytes: sqlparser drops long chains by recursion.
const STACK_BYTES: usize = 8 << 20;

/// The number of file descriptors needed besides those of connections: for the ledger, for editions, for the runtime itself, and for other
/// doors.
const FILES_BESIDE: u64 = 256 + 2_048;

/// Raises this process's limit of open files towards what all connections need, and logs a warning if it remains lower.
fn raise_file_limit() {
    let wanted = CONNECTIONS_MAX as u64 + FILES_BESIDE;
    match rlimit::increase_nofile_limit(wanted) {
        Ok(limit) if limit >= wanted => {}
        Ok(limit) => tracing::warn!(limit, wanted, "the system allows fewer open files than connections need"),
        Err(error) => tracing::warn!(kind = ?error.kind(), "the limit of open files could not be raised"),
    }
}

/// Creates the runtime that servers run on.
///
/// # Errors
/// Fails if the system cannot create it.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    raise_file_limit();
    tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK_BYTES).build()
}

/// The remote end of the connection that a request came over: its sender, or the proxy in front. Every request carries it as an extension.
/// An IPv4 address that came in over IPv6 is given as the IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

impl Peer {
    fn of(address: SocketAddr) -> Self {
        Self(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }
}

/// Serves `router` in plain text on `listener` until `stop` resolves, then lets running requests finish.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    serve_at(listener, router, None, Pace::default(), stop).await;
}

/// Serves `router` over TLS on `listener` until `stop` resolves, then lets running requests finish.
pub async fn serve_tls(
    listener: TcpListener,
    router: Router,
    tls: Arc<rustls::ServerConfig>,
    stop: impl Future<Output = ()>,
) {
    serve_at(listener, router, Some(tls), Pace::default(), stop).await;
}

/// Serves `router` like [`serve`] or, if `tls` is given, [`serve_tls`], and requires readers to keep to `pace`.
pub async fn serve_at(
    listener: TcpListener,
    router: Router,
    tls: Option<Arc<rustls::ServerConfig>>,
    pace: Pace,
    stop: impl Future<Output = ()>,
) {
    let tls = tls.map(TlsAcceptor::from);
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
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
                continue;
            }
        };
        // Small answers should leave at once; if this fails, they only leave later.
        let _ = stream.set_nodelay(true);
        let (peer, router, tls, watcher) = (Peer::of(address), router.clone(), tls.clone(), graceful.watcher());
        let stream = Paced::new(stream, pace);
        tokio::spawn(async move {
            match tls {
                Some(tls) => attend_tls(&tls, stream, peer, router, watcher).await,
                None => attend(stream, peer, router, watcher).await,
            }
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(Duration::from_secs(STOP_SECONDS_MAX), graceful.shutdown()).await;
}

/// Performs the TLS handshake, then serves the connection. A client who does not complete the handshake in time is cut off.
async fn attend_tls(tls: &TlsAcceptor, stream: Paced<TcpStream>, peer: Peer, router: Router, watcher: Watcher) {
    let handshake = tokio::time::timeout(Duration::from_secs(HANDSHAKE_SECONDS_MAX), tls.accept(stream));
    match handshake.await {
        Ok(Ok(stream)) => attend(stream, peer, router, watcher).await,
        Ok(Err(error)) => tracing::debug!(kind = ?error.kind(), "a handshake failed"),
        Err(_) => tracing::debug!("a handshake took too long"),
    }
}

/// Serves one connection until it ends.
async fn attend<S>(stream: S, peer: Peer, router: Router, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let router = router.clone();
        async move { Ok::<_, Infallible>(answer(router, request.map(Body::new)).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEAD_SECONDS_MAX))
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    // A connection that breaks off is its client's business.
    let _ = watcher.watch(connection).await;
}

async fn answer(router: Router, request: hyper::Request<Body>) -> axum::response::Response {
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Resolves at the first signal to interrupt or terminate.
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

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    async fn tell(request: axum::extract::Request) -> String {
        request.extensions().get::<Peer>().map_or_else(|| "nobody".to_owned(), |peer| peer.0.to_string())
    }

    #[tokio::test]
    async fn every_request_says_who_asks() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(serve(listener, Router::new().fallback(tell), async {
            let _ = ended.await;
        }));
        let asked = tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(address).expect("a connection");
            stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("sent");
            let mut reply = String::new();
            stream.read_to_string(&mut reply).expect("a reply");
            (stream.local_addr().expect("an address"), reply)
        });
        let (asker, reply) = asked.await.expect("an answer");
        assert!(reply.starts_with("HTTP/1.1 200") && reply.ends_with(&asker.to_string()), "{reply}");
        end.send(()).expect("the server runs");
        serving.await.expect("a clean end");
    }

    #[test]
    fn an_ipv4_address_over_ipv6_is_an_ipv4_address() {
        for (given, told) in [
            ("[::ffff:192.0.2.7]:80", "192.0.2.7:80"),
            ("192.0.2.7:80", "192.0.2.7:80"),
            ("[2001:db8::1]:80", "[2001:db8::1]:80"),
        ] {
            assert_eq!(Peer::of(given.parse().expect("an address")).0.to_string(), told);
        }
    }
}
