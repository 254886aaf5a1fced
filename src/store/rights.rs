//! Rights: who may read what lies in a state directory.
//!
//! Every file is made with mode 600 and every folder with mode 700. Older versions left some of them to the process's mask, and a
//! restore may, too; an opening takes these from everybody but their owner. It touches only names that are ours: a state directory may
//! be a folder that holds other things.

use std::fs::{self, Metadata, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::LEDGER_FILE;
use super::anchor::ANCHOR_FILE;
use super::open::LOCK_FILE;
use super::place::ANCHOR_PLACE_FILE;
use super::signing::KEY_FILE;
use crate::dataset::edition::EDITIONS;

/// The folder of a state directory in which earlier versions kept the webhooks' outbox.
pub const OUTBOX: &str = "outbox";
/// Folders below a state directory that are looked through: an edition's in that of the editions.
const DEPTH_MAX: u32 = 2;

/// Takes rights away that others have to what is ours in a state directory. What cannot be changed, as what another user owns, stays as
/// it is and is logged.
pub(super) fn tighten(state: &Path) {
    for name in [LEDGER_FILE, KEY_FILE, LOCK_FILE, ANCHOR_FILE, ANCHOR_PLACE_FILE] {
        tighten_one(&state.join(name), 0);
    }
    for name in [EDITIONS, OUTBOX] {
        tighten_one(&state.join(name), DEPTH_MAX);
    }
}

/// A file, or a folder with what is in it. Links are not followed.
fn tighten_one(path: &Path, depth: u32) {
    let Ok(found) = fs::symlink_metadata(path) else { return };
    if found.is_dir() && depth > 0 {
        take_away(path, &found, 0o700);
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            tighten_one(&entry.path(), depth - 1);
        }
    } else if found.is_file() {
        take_away(path, &found, 0o600);
    }
}

fn take_away(path: &Path, found: &Metadata, mode: u32) {
    if found.permissions().mode() & 0o077 == 0 {
        return;
    }
    if let Err(error) = fs::set_permissions(path, Permissions::from_mode(mode)) {
        tracing::warn!(kind = ?error.kind(), "a file of the state directory can be read by others, and that could not be changed");
    }
}
