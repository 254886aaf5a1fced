//! Finds the columns that may say whose row it is, and the columns that have a single value per person.
//!
//! Promises counts that help a person to choose; it makes no choice itself.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use polars::prelude::Series;

use super::seen::Seen;
use crate::engine::seal::encode::cells::Cells;
use crate::engine::seal::encode::{check_id, ids};

/// The largest number of people over whom columns are compared. Beyond it, no column is proposed as having a single value per person.
const PEOPLE_MAX: usize = 2_000_000;
/// The largest number of candidates that are examined.
const CANDIDATES_MAX: usize = 4;
/// Words in the names of columns that identify people, the clearest first.
const NAMES: [&str; 14] = [
    "patient",
    "person",
    "subject",
    "participant",
    "member",
    "beneficiary",
    "pupil",
    "user",
    "customer",
    "mrn",
    "pid",
    "nhs",
    "seqn",
    "nr",
];

/// A column that may say whose row it is.
pub(super) struct Candidate {
    pub(super) column: usize,
    /// The number of rows of each id, by the id's hash.
    rows: HashMap<u64, u64>,
    /// How clearly the column's name says that it identifies people; smaller is clearer.
    rank: usize,
    /// Whether each id has a single value, for each column.
    pub(super) single: Vec<bool>,
    values: HashMap<(usize, u64), u64>,
}

/// The candidates, the likeliest first.
pub(super) struct People {
    pub(super) candidates: Vec<Candidate>,
    pub(super) all_rows: u64,
}

impl People {
    /// Selects the columns whose names and values look like ids.
    pub(super) fn candidates(seen: &[Seen], rows: u64) -> Self {
        let mut found: Vec<(usize, usize)> = seen
            .iter()
            .enumerate()
            .filter(|(_, seen)| check_id(&seen.dtype).is_ok() && seen.nulls == 0 && seen.values > 0 && !seen.multiline)
            .filter_map(|(column, seen)| Some((rank(&seen.name)?, column)))
            .collect();
        found.sort_unstable();
        let new = |(rank, column): (usize, usize)| Candidate {
            column,
            rank,
            rows: HashMap::new(),
            single: vec![true; seen.len()],
            values: HashMap::new(),
        };
        Self { candidates: found.into_iter().take(CANDIDATES_MAX).map(new).collect(), all_rows: rows }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }

    pub(super) fn take(&mut self, columns: &[Series]) {
        for (at, candidate) in self.candidates.iter_mut().enumerate() {
            let Some(found) = columns.get(candidate.column).and_then(|series| ids(series, &[])) else { continue };
            let people: Vec<u64> = found.texts.iter().map(|id| hash(id.unwrap_or_default())).collect();
            people.iter().for_each(|person| *candidate.rows.entry(*person).or_default() += 1);
            if at == 0 && candidate.rows.len() <= PEOPLE_MAX {
                candidate.compare(&people, columns);
            } else {
                candidate.single.fill(false);
            }
        }
    }

    /// Sorts the candidates, the likeliest first: by name, and among equal names by the smaller number of ids, since ids of people recur.
    pub(super) fn rank(&mut self) {
        self.candidates.sort_by_key(|candidate| (candidate.rank, candidate.rows.len()));
    }
}

impl Candidate {
    fn compare(&mut self, people: &[u64], columns: &[Series]) {
        for (index, series) in columns.iter().enumerate().filter(|(index, _)| *index != self.column) {
            if !self.single[index] {
                continue;
            }
            let Some(texts) = hashes(series) else {
                self.single[index] = false;
                continue;
            };
            for (person, value) in people.iter().zip(texts) {
                let Some(value) = value else { continue };
                if *self.values.entry((index, *person)).or_insert(value) != value {
                    self.single[index] = false;
                    self.values.retain(|(column, _), _| *column != index);
                    break;
                }
            }
        }
    }

    /// The number of different ids.
    pub(super) fn people(&self) -> u64 {
        self.rows.len() as u64
    }

    /// The number of rows of the id that has most.
    pub(super) fn most(&self) -> u64 {
        self.rows.values().copied().max().unwrap_or(1)
    }

    /// The number of rows that are kept if every id keeps at most `most`.
    pub(super) fn kept(&self, most: u64) -> u64 {
        self.rows.values().map(|rows| (*rows).min(most)).sum()
    }
}

/// How clearly a name says that it identifies people; smaller is clearer, `None` if it does not.
fn rank(name: &str) -> Option<usize> {
    let words: Vec<&str> = name.split('_').collect();
    let is_id = words.last().is_some_and(|word| matches!(*word, "id" | "key" | "nr" | "no" | "number" | "code"))
        || name.ends_with("id");
    let person = NAMES.iter().position(|known| words.contains(known) || (is_id && name.starts_with(known)));
    match person {
        Some(place) if is_id || words.len() == 1 => Some(place),
        Some(_) | None => (name == "id" || name.ends_with("_id")).then_some(NAMES.len()),
    }
}

/// Hashes of a column's values for comparison, `None` for missing ones. Returns `None` for columns that do not hold single values.
fn hashes(series: &Series) -> Option<Vec<Option<u64>>> {
    let cells = Cells::of(series)?;
    if let Cells::Moments(moments) = &cells {
        return Some(
            moments
                .seconds()
                .map(|seconds| seconds.map(|seconds| hash(&moments.zone.day(seconds).to_string())))
                .collect(),
        );
    }
    Some(cells.texts()?.map(|text| text.map(|text| hash(&text))).collect())
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_people_come_before_other_ids() {
        let mut names =
            vec!["visit_id", "id", "patient_id", "patientid", "person_id", "nr", "seqn", "age", "region", "valid"];
        names.retain(|name| rank(name).is_some());
        names.sort_by_key(|name| rank(name));
        assert_eq!(names[..3], ["patient_id", "patientid", "person_id"]);
        assert!(!names.contains(&"age") && !names.contains(&"valid") && names.contains(&"nr"));
    }
}
