//! Why no server answered: told apart, because each cause has a remedy of its own.

use std::io;

use ureq::Error;

/// Why there is no answer from a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AwayReason {
    /// The URL does not begin with a scheme.
    #[error("the address has no scheme; write http:// or https:// before it")]
    NoScheme,
    /// The URL is not one of a server.
    #[error("this is not the address of a server; write it as http://127.0.0.1:8080")]
    NoAddress,
    /// There is no host with this name.
    #[error("there is no host with this name; name another with --server or TACIT_URL")]
    NoHost,
    /// Nothing listens at the address.
    #[error("no server answers there; start one with tacit serve, or name another with --server or TACIT_URL")]
    Refused,
    /// The server's certificate was not accepted.
    #[error("its certificate is not trusted here; name the authority that signed it with SSL_CERT_FILE")]
    Untrusted,
    /// The server does not speak TLS.
    #[error("what answers there does not speak TLS; write http:// before the address")]
    Plain,
    /// The answer did not come in time.
    #[error("the answer did not come in time")]
    Late,
    /// The connection broke off.
    #[error("the connection broke off; if the server speaks TLS, write https:// before the address")]
    Broken,
}

impl AwayReason {
    /// Reads the reason from an error of the connection to `url`.
    pub(super) fn of(url: &str, error: &Error) -> Self {
        match error {
            _ if !url.starts_with("http://") && !url.starts_with("https://") => Self::NoScheme,
            Error::BadUri(_) | Error::Http(_) => Self::NoAddress,
            Error::HostNotFound => Self::NoHost,
            Error::Timeout(_) => Self::Late,
            Error::Rustls(error) => Self::of_tls(error),
            Error::Tls(_) => Self::Untrusted,
            Error::ConnectionFailed => Self::Refused,
            Error::Io(error) => Self::of_io(error),
            _ => Self::Broken,
        }
    }

    fn of_io(error: &io::Error) -> Self {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match (tls, error.kind()) {
            (Some(tls), _) => Self::of_tls(tls),
            (None, io::ErrorKind::ConnectionRefused | io::ErrorKind::AddrNotAvailable) => Self::Refused,
            (None, io::ErrorKind::TimedOut) => Self::Late,
            // The system's resolver has no kind of its own for this.
            (None, _) if error.to_string().starts_with("failed to lookup address") => Self::NoHost,
            (None, _) => Self::Broken,
        }
    }

    fn of_tls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidMessage(_) => Self::Plain,
            rustls::Error::InvalidCertificate(_) => Self::Untrusted,
            _ => Self::Broken,
        }
    }
}
