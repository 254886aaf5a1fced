//! Plans: a question typed against a dataset's public terms.
//!
//! Promises that a plan consists of row-local steps, public group keys, a list of measurements without duplicates, and post-processing, and
//! that it depends on the text and the terms alone. Two questions with the same measurements of the same rows have the same view.

mod identity;
mod joins;
mod names;
mod outputs;
mod runs;
mod sets;
mod shape;
mod shown;
mod sought;
mod texts;
mod views;
pub mod subquery;

use std::rc::Rc;
use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use self::identity::Text;
use self::joins::Joins;
pub(super) use self::joins::written;
pub use self::shown::SHOWN_CELLS_MAX;
pub(super) use self::views::place;
use super::answer::Layout;
use super::error::QueryError;
use super::filter::Filter;
use super::syntax::{Function, Output, Query};
use super::term::known::{Known, Steps};
use super::term::{Term, coding, typed};
use crate::kernel::budget::entry::Digest;
use crate::kernel::privacy::certificate::{Hiding, Sought};
use crate::query::plan::subquery::{Units, subquery};
use crate::query::terms::policy::Terms;

/// Largest number of noisy cells in one answer.
pub const CELLS_MAX: u64 = 100_000;

/// One kind of measurement: the aggregate that is measured in each group.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
pub enum Measure {
    /// The number of rows.
    Rows,
    /// The number of rows in which a term is present.
    NonNull {
        /// The term that must not be missing.
        column: Term,
    },
    /// The sum of a number's stored integers, which are taken about the centre of its grid.
    Sum {
        /// The number that is summed.
        column: Term,
    },
    /// The number of distinct units.
    Units,
    /// The number of distinct units with a row for which a condition is true.
    UnitsWhere {
        /// The condition on the row.
        filter: Filter,
    },
    /// A histogram: the number of rows in each bin of equal width, for rows in which a term is present. Cells are ordered by group, then by
    /// bin.
    Bins {
        /// The number whose values are put into bins.
        column: Term,
        /// Lower end of the first bin, in steps of the term's grid.
        low: i64,
        /// Width of a bin, in steps of the term's grid.
        width: i64,
        /// Number of bins for each group.
        count: u32,
    },
    /// A count along the groups of one ordered key, measured as the weighted sums of [`crate::kernel::privacy::prefix_sums`], which give running sums
    /// that are far more exact than sums of noisy counts.
    Rooted {
        /// Index of the ordered key.
        key: usize,
        /// The count that is summed along the key.
        measure: Box<Measure>,
    },
    /// Another measurement grouped by only some of the keys.
    Over {
        /// Indices of the keys, in ascending order.
        keys: Vec<usize>,
        /// The measurement over these keys.
        measure: Box<Measure>,
    },
}

impl Measure {
    /// Number of cells of this measurement in total, for the given keys.
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

    /// The measurement itself, without the keys of [`Measure::Over`].
    #[must_use]
    pub fn base(&self) -> &Self {
        match self {
            Self::Over { measure, .. } => measure,
            other => other,
        }
    }

    /// Cost of processing the measurement as a whole: its operations and the members of its lists.
    #[must_use]
    pub fn weight(&self) -> u64 {
        match self {
            Self::Rows | Self::Units => 1,
            Self::NonNull { column } | Self::Sum { column } | Self::Bins { column, .. } => 1 + column.weight(),
            Self::UnitsWhere { filter } => 1 + filter.weight(),
            Self::Rooted { measure, .. } => 1 + measure.weight(),
            Self::Over { keys, measure } => 1 + keys.len() as u64 + measure.weight(),
        }
    }

    /// Cost for one row, in column reads; finding out whether a unit is new is a lookup in a set.
    fn looks(&self) -> u64 {
        const UNITS_LOOKS: u64 = 8;
        match self {
            Self::Rows => 1,
            Self::NonNull { column } | Self::Sum { column } => column.nodes(),
            // Every level is summed up from the finest one, which is an extra grouping key.
            Self::Bins { column, .. } => 2 + column.nodes(),
            // It takes a pass of its own.
            Self::Rooted { measure, .. } => 2 + measure.looks(),
            Self::Over { keys, measure } => 2 + keys.len() as u64 + measure.looks(),
            Self::Units => UNITS_LOOKS,
            Self::UnitsWhere { filter } => UNITS_LOOKS + filter.nodes(),
        }
    }
}

/// A grouping key whose groups are public.
#[derive(Debug, Clone, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
pub struct PlanKey {
    /// The term that rows are grouped by.
    pub column: Term,
    /// Value of code 0: for numbers the number itself, for dates the number of their period.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub low: i64,
    /// Number of groups of values, with the codes 0 to `codes` − 1; if `nullable`, the code `codes` is the group of missing values.
    pub codes: u32,
    /// Whether missing values form a group.
    pub nullable: bool,
}

fn is_zero(value: &i64) -> bool {
    *value == 0
}

impl PlanKey {
    /// Number of groups of this key, including that of missing values.
    #[must_use]
    pub fn size(&self) -> u64 {
        u64::from(self.codes) + u64::from(self.nullable)
    }
}

/// A text column as grouping key, which has no public list of groups: the groups are those that occur in rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
pub struct TextKey {
    /// Index of the text column.
    pub column: usize,
    /// m: largest number of groups that a unit counts in, which are those of its first rows that pass the filter.
    pub groups_per_unit: u32,
    /// Largest number of groups in a table: the capacity that the policy declares.
    pub groups_max: u32,
}

/// The part of a plan that the engine evaluates: row-local steps, keys and measurements. Cells are numbered with the last key varying
/// fastest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
pub struct Computation {
    /// Number of rows of each unit that are used: those whose rank is below this.
    pub rows_per_unit: u32,
    /// Condition on the rows that are used; `None` for all of them.
    pub filter: Option<Filter>,
    /// Grouping keys, in ascending order of their terms.
    pub keys: Vec<PlanKey>,
    /// Measurements, in ascending order and without duplicates.
    pub measures: Vec<Measure>,
    /// The table with one row per unit that everything refers to, if the question does not refer to the dataset's own rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<Units>,
    /// The only key, if its groups are not public; `keys` is then empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<TextKey>,
    /// Indices of the tables in left joins. Their columns may be missing, which affects bounds and centres.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<usize>,
}

/// Additional cost of a row, in column reads, if its group is found by its text.
const TEXT_LOOKS: u64 = 24;

impl Computation {
    /// Largest cost of one row, in column reads. It is public, as it follows from the question alone.
    #[must_use]
    pub fn looks(&self) -> u64 {
        let measures: u64 = self.measures.iter().map(Measure::looks).sum();
        // Measurements with a pass of their own read the keys and the filter again.
        let has_own = |measure: &&Measure| {
            matches!(measure, Measure::Over { .. } | Measure::Bins { .. } | Measure::Rooted { .. })
        };
        let passes = 1 + self.measures.iter().filter(has_own).count() as u64;
        let keys: u64 = self.keys.iter().map(|key| key.column.nodes()).sum();
        let units = self.units.as_ref().map_or(0, Units::looks);
        // Selecting the rows that count in a text group takes a pass of its own, and so does copying them.
        let text = self.text.as_ref().map_or(0, |_| TEXT_LOOKS);
        1 + text + measures + passes * (units + keys + self.filter.as_ref().map_or(0, Filter::nodes))
    }

    /// Number of groups: the product of the keys' sizes, or the declared capacity of a text key.
    #[must_use]
    pub fn groups(&self) -> u64 {
        if let Some(text) = &self.text {
            return text.groups_max.into();
        }
        self.keys.iter().fold(1, |groups: u64, key| groups.saturating_mul(key.size()))
    }
}

/// The codes of a cell in keys of the given sizes; the last key varies fastest.
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

/// A question that was typed against the terms of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Name of the dataset.
    pub dataset: String,
    /// The part that the engine evaluates.
    pub computation: Computation,
    /// How noisy integers become columns.
    pub layout: Layout,
    /// What the privacy core must know of each measurement, parallel to the measurements.
    pub sought: Vec<Sought>,
    /// Terms of the table with one row per unit, with the names that the question gives to its columns; `None` if it asks the dataset
    /// itself.
    pub seen: Option<Arc<Terms>>,
    /// Which groups are hidden, if their list is not public.
    pub hiding: Option<Hiding>,
    /// The joined tables, by their index in the terms, each with whether it is a left join.
    pub joins: Vec<(usize, bool)>,
}

impl Plan {
    /// The terms that everything after FROM refers to.
    #[must_use]
    pub fn terms<'a>(&'a self, of_dataset: &'a Terms) -> &'a Terms {
        self.seen.as_deref().unwrap_or(of_dataset)
    }

    /// Digest of what is measured, of which edition: the plan without names, order and accuracy.
    #[must_use]
    pub fn view(&self, edition: &str) -> Digest {
        let mut text = Text::default();
        text.raw("[");
        text.string(&self.dataset);
        text.raw(",");
        text.string(edition);
        text.raw(",");
        text.computation(&self.computation);
        text.raw("]");
        *blake3::hash(&text.into_bytes()).as_bytes()
    }
}

/// Types a query against the terms of its dataset. `rows_per_unit` limits the rows used of each unit; `None` uses the policy's maximum.
///
/// # Errors
/// In this order: [`Code::NotAnAggregate`], [`Code::UnknownColumn`], [`Code::OutOfDomain`] or [`Code::UnsupportedSql`] for literals and
/// types, [`Code::TooManyGroups`]; and [`Code::UnsupportedSql`] as soon as planning has taken more than [`super::term::known::STEPS_MAX`]
/// steps.
///
/// [`Code::NotAnAggregate`]: super::error::Code::NotAnAggregate
/// [`Code::UnknownColumn`]: super::error::Code::UnknownColumn
/// [`Code::OutOfDomain`]: super::error::Code::OutOfDomain
/// [`Code::UnsupportedSql`]: super::error::Code::UnsupportedSql
/// [`Code::TooManyGroups`]: super::error::Code::TooManyGroups
pub fn plan(query: &Query, terms: &Terms, rows_per_unit: Option<u32>) -> Result<Plan, QueryError> {
    planned(query, terms, rows_per_unit, &Steps::bounded())
}

/// Types a query that is recorded in the ledger, as [`plan`] does but without a limit on the steps: it was accepted when it was asked, and
/// must stay verifiable.
///
/// # Errors
/// Those of [`plan`], if the same text was planned differently when it was asked.
pub fn replan(query: &Query, terms: &Terms, rows_per_unit: u32) -> Result<Plan, QueryError> {
    planned(query, terms, Some(rows_per_unit), &Steps::unbounded())
}

fn planned(query: &Query, terms: &Terms, rows_per_unit: Option<u32>, steps: &Rc<Steps>) -> Result<Plan, QueryError> {
    let (joins, all) = (Joins::of(query.person.as_deref().unwrap_or(query), terms)?, terms);
    let base = Known::within(&joins.terms, steps);
    let (units, seen) = match &query.person {
        None => (None, None),
        Some(inner) => {
            let rows = rows_per_unit.filter(|rows| (1..=base.max_rows_per_unit).contains(rows));
            let rows = rows.unwrap_or(base.max_rows_per_unit);
            let mut subquery = subquery(&shape::named(query), inner, &base, rows)?;
            subquery.units.filter = joins.condition(subquery.units.filter.take(), &base);
            (Some(subquery.units), Some(Arc::new(subquery.terms)))
        }
    };
    let outer = seen.as_deref().map(|seen| Known::within(seen, steps));
    let known = outer.as_ref().unwrap_or(&base);
    let grouped = shape::grouped(query, known)?;
    shape::check(query, &grouped)?;
    for name in query.columns(&grouped) {
        typed::declared(name, known).map_err(|error| joins::unjoined(error, name, all))?;
    }
    let rows_per_unit = shape::rows(rows_per_unit, &base)?;
    let mut filter = query.condition.as_ref().map(|condition| typed::condition(condition, known)).transpose()?;
    if units.is_none() {
        filter = joins.condition(filter, &base);
    }
    let text = texts::key(query, &grouped, known, rows_per_unit)?;
    let keys = if text.is_some() { Vec::new() } else { shape::keys(&grouped, known, filter.as_ref())? };
    let left = joins.tables.iter().filter(|(_, is_left)| *is_left).map(|(place, _)| *place).collect();
    let mut computation = Computation { rows_per_unit, filter, keys, measures: Vec::new(), units, text, left };
    let sets = match &computation.text {
        Some(_) => query.sets.clone(),
        None => sets::typed(query, &grouped, &computation.keys, known)?,
    };
    let mut layout = outputs::layout(query, sets, known, &mut computation)?;
    let sought = sought::sought(&computation, known)?;
    // Build the labels only now that their number is known to be within the limit.
    layout.keys.extend(computation.keys.iter().map(|key| coding::labels(key, known).into()));
    let hiding = texts::hiding(&computation, known);
    steps.check()?;
    let (dataset, joins) = (query.dataset.text.clone(), joins.tables.clone());
    drop(outer);
    Ok(Plan { dataset, computation, layout, sought, seen, hiding, joins })
}

/// The function of an output that is a single aggregate; `None` for any other output.
pub(super) fn plain(output: &Output) -> Option<&Function> {
    match output {
        Output::Aggregate(aggregate) => Some(&aggregate.function),
        _ => None,
    }
}
