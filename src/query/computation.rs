//! The part of a plan that the engine evaluates: which rows are used, how they are grouped and what is measured in each group.
//!
//! Promises plain data that follows from the question's text and the public terms alone. How a question becomes a computation is in
//! [`super::plan`].

mod per_unit;
pub mod relation;

use std::collections::{BTreeSet, HashMap};

use borsh::{BorshDeserialize, BorshSerialize};

pub use self::per_unit::{MEAN_PARTS, PerUnitColumn, PerUnitTable};
use self::relation::Relation;

use super::filter::Filter;
use super::term::Term;

/// Largest number of noisy cells in one answer.
pub const CELLS_MAX: u64 = 100_000;

/// One kind of measurement: the aggregate that is measured in each group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
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
    PrefixSums {
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

/// How a measurement's cells over fewer keys (coarser cells) follow from its cells over more keys (finer cells).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coarsening {
    /// A coarser cell is the sum of the finer cells in it.
    Sum,
    /// A coarser cell is the sum of the finer cells in it if no unit is in two of them.
    SumOfUnits,
    /// A coarser histogram is the sum of the finer ones in it, bin by bin.
    SumByBin,
    /// Coarser cells do not follow from finer ones.
    Unknown,
}

impl Measure {
    /// How coarser cells of this measurement follow from finer ones.
    #[must_use]
    pub fn coarsening(&self) -> Coarsening {
        match self {
            Self::Rows | Self::NonNull { .. } | Self::Sum { .. } => Coarsening::Sum,
            Self::Units | Self::UnitsWhere { .. } => Coarsening::SumOfUnits,
            Self::Bins { .. } => Coarsening::SumByBin,
            Self::PrefixSums { .. } | Self::Over { .. } => Coarsening::Unknown,
        }
    }

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
            | Self::PrefixSums { .. } => groups(&mut keys.iter()),
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
            Self::PrefixSums { measure, .. } => 1 + measure.weight(),
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
            Self::PrefixSums { measure, .. } => 2 + measure.looks(),
            Self::Over { keys, measure } => 2 + keys.len() as u64 + measure.looks(),
            Self::Units => UNITS_LOOKS,
            Self::UnitsWhere { filter } => UNITS_LOOKS + filter.nodes(),
        }
    }
}

impl Measure {
    /// Adds the indices of the columns that the measurement reads.
    pub fn declared(&self, found: &mut BTreeSet<usize>) {
        match self {
            Self::Rows | Self::Units => {}
            Self::NonNull { column } | Self::Sum { column } | Self::Bins { column, .. } => column.declared(found),
            Self::UnitsWhere { filter } => filter.declared(found),
            Self::Over { measure, .. } | Self::PrefixSums { measure, .. } => measure.declared(found),
        }
    }

    /// Replaces every column index by `to`.
    #[must_use]
    pub fn renumbered(&self, to: &impl Fn(usize) -> usize) -> Self {
        match self {
            Self::Rows => Self::Rows,
            Self::Units => Self::Units,
            Self::NonNull { column } => Self::NonNull { column: column.renumbered(to) },
            Self::Sum { column } => Self::Sum { column: column.renumbered(to) },
            Self::UnitsWhere { filter } => Self::UnitsWhere { filter: filter.renumbered(to) },
            Self::PrefixSums { key, measure } => {
                Self::PrefixSums { key: *key, measure: Box::new(measure.renumbered(to)) }
            }
            Self::Over { keys, measure } => {
                Self::Over { keys: keys.clone(), measure: Box::new(measure.renumbered(to)) }
            }
            Self::Bins { column, low, width, count } => {
                Self::Bins { column: column.renumbered(to), low: *low, width: *width, count: *count }
            }
        }
    }
}

/// A grouping key whose groups are public.
#[derive(Debug, Clone, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct PlanKey {
    /// The term that rows are grouped by.
    pub column: Term,
    /// Value of code 0: for numbers the number in steps of its grid, for dates the number of their period.
    pub low: i64,
    /// Number of groups of values, with the codes 0 to `codes` − 1; if `nullable`, the code `codes` is the group of missing values.
    pub codes: u32,
    /// Whether missing values form a group.
    pub nullable: bool,
    /// The values in the order of their codes, ascending, if there are gaps between them; `None` if they are all integers from `low` on.
    pub values: Option<Vec<i64>>,
}

impl PlanKey {
    /// Number of groups of this key, including that of missing values.
    #[must_use]
    pub fn size(&self) -> u64 {
        u64::from(self.codes) + u64::from(self.nullable)
    }

    /// The value of a code below `codes`.
    #[must_use]
    pub fn value(&self, code: u32) -> i64 {
        let listed = self.values.as_ref().and_then(|values| values.get(code as usize).copied());
        listed.unwrap_or_else(|| self.low.saturating_add(i64::from(code)))
    }

    /// The code of a value; `None` if it is in no group.
    #[must_use]
    pub fn code(&self, value: i64) -> Option<u32> {
        let place = match &self.values {
            Some(values) => values.binary_search(&value).ok().and_then(|place| u32::try_from(place).ok()),
            None => value.checked_sub(self.low).and_then(|place| u32::try_from(place).ok()),
        };
        place.filter(|code| *code < self.codes)
    }

    /// Whether every group of another key over the same term is a group of this one.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        let has_all = match (&self.values, &other.values) {
            (None, None) => {
                let ends = |key: &Self| (key.low, key.low.saturating_add(i64::from(key.codes)));
                let ((low, high), (from, to)) = (ends(other), ends(self));
                from <= low && high <= to
            }
            _ => (0..other.codes).all(|code| self.code(other.value(code)).is_some()),
        };
        has_all && (self.nullable || !other.nullable)
    }
}

/// A text column as grouping key, which has no public list of groups: the groups are those that occur in rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
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
    pub units: Option<PerUnitTable>,
    /// The only key, if its groups are not public; `keys` is then empty.
    pub text: Option<TextKey>,
    /// Indices of the tables in left joins. Their columns may be missing, which affects bounds and centres.
    pub left: Vec<usize>,
    /// The unit-local table that everything refers to, if that is neither the dataset's only table nor `units`. Its bound is then
    /// `rows_per_unit`, and `units`, `text` and `left` are empty.
    pub relation: Option<Relation>,
}

/// Additional cost of a row, in column reads, if its group is found by its text.
const TEXT_LOOKS: u64 = 24;

impl Computation {
    /// Largest cost of one row, in column reads. It is public, as it follows from the question alone.
    #[must_use]
    pub fn looks(&self) -> u64 {
        let measures: u64 = self.measures.iter().map(Measure::looks).sum();
        // Measurements with a pass of their own read the keys and the filter again.
        let has_own = |measure: &&Measure| match measure {
            Measure::Over { .. } | Measure::Bins { .. } | Measure::PrefixSums { .. } => true,
            Measure::Rows
            | Measure::NonNull { .. }
            | Measure::Sum { .. }
            | Measure::Units
            | Measure::UnitsWhere { .. } => false,
        };
        let passes = 1 + self.measures.iter().filter(has_own).count() as u64;
        let keys: u64 = self.keys.iter().map(|key| key.column.nodes()).sum();
        let units = self.units.as_ref().map_or(0, PerUnitTable::looks);
        // Selecting the rows that count in a text group takes a pass of its own, and so does copying them.
        let text = self.text.as_ref().map_or(0, |_| TEXT_LOOKS);
        let relation = self.relation.as_ref().map_or(0, Relation::looks);
        1 + text + measures + relation + passes * (units + keys + self.filter.as_ref().map_or(0, Filter::nodes))
    }

    /// The indices of the columns that the filter, the keys and the measurements read.
    #[must_use]
    pub fn declared(&self) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        self.filter.iter().for_each(|filter| filter.declared(&mut found));
        self.keys.iter().for_each(|key| key.column.declared(&mut found));
        self.measures.iter().for_each(|measure| measure.declared(&mut found));
        found.extend(self.text.iter().map(|text| text.column));
        found
    }

    /// Whether a measurement is a total, which has one cell instead of one for each text of a text key.
    #[must_use]
    pub fn is_total(&self, place: usize) -> bool {
        self.text.is_some() && matches!(self.measures.get(place), Some(Measure::Over { .. }))
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

/// The place of a column among those that are used.
pub(in crate::query) fn place(used: &BTreeSet<usize>) -> impl Fn(usize) -> usize {
    let places: HashMap<usize, usize> = used.iter().enumerate().map(|(place, index)| (*index, place)).collect();
    move |index| places.get(&index).copied().unwrap_or_default()
}
