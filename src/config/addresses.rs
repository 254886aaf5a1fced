//! Web addresses in a configuration: the origins of pages, and the URLs that events are posted to.
//!
//! Promises that an origin is normalised as browsers write it, so that equal origins are equal texts, and that no URL has a user, a
//! password or a fragment. Host names are not resolved.

use std::net::Ipv6Addr;

/// Hosts that are this machine, whatever a resolver says about other names.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// What must be known about a URL before anything is posted to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    /// Whether the connection is made without TLS.
    pub(super) is_plain: bool,
    /// Whether the host is this machine.
    pub(super) is_loopback: bool,
}

/// Parses an origin and returns it as browsers write it, without its scheme's default port; `*` is accepted. `None` if it is invalid.
pub(super) fn origin(text: &str) -> Option<String> {
    if text == "*" {
        return Some(text.to_owned());
    }
    let parts = parts(text).filter(|parts| parts.rest.is_empty())?;
    let known_port = if parts.is_plain { ":80" } else { ":443" };
    Some(text.strip_suffix(known_port).unwrap_or(text).to_owned())
}

/// Parses a URL that events are posted to; `None` if it is invalid.
pub(super) fn target(text: &str) -> Option<Target> {
    let parts = parts(text).filter(|parts| !parts.rest.contains('#'))?;
    Some(Target { is_plain: parts.is_plain, is_loopback: LOOPBACK.contains(&parts.host) })
}

struct Parts<'a> {
    is_plain: bool,
    host: &'a str,
    /// The path and whatever follows it.
    rest: &'a str,
}

fn parts(text: &str) -> Option<Parts<'_>> {
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let (is_plain, after) = match text.strip_prefix("https://") {
        Some(after) => (false, after),
        None => (true, text.strip_prefix("http://")?),
    };
    let (authority, rest) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
    let host_end = if authority.starts_with('[') {
        authority.find(']')? + 1
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, port) = authority.split_at(host_end);
    (is_host(host) && is_port(port)).then_some(Parts { is_plain, host, rest })
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    host.split('.').all(|label| !label.is_empty() && label.chars().all(plain))
}

/// Whether the text is empty, or a colon and a port in its shortest decimal form.
fn is_port(port: &str) -> bool {
    let is_written_so = |digits: &str| digits.parse().is_ok_and(|port: u16| port > 0 && port.to_string() == digits);
    port.is_empty() || port.strip_prefix(':').is_some_and(is_written_so)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_as_browsers_write_them() {
        for (given, wanted) in [
            ("*", Some("*")),
            ("https://charts.example", Some("https://charts.example")),
            ("https://charts.example:443", Some("https://charts.example")),
            ("http://charts.example:80", Some("http://charts.example")),
            ("http://charts.example:443", Some("http://charts.example:443")),
            ("http://[::1]:3000", Some("http://[::1]:3000")),
            ("https://charts.example/", None),
            ("https://charts.example?x", None),
            ("https://charts.example#x", None),
            ("https://Charts.example", None),
            ("https://ada@charts.example", None),
            ("https://*.example", None),
            ("https://charts..example", None),
            ("https://", None),
            ("https://:443", None),
            ("https://charts.example:", None),
            ("https://charts.example:0", None),
            ("https://charts.example:+1", None),
            ("https://charts.example:65536", None),
            ("http://[::1", None),
            ("http://[::1]x", None),
            ("http://[charts]", None),
            ("ftp://charts.example", None),
            ("charts.example", None),
            ("null", None),
            ("", None),
        ] {
            assert_eq!(origin(given).as_deref(), wanted, "{given}");
        }
    }

    #[test]
    fn urls_say_whether_they_are_plain_and_whether_they_are_here() {
        let here = |is_plain| Some(Target { is_plain, is_loopback: true });
        let away = |is_plain| Some(Target { is_plain, is_loopback: false });
        for (given, wanted) in [
            ("https://hooks.example/a/b?c=d", away(false)),
            ("http://hooks.example", away(true)),
            ("http://127.0.0.1:9000/hook", here(true)),
            ("http://localhost/hook", here(true)),
            ("http://[::1]:9/hook", here(true)),
            ("https://localhost", here(false)),
            ("http://localhost.example", away(true)),
            ("http://127.0.0.1.example", away(true)),
            ("http://localhost@hooks.example", None),
            ("http://localhost:9@hooks.example", None),
            ("https://hooks.example/a#b", None),
            ("https://hooks.example/a b", None),
            ("https://hooks.example/\n", None),
        ] {
            assert_eq!(target(given), wanted, "{given}");
        }
    }
}
