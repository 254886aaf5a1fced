//! The plan: a question typed against a dataset's public terms.
//!
//! Promises that a plan is row-local steps, public group keys, a de-duplicated list of measurements and post-processing, and that it
//! depends on the text and the terms alone. Two questions with the same measurements of the same rows have the same view.

mod outputs;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use super::answer::{Label, Layout};
use super::error::{Code, QueryError, nearest, shown};
use super::filter::Filter;
use super::syntax::{Aggregate, Condition, ItemValue, Key, Name, Query};
use crate::budget::entry::Digest;
use crate::dataset::domain::{Column, Domain};
use crate::dataset::policy::Terms;
use crate::privacy::certificate::Sought;
use crate::privacy::sensitivity::{Sensitivity, Statistic};

/// Noisy cells of an answer at the most.
pub const CELLS_MAX: u64 = 100_000;

/// What is measured in each group.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
pub enum Measure {
    /// Rows.
    Rows,
    /// Rows whose column is not null.
    NonNull {
        /// Index of the column.
        column: usize,
    },
    /// Stored integers of a numeric column, which are about its centre.
    Sum {
        /// Index of the column.
        column: usize,
    },
    /// Units.
    Units,
}

impl Measure {
    /// What it costs a row; who is new is a look into a set.
    fn looks(self) -> u64 {
        match self {
            Self::Rows | Self::NonNull { .. } | Self::Sum { .. } => 1,
            Self::Units => 8,
        }
    }
}

/// A public grouping key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
pub struct PlanKey {
    /// Index of the column.
    pub column: usize,
    /// Codes 0 to `codes` − 1 are groups; the code `codes` is the group of missing values where `nullable`.
    pub codes: u32,
    /// Whether missing values are a group.
    pub nullable: bool,
}

impl PlanKey {
    /// Groups of this key.
    #[must_use]
    pub fn size(&self) -> u64 {
        u64::from(self.codes) + u64::from(self.nullable)
    }
}

/// What the engine needs to know: row-local steps, keys, measurements. Cells are numbered with the last key running fastest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
pub struct Computation {
    /// Rows of a unit that count: those of rank below this.
    pub rows_per_unit: u32,
    /// Rows that count.
    pub filter: Option<Filter>,
    /// Keys by ascending column.
    pub keys: Vec<PlanKey>,
    /// Measurements, ascending, each once.
    pub measures: Vec<Measure>,
}

impl Computation {
    /// Digest of one of its measurements, of which edition: what can be shared and topped up.
    #[must_use]
    pub fn view_of(&self, measure: Measure, dataset: &str, edition: &str) -> Digest {
        let alone = (self.rows_per_unit, &self.filter, &self.keys, measure);
        // Unwrap safety: the parts are plain data.
        let bytes = serde_json::to_vec(&(dataset, edition, alone)).expect("a measurement is plain data");
        *blake3::hash(&bytes).as_bytes()
    }

    /// What one row costs at the most, in looks at a column: public, for it follows from the question alone.
    #[must_use]
    pub fn looks(&self) -> u64 {
        let measures: u64 = self.measures.iter().map(|measure| measure.looks()).sum();
        1 + self.keys.len() as u64 + measures + self.filter.as_ref().map_or(0, Filter::nodes)
    }

    /// Groups: the product of the keys' sizes.
    #[must_use]
    pub fn groups(&self) -> u64 {
        self.keys.iter().fold(1, |groups: u64, key| groups.saturating_mul(key.size()))
    }
}

/// The codes of a cell in keys of these sizes; the last key runs fastest.
pub(super) fn codes(sizes: impl DoubleEndedIterator<Item = u64>, cell: u64) -> Vec<u64> {
    let mut rest = cell;
    let mut codes: Vec<u64> = sizes
        .rev()
        .map(|size| {
            let code = rest % size;
            rest /= size;
            code
        })
        .collect();
    codes.reverse();
    codes
}

/// A typed question.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The dataset's name.
    pub dataset: String,
    /// What is computed.
    pub computation: Computation,
    /// How noisy integers become columns.
    pub layout: Layout,
    /// What the privacy core needs to know, in the order of the measurements.
    pub sought: Vec<Sought>,
}

impl Plan {
    /// Digest of what is measured, of which edition: the plan without names, order and accuracy.
    #[must_use]
    pub fn view(&self, edition: &str) -> Digest {
        // Unwrap safety: the parts are plain data.
        let bytes = serde_json::to_vec(&(&self.dataset, edition, &self.computation)).expect("a plan is plain data");
        *blake3::hash(&bytes).as_bytes()
    }
}

/// Types a query against the terms of its dataset; `rows_per_unit` is the policy's maximum unless fewer are wanted.
///
/// # Errors
/// In this order: [`Code::NotAnAggregate`], [`Code::UnknownColumn`], [`Code::OutOfDomain`] or [`Code::UnsupportedSql`] of
/// literals and types, [`Code::TooManyGroups`].
pub fn plan(query: &Query, terms: &Terms, rows_per_unit: Option<u32>) -> Result<Plan, QueryError> {
    let key_names = key_names(query, terms)?;
    check_shape(query, &key_names)?;
    check_columns(query, &key_names, terms)?;
    let rows_per_unit = check_rows(rows_per_unit, terms)?;
    let keys = keys(&key_names, terms)?;
    let mut computation = Computation { rows_per_unit, filter: None, keys, measures: Vec::new() };
    let layout = outputs::layout(query, terms, &mut computation)?;
    computation.filter = query.condition.as_ref().map(|condition| Filter::of(condition, terms)).transpose()?;
    let sought = sought(&computation, terms)?;
    Ok(Plan { dataset: query.dataset.text.clone(), computation, layout, sought })
}

/// Names of the grouping columns; an ordinal, or an alias where no column has that name, stands for a selected column.
fn key_names(query: &Query, terms: &Terms) -> Result<Vec<Name>, QueryError> {
    let aliased = |name: &Name| {
        let item = query.items.iter().find(|item| item.alias.as_ref().is_some_and(|alias| alias.text == name.text));
        match item.map(|item| &item.value) {
            Some(ItemValue::Column(column)) if terms.column(&name.text).is_none() => column.clone(),
            _ => name.clone(),
        }
    };
    let resolve = |key: &Key| match key {
        Key::Column(name) => Ok(aliased(name)),
        Key::Ordinal(ordinal, at) => {
            let item = usize::try_from(*ordinal).ok().and_then(|n| query.items.get(n.checked_sub(1)?));
            match item.map(|item| &item.value) {
                Some(ItemValue::Column(name)) => Ok(name.clone()),
                _ => {
                    let message = format!("GROUP BY {ordinal} names no selected column");
                    Err(QueryError::at(Code::UnsupportedSql, *at, message))
                }
            }
        }
    };
    query.keys.iter().map(resolve).collect()
}

fn check_shape(query: &Query, keys: &[Name]) -> Result<(), QueryError> {
    for item in &query.items {
        let (message, hint) = match &item.value {
            ItemValue::Wildcard => {
                ("* asks for rows; only aggregates are answered".to_owned(), "write COUNT(*)".to_owned())
            }
            ItemValue::Expression => {
                let hint = "select grouping columns, COUNT, SUM and AVG";
                ("this item is no aggregate; only aggregates are answered".to_owned(), hint.to_owned())
            }
            ItemValue::Column(name) if !keys.iter().any(|key| key.text == name.text) => {
                let name = shown(&name.text);
                let message = format!("\"{name}\" is neither aggregated nor grouped by");
                (message, format!("write AVG({name}), or add GROUP BY {name} if it is a category"))
            }
            ItemValue::Column(_) | ItemValue::Aggregate(_) => continue,
        };
        return Err(QueryError::at(Code::NotAnAggregate, item.at, message).hint(hint));
    }
    if query.items.iter().any(|item| matches!(item.value, ItemValue::Aggregate(_))) {
        Ok(())
    } else {
        Err(QueryError::at(Code::NotAnAggregate, query.dataset.at, "nothing is aggregated").hint("add COUNT(*)"))
    }
}

/// Every named column exists, in the order of the text.
fn check_columns(query: &Query, keys: &[Name], terms: &Terms) -> Result<(), QueryError> {
    for item in &query.items {
        match &item.value {
            ItemValue::Aggregate(Aggregate::CountDistinct(name)) => {
                if terms.unit_column() != Some(name.text.as_str()) {
                    column(name, terms)?;
                }
            }
            ItemValue::Aggregate(Aggregate::Count(name) | Aggregate::Sum(name) | Aggregate::Avg(name))
            | ItemValue::Column(name) => {
                column(name, terms)?;
            }
            ItemValue::Aggregate(Aggregate::CountRows) | ItemValue::Wildcard | ItemValue::Expression => {}
        }
    }
    if let Some(condition) = &query.condition {
        check_condition(condition, terms)?;
    }
    keys.iter().try_for_each(|name| column(name, terms).map(|_| ()))
}

fn check_condition(condition: &Condition, terms: &Terms) -> Result<(), QueryError> {
    match condition {
        Condition::Compare(name, ..)
        | Condition::Between(name, ..)
        | Condition::In(name, _)
        | Condition::IsNull(name)
        | Condition::Column(name) => column(name, terms).map(|_| ()),
        Condition::Not(inner) => check_condition(inner, terms),
        Condition::All(parts) | Condition::Any(parts) => parts.iter().try_for_each(|part| check_condition(part, terms)),
    }
}

fn column<'a>(name: &Name, terms: &'a Terms) -> Result<(usize, &'a Column), QueryError> {
    if let Some(found) = terms.column(&name.text) {
        return Ok(found);
    }
    if terms.unit_column() == Some(name.text.as_str()) {
        let message = format!("\"{}\" is the privacy unit and names people", name.text);
        let hint = format!("only COUNT(DISTINCT {}) may name it", name.text);
        return Err(QueryError::at(Code::UnknownColumn, name.at, message).hint(hint));
    }
    let names = terms.columns.iter().map(|column| column.name.as_str());
    let near = nearest(&name.text, names.clone());
    let message = format!("unknown column \"{}\"", shown(&name.text));
    let error = QueryError::at(Code::UnknownColumn, name.at, message);
    Err(match near {
        Some(near) => {
            let message = format!("{}; did you mean \"{near}\"?", error.message);
            QueryError { message, ..error }
        }
        None => error.hint(format!("its columns are {}", shown_list(names))),
    })
}

fn shown_list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.take(24).collect::<Vec<_>>().join(", ")
}

fn check_rows(wanted: Option<u32>, terms: &Terms) -> Result<u32, QueryError> {
    let max = terms.max_rows_per_unit;
    match wanted {
        None => Ok(max),
        Some(rows) if (1..=max).contains(&rows) => Ok(rows),
        Some(rows) => {
            let message = format!("rows_per_unit is {rows}; accepted is 1 to {max}, the policy's maximum");
            Err(QueryError::whole(Code::InvalidRequest, message))
        }
    }
}

fn keys(names: &[Name], terms: &Terms) -> Result<Vec<PlanKey>, QueryError> {
    let mut keys = Vec::with_capacity(names.len());
    for name in names {
        let (index, column) = column(name, terms)?;
        let codes = match &column.domain {
            Domain::Category(values) => values.len() as u32,
            Domain::Boolean => 2,
            Domain::Number(_) | Domain::Date { .. } => {
                let message = format!("\"{}\" is a {} and cannot be grouped by", name.text, column.domain.type_name());
                let error = QueryError::at(Code::UnsupportedSql, name.at, message);
                return Err(error.hint("group by category and boolean columns, whose values are public"));
            }
        };
        keys.push(PlanKey { column: index, codes, nullable: column.nullable });
    }
    keys.sort_by_key(|key| key.column);
    keys.dedup();
    Ok(keys)
}

/// The labels of a key's groups, in the order of their codes.
pub(super) fn labels(key: &PlanKey, terms: &Terms) -> Vec<Label> {
    let mut labels: Vec<_> = match &terms.columns[key.column].domain {
        Domain::Category(values) => values.iter().cloned().map(Label::Text).collect(),
        Domain::Boolean => vec![Label::Boolean(false), Label::Boolean(true)],
        Domain::Number(_) | Domain::Date { .. } => Vec::new(),
    };
    if key.nullable {
        labels.push(Label::Missing);
    }
    labels
}

fn sought(computation: &Computation, terms: &Terms) -> Result<Vec<Sought>, QueryError> {
    let groups = computation.groups();
    let cells = groups.saturating_mul(computation.measures.len() as u64);
    if cells > CELLS_MAX {
        let message = format!("the answer would have {cells} noisy cells; accepted are at most {CELLS_MAX}");
        return Err(QueryError::whole(Code::TooManyGroups, message).hint("group by fewer columns"));
    }
    let varying = |key: &&PlanKey| !terms.columns[key.column].per_unit;
    let cells_reachable = computation.keys.iter().filter(varying).map(PlanKey::size).product();
    let of = |measure: &Measure| {
        let statistic = match measure {
            Measure::Rows | Measure::NonNull { .. } => Statistic::Count,
            Measure::Sum { column } => Statistic::Sum { radius: terms.grid(*column).map_or(0, |grid| grid.radius()) },
            Measure::Units => Statistic::DistinctUnits { cells_reachable },
        };
        let sensitivity = Sensitivity::of(statistic, computation.rows_per_unit);
        // Unwrap safety: a checked policy keeps max_rows × radius below 2⁶², and rows_per_unit is at most max_rows.
        sensitivity.map(|sensitivity| Sought { sensitivity, cells: groups }).expect("a policy bounds its sums")
    };
    Ok(computation.measures.iter().map(of).collect())
}
