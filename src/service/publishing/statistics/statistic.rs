//! A published statistic: what its file says, whether it may be drawn, and its state.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::face::Face;
use crate::kernel::budget::entry::Digest;
use crate::kernel::budget::state::StatisticRecord;
use crate::kernel::privacy::amounts::{Epsilon, Price};
use crate::query::file::Refresh;
use crate::service::asking::ask::Ask;
use crate::service::stewarding::fault::StewardFault;

/// A published query with its schedule.
#[derive(Debug, Clone)]
pub struct Statistic {
    /// The statistic's name: its file's name without the ending.
    pub name: String,
    /// The dataset that its question asks.
    pub dataset: String,
    /// The dataset whose account pays for it.
    pub lineage: String,
    /// How often it is drawn anew.
    pub refresh: Refresh,
    /// What its file tells readers about it.
    pub face: Face,
    /// The canonical SQL of its question.
    pub sql: String,
    /// The most that a draw of it costs, as ε.
    pub epsilon: Epsilon,
    pub(in crate::service) amount: Price,
    pub(in crate::service) ask: Ask,
    pub(in crate::service) question: Digest,
}

/// Whether a statistic may be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Agreement {
    /// It may: a steward agreed to its question and its price, or it was drawn before confirmations existed.
    #[serde(rename = "confirmed")]
    #[strum(serialize = "confirmed")]
    Given,
    /// It was never drawn, and waits for a steward.
    New,
    /// Its question differs from the one whose answer it shows, and waits for a steward.
    Changed,
    /// A draw costs more than a steward agreed to, because the dataset's policy has changed.
    Dearer,
}

impl Agreement {
    /// The word for this in JSON and on pages.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The present state of a statistic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The id of the release that it shows, and since when, in milliseconds since 1970 in UTC; `None` before the first release.
    pub shown: Option<(String, u64)>,
    /// What readers are told about what it shows.
    pub face: Face,
    /// Whether what it shows answers an earlier question than its file asks now.
    pub is_earlier: bool,
    /// Whether it may be drawn.
    pub agreement: Agreement,
    /// When it was last due but not drawn, in milliseconds since 1970 in UTC, and why.
    pub skipped: Option<(u64, String)>,
    /// When its next period begins, in milliseconds since 1970 in UTC; `None` if it has no periods.
    pub next_ms: Option<u64>,
    /// Whether it is due to be drawn now.
    pub is_due: bool,
}

impl State {
    /// Why a newer release than the one shown has not been drawn yet, in public words; `None` if none is pending.
    #[must_use]
    pub fn waits(&self) -> Option<&'static str> {
        match (self.is_earlier, self.agreement) {
            (_, Agreement::Changed) => Some("its question has changed, and no steward has confirmed the new one yet"),
            (_, Agreement::Dearer) => Some("a draw costs more than before, and no steward has confirmed that yet"),
            (true, _) => Some("its question has changed, and the new one was not drawn yet"),
            (false, Agreement::Given | Agreement::New) => None,
        }
    }

    /// Why what it shows is older than it should be, in public words; `None` if it is up to date.
    #[must_use]
    pub fn stale(&self) -> Option<&str> {
        self.waits().or(self.skipped.as_ref().map(|(_, why)| why.as_str()))
    }
}

impl Statistic {
    /// Whether its file asks the question with this digest.
    pub(crate) fn asks(&self, question: &Digest) -> bool {
        self.question == *question
    }

    /// Checks that a draw of it costs no more than `most`, if that is given.
    ///
    /// # Errors
    /// [`StewardFault::StatisticPrice`]
    pub(crate) fn check_price(&self, most: Option<Epsilon>) -> Result<(), StewardFault> {
        let (name, epsilon) = (self.name.clone(), self.epsilon);
        match most.filter(|most| epsilon > *most) {
            Some(most) => Err(StewardFault::StatisticPrice { name, epsilon, most }),
            None => Ok(()),
        }
    }

    /// Whether a steward agreed to its question and its price.
    pub(crate) fn is_agreed(&self, card: &StatisticRecord) -> bool {
        card.agrees_to(&self.question, self.amount)
    }
}

/// Whether a statistic may be drawn, according to the ledger's state.
pub(super) fn agreement(card: Option<&StatisticRecord>, statistic: &Statistic) -> Agreement {
    let Some(card) = card else { return Agreement::New };
    if statistic.is_agreed(card) {
        Agreement::Given
    } else if card.shown.is_none() {
        Agreement::New
    } else if card.shows(&statistic.question) {
        Agreement::Dearer
    } else {
        Agreement::Changed
    }
}
