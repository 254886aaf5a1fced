//! Why a ledger is not opened.

use std::io;
use std::path::Path;

/// Why a ledger is not opened. The server does not start without one.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The state directory or its lock cannot be used.
    #[error("{path}: cannot be used: {kind}")]
    Unusable {
        /// Path of the file or directory.
        path: String,
        /// The system's error kind.
        kind: io::ErrorKind,
    },
    /// The directory is a copy, and nobody has said what was spent since it was made.
    #[error(
        "{path}: is a copy made by tacit backup and does not know what was spent since; it opens for tacit ledger verify and tacit \
         backup alone. To go on from it, run: tacit ledger recover --state {path} --anchor LATEST --reason \"...\", with the latest \
         anchor; or the same without --anchor: tacit ledger recover --state {path} --reason \"...\", which takes the anchor at {place} if \
         it is there, and burns what is left of every cap if it is not"
    )]
    Copy {
        /// Path of the state directory.
        path: String,
        /// Where the ledger last had its anchor.
        place: String,
    },
    /// Another process holds the ledger.
    #[error("{path}: another process holds this ledger; end it first, or talk to it with --server")]
    Held {
        /// Path of the state directory.
        path: String,
    },
    /// The file is not an SQLite database of ours, or it is damaged.
    #[error("{path}: the ledger is damaged or not one: {why}; restore it from a backup")]
    Damaged {
        /// Path of the file.
        path: String,
        /// What was found to be wrong.
        why: String,
    },
    /// The file is intact but cannot be written now.
    #[error("{path}: cannot be written now: {why}; mend that, and do not restore anything")]
    Unwritable {
        /// Path of the file.
        path: String,
        /// What prevents writing.
        why: String,
    },
    /// A setting that durability depends on does not have the required value.
    #[error("{path}: {pragma} reads back as \"{found}\" and not as \"{wanted}\"; the ledger would not be durable here")]
    Pragma {
        /// Path of the file.
        path: String,
        /// Name of the SQLite pragma.
        pragma: &'static str,
        /// The value that it must have.
        wanted: &'static str,
        /// The value that it has.
        found: String,
    },
    /// The file was written by another version.
    #[error("{path}: has schema version {found}; this program writes {wanted}")]
    Version {
        /// Path of the file.
        path: String,
        /// Schema version of the file.
        found: u32,
        /// Schema version of this program.
        wanted: u32,
    },
    /// The ledger's key is missing.
    #[error("{path}: the ledger's key is missing; restore it, or run: tacit ledger recover")]
    KeyMissing {
        /// Path where the key should be.
        path: String,
    },
    /// The anchor is missing.
    #[error(
        "{path}: the anchor is missing, so nobody can tell whether this ledger is the latest; restore it, name its place, or run: \
         tacit ledger recover, which burns what is left of every cap"
    )]
    AnchorMissing {
        /// Path where the anchor should be.
        path: String,
    },
    /// The anchor was moved away from the ledger, and the file that names its place is missing.
    #[error(
        "{path}: is gone, and it said where the anchor of this ledger is; restore it, or name the anchor in tacit.toml, or run: tacit \
         ledger recover --anchor LATEST, or without --anchor, which burns what is left of every cap"
    )]
    PlaceLost {
        /// Path of the file that named the place.
        path: String,
    },
    /// Another process writes the anchor.
    #[error("{path}: another process holds this anchor; end it first: two ledgers must not go on from one anchor")]
    AnchorHeld {
        /// Path of the anchor.
        path: String,
    },
    /// The anchor is not signed by this ledger's key.
    #[error("{path}: the anchor's lines are not signed by this ledger's key; restore it, or run: tacit ledger recover")]
    AnchorForged {
        /// Path of the anchor.
        path: String,
    },
    /// The anchor is one that was copied by `tacit backup`.
    #[error(
        "{path}: this anchor was copied by tacit backup and does not know what was spent since; name the latest one, or leave it out and \
         run: tacit ledger recover, which burns what is left of every cap where there is no other"
    )]
    AnchorCopied {
        /// Path of the anchor.
        path: String,
    },
    /// The anchor that was named is older than the one that was copied with the copy.
    #[error(
        "{path}: the anchor knows entry {anchor_seq}, and when the copy was made the anchor knew entry {copied_seq}: it is not the latest; \
         name the latest one, or leave it out, and what is left of every cap is burnt"
    )]
    AnchorOlder {
        /// Path of the anchor that was named.
        path: String,
        /// The last entry that the named anchor knows.
        anchor_seq: u64,
        /// The last entry that the copied anchor knows.
        copied_seq: u64,
    },
    /// The anchor that was named does not exist, and the one that vouches for the ledger may be an older copy.
    #[error(
        "{path}: the anchor is missing. If it is to move there, copy {known} to it first. If it was there before and is lost, this ledger \
         is an older copy: take {known} away and run: tacit ledger recover, which burns what is left of every cap"
    )]
    AnchorNotMoved {
        /// Path that was named.
        path: String,
        /// Path of the anchor that exists.
        known: String,
    },
    /// The ledger is older than its anchor.
    #[error(
        "{path}: the anchor knows entry {anchor_seq}, and the ledger ends at {ledger_seq} or went another way: it is an older copy; \
         restore the latest one, or run: tacit ledger recover --anchor {path}, which takes the anchor's balances"
    )]
    SetBack {
        /// Path of the anchor.
        path: String,
        /// The last entry that the anchor knows.
        anchor_seq: u64,
        /// The last entry of the ledger.
        ledger_seq: u64,
    },
    /// The ledger is empty, so nothing in it can be recovered.
    #[error(
        "{path}: the ledger is empty, and an anchor speaks of one that was not; restore a copy of it, however old, and recover that"
    )]
    NothingToRecoverOnto {
        /// Path of the ledger.
        path: String,
    },
    /// The ledger, its key and its anchor agree, so there is nothing to recover.
    #[error("{path}: the ledger and its anchor agree; there is nothing to recover")]
    NothingToRecover {
        /// Path of the ledger.
        path: String,
    },
}

pub(in crate::ledger) fn unusable(path: &Path, error: &io::Error) -> OpenError {
    OpenError::Unusable { path: path.display().to_string(), kind: error.kind() }
}

/// Why an anchor cannot be opened.
pub(in crate::ledger) fn anchor_unusable(path: &Path, error: &io::Error) -> OpenError {
    match error.kind() {
        io::ErrorKind::ResourceBusy => OpenError::AnchorHeld { path: path.display().to_string() },
        _ => unusable(path, error),
    }
}

pub(in crate::ledger) fn damaged(path: &Path, why: &str) -> OpenError {
    OpenError::Damaged { path: path.display().to_string(), why: why.to_owned() }
}

pub(in crate::ledger) fn unwritable(path: &Path) -> OpenError {
    let why = "the ledger or its anchor could not be synced".to_owned();
    OpenError::Unwritable { path: path.display().to_string(), why }
}
