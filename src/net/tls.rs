//! The server's certificate and key: turns PEM files into the configuration of a listener.
//!
//! Promises TLS 1.2 and 1.3 with the algorithms of a single named library, HTTP/1.1 and nothing else on top, and that a certificate and a
//! key which do not match are reported at the start and not to the first client. It asks clients for no certificate.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};

use crate::files;

/// The registered name of the protocol spoken over a connection.
const PROTOCOL: &[u8] = b"http/1.1";

/// The reason why a certificate and its key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path}: cannot be read: {}", files::because(*kind))]
    Unreadable {
        /// The path of the file.
        path: String,
        /// The kind of error that the system reports.
        kind: io::ErrorKind,
    },
    /// A file is not in PEM format.
    #[error("{path}: is not PEM; accepted are sections between lines of BEGIN and END, in base64")]
    Malformed {
        /// The path of the file.
        path: String,
    },
    /// A file contains no certificate.
    #[error(
        "{path}: has no certificate; accepted are PEM sections CERTIFICATE, the server's own first, then those that signed it"
    )]
    NoCertificate {
        /// The path of the file.
        path: String,
    },
    /// A file contains no private key.
    #[error(
        "{path}: has no private key; accepted is a PEM section PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY, not encrypted"
    )]
    NoKey {
        /// The path of the file.
        path: String,
    },
    /// The certificate and the key cannot be used together.
    #[error(
        "{certificate} and {key}: are not a certificate and its own key, or not of a kind that is served; accepted are RSA of 2048 \
         bits and more, ECDSA on P-256 or P-384, and Ed25519"
    )]
    Unfit {
        /// The path of the file with the certificate.
        certificate: String,
        /// The path of the file with the key.
        key: String,
    },
}

/// The configuration with which a listener speaks TLS as the holder of this certificate and key.
///
/// # Errors
/// [`TlsError`]; it contains nothing of either file.
pub fn load(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let (chain, private) = (read_chain(certificate)?, read_key(key)?);
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = builder
        .with_protocol_versions(&[&TLS13, &TLS12])
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private));
    let mut config = config.map_err(|_| TlsError::Unfit { certificate: shown(certificate), key: shown(key) })?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(Arc::new(config))
}

/// The server's own certificate: the first in the file.
///
/// # Errors
/// [`TlsError`] for a file without one.
pub fn own_certificate(certificate: &Path) -> Result<CertificateDer<'static>, TlsError> {
    let mut chain = read_chain(certificate)?;
    Ok(chain.swap_remove(0))
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err(TlsError::NoCertificate { path: shown(path) }),
        Ok(chain) => Ok(chain),
        Err(_) => Err(TlsError::Malformed { path: shown(path) }),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(read(path)?.as_bytes()).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::NoKey { path: shown(path) },
        _ => TlsError::Malformed { path: shown(path) },
    })
}

fn read(path: &Path) -> Result<String, TlsError> {
    files::text(path).map_err(|error| TlsError::Unreadable { path: shown(path), kind: error.kind() })
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpStream};
    use std::path::PathBuf;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;

    use axum::Router;
    use axum::body::{Body, Bytes};
    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream, SupportedProtocolVersion};
    use tempfile::TempDir;
    use tokio::sync::mpsc::UnboundedSender;

    use super::*;
    use crate::net::listener::{Peer, serve_at, serve_tls};
    use crate::net::pace::Pace;

    // Made for these tests; valid for "localhost" until 2120.
    const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBYTCCAQagAwIBAgIBATAKBggqhkjOPQQDAjAVMRMwEQYDVQQDDAp0YWNpdC50
ZXN0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAVMRMwEQYDVQQD
DAp0YWNpdC50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEHxmR+COeGHEv
UexCEBToDqBkFowEUnxqctfluAUEJHmv5+VMCgO0GydoQuAYeg34IT9uvTrCdr1s
u12AA3YbkKNFMEMwFAYDVR0RBA0wC4IJbG9jYWxob3N0MAwGA1UdEwEB/wQCMAAw
HQYDVR0OBBYEFM226JMAW/6BZTaxVLJ5weEicuxBMAoGCCqGSM49BAMCA0kAMEYC
IQCthmz3Qh2twC9OsryGQ75ymIVReXyWY8vmS0Ewfl86hgIhALGazzun/frD5ZPA
XIvkvAcyYI+yiLkkkW+mMQETOaCa
-----END CERTIFICATE-----
";
    const KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgTQDwBwb8C07IdGL+
R3wecwMUwsGDlXuShKuMcEnC9ZahRANCAAQfGZH4I54YcS9R7EIQFOgOoGQWjARS
fGpy1+W4BQQkea/n5UwKA7QbJ2hC4Bh6DfghP269OsJ2vWy7XYADdhuQ
-----END PRIVATE KEY-----
";
    const OTHER_KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgTPi+9c2Zl6xdeYHH
IoggLS5G2BCeFfFQq6VKGxRwoJKhRANCAATO9Xd0xFI+YByZCdD2B60s8b6Ahau7
fUTz4HFeyE5oUrRQ6blgnpeGh1Osa9U4A6kGKW4/6iQ++Mj8IRsCC+jn
-----END PRIVATE KEY-----
";

    fn files(certificate: &str, key: &str) -> (TempDir, PathBuf, PathBuf) {
        let dir = tempfile::tempdir().expect("a folder");
        let paths = (dir.path().join("certificate.pem"), dir.path().join("key.pem"));
        std::fs::write(&paths.0, certificate).expect("a file");
        std::fs::write(&paths.1, key).expect("a file");
        (dir, paths.0, paths.1)
    }

    #[test]
    fn what_cannot_be_served_with_is_refused() {
        let cut = &CERTIFICATE[..200];
        let encrypted = KEY.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        for (certificate, key, words) in [
            (CERTIFICATE, OTHER_KEY, "are not a certificate and its own key"),
            (KEY, KEY, "certificate.pem: has no certificate"),
            ("", KEY, "certificate.pem: has no certificate"),
            (cut, KEY, "certificate.pem: is not PEM"),
            (CERTIFICATE, CERTIFICATE, "key.pem: has no private key"),
            (CERTIFICATE, &encrypted, "key.pem: has no private key"),
        ] {
            let (_dir, certificate, key) = files(certificate, key);
            let said = load(&certificate, &key).expect_err(words).to_string();
            assert!(said.contains(words), "{said}");
        }
        let (dir, certificate, _) = files(CERTIFICATE, KEY);
        let said = load(&certificate, dir.path()).expect_err("a folder").to_string();
        assert!(said.contains("cannot be read"), "{said}");
    }

    /// The client's side of TLS in this version.
    fn session(version: &'static SupportedProtocolVersion) -> ClientConnection {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).expect("a certificate");
        roots.add(root).expect("a root");
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_protocol_versions(&[version]).expect("a version");
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), PROTOCOL.to_vec()];
        let name = ServerName::try_from("localhost").expect("a name");
        ClientConnection::new(Arc::new(config), name).expect("a session")
    }

    /// The answer received over TLS in this version, and the protocol that was agreed on.
    fn ask(address: SocketAddr, version: &'static SupportedProtocolVersion) -> (String, Option<Vec<u8>>) {
        let mut session = session(version);
        let mut socket = TcpStream::connect(address).expect("a connection");
        let mut reply = Vec::new();
        let mut stream = Stream::new(&mut session, &mut socket);
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("sent");
        stream.read_to_end(&mut reply).expect("a reply, and its end");
        let protocol = session.alpn_protocol().map(<[u8]>::to_vec);
        (String::from_utf8(reply).expect("text"), protocol)
    }

    async fn tell(request: axum::extract::Request) -> String {
        request.extensions().get::<Peer>().map_or_else(|| "nobody".to_owned(), |peer| peer.0.ip().to_string())
    }

    #[tokio::test]
    async fn requests_are_answered_over_tls_whoever_keeps_silent() {
        let (_dir, certificate, key) = files(CERTIFICATE, KEY);
        let tls = load(&certificate, &key).expect("a certificate and its key");
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(serve_tls(listener, Router::new().fallback(tell), tls, async {
            let _ = ended.await;
        }));
        let asking = tokio::task::spawn_blocking(move || {
            let silent = TcpStream::connect(address).expect("a connection");
            let replies = [ask(address, &TLS12), ask(address, &TLS13)];
            let mut plain = TcpStream::connect(address).expect("a connection");
            plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
            let mut refused = Vec::new();
            // A connection that is reset said nothing either.
            let _ = plain.read_to_end(&mut refused);
            drop(silent);
            (replies, refused)
        });
        let (replies, refused) = asking.await.expect("answers");
        for (reply, protocol) in replies {
            assert!(reply.starts_with("HTTP/1.1 200") && reply.ends_with("127.0.0.1"), "{reply}");
            assert_eq!(protocol.as_deref(), Some(PROTOCOL));
        }
        assert!(!refused.starts_with(b"HTTP"), "plain text was answered");
        end.send(()).expect("the server runs");
        serving.await.expect("a clean end");
    }

    /// An endless body that reports when it is dropped.
    struct Endless(UnboundedSender<()>);

    impl Drop for Endless {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }

    impl futures_core::Stream for Endless {
        type Item = Result<Bytes, Infallible>;
        fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(Some(Ok(Bytes::from_static(&[b'x'; 64 << 10]))))
        }
    }

    /// The test is that the body ends at all: nothing but the pace would ever end it.
    #[tokio::test]
    async fn who_stops_reading_is_dropped_with_tls_and_without() {
        let (_dir, certificate, key) = files(CERTIFICATE, KEY);
        let tls = load(&certificate, &key).expect("a certificate and its key");
        for tls in [None, Some(tls)] {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a listener");
            let address = listener.local_addr().expect("an address");
            let (dropped, mut is_dropped) = tokio::sync::mpsc::unbounded_channel();
            let router = Router::new().fallback(async move || Body::from_stream(Endless(dropped.clone())));
            let pace = Pace { bytes_min: 1, window: Duration::from_millis(20) };
            let is_tls = tls.is_some();
            let serving = tokio::spawn(serve_at(listener, router, tls, pace, std::future::pending()));
            let (done, is_done) = std::sync::mpsc::channel::<()>();
            let silent = tokio::task::spawn_blocking(move || {
                let (mut session, mut socket) = (session(&TLS13), TcpStream::connect(address).expect("a connection"));
                let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
                match is_tls {
                    true => Stream::new(&mut session, &mut socket).write_all(request).expect("sent"),
                    false => socket.write_all(request).expect("sent"),
                }
                // The connection stays open, and nobody reads.
                let _ = is_done.recv();
            });
            assert_eq!(is_dropped.recv().await, Some(()));
            drop(done);
            silent.await.expect("an end");
            serving.abort();
        }
    }
}
