//! Exact values, locked so that they cannot be shown.
//!
//! Promises that anyone can make a [`Private`] value and only the vault can open it: it has no `Debug`, `Display`, `Serialize`, `Deref` or
//! `Clone`.

use std::cmp::Ordering;

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
    /// release accepts.
    ///
    /// If groups are labelled by texts, cells are added label by label: the result has every label of either part, in their order, because a
    /// label occurs in the table if it occurs in any part. `is_total` says which vectors have a single cell instead of one per label. Returns
    /// `None` if the vectors do not correspond.
    #[must_use]
    pub fn joined(self, other: Self, is_total: impl Fn(usize) -> bool) -> Option<Self> {
        let (Self(one), Self(other)) = (self, other);
        let labels = match (one.labels, other.labels) {
            (None, None) => None,
            (Some(one), Some(other)) => Some(merged(one, other)),
            (Some(_), None) | (None, Some(_)) => return None,
        };
        if one.vectors.len() != other.vectors.len() {
            return None;
        }
        let pairs = one.vectors.into_iter().zip(other.vectors).enumerate();
        let sums = pairs.map(|(place, (one, other))| match &labels {
            Some(labels) if !is_total(place) => added_by_label(labels, &one, &other),
            Some(_) | None => added(one, &other),
        });
        let vectors = sums.collect::<Option<_>>()?;
        Some(Self(Exact { vectors, labels: labels.map(|labels| labels.into_iter().map(|label| label.text).collect()) }))
    }
}

impl Private<Exact> {
    /// Appends the vectors of another computation, without opening either. Returns `None` if the groups of either are labelled by texts,
    /// which belong to all vectors.
    #[must_use]
    pub fn beside(self, other: Self) -> Option<Self> {
        let (Self(mut one), Self(other)) = (self, other);
        if one.labels.is_some() || other.labels.is_some() {
            return None;
        }
        one.vectors.extend(other.vectors);
        Some(Self(one))
    }
}

/// A label of either of two parts of a table, with its place in each.
struct MergedLabel {
    text: Option<String>,
    places: [Option<usize>; 2],
}

/// Merges two ascending lists of labels into one.
fn merged(one: Vec<Option<String>>, other: Vec<Option<String>>) -> Vec<MergedLabel> {
    let mut labels = Vec::with_capacity(one.len().max(other.len()));
    let (mut one, mut other) = (one.into_iter().enumerate().peekable(), other.into_iter().enumerate().peekable());
    loop {
        let order = match (one.peek(), other.peek()) {
            (Some((_, one)), Some((_, other))) => one.cmp(other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return labels,
        };
        let from_one = if order.is_le() { one.next() } else { None };
        let from_other = if order.is_ge() { other.next() } else { None };
        let places = [from_one.as_ref().map(|(place, _)| *place), from_other.as_ref().map(|(place, _)| *place)];
        labels.extend(from_one.or(from_other).map(|(_, text)| MergedLabel { text, places }));
    }
}

/// Adds up what two vectors have at the places of each label; `None` if a vector is too short.
fn added_by_label(labels: &[MergedLabel], one: &[i64], other: &[i64]) -> Option<Vec<i64>> {
    let cell = |vector: &[i64], place: Option<usize>| place.map_or(Some(0), |place| vector.get(place).copied());
    let sum = |label: &MergedLabel| Some(cell(one, label.places[0])?.saturating_add(cell(other, label.places[1])?));
    labels.iter().map(sum).collect()
}

/// Adds two vectors of the same length; `None` if their lengths differ.
fn added(mut sum: Vec<i64>, other: &[i64]) -> Option<Vec<i64>> {
    if sum.len() != other.len() {
        return None;
    }
    sum.iter_mut().zip(other).for_each(|(cell, more)| *cell = cell.saturating_add(*more));
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::{Exact, Private};

    fn part(labels: &[&str], cells: &[i64], total: i64) -> Private<Exact> {
        // An empty text stands for none.
        let labels = labels.iter().map(|text| (!text.is_empty()).then(|| (*text).to_owned())).collect();
        Private::new(Exact { vectors: vec![cells.to_vec(), vec![total]], labels: Some(labels) })
    }

    fn joined(one: Private<Exact>, other: Private<Exact>) -> Option<(Vec<Vec<i64>>, Vec<String>)> {
        let exact = one.joined(other, |place| place == 1)?.open_in_test();
        Some((exact.vectors, exact.labels?.into_iter().map(Option::unwrap_or_default).collect()))
    }

    #[test]
    fn cells_are_added_label_by_label() {
        let (one, other) = (part(&["", "b", "d"], &[1, 2, 3], 7), part(&["a", "b", "e"], &[10, 20, -30], 8));
        let (vectors, labels) = joined(one, other).expect("parts of one table");
        assert_eq!(labels, ["", "a", "b", "d", "e"]);
        assert_eq!(vectors, [vec![1, 10, 22, 3, -30], vec![15]]);
        // A vector with one cell may be a total, or have the only label.
        let (vectors, labels) = joined(part(&["b"], &[1], 1), part(&["a"], &[5], 5)).expect("parts of one table");
        assert_eq!((vectors, labels), (vec![vec![5, 1], vec![6]], vec!["a".to_owned(), "b".to_owned()]));
        let (vectors, labels) = joined(part(&[], &[], 0), part(&["", "a"], &[2, 3], 5)).expect("parts of one table");
        assert_eq!((vectors, labels.len()), (vec![vec![2, 3], vec![5]], 2));
    }

    #[test]
    fn vectors_of_several_computations_stand_beside_each_other() {
        let plain = |vector: &[i64]| Private::new(Exact { vectors: vec![vector.to_vec()], labels: None });
        let both = plain(&[1, 2]).beside(plain(&[3])).expect("two computations").open_in_test();
        assert_eq!((both.vectors, both.labels), (vec![vec![1, 2], vec![3]], None));
        assert!(part(&["a"], &[1], 1).beside(plain(&[3])).is_none());
        assert!(plain(&[3]).beside(part(&["a"], &[1], 1)).is_none());
    }

    #[test]
    fn parts_that_do_not_correspond_are_not_added() {
        let plain = |vector: &[i64]| Private::new(Exact { vectors: vec![vector.to_vec()], labels: None });
        let never = |_| false;
        assert!(plain(&[1, 2]).joined(plain(&[1]), never).is_none());
        assert!(plain(&[1]).joined(Private::new(Exact { vectors: Vec::new(), labels: None }), never).is_none());
        assert!(joined(part(&["a", "b"], &[1], 1), part(&["a"], &[1], 1)).is_none());
        assert!(joined(part(&["a"], &[1], 1), plain(&[1])).is_none());
        let sum = plain(&[i64::MAX, 1]).joined(plain(&[1, 1]), never).expect("parts of one table");
        assert_eq!(sum.open_in_test().vectors, [[i64::MAX, 2]]);
    }
}
