//! The serde shape of `tacit.toml`, before anything in it is checked.
//!
//! Promises that an unknown key is an error, and that every value that can be wrong keeps its place in the file.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use strum::VariantNames;
use toml::Spanned;

use super::event::WebhookEvent;
use super::operator::OperatorFile;
use super::uploads::UploadsFile;

/// What a server serves, and where. Paths are relative to the file's folder.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "tacit.toml")]
pub struct ConfigFile {
    /// Where to listen; other machines reach it only with `[tls]` or `allow_plaintext`.
    #[serde(default = "default_listen")]
    #[schemars(with = "String")]
    pub(super) listen: Spanned<String>,
    /// Allows plain text over a network, for use behind a proxy that speaks TLS.
    #[serde(default)]
    pub(super) allow_plaintext: bool,
    /// The origin under which browsers reach the server, if there is a proxy in front of it.
    #[schemars(with = "Option<String>", regex(pattern = "^https?://[^/?#@\\s]+$"))]
    pub(super) public_url: Option<Spanned<String>>,
    /// The folder of the ledger and the editions.
    pub(super) state_dir: PathBuf,
    /// Where the ledger's anchor is kept; by default next to the ledger.
    pub(super) anchor: Option<PathBuf>,
    /// The folder of published queries.
    pub(super) queries_dir: Option<PathBuf>,
    /// The policy files of the datasets to serve.
    pub(super) policies: Vec<PathBuf>,
    /// The server's TLS certificate and key.
    pub(super) tls: Option<TlsFile>,
    /// The PostgreSQL door; without it, there is none.
    pub(super) postgresql: Option<PostgresqlFile>,
    /// How published statistics are refreshed and read.
    pub(super) statistics: Option<StatisticsFile>,
    /// Receivers that are told about events.
    #[serde(default)]
    pub(super) webhook: Vec<WebhookFile>,
    /// Who runs the server, as shown on /transparency; without it the page says that the operator has not said.
    pub(super) operator: Option<OperatorFile>,
    /// How much stewards may upload in the console, and for how long it is kept.
    pub(super) uploads: Option<UploadsFile>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsFile {
    /// The file with the certificate, PEM.
    pub(super) certificate: PathBuf,
    /// The file with its private key, PEM.
    pub(super) key: PathBuf,
}

/// The PostgreSQL door.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PostgresqlFile {
    /// Where to listen; other machines reach it only with `[tls]`.
    #[schemars(with = "String")]
    pub(super) listen: Spanned<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StatisticsFile {
    /// The IANA name of the time zone of schedules; by default UTC.
    pub(super) time_zone: Option<String>,
    /// Origins whose pages may read statistics, as browsers write them, or * for every page.
    #[serde(default)]
    #[schemars(with = "Vec<String>", inner(regex(pattern = "^([*]|https?://[^/?#@\\s]+)$")))]
    pub(super) origins: Vec<Spanned<String>>,
}

/// Where events are posted to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookFile {
    /// The address that events are posted to.
    #[schemars(with = "String", regex(pattern = "^https?://[^#\\s]+$"))]
    pub(super) url: Spanned<String>,
    /// The file with the secret that deliveries are signed with.
    pub(super) secret_file: PathBuf,
    /// The events that are posted; by default all.
    #[schemars(with = "Option<Vec<String>>", extend("items" = {"type": "string", "enum": WebhookEvent::VARIANTS}))]
    pub(super) events: Option<Vec<Spanned<String>>>,
}

fn default_listen() -> Spanned<String> {
    Spanned::new(0..0, "127.0.0.1:8080".to_owned())
}
