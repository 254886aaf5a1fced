//! The PostgreSQL door with a client that everybody uses: who comes in, what is free, what is charged and when, and what is refused.

mod frames;
mod habits;
mod money;
mod people;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};

use postgres::error::DbError;
use postgres::{Client, Config, NoTls};
use tacit::pgwire::accept::serve;
use tacit::pgwire::door::DoorTls;
use tacit::service::Service;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::support::Lab;

/// A certificate for "localhost" and its key, made for tests.
const CERTIFICATE: &str = include_str!("pgdoor/certificate.pem");
const KEY: &str = include_str!("pgdoor/key.pem");

/// A door that is served until this is dropped.
pub struct Served {
    /// What it runs on, which ends with it.
    _runtime: Runtime,
    /// Where it listens.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
}

impl Served {
    /// A door of this service, in plain text.
    pub fn new(service: &Arc<Service>) -> Self {
        Self::over(service, None)
    }

    /// A door of this service with TLS, whose files are put into a folder.
    pub fn in_tls(service: &Arc<Service>, folder: &Path) -> Self {
        let paths = [("certificate.pem", CERTIFICATE), ("key.pem", KEY)].map(|(name, text)| {
            let path = folder.join(name);
            std::fs::write(&path, text).expect("a file");
            path
        });
        Self::over(service, Some(DoorTls::load(&paths[0], &paths[1]).expect("a certificate and its key")))
    }

    fn over(service: &Arc<Service>, tls: Option<DoorTls>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let bind = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listener = runtime.block_on(bind).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let (stop, stopping) = watch::channel(false);
        runtime.spawn(serve(listener, Arc::clone(service), tls, stopping));
        Self { _runtime: runtime, address, stop }
    }

    /// How a client of this person comes in.
    pub fn config(&self, user: &str, token: &str, database: &str) -> Config {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.address.port()).user(user).password(token).dbname(database);
        config
    }

    /// A client of the researcher, and the notices that it gets.
    pub fn ada(&self, lab: &Lab) -> (Client, Notices) {
        connected(self.config("ada", &lab.researcher, "visits"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

/// The notices of a connection, as messages and details.
pub type Notices = Arc<Mutex<Vec<(String, String)>>>;

/// Connects, and keeps what the server notes.
pub fn connected(mut config: Config) -> (Client, Notices) {
    let notices = Notices::default();
    let kept = Arc::clone(&notices);
    config.notice_callback(move |notice: DbError| {
        let pair = (notice.message().to_owned(), notice.detail().unwrap_or_default().to_owned());
        kept.lock().expect("notices").push(pair);
    });
    (config.connect(NoTls).unwrap_or_else(|error| panic!("{error:?}")), notices)
}

/// The server's error; fails if there is none.
pub fn fault<T>(result: Result<T, postgres::Error>) -> DbError {
    let Err(error) = result else { panic!("it was not refused") };
    error.as_db_error().unwrap_or_else(|| panic!("{error:?}")).clone()
}

/// The number of the ledger's last entry.
pub fn entries(lab: &Lab) -> u64 {
    lab.head().0
}
