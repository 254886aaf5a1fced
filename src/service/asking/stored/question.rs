//! How a question that was answered from the store lays the answer out, as the ledger keeps it for an idempotency key.

use borsh::{BorshDeserialize, BorshSerialize};

use super::json;
use crate::query::answer::grouping_sets::GroupingSets;
use crate::query::answer::{Layout, LayoutEnd, Output, ShownGroups, SortKey, Suppression};

/// Beginning of the text in the present version. The first version is JSON, which begins with a brace.
const VERSION: &str = "2:";

/// How a question lays out an answer, with the labels of the stored answer. It is encoded as its fields in this order.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub(crate) struct StoredQuestion {
    pub(crate) sql: String,
    pub(crate) outputs: Vec<Output>,
    pub(crate) sets: Option<GroupingSets>,
    pub(crate) shown: ShownGroups,
    pub(crate) small: Option<Suppression>,
    pub(crate) order: Vec<SortKey>,
    pub(crate) end: LayoutEnd,
}

impl StoredQuestion {
    pub(crate) fn new(sql: String, layout: Layout) -> Self {
        let Layout { keys: _, outputs, sets, shown, small, order, limit, arms } = layout.without_labels();
        Self { sql, outputs, sets, shown, small, order, end: LayoutEnd { limit, arms } }
    }

    /// The text for the ledger.
    pub(crate) fn encode(&self) -> String {
        // Unwrap safety: writing to memory does not fail, and a layout holds no number that is NaN.
        let bytes = borsh::to_vec(self).expect("a question is plain data");
        format!("{VERSION}{}", hex::encode(&bytes))
    }

    /// Reads the text of the ledger, of any version; `None` if it is no question.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        match text.strip_prefix(VERSION) {
            Some(digits) => borsh::from_slice(&hex::decode(digits).ok()?).ok(),
            None => json::question(text).map(|(sql, layout)| Self::new(sql, layout)),
        }
    }
}
