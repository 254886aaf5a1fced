//! Exact values, locked so that they cannot be shown.
//!
//! Promises that anyone can make a [`Private`] value and only the vault can open it: it has no `Debug`, `Display`, `Serialize`, `Deref` or
//! `Clone`.

use borsh::{BorshDeserialize, BorshSerialize};

/// An exact value, before noise is added. It cannot be shown, copied or written:
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
    /// Locks a value; from then on only the vault can open it.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    pub(in crate::kernel::vault) fn open(self) -> T {
        self.0
    }

    /// Opens the value for property tests of exact vectors; not compiled into any binary.
    #[cfg(test)]
    pub(crate) fn open_in_test(self) -> T {
        self.0
    }
}

/// The exact vectors of a plan's measurements, in the plan's order, with one integer per cell.
#[derive(BorshSerialize, BorshDeserialize)]
pub struct Exact {
    /// One vector per measurement, in the measurement's integer steps.
    pub vectors: Vec<Vec<i64>>,
    /// The text of each group if their list is not public: all texts that occur in rows, sorted, with `None` first for rows without a text.
    pub labels: Option<Vec<Option<String>>>,
}

impl Private<Exact> {
    /// Adds the vectors of another part of the same table, without opening either. Sums stop at the ends of `i64`, which is beyond what a
    /// release accepts. `None` if the groups of either are labelled by texts, since their cells do not correspond.
    #[must_use]
    pub fn joined(self, other: Self) -> Option<Self> {
        let (Self(mut sum), Self(other)) = (self, other);
        if sum.labels.is_some() || other.labels.is_some() {
            return None;
        }
        if sum.vectors.len() != other.vectors.len() {
            return None;
        }
        for (vector, added) in sum.vectors.iter_mut().zip(other.vectors) {
            if vector.len() != added.len() {
                return None;
            }
            vector.iter_mut().zip(added).for_each(|(cell, more)| *cell = cell.saturating_add(more));
        }
        Some(Self(sum))
    }
}
