//! The configuration of the demo's server, to start it again by, and to copy for a server of one's own.
//!
//! Promises that a file which somebody has edited is left as it is.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::files;

/// The name of the file in the demo's folder.
const FILE: &str = "tacit.toml";

/// Writes the configuration of a server at this address, and returns its path.
///
/// # Errors
/// The system's own errors.
pub(super) fn write(dir: &Path, address: SocketAddr) -> io::Result<PathBuf> {
    let path = dir.join(FILE);
    let text = text(address);
    let is_edited = fs::read_to_string(&path).is_ok_and(|known| !is_ours(&known, &text));
    if !is_edited {
        files::replace(&path, text.as_bytes())?;
    }
    Ok(path)
}

/// Whether a text differs from ours in the address alone.
fn is_ours(known: &str, ours: &str) -> bool {
    let rest = |text: &str| -> Vec<String> {
        let is_address = |line: &str| line.starts_with("listen = ") || line.starts_with("allow_plaintext = ");
        text.lines().filter(|line| !is_address(line)).map(str::to_owned).collect()
    };
    rest(known) == rest(ours)
}

fn text(address: SocketAddr) -> String {
    let plain = if address.ip().to_canonical().is_loopback() { "" } else { "allow_plaintext = true\n" };
    format!(
        "# The demo's server: tacit serve --config tacit.toml starts it again, without the tour.\n\
         # Paths are relative to this file. tacit manual operating has every key.\n\
         listen = \"{address}\"\n{plain}\
         state_dir = \"state\"          # the ledger and the sealed tables\n\
         policies = [\"visits.toml\"]   # what is declared of the tables, and their caps\n\
         queries_dir = \"queries\"      # the published statistics\n\
         \n\
         # Before other people use a server of yours:\n\
         # [tls]\n\
         # certificate = \"certificate.pem\"\n\
         # key = \"key.pem\"\n\
         # [operator]\n\
         # name = \"Who runs it\"\n\
         # contact = \"data@clinic.example\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_server_takes_it_wherever_it_listens() {
        let dir = tempfile::tempdir().expect("a folder");
        for listen in ["127.0.0.1:8080", "[::1]:1", "0.0.0.0:8080"] {
            let path = write(dir.path(), address(listen)).expect("a file");
            let config = Config::load(&path).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!((config.listen, config.state_dir), (address(listen), dir.path().join("state")));
            assert_eq!(config.queries_dir, Some(dir.path().join("queries")));
        }
    }

    #[test]
    fn what_somebody_edited_stays() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = write(dir.path(), address("127.0.0.1:8080")).expect("a file");
        let edited = fs::read_to_string(&path).expect("text").replace("# [operator]", "[operator]");
        fs::write(&path, &edited).expect("an edit");
        write(dir.path(), address("127.0.0.1:9090")).expect("a file");
        assert_eq!(fs::read_to_string(&path).expect("text"), edited);
    }
}
