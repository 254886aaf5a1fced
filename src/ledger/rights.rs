//! File permissions of a state directory.
//!
//! Every file is created with mode 600 and every directory with mode 700. Older versions left some of them to the process's umask, and a
//! restore may do so, too; opening a state directory takes access away from everybody but the owner. It touches only names that are ours,
//! because a state directory may also hold other things.

use std::fs::{self, Metadata, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::anchor::ANCHOR_FILE;
use super::files::ANCHOR_PLACE_FILE;
use super::files::{LEDGER_FILE, LINK_KEY_FILE};
use super::signing::KEY_FILE;
use crate::ledger::files::LOCK_FILE;
use crate::query::terms::edition::EDITIONS;

/// The folder of a state directory in which earlier versions kept the webhooks' outbox.
pub const OUTBOX: &str = "outbox";
/// The folder of a state directory in which the files are kept that stewards upload, each in a folder of its own.
pub const UPLOADS: &str = "uploads";
/// How deep directories are searched: the editions' directory holds a directory for each edition.
const DEPTH_MAX: u32 = 2;

/// Removes other users' permissions on our files in a state directory. A file whose permissions cannot be changed, for example because
/// another user owns it, stays as it is and is logged.
pub(super) fn tighten(state: &Path) {
    for name in [LEDGER_FILE, KEY_FILE, LINK_KEY_FILE, LOCK_FILE, ANCHOR_FILE, ANCHOR_PLACE_FILE] {
        tighten_one(&state.join(name), 0);
    }
    for name in [EDITIONS, OUTBOX, UPLOADS] {
        tighten_one(&state.join(name), DEPTH_MAX);
    }
}

/// Tightens a file, or a directory with its contents. Symbolic links are not followed.
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
