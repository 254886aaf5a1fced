//! Exact values under lock.
//!
//! Promises that a [`Private`] value can be made by anyone and opened only inside the vault: it has no `Debug`, `Display`,
//! `Serialize`, `Deref` or `Clone`.

use borsh::{BorshDeserialize, BorshSerialize};

/// A value that has not been made private yet. It cannot be shown, copied or written:
///
/// ```compile_fail,E0277
/// let exact = tacit::kernel::vault::private::Private::new(7);
/// let shown = format!("{exact:?}");
/// ```
///
/// ```compile_fail,E0599
/// let exact = tacit::kernel::vault::private::Private::new(vec![7]);
/// let copy = exact.clone();
/// ```
pub struct Private<T>(T);

impl<T> Private<T> {
    /// Locks a value in.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    pub(in crate::kernel::vault) fn open(self) -> T {
        self.0
    }

    /// For property tests of exact vectors; absent from every binary.
    #[cfg(test)]
    pub(crate) fn open_in_test(self) -> T {
        self.0
    }
}

/// The exact vectors of a plan's measurements, in its order: one integer a cell.
#[derive(BorshSerialize, BorshDeserialize)]
pub struct Exact {
    /// One vector a measurement, in the measurement's integer steps.
    pub vectors: Vec<Vec<i64>>,
    /// What each cell is about, where the list of groups is not public: those that rows have, in their order, and
    /// nothing of rows without one.
    pub labels: Option<Vec<Option<String>>>,
}
