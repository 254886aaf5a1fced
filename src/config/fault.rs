//! What is wrong with a configuration, and where.

/// A fault: its byte offset from the beginning of the file, and what is wrong.
pub(super) type ConfigFault = (usize, String);
