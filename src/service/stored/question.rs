//! How a question that was served a stored answer lays it out, as the ledger keeps it for its idempotency key.

use borsh::{BorshDeserialize, BorshSerialize};

use super::json;
use crate::hex;
use crate::query::answer::{Layout, Output, Small, Sort};
use crate::query::formula::Shown;
use crate::query::tables::Sets;

/// What the text of a later version than the first begins with. The first one is JSON and begins with a brace.
const VERSION: &str = "2:";

/// How a question lays an answer out; labels are those of the stored answer. Its bytes are its fields in this order.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub(in crate::service) struct StoredQuestion {
    pub(in crate::service) sql: String,
    pub(in crate::service) outputs: Vec<Output>,
    pub(in crate::service) sets: Option<Sets>,
    pub(in crate::service) having: Option<Shown>,
    pub(in crate::service) small: Option<Small>,
    pub(in crate::service) order: Vec<Sort>,
    pub(in crate::service) limit: Option<u64>,
}

impl StoredQuestion {
    pub(in crate::service) fn new(sql: String, layout: Layout) -> Self {
        let Layout { keys: _, outputs, sets, having, small, order, limit } = layout;
        Self { sql, outputs, sets, having, small, order, limit }
    }

    /// The text for the ledger.
    pub(in crate::service) fn encode(&self) -> String {
        // Unwrap safety: writing to memory does not fail, and a layout holds no number that is none.
        let bytes = borsh::to_vec(self).expect("a question is plain data");
        format!("{VERSION}{}", hex::encode(&bytes))
    }

    /// Reads the text of the ledger, of whatever version; `None` where it is no question.
    pub(in crate::service) fn decode(text: &str) -> Option<Self> {
        match text.strip_prefix(VERSION) {
            Some(digits) => borsh::from_slice(&hex::decode_bytes(digits)?).ok(),
            None => json::question(text),
        }
    }
}
