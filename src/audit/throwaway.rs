//! A throw-away server: it is started for one audit and leaves nothing behind.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::client::Client;
use crate::engine::Launch;
use crate::kernel::budget::people::Role;
use crate::kernel::clock::{Clock, SystemClock};
use crate::kernel::privacy::amounts::Epsilon;
use crate::kernel::random;
use crate::ledger::SqliteLedger;
use crate::query::terms::policy::Policy;
use crate::service::Service;
use crate::service::publishing::editions::seal_and_publish;
use crate::service::stewarding::grants::{self, Grant, Holder};
use crate::service::stewarding::people;
use crate::{http, net, startup};

/// Why the server could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the server to be audited could not be started: {0}")]
pub struct NoServer(String);

fn no_server(error: impl ToString) -> NoServer {
    NoServer(error.to_string())
}

/// A temporary folder that is removed when this is dropped.
pub struct Folder(PathBuf);

impl Folder {
    /// Creates a folder in the system's directory for temporary files.
    ///
    /// # Errors
    /// [`NoServer`] if it cannot be created.
    pub fn new() -> Result<Self, NoServer> {
        let path = std::env::temp_dir().join(random::id("tacit-audit").map_err(no_server)?);
        fs::create_dir(&path).map_err(no_server)?;
        Ok(Self(path))
    }

    /// The path of the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Seals the policies of a folder, named by dataset, into its subfolder `state`, and removes the folder's CSV files. It grants a
/// new researcher the whole of each cap and returns the researcher's token.
///
/// # Errors
/// [`NoServer`] if a policy cannot be sealed or the ledger cannot be written.
pub fn seal_all(dir: &Path, datasets: &[&str]) -> Result<String, NoServer> {
    let state = dir.join("state");
    let now_ms = SystemClock.now_ms();
    let ledger = SqliteLedger::open(&state, now_ms).map_err(no_server)?;
    let token = people::add_person(&ledger, "auditor", Role::Researcher, "audit", now_ms).map_err(no_server)?;
    for name in datasets {
        let policy = Policy::load(&dir.join(format!("{name}.toml"))).map_err(no_server)?;
        seal_and_publish(&ledger, &policy, &state, &|_| {}, &SystemClock).map_err(no_server)?;
        let (to, reason) = (Holder::researcher("auditor"), "an audit".to_owned());
        let epsilon: Epsilon = policy.terms.cap;
        let grant = Grant { to, dataset: policy.name.clone(), epsilon, reason, by: "audit".to_owned() };
        grants::grant(&ledger, grant, now_ms).map_err(no_server)?;
    }
    let sources = fs::read_dir(dir).map_err(no_server)?.flatten().map(|entry| entry.path());
    for source in sources.filter(|path| path.extension().is_some_and(|ending| ending == "csv")) {
        let _ = fs::remove_file(source);
    }
    Ok(token.text().to_owned())
}

/// Adds a colleague of the auditor, who may spend as much, to what [`seal_all`] sealed, and returns the colleague's token.
///
/// # Errors
/// [`NoServer`] if the ledger cannot be written.
pub fn add_colleague(dir: &Path, datasets: &[&str]) -> Result<String, NoServer> {
    let now_ms = SystemClock.now_ms();
    let ledger = SqliteLedger::open(&dir.join("state"), now_ms).map_err(no_server)?;
    let token = people::add_person(&ledger, "colleague", Role::Researcher, "audit", now_ms).map_err(no_server)?;
    for name in datasets {
        let policy = Policy::load(&dir.join(format!("{name}.toml"))).map_err(no_server)?;
        let (to, reason) = (Holder::researcher("colleague"), "an audit".to_owned());
        let (dataset, epsilon) = (policy.name, policy.terms.cap);
        grants::grant(&ledger, Grant { to, dataset, epsilon, reason, by: "audit".to_owned() }, now_ms)
            .map_err(no_server)?;
    }
    Ok(token.text().to_owned())
}

/// Opens the service on what [`seal_all`] sealed.
///
/// # Errors
/// [`NoServer`] if the state directory cannot be opened.
pub fn open(dir: &Path, datasets: &[&str]) -> Result<Arc<Service>, NoServer> {
    let policies: Vec<PathBuf> = datasets.iter().map(|name| dir.join(format!("{name}.toml"))).collect();
    startup::open(&dir.join("state"), None, &policies, Launch::this_program()).map_err(no_server)
}

/// Runs `work` against a server for `service`, which listens on a port that the system chooses.
///
/// # Errors
/// [`NoServer`] if the server cannot be started.
pub fn with<T>(service: Arc<Service>, token: &str, work: impl FnOnce(&Client) -> T) -> Result<T, NoServer> {
    at(service, |address| work(&Client::new(address, Some(token))))
}

/// Like [`with`], for an auditor and their colleague.
///
/// # Errors
/// [`NoServer`] if the server cannot be started.
pub fn with_colleague<T>(
    service: Arc<Service>,
    [auditor, colleague]: [&str; 2],
    work: impl FnOnce(&Client, &Client) -> T,
) -> Result<T, NoServer> {
    let client = |address: &str, token: &str| Client::new(address, Some(token));
    at(service, |address| work(&client(address, auditor), &client(address, colleague)))
}

fn at<T>(service: Arc<Service>, work: impl FnOnce(&str) -> T) -> Result<T, NoServer> {
    let runtime = net::listener::runtime().map_err(no_server)?;
    let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).map_err(no_server)?;
    let address: SocketAddr = listener.local_addr().map_err(no_server)?;
    let (end, ended) = oneshot::channel::<()>();
    let serving =
        runtime.spawn(net::listener::serve(listener, http::router(service, http::Settings::default()), async {
            let _ = ended.await;
        }));
    let done = work(&format!("http://{address}"));
    let _ = end.send(());
    let _ = runtime.block_on(serving);
    Ok(done)
}
