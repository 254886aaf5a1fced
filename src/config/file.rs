//! The serde shape of `tacit.toml`, before anything in it is checked.
//!
//! Promises that an unknown key is an error, and that every value that can be wrong keeps its place in the file.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::operator::OperatorFile;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigFile {
    #[serde(default = "default_listen")]
    pub(super) listen: Spanned<String>,
    #[serde(default)]
    pub(super) allow_plaintext: bool,
    pub(super) public_url: Option<Spanned<String>>,
    pub(super) state_dir: PathBuf,
    pub(super) anchor: Option<PathBuf>,
    pub(super) queries_dir: Option<PathBuf>,
    pub(super) policies: Vec<PathBuf>,
    pub(super) tls: Option<TlsFile>,
    pub(super) statistics: Option<StatisticsFile>,
    #[serde(default)]
    pub(super) webhook: Vec<WebhookFile>,
    pub(super) operator: Option<OperatorFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsFile {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatisticsFile {
    pub(super) time_zone: Option<String>,
    #[serde(default)]
    pub(super) origins: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookFile {
    pub(super) url: Spanned<String>,
    pub(super) secret_file: PathBuf,
    pub(super) events: Option<Vec<Spanned<String>>>,
}

fn default_listen() -> Spanned<String> {
    Spanned::new(0..0, "127.0.0.1:8080".to_owned())
}
