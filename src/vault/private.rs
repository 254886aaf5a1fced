//! Exact values under lock.
//!
//! Promises that a [`Private`] value can be made by anyone and opened only inside the vault: it has no `Debug`, `Display`,
//! `Serialize`, `Deref` or `Clone`.

/// A value that has not been made private yet.
pub struct Private<T>(T);

impl<T> Private<T> {
    /// Locks a value in.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    pub(in crate::vault) fn open(self) -> T {
        self.0
    }

    /// For property tests of exact vectors; absent from every binary.
    #[cfg(test)]
    pub(crate) fn open_in_test(self) -> T {
        self.0
    }
}

/// The exact vectors of a plan's measurements, in its order: one integer a cell.
pub struct Exact {
    /// One vector a measurement, in the measurement's integer steps.
    pub vectors: Vec<Vec<i64>>,
}
