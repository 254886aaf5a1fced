//! `tacit worker`: an internal command, which a server starts.

use super::CommandFailure;
use crate::engine::worker;

pub(super) fn run() -> Result<(), CommandFailure> {
    worker::run().map_err(|_| CommandFailure::Could("only a server can start a worker".to_owned()))
}
