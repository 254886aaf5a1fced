//! Series of frames: what an error in one of them means for those after it, and for the session.

use super::fault::{DoorFault, state};
use super::session::{Block, Session};

/// What comes after a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The next frame.
    Frame,
    /// Everything is passed over until the client ends its series.
    Sync,
    /// The connection ends.
    End,
}

impl Session {
    /// Notes that a statement failed, which a transaction block does not outlive.
    pub(super) fn failed(&mut self) {
        if self.block == Block::Open {
            self.block = Block::Failed;
        }
    }

    /// Ends a series of frames, or the statements of a text; outside of a transaction block its portals end with it.
    pub(super) fn synced(&mut self) {
        if self.block == Block::None {
            self.portals.retain(|_, portal| portal.cursor.is_some());
        }
    }
}

/// The fault of a frame that has no place in a session.
pub(super) fn misplaced() -> DoorFault {
    DoorFault::new(state::PROTOCOL, "this frame has no place here").fatal()
}
