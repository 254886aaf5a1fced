//! Labels of the groups of a key, as answers show them.

use std::borrow::Cow;
use std::io;
use std::ops::Deref;
use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};

use super::cell::Cell;
use crate::query::terms::domain::date_text;

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

impl BorshSerialize for KeyLabels {
    fn serialize<W: io::Write>(&self, out: &mut W) -> io::Result<()> {
        self.0[..].serialize(out)
    }
}

impl BorshDeserialize for KeyLabels {
    fn deserialize_reader<R: io::Read>(from: &mut R) -> io::Result<Self> {
        Vec::deserialize_reader(from).map(Self::from)
    }
}

/// Label of one group: the value of a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Label {
    /// Truth value of a boolean key.
    Boolean(bool) = 0,
    /// Value of a whole-number key.
    Integer(i64) = 1,
    /// Category. In answers that were stored before [`Label::Date`] was known, also a day as `YYYY-MM-DD`.
    Text(String) = 2,
    /// The group of missing values.
    Missing = 3,
    /// Value of a key of decimals, as a multiple of 10⁻⁹.
    Decimal(i128) = 4,
    /// Day of a date key, or first day of a period, in days since 1970-01-01.
    Date(i32) = 5,
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
            Self::Decimal(nanos) => Cell::Decimal(*nanos),
            Self::Date(days) => Cell::Date(*days),
        }
    }

    /// The label as SQL compares it with a text; `None` if it is no text and no day.
    #[must_use]
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Date(days) => Some(Cow::Owned(date_text(*days))),
            Self::Boolean(_) | Self::Integer(_) | Self::Missing | Self::Decimal(_) => None,
        }
    }
}
