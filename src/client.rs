//! A client of our own HTTP API, for the commands that talk to a server.

mod away;
pub mod catalogue;
pub mod stewarding;

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::RequestBuilder;
use ureq::tls::{RootCerts, TlsConfig};

pub use away::AwayReason;

/// Seconds after which a request is given up.
const SECONDS_MAX: u64 = 150;
/// Items per page of a list: the most that a server sends at once.
const PAGE: usize = 1_000;
/// Largest number of bytes in an answer.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

/// A client of one server, with a token.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    url: String,
    token: Option<String>,
}

/// Why a request has no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server sent no answer, or the connection broke off.
    #[error("{url}: {why}")]
    Away {
        /// The URL of the server.
        url: String,
        /// What the connection failed at.
        why: AwayReason,
    },
    /// The server refused, with a problem document.
    #[error("{}", said(problem))]
    Problem {
        /// The problem document that the server sent.
        problem: Value,
    },
    /// The answer is not one of a Tacit server.
    #[error("{url}: what answers there is no Tacit server")]
    Foreign {
        /// The URL of the server.
        url: String,
    },
}

/// TLS for requests to other servers: rustls with ring, and the certificate authorities that this system trusts, so that a hospital's own
/// authority counts.
pub(crate) fn tls() -> TlsConfig {
    TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build()
}

fn said(problem: &Value) -> String {
    let text = |key: &str| problem.get(key).and_then(Value::as_str);
    let mut said =
        format!("{}: {}", text("code").unwrap_or("refused"), text("detail").unwrap_or("no reason was given"));
    if let Some(hint) = text("hint") {
        said.push_str(&format!("\n  hint: {hint}"));
    }
    said
}

impl Client {
    /// Creates a client of the server at `url`; without a `token` it asks anonymously.
    #[must_use]
    pub fn new(url: &str, token: Option<&str>) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .tls_config(tls())
            .timeout_global(Some(Duration::from_secs(SECONDS_MAX)))
            .build();
        let url = url.trim_end_matches('/').to_owned();
        Self { agent: config.into(), url, token: token.map(str::to_owned) }
    }

    /// The URL of the server.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether requests say who asks.
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Sends a GET request and reads the answer as JSON.
    ///
    /// # Errors
    /// [`ClientError`] if there is no usable answer.
    pub fn get(&self, path: &str) -> Result<Value, ClientError> {
        self.get_as(path)
    }

    /// Sends a GET request and reads the answer as what the route promises.
    ///
    /// # Errors
    /// [`ClientError`] if there is no usable answer.
    pub fn get_as<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.json(self.read(self.authorized(self.agent.get(self.at(path))).call())?)
    }

    /// Sends a GET request and returns the answer in the format `accept`, a media type.
    ///
    /// # Errors
    /// [`ClientError`] if there is no usable answer.
    pub fn get_for(&self, path: &str, accept: &str) -> Result<Vec<u8>, ClientError> {
        self.read(self.authorized(self.agent.get(self.at(path)).header("Accept", accept)).call())
    }

    /// Fetches every page of a list; `id` says after which item the next page begins.
    ///
    /// # Errors
    /// [`ClientError`] if there is no usable answer.
    pub fn all<T: DeserializeOwned>(&self, path: &str, id: impl Fn(&T) -> String) -> Result<Vec<T>, ClientError> {
        let mut items: Vec<T> = Vec::new();
        let mut page_path = format!("{path}?limit={PAGE}");
        loop {
            let page: Vec<T> = self.get_as(&page_path)?;
            let is_full = page.len() == PAGE;
            items.extend(page);
            let Some(last) = items.last().filter(|_| is_full) else { return Ok(items) };
            page_path = format!("{path}?limit={PAGE}&after={}", id(last));
        }
    }

    /// Sends JSON in a POST request and reads the answer as JSON.
    ///
    /// # Errors
    /// [`ClientError`] if there is no usable answer.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        self.post_as(path, body)
    }

    /// Sends JSON in a POST request and reads the answer as what the route promises.
    ///
    /// # Errors
    /// [`ClientError`] if there is no usable answer.
    pub fn post_as<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, ClientError> {
        self.json(self.post_for(path, body, "application/json")?)
    }

    /// Sends JSON in a PUT request and reads the answer as JSON.
    ///
    /// # Errors
    /// [`ClientError`] if there is no usable answer.
    pub fn put(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        let request = self.authorized(self.agent.put(self.at(path)));
        self.json(self.read(request.content_type("application/json").send(body.to_string()))?)
    }

    /// Sends a DELETE request, which has no content in its answer.
    ///
    /// # Errors
    /// [`ClientError`] if there is no usable answer.
    pub fn delete(&self, path: &str) -> Result<(), ClientError> {
        self.read(self.authorized(self.agent.delete(self.at(path))).call()).map(|_| ())
    }

    /// Sends JSON in a POST request and returns the answer in the format `accept`, a media type.
    ///
    /// # Errors
    /// [`ClientError`] if there is no usable answer.
    pub fn post_for(&self, path: &str, body: &Value, accept: &str) -> Result<Vec<u8>, ClientError> {
        let request = self.authorized(self.agent.post(self.at(path)).header("Accept", accept));
        self.read(request.content_type("application/json").send(body.to_string()))
    }

    /// The URL of a path on the server.
    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    fn authorized<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.token {
            Some(token) => request.header("Authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    fn read(&self, response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Vec<u8>, ClientError> {
        let away = |error: &ureq::Error| {
            let why = AwayReason::of(&self.url, error);
            ClientError::Away { url: self.url.clone(), why }
        };
        let mut response = response.map_err(|error| away(&error))?;
        let status = response.status();
        let bytes =
            response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec().map_err(|error| away(&error))?;
        if status.is_success() {
            return Ok(bytes);
        }
        Err(ClientError::Problem { problem: self.json(bytes)? })
    }

    /// Reads JSON as what the route promises.
    ///
    /// # Errors
    /// [`ClientError::Foreign`] if it is something else.
    pub fn json<T: DeserializeOwned>(&self, bytes: impl AsRef<[u8]>) -> Result<T, ClientError> {
        serde_json::from_slice(bytes.as_ref()).map_err(|_| ClientError::Foreign { url: self.url.clone() })
    }
}
