//! The configuration file `tacit.toml`: what a server serves, and where.
//!
//! Promises that every fault is reported with its place in the file, and that neither answers nor events leave this machine in plain text
//! unless the file says so. It opens nothing but the file itself.

mod addresses;
mod event;
mod fault;
mod file;
mod operator;
mod uploads;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use strum::VariantNames;
use toml::Spanned;

use crate::files::{self, LineColumn};
use crate::service::publishing::uploads::UploadLimits;
pub use event::WebhookEvent;
use fault::ConfigFault;
pub use file::ConfigFile;
use file::{StatisticsFile, WebhookFile};
pub use operator::{Operator, TEXT_CHARS_MAX};

/// A checked configuration; relative paths are resolved against the file's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Whether answers, tokens and events may cross a network in plain text, because a proxy in front speaks TLS.
    pub allow_plaintext: bool,
    /// The origin by which browsers know the server, if a proxy is in front of it: a scheme and a host, without a path.
    pub public_url: Option<String>,
    /// Directory that holds the ledger and the editions.
    pub state_dir: PathBuf,
    /// Where the ledger's anchor is kept; `None` leaves it where it is, which at first is beside the ledger.
    pub anchor: Option<PathBuf>,
    /// Directory of the published queries; `None` publishes none.
    pub queries_dir: Option<PathBuf>,
    /// Policy files of the datasets to serve.
    pub policies: Vec<PathBuf>,
    /// The certificate and key for TLS; `None` for plain text.
    pub tls: Option<TlsFiles>,
    /// Address and port of the PostgreSQL door; `None` if there is none.
    pub postgresql: Option<SocketAddr>,
    /// How published statistics are refreshed, and which pages may read them.
    pub statistics: StatisticsConfig,
    /// Where events are posted to; empty if nowhere.
    pub webhooks: Vec<Webhook>,
    /// Who runs the server; `None` if they did not say.
    pub operator: Option<Operator>,
    /// How much stewards may upload, and for how long it is kept.
    pub uploads: UploadLimits,
}

/// The files of a TLS certificate and its private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM file with the certificate.
    pub certificate: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
}

/// How published statistics are refreshed, and which pages may read them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatisticsConfig {
    /// IANA name of the time zone of the schedules; whether such a zone exists is not checked here.
    pub time_zone: String,
    /// Origins whose pages may read statistics, as browsers write them, or `*` for every page.
    pub origins: Vec<String>,
}

impl Default for StatisticsConfig {
    fn default() -> Self {
        Self { time_zone: utc(), origins: Vec::new() }
    }
}

fn utc() -> String {
    "UTC".to_owned()
}

/// A webhook: where events are posted to, and which ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The URL that events are posted to.
    pub url: String,
    /// File with the secret that deliveries are signed with.
    pub secret_file: PathBuf,
    /// The events that are posted there.
    pub events: Vec<WebhookEvent>,
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {}", files::because(*kind))]
    Unreadable {
        /// Path of the file.
        path: String,
        /// The system's error kind.
        kind: std::io::ErrorKind,
    },
    /// The file has a fault at this place.
    #[error("{path}: line {line}, column {column}: {message}")]
    Faulty {
        /// Path of the file.
        path: String,
        /// Line of the fault, counted from 1.
        line: usize,
        /// Column of the fault in characters, counted from 1.
        column: usize,
        /// What is wrong, and what is accepted.
        message: String,
    },
}

impl Config {
    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// [`ConfigError`], with the place of the fault.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let shown = path.display().to_string();
        let text =
            files::text(path).map_err(|error| ConfigError::Unreadable { path: shown.clone(), kind: error.kind() })?;
        Self::parse(&text, path.parent().unwrap_or(Path::new(""))).map_err(|(at, message)| {
            let LineColumn { line, column } = LineColumn::of(&text, at);
            ConfigError::Faulty { path: shown, line, column, message }
        })
    }

    fn parse(text: &str, beside: &Path) -> Result<Self, ConfigFault> {
        let file: ConfigFile = toml::from_str(text)
            .map_err(|error| (error.span().map_or(0, |span| span.start), error.message().trim().replace('\n', "; ")))?;
        let is_plain = file.tls.is_none() && !file.allow_plaintext;
        let postgresql =
            file.postgresql.as_ref().map(|door| take_door(&door.listen, file.tls.is_none())).transpose()?;
        let webhooks = file.webhook.into_iter().map(|webhook| take_webhook(webhook, beside, file.allow_plaintext));
        Ok(Self {
            listen: take_listen(&file.listen, is_plain)?,
            allow_plaintext: file.allow_plaintext,
            public_url: file.public_url.as_ref().map(take_public).transpose()?,
            state_dir: beside.join(file.state_dir),
            anchor: file.anchor.map(|anchor| beside.join(anchor)),
            queries_dir: file.queries_dir.map(|dir| beside.join(dir)),
            policies: file.policies.iter().map(|policy| beside.join(policy)).collect(),
            tls: file.tls.map(|tls| TlsFiles { certificate: beside.join(tls.certificate), key: beside.join(tls.key) }),
            postgresql,
            statistics: file.statistics.map(take_statistics).transpose()?.unwrap_or_default(),
            webhooks: webhooks.collect::<Result<_, _>>()?,
            operator: file.operator.as_ref().map(operator::take).transpose()?,
            uploads: file.uploads.as_ref().map(uploads::take).transpose()?.unwrap_or_default(),
        })
    }
}

/// Checks the address of the PostgreSQL door; without TLS it must be a loopback address, as no proxy speaks TLS for it.
fn take_door(listen: &Spanned<String>, is_plain: bool) -> Result<SocketAddr, ConfigFault> {
    let (at, text) = (listen.span().start, listen.get_ref());
    let address: SocketAddr = text.parse().map_err(|_| {
        let message = format!("postgresql.listen \"{text}\" is no address with a port, like \"127.0.0.1:5433\"");
        (at, message)
    })?;
    if is_plain && !address.ip().to_canonical().is_loopback() {
        let message = format!(
            "postgresql.listen \"{text}\" is reached by other machines, and answers would go there in plain text; accepted are an \
             address of loopback, or a [tls] table"
        );
        return Err((at, message));
    }
    Ok(address)
}

/// Checks the address to listen on; if `is_plain`, it must be a loopback address.
fn take_listen(listen: &Spanned<String>, is_plain: bool) -> Result<SocketAddr, ConfigFault> {
    let (at, text) = (listen.span().start, listen.get_ref());
    let address: SocketAddr = text.parse().map_err(|_| {
        let message = format!("listen \"{text}\" is no address with a port, like \"127.0.0.1:8080\"");
        (at, message)
    })?;
    if is_plain && !address.ip().to_canonical().is_loopback() {
        let message = format!(
            "listen \"{text}\" is reached by other machines, and tokens and answers would go there in plain text; accepted are an \
             address of loopback, a [tls] table, or allow_plaintext = true where a proxy in front speaks TLS"
        );
        return Err((at, message));
    }
    Ok(address)
}

fn take_public(url: &Spanned<String>) -> Result<String, ConfigFault> {
    addresses::origin(url.get_ref()).filter(|origin| origin != "*").ok_or_else(|| {
        let message = format!(
            "public_url \"{}\" is none; accepted are https:// or http:// with a host in lower case, with or without a port, and no path",
            url.get_ref()
        );
        (url.span().start, message)
    })
}

fn take_statistics(file: StatisticsFile) -> Result<StatisticsConfig, ConfigFault> {
    let origins = file.origins.iter().map(|origin| {
        addresses::origin(origin.get_ref()).ok_or_else(|| {
            let message = format!(
                "origin \"{}\" is none; accepted are \"*\", and https:// or http:// with a host in lower case, with or without a \
                 port, and no path",
                origin.get_ref()
            );
            (origin.span().start, message)
        })
    });
    let origins = origins.collect::<Result<_, _>>()?;
    Ok(StatisticsConfig { time_zone: file.time_zone.unwrap_or_else(utc), origins })
}

fn take_webhook(file: WebhookFile, beside: &Path, allow_plaintext: bool) -> Result<Webhook, ConfigFault> {
    let (at, url) = (file.url.span().start, file.url.into_inner());
    let Some(target) = addresses::target(&url) else {
        let message = format!(
            "url \"{url}\" is no address that can be posted to; accepted is https:// with a host in lower case, with or without a \
             port, a path and a query"
        );
        return Err((at, message));
    };
    if target.is_plain && !target.is_loopback && !allow_plaintext {
        let message = format!(
            "url \"{url}\" takes events over a network in plain text; accepted are https://, http:// with the host 127.0.0.1, \
             localhost or [::1], or allow_plaintext = true"
        );
        return Err((at, message));
    }
    let events = match file.events {
        None => WebhookEvent::ALL.to_vec(),
        Some(events) => events.iter().map(take_event).collect::<Result<_, _>>()?,
    };
    Ok(Webhook { url, secret_file: beside.join(file.secret_file), events })
}

fn take_event(event: &Spanned<String>) -> Result<WebhookEvent, ConfigFault> {
    event.get_ref().parse().map_err(|_| {
        let accepted = WebhookEvent::VARIANTS.join(", ");
        (event.span().start, format!("event \"{}\" is not known; accepted are {accepted}", event.get_ref()))
    })
}

#[cfg(test)]
#[path = "config/config_tests.rs"]
mod tests;
