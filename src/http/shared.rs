//! What routes share besides the service: rendered statistics, sessions, and how the server is reached.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::counts::Counts;
use super::links::{LinkKey, Links};
use super::sessions::Sessions;
use crate::config::Operator;
use crate::http::cache::Shelf;
use crate::service::publishing::sealings::Sealings;

/// The largest number of simultaneous exports of the ledger; each of them holds a thread for as long as its reader takes.
pub const EXPORTS_MAX: usize = 2;

/// How a server is reached, according to its configuration.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The origins whose pages may read public statistics and embed their pages; `*` means all.
    pub origins: Vec<String>,
    /// Whether browsers reach the server only over TLS, so that cookies never travel in plain text.
    pub is_secure: bool,
    /// The host that browsers use if a proxy is in front of the server; `None` if it is the one in their requests.
    pub host: Option<String>,
    /// Who runs the server; `None` if the configuration does not say.
    pub operator: Option<Operator>,
    /// The sealings that people start through the server; `None` if it seals nothing.
    pub sealings: Option<Arc<Sealings>>,
    /// The key of signed links; one that lives as long as the process if `None`.
    pub link_key: Option<LinkKey>,
}

/// What routes share besides the service.
pub struct Shared {
    /// Rendered statistics, as bytes.
    pub shelf: Shelf,
    /// The sessions of those who are signed in.
    pub sessions: Sessions,
    /// Signed links to what is read by address.
    pub links: Links,
    /// The numbers of responses so far.
    pub counts: Counts,
    /// Permits to read an export of the ledger, at most [`EXPORTS_MAX`] at once.
    pub exports: Arc<Semaphore>,
    /// How the server is reached.
    pub settings: Settings,
}

impl Shared {
    /// Creates the shared state, with nothing rendered yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let exports = Arc::new(Semaphore::new(EXPORTS_MAX));
        Self {
            shelf: Shelf::default(),
            sessions: Sessions::default(),
            links: Links::new(settings.link_key.clone()),
            counts: Counts::default(),
            exports,
            settings,
        }
    }
}
