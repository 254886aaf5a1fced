//! `tacit worker`: internal, started by a server.

use super::Failure;
use crate::engine::worker;

pub(super) fn run() -> Result<(), Failure> {
    worker::run().map_err(|_| Failure::Could("a worker is started by a server alone".to_owned()))
}
