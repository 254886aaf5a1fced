//! Tests of what is reported about a database that refuses connections. `tests/it/postgres_source.rs` reads from one that accepts them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};

use super::*;

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
/// The request with which a client asks for TLS.
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// How a server responds to a client.
#[derive(Clone, Copy)]
enum Server {
    /// It offers TLS if asked, and then refuses.
    Encrypted,
    /// It offers no TLS, and then refuses.
    Plain,
    /// It closes the connection.
    Silent,
}

/// Refuses every client, with a row's value in the message.
fn refuse(stream: &mut (impl std::io::Read + std::io::Write)) {
    let mut length = [0; 4];
    if stream.read_exact(&mut length).is_err() {
        return;
    }
    let mut startup = vec![0; usize::try_from(u32::from_be_bytes(length)).expect("a length") - 4];
    if stream.read_exact(&mut startup).is_err() {
        return;
    }
    let fields = b"SFATAL\0VFATAL\0C28P01\0MSECRET\0\0";
    let mut message = vec![b'E'];
    message.extend(u32::try_from(fields.len() + 4).expect("short").to_be_bytes());
    message.extend(fields);
    let _ = stream.write_all(&message);
}

/// A server that accepts one client.
fn server(how: Server) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let serving = thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return };
        let mut asked = [0; 8];
        if matches!(how, Server::Silent) || stream.peek(&mut asked).is_err() {
            return;
        }
        if asked == TLS_REQUEST {
            stream.read_exact(&mut asked).expect("what was seen");
            let answer = if matches!(how, Server::Encrypted) { b"S" } else { b"N" };
            if stream.write_all(answer).is_err() {
                return;
            }
            if matches!(how, Server::Encrypted) {
                let mut session = ServerConnection::new(Arc::new(config())).expect("a session");
                return refuse(&mut Stream::new(&mut session, &mut stream));
            }
        }
        refuse(&mut stream);
    });
    (address, serving)
}

fn config() -> ServerConfig {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).expect("a key");
    builder.with_single_cert(vec![certificate], key).expect("a certificate and its key")
}

fn said(connection: &str) -> String {
    let environment = |name: &str| (name == "PGPASSWORD").then(|| "guess".into());
    let error = PostgresSource::open(connection, "SELECT 1", &environment).expect_err("nobody is let in").to_string();
    assert!(!error.contains("SECRET") && !error.contains("guess"), "{error}");
    error
}

#[test]
fn certificates_are_looked_at_where_tls_is_required() {
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().join("root.pem");
    std::fs::write(&root, CERTIFICATE).expect("written");
    let root = root.display();
    let rejected = "does not let tacit into database tacit (SQLSTATE 28P01: the password is wrong)";
    for (how, host, more, expected) in [
        (Server::Encrypted, "localhost", "sslmode=prefer".to_owned(), rejected),
        (Server::Encrypted, "127.0.0.1", String::new(), rejected),
        (Server::Encrypted, "localhost", "sslmode=require".to_owned(), "TLS failed"),
        (Server::Encrypted, "localhost", format!("sslmode=require sslrootcert={root}"), rejected),
        (Server::Encrypted, "127.0.0.1", format!("sslmode=verify-full sslrootcert={root}"), "TLS failed"),
        (Server::Plain, "127.0.0.1", "sslmode=require".to_owned(), "TLS failed"),
        (Server::Plain, "127.0.0.1", "sslmode=prefer".to_owned(), rejected),
        (Server::Plain, "127.0.0.1", "sslmode=disable".to_owned(), rejected),
    ] {
        let (address, serving) = server(how);
        let error = said(&format!("host={host} port={} user=tacit {more}", address.port()));
        assert!(error.contains(expected), "{host} {more}: {error}");
        // A client that failed to connect to another address of the host never came.
        let _ = TcpStream::connect(address);
        serving.join().expect("a server");
    }
    let error = said("host=localhost user=tacit sslmode=require sslrootcert=/gone.pem");
    assert!(error.contains("sslrootcert = /gone.pem is not a readable file of certificates"), "{error}");
}

#[test]
fn a_server_that_is_not_there_is_said_so() {
    let (address, serving) = server(Server::Silent);
    let error = said(&format!("host=127.0.0.1 port={} user=tacit sslmode=disable", address.port()));
    assert!(error.starts_with("PostgreSQL query: 127.0.0.1:"), "{error}");
    serving.join().expect("a server");
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a listener");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let error = said(&format!("host=127.0.0.1 port={port} user=tacit"));
    assert!(error.ends_with(&format!("127.0.0.1:{port} cannot be reached: connection refused")), "{error}");
    let error = said("host=/gone user=tacit");
    assert!(error.ends_with("/gone:5432 cannot be reached: entity not found"), "{error}");
    let error = said("host=db password=SECRET user=tacit");
    assert!(error.contains("the connection holds a password"), "{error}");
    let nobody = PostgresSource::open("host=db", "SELECT 1", &|_| None).expect_err("nobody").to_string();
    assert!(nobody.ends_with("the connection names no user; write user=…"), "{nobody}");
}

#[test]
fn columns_are_numbered_and_a_comment_ends() {
    let columns = vec![SourceColumn::new("a", DataType::String), SourceColumn::new("a", DataType::String)];
    let connection = Connection::parse("host=db").expect("a connection");
    let (user, password, query) = ("tacit".to_owned(), Known::Nothing, "SELECT a, a FROM t -- all".to_owned());
    let query = PostgresSource { connection, user, password, query, columns };
    assert_eq!(
        query.select(&[1, 0]),
        "SELECT c1::pg_catalog.text, c0::pg_catalog.text FROM (SELECT a, a FROM t -- all\n) AS source (c0, c1)"
    );
}
