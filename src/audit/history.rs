//! What was asked of a measurement before the answer that is audited: answers that look at data, and those that are made of stored ones.

use serde_json::Value;
use strum::{IntoStaticStr, VariantArray};

use super::finding::AuditError;
use crate::client::Client;
use crate::kernel::privacy::amounts::Epsilon;

/// What was asked before. The answer that is audited costs the same in each case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub enum History {
    /// A colleague asked for more: the answer is theirs with noise added.
    #[strum(serialize = "a copy of a more exact answer")]
    Copy,
    /// A colleague asked for more and the auditor for less: the answer lies between the two.
    #[strum(serialize = "between two answers")]
    Bridge,
    /// A colleague asked for less and the auditor for still less: the answer is topped up with a draw from data.
    #[strum(serialize = "topped up after a copy")]
    TopUp,
}

/// The most that a question of the audit's datasets may cost, as an ε.
const QUERY_MAX: f64 = 10.0;

impl History {
    /// All histories, in the order in which they are audited.
    pub const ALL: &'static [Self] = <Self as VariantArray>::VARIANTS;

    /// The history in words, for people to read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether the colleague asks, and for how much, before the auditor asks for `epsilon`.
    fn before(self, epsilon: Epsilon) -> Vec<(bool, Epsilon)> {
        let epsilon = epsilon.to_f64();
        let times = |factor: f64| Epsilon::from_nanos((1e9 * (factor * epsilon).min(QUERY_MAX)) as u64);
        match self {
            Self::Copy => vec![(true, times(2.0))],
            Self::Bridge => vec![(true, times(2.0)), (false, times(0.5))],
            Self::TopUp => vec![(true, times(0.7)), (false, times(0.5))],
        }
    }
}

/// Who asks before, and what.
#[derive(Clone, Copy)]
pub(super) struct Earlier<'a> {
    pub(super) colleague: &'a Client,
    pub(super) history: History,
}

impl Earlier<'_> {
    /// Asks what was asked before this question at this ε.
    pub(super) fn ask(&self, client: &Client, question: &Value, epsilon: Epsilon) -> Result<(), AuditError> {
        for (is_by_colleague, epsilon) in self.history.before(epsilon) {
            let mut body = question.clone();
            body["epsilon"] = epsilon.to_string().into();
            let who = if is_by_colleague { self.colleague } else { client };
            who.post_for("/v1/queries", &body, "text/csv")?;
        }
        Ok(())
    }
}
