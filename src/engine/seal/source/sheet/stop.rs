//! Why reading a sheet stops.

use crate::engine::seal::source::sheet::fault::SheetFault;

/// The reason why a row cannot be read.
pub(super) enum Stop {
    Fault(SheetFault, u64),
    Library,
}
