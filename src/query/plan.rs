//! The plan: a question typed against a dataset's public terms.
//!
//! Promises that a plan is row-local steps, public group keys, a de-duplicated list of measurements and post-processing, and that it
//! depends on the text and the terms alone. Two questions with the same measurements of the same rows have the same view.

mod joins;
mod names;
mod outputs;
mod runs;
mod sets;
mod texts;

use std::collections::HashSet;
use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use self::joins::Joins;
pub(super) use self::joins::written;
use super::answer::Layout;
use super::error::{Code, QueryError, shown};
use super::filter::Filter;
use super::syntax::{Expression, Function, ItemValue, Key, Output, Query, Scalar};
use super::term::coding;
use super::term::{Term, typed};
use super::units::{Units, subquery};
use crate::budget::entry::Digest;
use crate::dataset::policy::Terms;
use crate::privacy::certificate::{Hiding, Sought};
use crate::privacy::roots::Roots;
use crate::privacy::sensitivity::{Sensitivity, Statistic};

/// Noisy cells of an answer at the most.
pub const CELLS_MAX: u64 = 100_000;

/// What is measured in each group.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
pub enum Measure {
    /// Rows.
    Rows,
    /// Rows in which something is not missing.
    NonNull {
        /// What.
        column: Term,
    },
    /// Stored integers of a number, which are about its centre.
    Sum {
        /// Of what.
        column: Term,
    },
    /// Units.
    Units,
    /// Units with a row of which a condition is true.
    UnitsWhere {
        /// The condition.
        filter: Filter,
    },
    /// Rows by bins of equal width of what is not missing, bin after bin within each group.
    Bins {
        /// Of what.
        column: Term,
        /// Where the first bin begins, in the term's own steps.
        low: i64,
        /// Steps in a bin.
        width: i64,
        /// Bins.
        count: u32,
    },
    /// A count along the groups of one ordered key, with the weights of [`crate::privacy::roots`].
    Rooted {
        /// The key by its place.
        key: usize,
        /// What is counted.
        measure: Box<Measure>,
    },
    /// Another measurement over some of the keys alone.
    Over {
        /// The keys by their place, ascending.
        keys: Vec<usize>,
        /// What is measured.
        measure: Box<Measure>,
    },
}

impl Measure {
    /// Cells of it in all, over these keys.
    #[must_use]
    pub fn cells(&self, keys: &[PlanKey]) -> u64 {
        let groups =
            |keys: &mut dyn Iterator<Item = &PlanKey>| keys.fold(1_u64, |all, key| all.saturating_mul(key.size()));
        match self {
            Self::Rows
            | Self::NonNull { .. }
            | Self::Sum { .. }
            | Self::Units
            | Self::UnitsWhere { .. }
            | Self::Rooted { .. } => groups(&mut keys.iter()),
            Self::Bins { count, .. } => groups(&mut keys.iter()).saturating_mul(u64::from(*count)),
            Self::Over { keys: places, measure: _ } => groups(&mut places.iter().map(|place| &keys[*place])),
        }
    }

    /// What is measured, over whatever keys.
    #[must_use]
    pub fn base(&self) -> &Self {
        match self {
            Self::Over { measure, .. } => measure,
            other => other,
        }
    }

    /// What it costs a row; who is new is a look into a set.
    fn looks(&self) -> u64 {
        const UNITS_LOOKS: u64 = 8;
        match self {
            Self::Rows => 1,
            Self::NonNull { column } | Self::Sum { column } => column.nodes(),
            // Every level is summed from the finest, which is grouped by.
            Self::Bins { column, .. } => 2 + column.nodes(),
            // A pass of its own.
            Self::Rooted { measure, .. } => 2 + measure.looks(),
            Self::Over { keys, measure } => 2 + keys.len() as u64 + measure.looks(),
            Self::Units => UNITS_LOOKS,
            Self::UnitsWhere { filter } => UNITS_LOOKS + filter.nodes(),
        }
    }
}

/// A public grouping key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
pub struct PlanKey {
    /// By what.
    pub column: Term,
    /// The value of code 0: of numbers the number, of dates the number of their period.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub low: i64,
    /// Codes 0 to `codes` − 1 are groups; the code `codes` is the group of missing values where `nullable`.
    pub codes: u32,
    /// Whether missing values are a group.
    pub nullable: bool,
}

fn is_zero(value: &i64) -> bool {
    *value == 0
}

impl PlanKey {
    /// Groups of this key.
    #[must_use]
    pub fn size(&self) -> u64 {
        u64::from(self.codes) + u64::from(self.nullable)
    }
}

/// A grouping key without a public list: its groups are those that rows have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
pub struct TextKey {
    /// The column.
    pub column: usize,
    /// m: groups that a unit counts in, those of its first rows that pass the filter.
    pub groups_per_unit: u32,
    /// Groups that a table has at the most: the declared capacity.
    pub groups_max: u32,
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
    /// The table of one row a unit that all of this is about, where it is not about the dataset's own rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<Units>,
    /// The one key, where its groups are not public; there are no others then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<TextKey>,
    /// Tables that are joined from the left, by their places: what they hold may be missing, on which bounds and centres depend.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<usize>,
}

/// What a row costs more where groups are found by their texts.
const TEXT_LOOKS: u64 = 24;

impl Computation {
    /// Digest of one of its measurements, of which edition: what can be shared and topped up.
    #[must_use]
    pub fn view_of(&self, measure: &Measure, dataset: &str, edition: &str) -> Digest {
        let alone = self.alone(measure);
        let parts = (alone.rows_per_unit, &alone.filter, &alone.keys, &alone.measures[0]);
        let bytes = match (&alone.units, &alone.text) {
            (None, None) => serde_json::to_vec(&(dataset, edition, parts)),
            (Some(units), None) => serde_json::to_vec(&(dataset, edition, parts, units)),
            (units, Some(text)) => serde_json::to_vec(&(dataset, edition, parts, units, text)),
        };
        let bytes = match &alone.left[..] {
            [] => bytes,
            left => bytes.and_then(|parts| serde_json::to_vec(&(parts, left))),
        };
        // Unwrap safety: the parts are plain data.
        *blake3::hash(&bytes.expect("a measurement is plain data")).as_bytes()
    }

    /// What one row costs at the most, in looks at a column: public, for it follows from the question alone.
    #[must_use]
    pub fn looks(&self) -> u64 {
        let measures: u64 = self.measures.iter().map(Measure::looks).sum();
        // Whatever has a pass of its own looks at everything again.
        let has_own = |measure: &&Measure| {
            matches!(measure, Measure::Over { .. } | Measure::Bins { .. } | Measure::Rooted { .. })
        };
        let passes = 1 + self.measures.iter().filter(has_own).count() as u64;
        let keys: u64 = self.keys.iter().map(|key| key.column.nodes()).sum();
        let units = self.units.as_ref().map_or(0, Units::looks);
        // Which rows count by it is a pass of its own, and so is the copy of them.
        let text = self.text.as_ref().map_or(0, |_| TEXT_LOOKS);
        1 + text + measures + passes * (units + keys + self.filter.as_ref().map_or(0, Filter::nodes))
    }

    /// Groups: the product of the keys' sizes, or as many as were declared.
    #[must_use]
    pub fn groups(&self) -> u64 {
        if let Some(text) = &self.text {
            return text.groups_max.into();
        }
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
    /// The terms of the table of one row a unit, with the names that the question gives; nothing where it asks the dataset itself.
    pub seen: Option<Arc<Terms>>,
    /// Which groups are hidden, where their list is not public.
    pub hiding: Option<Hiding>,
    /// The tables that it is joined with, by their places in the terms, and whether from the left.
    pub joins: Vec<(usize, bool)>,
}

impl Plan {
    /// The terms that everything after FROM is about.
    #[must_use]
    pub fn terms<'a>(&'a self, of_dataset: &'a Terms) -> &'a Terms {
        self.seen.as_deref().unwrap_or(of_dataset)
    }

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
    let (joins, all) = (Joins::of(query.person.as_deref().unwrap_or(query), terms)?, terms);
    let terms = &*joins.terms;
    let (units, seen) = match &query.person {
        None => (None, None),
        Some(inner) => {
            let rows = rows_per_unit.filter(|rows| (1..=terms.max_rows_per_unit).contains(rows));
            let rows = rows.unwrap_or(terms.max_rows_per_unit);
            let mut subquery = subquery(&named(query), inner, terms, rows)?;
            subquery.units.filter = joins.condition(subquery.units.filter.take());
            (Some(subquery.units), Some(Arc::new(subquery.terms)))
        }
    };
    let of_dataset = terms;
    let terms = seen.as_deref().unwrap_or(of_dataset);
    let grouped = grouped(query, terms)?;
    check_shape(query, &grouped)?;
    for name in query.columns(&grouped) {
        typed::declared(name, terms).map_err(|error| joins::unjoined(error, name, all))?;
    }
    let rows_per_unit = check_rows(rows_per_unit, of_dataset)?;
    let mut filter = query.condition.as_ref().map(|condition| typed::condition(condition, terms)).transpose()?;
    if units.is_none() {
        filter = joins.condition(filter);
    }
    let text = texts::key(query, &grouped, terms, rows_per_unit)?;
    let keys = if text.is_some() { Vec::new() } else { keys(&grouped, terms, filter.as_ref())? };
    let left = joins.tables.iter().filter(|(_, is_left)| *is_left).map(|(place, _)| *place).collect();
    let mut computation = Computation { rows_per_unit, filter, keys, measures: Vec::new(), units, text, left };
    let sets = match &computation.text {
        Some(_) => query.sets.clone(),
        None => sets::typed(query, &grouped, &computation.keys, terms)?,
    };
    let layout = outputs::layout(query, sets, terms, &mut computation)?;
    let sought = sought(&computation, terms)?;
    let hiding = texts::hiding(&computation, terms);
    let (dataset, joins) = (query.dataset.text.clone(), joins.tables);
    Ok(Plan { dataset, computation, layout, sought, seen, hiding, joins })
}

/// Every column that the outer question may mean, aliases of its own included.
fn named(query: &Query) -> HashSet<String> {
    let keys: Vec<Expression> = query
        .keys
        .iter()
        .filter_map(|key| match key {
            Key::By(expression) => Some(expression.clone()),
            Key::Ordinal(..) => None,
        })
        .collect();
    query.columns(&keys).into_iter().map(|name| name.text.clone()).collect()
}

/// What is grouped by; an ordinal, or an alias where no column has that name, stands for what is selected.
fn grouped(query: &Query, terms: &Terms) -> Result<Vec<Expression>, QueryError> {
    let has_aggregate = query.items.iter().any(|item| matches!(item.value, ItemValue::Output(_)));
    if query.distinct {
        if has_aggregate || !query.keys.is_empty() {
            let error = QueryError::at(Code::UnsupportedSql, query.dataset.at, "SELECT DISTINCT lists keys alone");
            return Err(error.hint("leave DISTINCT out: groups are distinct as they are"));
        }
        let key = |item: &super::syntax::Item| match &item.value {
            ItemValue::Key(key) => Some(key.clone()),
            ItemValue::Output(_) | ItemValue::Grouping(_) | ItemValue::Wildcard => None,
        };
        return Ok(query.items.iter().filter_map(key).collect());
    }
    let aliased =
        |name: &str| query.items.iter().find(|item| item.alias.as_ref().is_some_and(|alias| alias.text == name));
    let resolve = |key: &Key| match key {
        Key::By(expression) => Ok(match &expression.value {
            Scalar::Column(name) if terms.column(&name.text).is_none() => {
                match aliased(&name.text).map(|item| &item.value) {
                    Some(ItemValue::Key(key)) => key.clone(),
                    Some(ItemValue::Output(_) | ItemValue::Grouping(_) | ItemValue::Wildcard) | None => {
                        expression.clone()
                    }
                }
            }
            _ => expression.clone(),
        }),
        Key::Ordinal(ordinal, at) => {
            let item = usize::try_from(*ordinal).ok().and_then(|n| query.items.get(n.checked_sub(1)?));
            match item.map(|item| &item.value) {
                Some(ItemValue::Key(key)) => Ok(key.clone()),
                Some(ItemValue::Output(_) | ItemValue::Grouping(_) | ItemValue::Wildcard) | None => {
                    let message = format!("GROUP BY {ordinal} names no selected column");
                    Err(QueryError::at(Code::UnsupportedSql, *at, message))
                }
            }
        }
    };
    query.keys.iter().map(resolve).collect()
}

fn check_shape(query: &Query, keys: &[Expression]) -> Result<(), QueryError> {
    if query.items.is_empty() {
        return Err(QueryError::whole(Code::NotAnAggregate, "nothing is selected").hint("write SELECT COUNT(*)"));
    }
    for item in &query.items {
        let (message, hint) = match &item.value {
            ItemValue::Wildcard => {
                ("* asks for rows; only aggregates are answered".to_owned(), "write COUNT(*)".to_owned())
            }
            ItemValue::Key(key) if !keys.contains(key) => match &key.value {
                Scalar::Column(name) => {
                    let name = shown(&name.text);
                    let message = format!("\"{name}\" is neither aggregated nor grouped by");
                    (message, format!("write AVG({name}), or add GROUP BY {name} if it is a category"))
                }
                _ => {
                    let message = "this item is neither aggregated nor grouped by";
                    (message.to_owned(), "write it inside of an aggregate, or into GROUP BY, too".to_owned())
                }
            },
            ItemValue::Grouping(key) if !keys.contains(key) => {
                let message = "GROUPING is of something that is grouped by";
                (message.to_owned(), "write it into GROUP BY, too".to_owned())
            }
            ItemValue::Key(_) | ItemValue::Output(_) | ItemValue::Grouping(_) => continue,
        };
        return Err(QueryError::at(Code::NotAnAggregate, item.at, message).hint(hint));
    }
    Ok(())
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

fn keys(grouped: &[Expression], terms: &Terms, filter: Option<&Filter>) -> Result<Vec<PlanKey>, QueryError> {
    let mut keys = Vec::with_capacity(grouped.len());
    for expression in grouped {
        let term = typed::expression(expression, terms)?;
        let key = coding::key(&term, terms, filter);
        keys.push(
            key.map_err(|fault| QueryError::at(Code::UnsupportedSql, expression.at, fault.message).hint(fault.hint))?,
        );
    }
    keys.sort_by(|one, other| one.column.cmp(&other.column));
    keys.dedup();
    Ok(keys)
}

fn sought(computation: &Computation, terms: &Terms) -> Result<Vec<Sought>, QueryError> {
    // Of groups that are found, what is over fewer keys is over all of them together.
    let of_groups = |measure: &Measure| computation.text.as_ref().filter(|_| !matches!(measure, Measure::Over { .. }));
    let cells_of = |measure: &Measure| match of_groups(measure) {
        Some(text) => text.groups_max.into(),
        None => measure.cells(&computation.keys),
    };
    let mut cells = computation.measures.iter().map(cells_of).fold(0_u64, u64::saturating_add);
    if computation.measures.is_empty() {
        cells = computation.groups();
    }
    if cells > CELLS_MAX {
        let message = format!("the answer would have {cells} noisy cells; accepted are at most {CELLS_MAX}");
        let hint = match &computation.text {
            Some(text) => format!("the policy declares up to {} groups: ask for fewer aggregates", text.groups_max),
            None => "group by fewer columns".to_owned(),
        };
        return Err(QueryError::whole(Code::TooManyGroups, message).hint(hint));
    }
    let varying = |key: &&PlanKey| !key.column.facts(terms).per_unit;
    let of = |measure: &Measure| {
        let keys: Vec<&PlanKey> = match measure {
            Measure::Over { keys, .. } => keys.iter().map(|place| &computation.keys[*place]).collect(),
            _ => computation.keys.iter().collect(),
        };
        let of_text = of_groups(measure).map_or(1, |text| text.groups_per_unit.into());
        let of_keys = keys.into_iter().filter(varying).map(PlanKey::size);
        let cells_reachable = of_keys.fold(of_text, u64::saturating_mul);
        let statistic = match measure.base() {
            Measure::Rows | Measure::NonNull { .. } | Measure::Bins { .. } | Measure::Over { .. } => Statistic::Count,
            Measure::Sum { column } => Statistic::Sum { radius: column.grid(terms).map_or(0, |grid| grid.radius()) },
            Measure::Units | Measure::UnitsWhere { .. } => Statistic::DistinctUnits { cells_reachable },
            Measure::Rooted { key, .. } => {
                let roots = Roots::of(usize::try_from(computation.keys[*key].size()).unwrap_or(usize::MAX));
                Statistic::Weighted { l1: roots.l1(), l2_squared: roots.l2_squared() }
            }
        };
        // In the table of one row a unit, that is what a unit has.
        let rows = if computation.units.is_some() { 1 } else { computation.rows_per_unit };
        let sensitivity = Sensitivity::of(statistic, rows);
        // Unwrap safety: whoever made a sum has looked that max_rows × radius is below 2⁶², and rows_per_unit is at most max_rows.
        let cells = cells_of(measure);
        sensitivity.map(|sensitivity| Sought { sensitivity, cells }).expect("a policy bounds its sums")
    };
    Ok(computation.measures.iter().map(of).collect())
}

/// Whether an output is an aggregate by itself.
pub(super) fn plain(output: &Output) -> Option<&Function> {
    match output {
        Output::Aggregate(aggregate) => Some(&aggregate.function),
        _ => None,
    }
}
