//! What routes share beside the service: rendered statistics, sessions, and how the server is reached.

use axum::http::{HeaderMap, HeaderValue, header};

use super::console::Sessions;
use crate::config::Operator;
use crate::http::api::metrics::Counts;
use crate::http::cache::Shelf;

/// How a server is reached, as its configuration says.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Origins whose pages may read public statistics and embed their pages; `*` for all.
    pub origins: Vec<String>,
    /// Whether browsers reach it by TLS alone, so that cookies never travel in plain text.
    pub is_secure: bool,
    /// The host that browsers know it by, where a proxy stands before it; nothing where it is the one that they ask for.
    pub host: Option<String>,
    /// Who runs it; `None` where they have not said.
    pub operator: Option<Operator>,
}

/// What routes share beside the service.
pub struct Shared {
    /// Statistics as bytes.
    pub shelf: Shelf,
    /// Who is signed in.
    pub sessions: Sessions,
    /// Responses so far.
    pub counts: Counts,
    /// How the server is reached.
    pub settings: Settings,
}

impl Shared {
    /// Nothing rendered yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { shelf: Shelf::default(), sessions: Sessions::default(), counts: Counts::default(), settings }
    }

    /// Lets pages of the configured origins read a public statistic.
    pub fn allow_origins(&self, asked: &HeaderMap, is_public: bool, out: &mut HeaderMap) {
        let origin = asked.get(header::ORIGIN).filter(|_| is_public);
        let all = self.settings.origins.iter().any(|known| known == "*");
        let allowed = origin
            .filter(|origin| all || self.settings.origins.iter().any(|known| origin.as_bytes() == known.as_bytes()));
        if let Some(origin) = allowed {
            let value = if all { HeaderValue::from_static("*") } else { origin.clone() };
            out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
        }
    }
}
