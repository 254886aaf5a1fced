//! What verification asks of whoever knows queries and answers, and what it finds.

use std::collections::HashMap;
use std::sync::Arc;

use super::fault::{AnswerFault, EntryFault};
use crate::kernel::budget::entry::{Charge, Digest, Entry};
use crate::kernel::privacy::amounts::Price;
use crate::kernel::privacy::certificate::CertifiedMeasurement;

/// Checks what the store cannot know: that an entry's measurements are those of its query, and that a stored answer is the one that was
/// charged. Both checks run on several threads at once.
pub trait Repricer: Sync {
    /// Learns from an entry what later checks need. Called with the `edition-sealed` entries, in order, before any check.
    fn learn(&mut self, entry: &Entry);

    /// Checks an entry beyond its place in the chain.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(&self, entry: &Entry) -> Result<(), EntryFault>;

    /// Whether what an entry's answer is worth follows from points of other views, so that [`Repricer::check_worth`] must look at it.
    fn follows(&self, _entry: &Entry) -> bool {
        false
    }

    /// Checks what an entry says its answer is worth, and the points that it derives, against what they are made of.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check_worth(&self, _entry: &Entry, _made_of: &MadeOf) -> Result<(), EntryFault> {
        Ok(())
    }

    /// Checks the bytes of a stored answer for which the vectors `drawn` were paid, and which stores `points` of noise paths beside them.
    ///
    /// # Errors
    /// What is wrong with them.
    fn check_release(
        &self,
        id: &str,
        drawn: &[CertifiedMeasurement],
        points: u32,
        body: &[u8],
    ) -> Result<(), AnswerFault>;
}

/// What the ledger holds of the other views that an answer is made of.
#[derive(Debug, Clone, Default)]
pub struct MadeOf {
    /// For each view of which anything was drawn, the first charge that drew it.
    pub charges: HashMap<Digest, Arc<Charge>>,
    /// The draws that the answer uses as draws: their views and prices.
    pub draws: Vec<(Digest, Price)>,
}

/// The first thing that was found to be wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{why}", seq.map_or_else(String::new, |seq| format!("entry {seq}: ")))]
pub struct LedgerFinding {
    /// Number of the entry; `None` if the finding is about the file as a whole.
    pub seq: Option<u64>,
    /// What is wrong, in our own words.
    pub why: String,
}

impl LedgerFinding {
    pub(super) fn of_file(why: impl Into<String>) -> Self {
        Self { seq: None, why: why.into() }
    }
}
