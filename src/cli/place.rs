//! Where a command works: at a server, or on a state directory while no server runs on it.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::CommandFailure;
use crate::client::Client;
use crate::client::stewarding::{StateDirectory, Stewarding};
use crate::kernel::clock::{Clock, SystemClock};
use crate::ledger::{LEDGER_FILE, SqliteLedger};
use crate::terminal::say;

/// The server that a command talks to.
#[derive(Args)]
pub struct ServerOptions {
    /// URL of the server.
    #[arg(long, env = "TACIT_URL", default_value = "http://127.0.0.1:8080")]
    server: String,
    /// Your token, which says who asks.
    #[arg(long, env = "TACIT_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

impl ServerOptions {
    /// A client of the server, with the token.
    pub(super) fn client(&self) -> Client {
        Client::new(&self.server, self.token.as_deref())
    }

    /// The token, if one was given.
    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }
}

#[derive(Args)]
pub(super) struct PlaceOptions {
    /// Work on this state directory instead of asking a server.
    #[arg(long)]
    pub(super) state: Option<PathBuf>,
    #[command(flatten)]
    pub(super) server: ServerOptions,
    /// Print the result as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

impl PlaceOptions {
    /// Opens the state directory, or makes a client of the server.
    pub(super) fn steward(&self) -> Result<Box<dyn Stewarding>, CommandFailure> {
        self.publisher(None)
    }

    /// A steward who can publish the statistics of `queries`, a folder that only a state directory needs to be told.
    pub(super) fn publisher(&self, queries: Option<&Path>) -> Result<Box<dyn Stewarding>, CommandFailure> {
        match &self.state {
            Some(state) => Ok(Box::new(StateDirectory::new(open(state)?).with_queries(queries))),
            None => Ok(Box::new(self.server.client())),
        }
    }
}

/// Prints a result: as JSON if that is asked for, else in these words.
pub(super) fn tell(is_json: bool, result: &impl Serialize, words: impl FnOnce()) -> Result<(), CommandFailure> {
    if is_json {
        say(serde_json::to_string(result).map_err(CommandFailure::could)?);
    } else {
        words();
    }
    Ok(())
}

/// Opens the ledger of a state directory that exists.
pub(super) fn open(state: &Path) -> Result<SqliteLedger, CommandFailure> {
    if !state.join(LEDGER_FILE).is_file() {
        return Err(CommandFailure::Could(format!(
            "{}: is not a state directory; tacit seal makes one",
            state.display()
        )));
    }
    SqliteLedger::open(state, SystemClock.now_ms()).map_err(CommandFailure::could)
}
