//! The plan: a question typed against a dataset's public terms.
//!
//! Promises that a plan is row-local steps, public group keys, a de-duplicated list of measurements and post-processing, and that it
//! depends on the text and the terms alone. Two questions with the same measurements of the same rows have the same view.

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

use std::rc::Rc;
use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};

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
use super::units::{Units, subquery};
use crate::budget::entry::Digest;
use crate::dataset::policy::Terms;
use crate::privacy::certificate::{Hiding, Sought};

/// Noisy cells of an answer at the most.
pub const CELLS_MAX: u64 = 100_000;

/// What is measured in each group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
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

    /// What it takes to look at it as a whole: operations, and members of lists.
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
#[derive(Debug, Clone, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct PlanKey {
    /// By what.
    pub column: Term,
    /// The value of code 0: of numbers the number, of dates the number of their period.
    pub low: i64,
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

/// A grouping key without a public list: its groups are those that rows have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct TextKey {
    /// The column.
    pub column: usize,
    /// m: groups that a unit counts in, those of its first rows that pass the filter.
    pub groups_per_unit: u32,
    /// Groups that a table has at the most: the declared capacity.
    pub groups_max: u32,
}

/// What the engine needs to know: row-local steps, keys, measurements. Cells are numbered with the last key running fastest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
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
    pub units: Option<Units>,
    /// The one key, where its groups are not public; there are no others then.
    pub text: Option<TextKey>,
    /// Tables that are joined from the left, by their places: what they hold may be missing, on which bounds and centres depend.
    pub left: Vec<usize>,
}

/// What a row costs more where groups are found by their texts.
const TEXT_LOOKS: u64 = 24;

impl Computation {
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

/// Types a query against the terms of its dataset; `rows_per_unit` is the policy's maximum unless fewer are wanted.
///
/// # Errors
/// In this order: [`Code::NotAnAggregate`], [`Code::UnknownColumn`], [`Code::OutOfDomain`] or [`Code::UnsupportedSql`] of
/// literals and types, [`Code::TooManyGroups`]; and [`Code::UnsupportedSql`] wherever planning has taken more than
/// [`super::term::known::STEPS_MAX`] steps.
///
/// [`Code::NotAnAggregate`]: super::error::Code::NotAnAggregate
/// [`Code::UnknownColumn`]: super::error::Code::UnknownColumn
/// [`Code::OutOfDomain`]: super::error::Code::OutOfDomain
/// [`Code::UnsupportedSql`]: super::error::Code::UnsupportedSql
/// [`Code::TooManyGroups`]: super::error::Code::TooManyGroups
pub fn plan(query: &Query, terms: &Terms, rows_per_unit: Option<u32>) -> Result<Plan, QueryError> {
    planned(query, terms, rows_per_unit, &Steps::bounded())
}

/// Types a query that stands in the ledger, like [`plan`], with no bound on the steps: it was accepted when it was asked, and has to stay
/// verifiable.
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
    // Only now is it sure that they are not too many.
    layout.keys.extend(computation.keys.iter().map(|key| coding::labels(key, known).into()));
    let hiding = texts::hiding(&computation, known);
    steps.check()?;
    let (dataset, joins) = (query.dataset.text.clone(), joins.tables.clone());
    drop(outer);
    Ok(Plan { dataset, computation, layout, sought, seen, hiding, joins })
}

/// Whether an output is an aggregate by itself.
pub(super) fn plain(output: &Output) -> Option<&Function> {
    match output {
        Output::Aggregate(aggregate) => Some(&aggregate.function),
        _ => None,
    }
}
