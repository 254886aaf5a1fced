//! `tacit.toml`: what a server serves, and where.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::files;

/// A checked configuration; paths are relative to the file's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Ledger and editions.
    pub state_dir: PathBuf,
    /// Where the ledger's anchor is kept; nothing where it stays where it is, beside the ledger at first.
    pub anchor: Option<PathBuf>,
    /// Published queries.
    pub queries_dir: Option<PathBuf>,
    /// Policies of the datasets to serve.
    pub policies: Vec<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    #[serde(default = "default_listen")]
    listen: toml::Spanned<String>,
    state_dir: PathBuf,
    anchor: Option<PathBuf>,
    queries_dir: Option<PathBuf>,
    policies: Vec<PathBuf>,
    limits: Option<toml::Spanned<NoKeys>>,
    tls: Option<toml::Spanned<toml::Table>>,
}

/// `[limits]` has no keys yet: limits are constants with names.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoKeys {}

fn default_listen() -> toml::Spanned<String> {
    toml::Spanned::new(0..0, "127.0.0.1:8080".to_owned())
}

/// Why a configuration was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {kind}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        kind: std::io::ErrorKind,
    },
    /// The file is wrong at a place.
    #[error("{path}: line {line}, column {column}: {message}")]
    Faulty {
        /// The file.
        path: String,
        /// Counts from 1.
        line: usize,
        /// Counts from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// [`ConfigError`] with the place.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let shown = path.display().to_string();
        let text =
            files::text(path).map_err(|error| ConfigError::Unreadable { path: shown.clone(), kind: error.kind() })?;
        Self::parse(&text, path.parent().unwrap_or(Path::new(""))).map_err(|(at, message)| {
            let before = text.get(..at).unwrap_or("");
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
            ConfigError::Faulty { path: shown, line, column, message }
        })
    }

    fn parse(text: &str, beside: &Path) -> Result<Self, (usize, String)> {
        let file: ConfigFile = toml::from_str(text)
            .map_err(|error| (error.span().map_or(0, |span| span.start), error.message().trim().replace('\n', "; ")))?;
        let listen = file.listen.get_ref().parse().map_err(|_| {
            let message =
                format!("listen \"{}\" is no address with a port, like \"127.0.0.1:8080\"", file.listen.get_ref());
            (file.listen.span().start, message)
        })?;
        if let Some(tls) = file.tls {
            let message = "[tls] is not served by this version; listen on loopback behind a proxy that speaks TLS";
            return Err((tls.span().start, message.to_owned()));
        }
        let _ = file.limits;
        Ok(Self {
            listen,
            state_dir: beside.join(file.state_dir),
            anchor: file.anchor.map(|anchor| beside.join(anchor)),
            queries_dir: file.queries_dir.map(|dir| beside.join(dir)),
            policies: file.policies.iter().map(|policy| beside.join(policy)).collect(),
        })
    }
}
