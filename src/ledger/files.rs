//! Names of the files in a state directory.

/// Name of the ledger's file in a state directory.
pub const LEDGER_FILE: &str = "ledger.db";

/// Name of the file that holds the key of signed links. The ledger neither reads nor writes it.
pub const LINK_KEY_FILE: &str = "links.key";

/// The file whose lock shows that a process holds the ledger.
pub(in crate::ledger) const LOCK_FILE: &str = "ledger.lock";

/// Name of the file that holds the anchor's place if it is not beside the ledger.
pub(super) const ANCHOR_PLACE_FILE: &str = "anchor.place";
