//! The columns of a table, shared between copies and looked up by name.
//!
//! Promises that a copy costs nothing and that a name is found by its hash,
//! however many columns there are. Columns are serialized as a plain list.

use std::collections::HashMap;
use std::ops::{Deref, Range};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::domain::Column;

/// An immutable list of columns. Some of them may be hidden, so that a question cannot name them.
#[derive(Clone)]
pub struct Columns {
    list: Arc<[Column]>,
    /// The index of the first column with each name.
    places: Arc<HashMap<String, usize>>,
    /// Index ranges of the columns that cannot be named.
    hidden: Vec<Range<usize>>,
}

impl Columns {
    /// Returns the index of the column called `name`, or `None` if there is no such column or it is hidden.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied().filter(|place| self.is_visible(*place))
    }

    /// The columns that can be named, in their order.
    pub fn visible(&self) -> impl Iterator<Item = &Column> + Clone {
        let named = self.list.iter().enumerate().filter(|(_, column)| !column.name.is_empty());
        named.filter(|(place, _)| self.is_visible(*place)).map(|(_, column)| column)
    }

    /// Returns a copy in which the columns of the index ranges `hidden` cannot be named.
    #[must_use]
    pub fn hiding(&self, hidden: Vec<Range<usize>>) -> Self {
        Self { hidden, ..self.clone() }
    }

    /// Returns a copy in which the columns of these index ranges are nullable.
    /// It copies the list of columns, but not the labels of categories.
    #[must_use]
    pub fn nullable(&self, places: &[Range<usize>]) -> Self {
        if places.iter().all(Range::is_empty) {
            return self.clone();
        }
        let of = |(place, column): (usize, &Column)| {
            let nullable = column.nullable || places.iter().any(|range| range.contains(&place));
            Column { nullable, ..column.clone() }
        };
        Self { list: self.list.iter().enumerate().map(of).collect(), ..self.clone() }
    }

    fn is_visible(&self, place: usize) -> bool {
        !self.hidden.iter().any(|range| range.contains(&place))
    }
}

impl Deref for Columns {
    type Target = [Column];

    fn deref(&self) -> &[Column] {
        &self.list
    }
}

impl<'a> IntoIterator for &'a Columns {
    type Item = &'a Column;
    type IntoIter = std::slice::Iter<'a, Column>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl From<Vec<Column>> for Columns {
    fn from(list: Vec<Column>) -> Self {
        let mut places = HashMap::with_capacity(list.len());
        for (place, column) in list.iter().enumerate().filter(|(_, column)| !column.name.is_empty()) {
            places.entry(column.name.clone()).or_insert(place);
        }
        Self { list: list.into(), places: Arc::new(places), hidden: Vec::new() }
    }
}

impl FromIterator<Column> for Columns {
    fn from_iter<I: IntoIterator<Item = Column>>(columns: I) -> Self {
        Self::from(columns.into_iter().collect::<Vec<_>>())
    }
}

impl std::fmt::Debug for Columns {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.list.fmt(out)
    }
}

impl PartialEq for Columns {
    fn eq(&self, other: &Self) -> bool {
        self.hidden == other.hidden && (Arc::ptr_eq(&self.list, &other.list) || self.list == other.list)
    }
}

impl Eq for Columns {}

impl Serialize for Columns {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(self)
    }
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Vec::deserialize(from).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::terms::domain::Domain;

    fn columns(names: &[&str]) -> Columns {
        let column = |name: &&str| Column {
            name: (*name).to_owned(),
            title: None,
            domain: Domain::Boolean,
            per_unit: false,
            nullable: false,
        };
        names.iter().map(column).collect()
    }

    #[test]
    fn a_name_is_found_unless_it_is_hidden() {
        let all = columns(&["a", "", "b", "a", "c"]);
        assert_eq!(["a", "b", "c", "", "d"].map(|name| all.place(name)), [Some(0), Some(2), Some(4), None, None]);
        let some = all.hiding(vec![2..3, 3..4]);
        assert_eq!(["a", "b", "c"].map(|name| some.place(name)), [Some(0), None, Some(4)]);
        let names = |columns: &Columns| columns.visible().map(|column| column.name.clone()).collect::<String>();
        assert_eq!((names(&all), names(&some)), ("abac".to_owned(), "ac".to_owned()));
    }

    #[test]
    fn some_may_be_missing() {
        let all = columns(&["a", "b", "c"]);
        let left = all.nullable(&[1..2, 3..3]);
        assert_eq!(left.iter().map(|column| column.nullable).collect::<Vec<_>>(), [false, true, false]);
        assert!(all.iter().all(|column| !column.nullable));
        assert_eq!(left.place("b"), Some(1));
    }

    #[test]
    fn a_list_is_written_as_it_always_was() {
        let all = columns(&["a", "b"]);
        let json = serde_json::to_string(&all).expect("JSON");
        assert_eq!(json, serde_json::to_string(&all.to_vec()).expect("JSON"));
        assert_eq!(serde_json::from_str::<Columns>(&json).expect("columns"), all);
    }
}
