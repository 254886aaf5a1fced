//! `tacit drafter`: an internal command, which a server starts.

use std::path::Path;

use super::CommandFailure;
use crate::engine::drafting;
use crate::terminal::say;

pub(super) fn run(file: &Path) -> Result<(), CommandFailure> {
    let said = drafting::run(file);
    said.map(say).map_err(|_| CommandFailure::Could("only a server can start a drafter".to_owned()))
}
