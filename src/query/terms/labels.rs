//! Lists of labels: the values of a category, shared by everything that refers to them.
//!
//! Promises that a copy costs nothing and that a label is found by its
//! hash, however long the list is. Labels are serialized as a plain list.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An immutable list of labels. The code of a label is its index in the list.
///
/// ```
/// use tacit::query::terms::labels::Labels;
/// let regions = Labels::from(vec!["north".to_owned(), "south".to_owned()]);
/// assert_eq!(regions.code("south"), Some(1));
/// assert_eq!(regions.code("South"), None);
/// ```
#[derive(Clone)]
pub struct Labels(Arc<List>);

struct List {
    labels: Vec<String>,
    /// The code of each label. It is built when a label is looked up for the first time, because most lists are only passed on.
    codes: OnceLock<HashMap<String, u32>>,
}

impl Labels {
    /// Returns the code of a label, or the first of its codes if the list holds it twice.
    #[must_use]
    pub fn code(&self, label: &str) -> Option<u32> {
        let codes = self.0.codes.get_or_init(|| {
            let mut codes = HashMap::with_capacity(self.len());
            for (code, label) in (0..).zip(self) {
                codes.entry(label.clone()).or_insert(code);
            }
            codes
        });
        codes.get(label).copied()
    }
}

impl Deref for Labels {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0.labels
    }
}

impl<'a> IntoIterator for &'a Labels {
    type Item = &'a String;
    type IntoIter = std::slice::Iter<'a, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Vec<String>> for Labels {
    fn from(labels: Vec<String>) -> Self {
        Self(Arc::new(List { labels, codes: OnceLock::new() }))
    }
}

impl FromIterator<String> for Labels {
    fn from_iter<I: IntoIterator<Item = String>>(labels: I) -> Self {
        Self::from(labels.into_iter().collect::<Vec<_>>())
    }
}

impl std::fmt::Debug for Labels {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.labels.fmt(out)
    }
}

impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self[..] == other[..]
    }
}

impl Eq for Labels {}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.0.labels.serialize(out)
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Vec::deserialize(from).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Manifests and the terms in ledgers hold plain lists, and this must not change.
    #[test]
    fn a_list_is_written_as_it_always_was() {
        let plain = vec!["a".to_owned(), "b\"ü".to_owned(), String::new()];
        let labels = Labels::from(plain.clone());
        let json = serde_json::to_string(&labels).expect("JSON");
        assert_eq!(json, serde_json::to_string(&plain).expect("JSON"));
        assert_eq!(serde_json::from_str::<Labels>(&json).expect("a list"), labels);
        assert_eq!(format!("{labels:?}"), format!("{plain:?}"));
    }

    #[test]
    fn a_label_has_its_first_place() {
        let labels: Labels = ["x", "y", "x"].map(str::to_owned).into_iter().collect();
        assert_eq!(["x", "y", "z"].map(|label| labels.code(label)), [Some(0), Some(1), None]);
    }
}
