//! How large a part of a query is.

/// What a part counts that is parsed once and used several times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) nodes: usize,
    pub(super) items: usize,
    pub(super) levels: usize,
}
