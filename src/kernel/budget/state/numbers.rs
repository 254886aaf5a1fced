//! The numbers by which the ledger's state names releases and draws.

/// A release's index in the ledger's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReleaseNo(pub(super) u32);

/// A draw's index in the ledger's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DrawNo(pub(super) u32);
