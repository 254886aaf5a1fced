//! Connection strings in the forms that libpq accepts, without a password.
//!
//! Promises that a keyword which is unknown, or which would change what is read, is refused and not ignored.

use std::path::PathBuf;
use std::time::Duration;

use super::fault::PostgresFault;
use crate::engine::seal::source::files::unescaped;

const PORT: u16 = 5432;
const TIMEOUT_SECONDS: u64 = 30;

/// Where a database is, and who connects to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Connection {
    /// The host's name or address, or the folder of a socket.
    pub host: String,
    pub port: u16,
    pub database: Option<String>,
    pub user: Option<String>,
    pub tls: TlsMode,
    /// The file of certificates to trust instead of the system's.
    pub root_certificates: Option<PathBuf>,
    pub timeout: Duration,
    /// The `options` to send to the server.
    pub options: Option<String>,
}

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TlsMode {
    /// Not encrypted.
    Disable,
    /// Encrypted if the server offers it, whatever its certificate. This protects against eavesdroppers only.
    Prefer,
    /// Always encrypted, with a verified certificate.
    Require,
}

impl Connection {
    /// Parses keywords (`host=db dbname=clinic`) or a URI (`postgresql://db/clinic`).
    pub(super) fn parse(text: &str) -> Result<Self, PostgresFault> {
        let text = text.trim();
        let rest = text.strip_prefix("postgresql://").or_else(|| text.strip_prefix("postgres://"));
        let pairs = match rest {
            Some(rest) => of_uri(rest).ok_or(PostgresFault::Connection)??,
            None => of_keywords(text).ok_or(PostgresFault::Connection)?,
        };
        let mut connection = Self {
            host: String::new(),
            port: PORT,
            database: None,
            user: None,
            tls: TlsMode::Prefer,
            root_certificates: None,
            timeout: Duration::from_secs(TIMEOUT_SECONDS),
            options: None,
        };
        for (key, value) in pairs {
            connection.set(&key, value)?;
        }
        if connection.host.is_empty() {
            return Err(PostgresFault::NoHost);
        }
        if connection.is_local() {
            connection.tls = TlsMode::Disable;
        }
        Ok(connection)
    }

    /// Whether the host is the folder of a socket.
    pub(super) fn is_local(&self) -> bool {
        self.host.starts_with('/')
    }

    fn set(&mut self, key: &str, value: String) -> Result<(), PostgresFault> {
        let bad = || PostgresFault::Value(key.to_owned());
        match key {
            "host" if value.contains(',') => return Err(bad()),
            "host" => self.host = value,
            "port" => self.port = value.parse().ok().filter(|port| *port > 0).ok_or_else(bad)?,
            "dbname" => self.database = Some(value),
            "user" => self.user = Some(value),
            "password" | "passfile" => return Err(PostgresFault::PasswordInPolicy),
            "sslmode" => {
                self.tls = match value.as_str() {
                    "disable" => TlsMode::Disable,
                    "prefer" => TlsMode::Prefer,
                    "require" | "verify-full" => TlsMode::Require,
                    _ => return Err(bad()),
                }
            }
            "sslrootcert" => {
                self.root_certificates = Some(PathBuf::from(value)).filter(|path| path.as_os_str() != "system")
            }
            "connect_timeout" => {
                let seconds = value.parse().ok().filter(|seconds| (1..=3_600).contains(seconds)).ok_or_else(bad)?;
                self.timeout = Duration::from_secs(seconds);
            }
            "options" => self.options = Some(value),
            "application_name" => {}
            _ => return Err(PostgresFault::Key(key.to_owned())),
        }
        Ok(())
    }
}

/// Parses `key = value` pairs between blanks. A value may be in single quotes, and a backslash escapes the next character.
fn of_keywords(text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let mut rest = text.chars().peekable();
    loop {
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        if rest.peek().is_none() {
            return Some(pairs);
        }
        let mut key = String::new();
        while let Some(c) = rest.next_if(|c| *c != '=' && !c.is_whitespace()) {
            key.push(c);
        }
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        rest.next_if_eq(&'=').filter(|_| !key.is_empty())?;
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        let is_quoted = rest.next_if_eq(&'\'').is_some();
        let mut value = String::new();
        loop {
            match rest.peek() {
                None if is_quoted => return None,
                Some('\'') if is_quoted => {
                    rest.next();
                    break;
                }
                None => break,
                Some(c) if c.is_whitespace() && !is_quoted => break,
                Some(_) => match rest.next()? {
                    '\\' => value.push(rest.next()?),
                    c => value.push(c),
                },
            }
        }
        pairs.push((key, value));
    }
}

/// Parses `user@host:port/database?key=value&…`, each part of which may be percent-encoded. Returns `None` if the form is wrong.
fn of_uri(rest: &str) -> Option<Result<Vec<(String, String)>, PostgresFault>> {
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, address) = authority.rsplit_once('@').unwrap_or(("", authority));
    if user.contains(':') {
        return Some(Err(PostgresFault::PasswordInPolicy));
    }
    let (host, port) = match address.strip_prefix('[') {
        Some(address) => {
            let (host, behind) = address.split_once(']')?;
            (host, behind.strip_prefix(':').unwrap_or(behind))
        }
        None => address.rsplit_once(':').unwrap_or((address, "")),
    };
    let parts = [("host", host), ("port", port), ("dbname", database), ("user", user)];
    let parts = parts.into_iter().map(|(key, value)| (key, Some(value))).filter(|(_, value)| *value != Some(""));
    let query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| match pair.split_once('=') {
        Some((key, value)) => (key, Some(value)),
        None => (pair, None),
    });
    let pairs = parts.chain(query).map(|(key, value)| Some((unescaped(key)?, unescaped(value?)?)));
    pairs.collect::<Option<_>>().map(Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_strings_are_read_as_libpq_reads_them() {
        let socket = |host: &str| (host.to_owned(), 5432, None, None, TlsMode::Disable);
        let some = |text: &str| Some(text.to_owned());
        for (text, expected) in [
            (
                "host=db dbname=clinic user=tacit",
                ("db".to_owned(), 5432, some("clinic"), some("tacit"), TlsMode::Prefer),
            ),
            (" host = 'db'  port=5433\tsslmode=require ", ("db".to_owned(), 5433, None, None, TlsMode::Require)),
            (
                r"host=db dbname='it\'s \\' user=a\ b",
                ("db".to_owned(), 5432, some(r"it's \"), some("a b"), TlsMode::Prefer),
            ),
            ("host=/run/pg", socket("/run/pg")),
            ("host=/run/pg sslmode=require", socket("/run/pg")),
            (
                "postgresql://tacit@db:5433/clinic?sslmode=disable",
                ("db".to_owned(), 5433, some("clinic"), some("tacit"), TlsMode::Disable),
            ),
            ("postgres://%2Frun%2Fpg/my%20db", ("/run/pg".to_owned(), 5432, some("my db"), None, TlsMode::Disable)),
            ("postgresql://[::1]:5433/", ("::1".to_owned(), 5433, None, None, TlsMode::Prefer)),
            ("postgresql:///clinic?host=/run/pg", ("/run/pg".to_owned(), 5432, some("clinic"), None, TlsMode::Disable)),
        ] {
            let read = Connection::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
            assert_eq!((read.host, read.port, read.database, read.user, read.tls), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (text, expected) in [
            ("", PostgresFault::NoHost),
            ("dbname=clinic", PostgresFault::NoHost),
            ("host=db password=x", PostgresFault::PasswordInPolicy),
            ("host=db passfile=x", PostgresFault::PasswordInPolicy),
            ("postgresql://tacit:x@db/clinic", PostgresFault::PasswordInPolicy),
            ("postgresql://db/clinic?password=x", PostgresFault::PasswordInPolicy),
            ("host=db service=x", PostgresFault::Key("service".to_owned())),
            ("host=a,b", PostgresFault::Value("host".to_owned())),
            ("host=db port=70000", PostgresFault::Value("port".to_owned())),
            ("host=db port=0", PostgresFault::Value("port".to_owned())),
            ("host=db sslmode=allow", PostgresFault::Value("sslmode".to_owned())),
            ("host=db connect_timeout=0", PostgresFault::Value("connect_timeout".to_owned())),
            ("host", PostgresFault::Connection),
            ("host='db", PostgresFault::Connection),
            ("=db", PostgresFault::Connection),
            ("postgresql://[::1/db", PostgresFault::Connection),
            ("postgresql://db/x?sslmode", PostgresFault::Connection),
            ("postgresql://db/%ff", PostgresFault::Connection),
        ] {
            assert_eq!(Connection::parse(text), Err(expected), "{text}");
        }
    }
}
