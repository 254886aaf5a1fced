//! `tacit worker`: an internal command, which a server starts.

use super::Failure;
use crate::engine::worker;

pub(super) fn run() -> Result<(), Failure> {
    worker::run().map_err(|_| Failure::Could("only a server can start a worker".to_owned()))
}
