//! Stored answers: the release with what is needed to lay it out again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::{Priced, ServiceError};
use crate::budget::ledger::{Ledger, LedgerFault};
use crate::privacy::accountant::Accountant;
use crate::query::answer::Layout;
use crate::vault::release::Release;

/// Answers kept in memory at the most.
const KEPT_MAX: usize = 1_024;

/// One stored answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredAnswer {
    /// The noisy values.
    pub release: Release,
    /// How the question laid them out.
    pub layout: Layout,
    /// The canonical SQL of the question.
    pub sql: String,
    /// The dataset's accountant.
    pub accountant: Accountant,
    /// Rows of a unit that count.
    pub rows_per_unit: u32,
    /// Who asked.
    pub researcher: String,
    /// What for.
    pub purpose: Option<String>,
    /// When, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
}

impl StoredAnswer {
    pub(super) fn new(release: Release, priced: &Priced, who: &str, purpose: Option<String>, at_ms: u64) -> Self {
        Self {
            release,
            layout: priced.plan.layout.clone(),
            sql: priced.sql.clone(),
            accountant: priced.dataset.terms.accountant,
            rows_per_unit: priced.plan.computation.rows_per_unit,
            researcher: who.to_owned(),
            purpose,
            at_ms,
        }
    }

    /// The bytes for the store.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Unwrap safety: it is plain data with string keys.
        serde_json::to_vec(self).expect("a stored answer is plain data")
    }
}

/// The stored answers, the latest of them in memory.
#[derive(Default)]
pub(super) struct StoredAnswers {
    kept: Mutex<Kept>,
}

/// Answers by id, and their ids from the oldest on.
type Kept = (HashMap<String, Arc<StoredAnswer>>, VecDeque<String>);

impl StoredAnswers {
    pub(super) fn keep(&self, answer: StoredAnswer) -> Arc<StoredAnswer> {
        let (id, answer) = (answer.release.id.clone(), Arc::new(answer));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (by_id, order) = &mut *kept;
        if by_id.insert(id.clone(), Arc::clone(&answer)).is_none() {
            order.push_back(id);
        }
        if order.len() > KEPT_MAX
            && let Some(oldest) = order.pop_front()
        {
            by_id.remove(&oldest);
        }
        answer
    }

    /// From memory, or from the ledger.
    pub(super) fn get(&self, ledger: &dyn Ledger, id: &str) -> Result<Arc<StoredAnswer>, ServiceError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).0.get(id).cloned();
        if let Some(answer) = kept {
            return Ok(answer);
        }
        let bytes = ledger.release(id)?.ok_or(LedgerFault::Store)?;
        let answer = serde_json::from_slice(&bytes).map_err(|_| LedgerFault::Store)?;
        Ok(self.keep(answer))
    }
}
