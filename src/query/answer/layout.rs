//! Layouts: how measurements become the columns of an answer, and the labels of its groups.

use std::io::{Error, ErrorKind, Read, Result, Write};

use borsh::{BorshDeserialize, BorshSerialize, de::EnumExt};

use super::labels::{KeyLabels, Label};
use super::shown::ShownGroups;
use super::suppression::Suppression;
use super::table::{NOTE, NULL};
use crate::kernel::privacy::mechanism::NoiseLaw;
use crate::kernel::vault::release::Release;
use crate::query::answer::formula::{CentredSum, Formula, GroupWindow, Range, Words};
use crate::query::answer::grouping_sets::GroupingSets;
use crate::query::terms::domain::Grid;

/// Suffix of the column that holds an output's standard error.
pub(super) const STD_ERROR: &str = "_std_error";

/// How the noisy vectors of a release become the columns and rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Labels of each key's groups, in the order of the computation's keys.
    pub keys: Vec<KeyLabels>,
    /// The grouping sets, if the question has several. Outputs then refer to the entries of [`GroupingSets::measured`] instead of measurements.
    pub sets: Option<GroupingSets>,
    /// The columns, in the order of selection.
    pub outputs: Vec<Output>,
    /// Which groups have a row.
    pub shown: ShownGroups,
    /// Threshold below which counts are hidden, together with everything derived from them; `None` hides nothing.
    pub small: Option<Suppression>,
    /// Sort keys, the most significant first; if empty, rows are sorted by the group keys.
    pub order: Vec<SortKey>,
    /// Which rows are shown, from LIMIT and OFFSET.
    pub limit: Limit,
    /// The answers whose rows a UNION puts together; empty for a single answer. The table then has their rows: `outputs` name the columns,
    /// whose values are in the arms, and `keys`, `sets`, `shown` and `small` are empty.
    pub arms: Vec<UnionArm>,
}

/// One answer of a union.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct UnionArm {
    /// For each measurement that the arm's layout refers to, its index among those of the layout around it.
    pub vectors: Vec<u32>,
    /// How the arm becomes rows, with the order and the limit that are written within it.
    pub layout: Layout,
}

impl UnionArm {
    /// What the arm has of what the layout around it has for each measurement.
    #[must_use]
    pub fn of<T: Clone>(&self, whole: &[T]) -> Vec<T> {
        self.vectors.iter().filter_map(|place| whole.get(*place as usize).cloned()).collect()
    }
}

/// The end of a stored layout: its limit, and the answers of a union if it has any. A limit alone is encoded as it always was.
#[derive(Debug, Clone, PartialEq)]
pub struct LayoutEnd {
    /// Which rows are shown.
    pub limit: Limit,
    /// The answers of a union; empty for a single one.
    pub arms: Vec<UnionArm>,
}

/// Begins the encoding of a union, after the numbers of [`Limit`].
const UNION: u8 = 3;

impl BorshSerialize for LayoutEnd {
    fn serialize<W: Write>(&self, writer: &mut W) -> Result<()> {
        if self.arms.is_empty() {
            return self.limit.serialize(writer);
        }
        (UNION, &self.limit, &self.arms).serialize(writer)
    }
}

impl BorshDeserialize for LayoutEnd {
    fn deserialize_reader<R: Read>(reader: &mut R) -> Result<Self> {
        let number = u8::deserialize_reader(reader)?;
        if number != UNION {
            let limit = Limit::deserialize_variant(reader, number)?;
            return Ok(Self { limit, arms: Vec::new() });
        }
        let (limit, arms) = <(Limit, Vec<UnionArm>)>::deserialize_reader(reader)?;
        match arms.is_empty() {
            true => Err(Error::new(ErrorKind::InvalidData, "a union has answers")),
            false => Ok(Self { limit, arms }),
        }
    }
}

impl BorshSerialize for Layout {
    /// Writes the fields in their order; the arms stand with the limit.
    fn serialize<W: Write>(&self, writer: &mut W) -> Result<()> {
        (&self.keys, &self.sets, &self.outputs, &self.shown, &self.small, &self.order).serialize(writer)?;
        LayoutEnd { limit: self.limit, arms: self.arms.clone() }.serialize(writer)
    }
}

impl BorshDeserialize for Layout {
    fn deserialize_reader<R: Read>(reader: &mut R) -> Result<Self> {
        let (keys, sets, outputs, shown, small, order) = BorshDeserialize::deserialize_reader(reader)?;
        let LayoutEnd { limit, arms } = LayoutEnd::deserialize_reader(reader)?;
        Ok(Self { keys, sets, outputs, shown, small, order, limit, arms })
    }
}

/// One selected output: a name and how its value is computed.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Output {
    /// Column name, as selected or derived from the expression.
    pub name: String,
    /// How the value is computed; numbers in it are indices of measurements.
    pub value: OutputValue,
}

/// How an output is computed from keys and measurements.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum OutputValue {
    /// The value of a group key.
    Key {
        /// Index of the key in [`Layout::keys`].
        index: usize,
    } = 0,
    /// SQL's `GROUPING`: 1 if the row is a total over the key, 0 otherwise.
    Grouping {
        /// Index of the key in [`Layout::keys`].
        index: usize,
    } = 1,
    /// A noisy count.
    Count {
        /// Index of the measurement of the count.
        count: usize,
    } = 2,
    /// A sum S + c·N, in steps of the grid.
    Sum {
        /// Index of the measurement S, the sum about the centre c.
        sum: usize,
        /// Index of the measurement N, the count of non-null values; `None` if c is 0.
        count: Option<usize>,
        /// Grid of the values that are summed, with its centre c.
        grid: Grid,
    } = 3,
    /// A mean c + S/N, in steps of the grid.
    Mean {
        /// Index of the measurement S, the sum about the centre c.
        sum: usize,
        /// Index of the measurement N, the count of non-null values.
        count: usize,
        /// Grid of the values that are averaged, with its centre c.
        grid: Grid,
    } = 4,
    /// Any other function of measurements.
    Formula {
        /// The function of the measurements.
        formula: Formula,
        /// Values that the formula can have under the public bounds of its inputs; the interval is cut to this range.
        range: Range,
    } = 5,
    /// A label that is no key by itself: a constant, or what a CASE chooses.
    Words(Words) = 6,
    /// A value that rows are sorted by and that is not shown; these stand after all others.
    Hidden(Box<OutputValue>) = 7,
}

/// Which rows of a sorted table are shown. A number alone is encoded as `Option` encodes it, which it once was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Limit {
    /// All of them.
    All = 0,
    /// The first ones, this many at most.
    First(u64) = 1,
    /// Those after the first `offset`, `limit` at most.
    Page {
        /// Number of rows that are passed over.
        offset: u64,
        /// Largest number of rows shown; `None` for all that are left.
        limit: Option<u64>,
    } = 2,
}

impl Limit {
    /// The limit of `LIMIT limit OFFSET offset`.
    #[must_use]
    pub fn new(limit: Option<u64>, offset: u64) -> Self {
        match (limit, offset) {
            (None, 0) => Self::All,
            (Some(limit), 0) => Self::First(limit),
            (limit, offset) => Self::Page { offset, limit },
        }
    }

    /// Removes the rows that are not shown.
    pub(super) fn cut<T>(self, rows: &mut Vec<T>) {
        let (offset, limit) = match self {
            Self::All => (0, None),
            Self::First(limit) => (0, Some(limit)),
            Self::Page { offset, limit } => (offset, limit),
        };
        let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        rows.drain(..whole(offset).min(rows.len()));
        rows.truncate(limit.map_or(usize::MAX, whole));
    }
}

impl OutputValue {
    /// The output as a formula; `None` for a key.
    #[must_use]
    pub fn formula(&self) -> Option<Formula> {
        match self {
            Self::Key { .. } | Self::Grouping { .. } | Self::Words(_) => None,
            Self::Hidden(value) => value.formula(),
            Self::Count { count } => Some(Formula::Count(*count)),
            Self::Sum { sum, count, grid } => Some(Formula::Sum(CentredSum { sum: *sum, count: *count, grid: *grid })),
            Self::Mean { sum, count, grid } => {
                let about = (grid.centre() != 0).then_some(*count);
                Some(Formula::Mean(CentredSum { sum: *sum, count: about, grid: *grid }, *count))
            }
            Self::Formula { formula, .. } => Some(formula.clone()),
        }
    }

    /// Whether rows are sorted by it alone, and it is not shown.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        matches!(self, Self::Hidden(_))
    }

    /// The value itself, whether it is shown or not.
    pub fn inner_mut(&mut self) -> &mut Self {
        match self {
            Self::Hidden(value) => value,
            other => other,
        }
    }

    /// The windows over the groups in it.
    #[must_use]
    pub fn windows(&self) -> Vec<&GroupWindow> {
        match self {
            Self::Formula { formula, .. } => formula.windows(),
            Self::Words(words) => words.formulas().into_iter().flat_map(Formula::windows).collect(),
            Self::Hidden(value) => value.windows(),
            Self::Key { .. } | Self::Grouping { .. } | Self::Count { .. } | Self::Sum { .. } | Self::Mean { .. } => {
                Vec::new()
            }
        }
    }

    /// Indices of the measurements of a count, a sum or a mean; empty for keys and for formulas, which check their own measurements.
    pub(super) fn made_of(&self) -> Vec<usize> {
        match self {
            Self::Key { .. } | Self::Grouping { .. } | Self::Formula { .. } | Self::Words(_) => Vec::new(),
            Self::Hidden(value) => value.made_of(),
            Self::Count { count } => vec![*count],
            Self::Sum { sum, count, .. } => std::iter::once(*sum).chain(*count).collect(),
            Self::Mean { sum, count, .. } => vec![*sum, *count],
        }
    }

    /// Least and greatest value of one row that is summed or averaged, as decimal text; `None` for other outputs.
    #[must_use]
    pub fn bounds(&self) -> Option<(String, String)> {
        match self {
            Self::Sum { grid, .. } | Self::Mean { grid, .. } => {
                Some((grid.text(grid.low.into()), grid.text(grid.high.into())))
            }
            Self::Key { .. }
            | Self::Grouping { .. }
            | Self::Count { .. }
            | Self::Formula { .. }
            | Self::Words(_)
            | Self::Hidden(_) => None,
        }
    }

    /// Applies `to` to the index of every measurement.
    pub fn renumber(&mut self, to: &dyn Fn(usize) -> usize) {
        match self {
            Self::Key { .. } | Self::Grouping { .. } => {}
            Self::Count { count } => *count = to(*count),
            Self::Sum { sum, count, .. } => {
                *sum = to(*sum);
                *count = count.map(to);
            }
            Self::Mean { sum, count, .. } => {
                *sum = to(*sum);
                *count = to(*count);
            }
            Self::Formula { formula, .. } => formula.renumber(to),
            Self::Words(words) => words.formulas_mut().into_iter().for_each(|of| of.renumber(to)),
            Self::Hidden(value) => value.renumber(to),
        }
    }
}

/// One sort key of ORDER BY.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SortKey {
    /// Index of the output in [`Layout::outputs`].
    pub output: usize,
    /// Whether to sort from high to low.
    pub descending: bool,
    /// Whether missing values come first.
    pub nulls_first: bool,
}

impl Layout {
    /// Replaces the labels by those of the released groups, if the key has no public list of groups.
    #[must_use]
    pub fn with_groups(self, release: &Release) -> Self {
        let Some(groups) = &release.groups else { return self };
        let label = |text: &Option<String>| text.clone().map_or(Label::Missing, Label::Text);
        Self { keys: vec![groups.labels.iter().map(label).collect::<Vec<_>>().into()], ..self }
    }

    /// Suffixes of the remarks that an answer with this layout can have on an output. They depend on the question alone, so that files have
    /// the same columns whatever the noise was.
    pub(super) fn remarks(&self, value: &OutputValue) -> &'static [&'static str] {
        let is_total = |key: usize| {
            let sets = self.sets.as_ref();
            sets.is_some_and(|sets| sets.shown.iter().any(|shown| !shown.contains(&key)))
        };
        match value {
            OutputValue::Key { index } | OutputValue::Words(Words::Key(index)) if is_total(*index) => &[NULL],
            OutputValue::Key { .. } | OutputValue::Words(Words::Key(_)) | OutputValue::Grouping { .. } => &[],
            OutputValue::Words(_) | OutputValue::Count { .. } | OutputValue::Sum { .. } if self.small.is_some() => {
                &[NULL]
            }
            OutputValue::Words(_) | OutputValue::Count { .. } | OutputValue::Sum { .. } => &[],
            OutputValue::Mean { .. } => &[NULL, NOTE],
            OutputValue::Formula { range, .. } if *range == Range::WHOLE => &[NULL],
            OutputValue::Formula { .. } => &[NULL, NOTE],
            OutputValue::Hidden(_) => &[],
        }
    }

    /// Number of cells in the table: rows, before HAVING and LIMIT remove any, times [`Layout::width`].
    #[must_use]
    pub fn cells(&self) -> u64 {
        self.rows().saturating_mul(self.width())
    }

    /// Number of rows, before HAVING and LIMIT remove any.
    #[must_use]
    pub fn rows(&self) -> u64 {
        if !self.arms.is_empty() {
            return self.arms.iter().map(|arm| arm.layout.rows()).fold(0, u64::saturating_add);
        }
        let rows = |set: &mut dyn Iterator<Item = usize>| {
            set.map(|key| self.keys[key].len() as u64).fold(1, u64::saturating_mul)
        };
        match &self.sets {
            None => rows(&mut (0..self.keys.len())),
            Some(sets) => sets.shown.iter().map(|set| rows(&mut set.iter().copied())).fold(0, u64::saturating_add),
        }
    }

    /// Number of columns of a row: one for a key, three or four for an estimate with its bounds and its standard error.
    #[must_use]
    pub fn width(&self) -> u64 {
        self.outputs.iter().map(|output| suffixes(output, self.sets.is_some()).len() as u64).sum()
    }

    /// Noise laws of the values that outputs refer to, from the laws of the measurements.
    #[must_use]
    pub fn laws(&self, laws: &[NoiseLaw]) -> Vec<NoiseLaw> {
        match &self.sets {
            None => laws.to_vec(),
            Some(sets) => sets.measured.iter().map(|of| laws[of.tables[0].vector]).collect(),
        }
    }
}

/// Suffixes of the columns that an output takes. Where every row has its own standard error, as with several groupings and in a union, counts
/// and sums get a column for it, too.
fn suffixes(output: &Output, has_errors: bool) -> &'static [&'static str] {
    match &output.value {
        OutputValue::Key { .. } | OutputValue::Grouping { .. } | OutputValue::Words(_) => &[""],
        OutputValue::Hidden(_) => &[],
        OutputValue::Count { .. } | OutputValue::Sum { .. } if !has_errors => &["", "_low", "_high"],
        OutputValue::Count { .. }
        | OutputValue::Sum { .. }
        | OutputValue::Mean { .. }
        | OutputValue::Formula { .. } => &["", "_low", "_high", STD_ERROR],
    }
}

/// Names of the columns that an output takes.
pub(super) fn names(output: &Output, has_errors: bool) -> Vec<String> {
    suffixes(output, has_errors).iter().map(|suffix| format!("{}{suffix}", output.name)).collect()
}
