//! Labels of the groups of a key, as answers show them.

use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::cell::Cell;

/// The labels of a key's groups, in the order of their codes. Cloning is cheap, as the list is shared; it is serialized as a plain list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLabels(Arc<[Label]>);

impl Default for KeyLabels {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl From<Vec<Label>> for KeyLabels {
    fn from(labels: Vec<Label>) -> Self {
        Self(labels.into())
    }
}

impl FromIterator<Label> for KeyLabels {
    fn from_iter<I: IntoIterator<Item = Label>>(labels: I) -> Self {
        Self(labels.into_iter().collect())
    }
}

impl Deref for KeyLabels {
    type Target = [Label];

    fn deref(&self) -> &[Label] {
        &self.0
    }
}

impl Serialize for KeyLabels {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for KeyLabels {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Vec::deserialize(from).map(Self::from)
    }
}

/// Label of one group: the value of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Label {
    /// Truth value of a boolean key.
    Boolean(bool),
    /// Value of a whole-number key.
    Integer(i64),
    /// Category, or first day of a period as `YYYY-MM-DD`.
    Text(String),
    /// The group of missing values.
    Missing,
}

impl Label {
    /// The label as a cell of a table.
    #[must_use]
    pub fn cell(&self) -> Cell {
        match self {
            Self::Boolean(truth) => Cell::Boolean(*truth),
            Self::Integer(value) => Cell::Decimal(i128::from(*value) * 1_000_000_000),
            Self::Text(text) => Cell::Text(text.clone()),
            Self::Missing => Cell::Missing,
        }
    }
}
