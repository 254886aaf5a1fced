//! Refused questions that a steward should hear of.
//!
//! Promises that a refusal for lack of budget is noted at most once an hour for each person, dataset and code, and that the queue is bounded.
//! The ledger does not record refusals, so those that nobody has taken are lost when the process ends. A notice holds names and a code,
//! never the question.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::kernel::budget::charge::Refusal;
use crate::service::views::timestamp;

/// Maximum number of refusals in the queue, and of refusals remembered as noted.
const REFUSALS_MAX: usize = 1_000;
/// Milliseconds during which the same refusal of the same person is noted once.
const REFUSAL_PAUSE_MS: u64 = 3_600_000;

/// An event that stewards are told of.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The event's name, as configurations and deliveries spell it.
    pub event: &'static str,
    /// The JSON object that is delivered. It repeats the event's name and holds its time.
    pub body: Value,
}

impl Notice {
    /// A notice of an event at `at_ms`, milliseconds since 1970 in UTC, with the fields of the JSON object `more`.
    #[must_use]
    pub fn new(event: &'static str, at_ms: u64, more: Value) -> Self {
        let mut body = json!({"event": event, "at": timestamp(at_ms)});
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        Self { event, body }
    }
}

/// The queue of refusals that have been noted and not yet taken.
#[derive(Default)]
pub struct Refusals(Mutex<Noted>);

#[derive(Default)]
struct Noted {
    waiting: VecDeque<Notice>,
    /// When each refusal was last noted, by person, dataset and code.
    told: HashMap<(String, String, &'static str), u64>,
}

impl Refusals {
    /// Notes a refusal that a steward can do something about; other refusals are ignored.
    pub fn note(&self, who: &str, dataset: &str, refusal: &Refusal, at_ms: u64) {
        let Some(code) = code(refusal) else { return };
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Noted { waiting, told } = &mut *noted;
        let key = (who.to_owned(), dataset.to_owned(), code);
        if told.get(&key).is_some_and(|known| known.abs_diff(at_ms) < REFUSAL_PAUSE_MS) {
            return;
        }
        if told.len() >= REFUSALS_MAX {
            told.retain(|_, known| known.abs_diff(at_ms) < REFUSAL_PAUSE_MS);
        }
        if told.len() >= REFUSALS_MAX || waiting.len() >= REFUSALS_MAX {
            return;
        }
        told.insert(key, at_ms);
        let more = json!({"researcher": who, "dataset": dataset, "code": code});
        waiting.push_back(Notice::new("refused", at_ms, more));
    }

    /// Takes all notices out of the queue, oldest first.
    #[must_use]
    pub fn take(&self) -> Vec<Notice> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.waiting.drain(..).collect()
    }
}

/// The problem code of a refusal that a steward can do something about; `None` for any other.
fn code(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::Exhausted { .. } | Refusal::CellsExhausted { .. } | Refusal::ThresholdExhausted { .. } => {
            Some("budget-exhausted")
        }
        Refusal::OverQueryLimit { .. } => Some("over-query-limit"),
        Refusal::Frozen { .. } => Some("frozen"),
        Refusal::NoAccount | Refusal::Gone | Refusal::KeyConflict | Refusal::Unanswered => None,
    }
}
