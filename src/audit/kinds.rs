//! The kinds of measurements that are audited: the question of each, and how far one unit moves its answer.

use super::tables::groups::GROUPS;
use super::tables::several::{GIVEN_PER_UNIT, SLOTS_OF_SEVERAL, VISITS_PER_UNIT};
use super::tables::{BOUND, LANES, Neighbours, PAIRS, ROWS_PER_UNIT, SLOTS};

/// The kind of measurement that is audited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
pub enum Kind {
    /// A count of rows, with heavy units.
    #[strum(serialize = "count")]
    Count,
    /// A count of rows with heavy units, asked with one row per unit.
    #[strum(serialize = "count of one row")]
    CountOfOneRow,
    /// A sum of values, with heavy units.
    #[strum(serialize = "sum")]
    Sum,
    /// A count of distinct units, with spread units.
    #[strum(serialize = "distinct units")]
    DistinctUnits,
    /// A sum of values, added up unit by unit first, with heavy units.
    #[strum(serialize = "sum by unit")]
    SumByUnit,
    /// A count of rows up to each position, with early units. Only for Gaussian noise: with Laplace noise, running sums are sums
    /// of counts.
    #[strum(serialize = "running sum")]
    RunningSum,
    /// A count of rows that a window within a unit chooses by the days since the row before.
    #[strum(serialize = "rows of a window")]
    Window,
    /// A count of rows of those units that have a row in another table.
    #[strum(serialize = "rows of a cohort")]
    Cohort,
    /// A count of pairs of a unit's rows in two tables, each with several rows per unit.
    #[strum(serialize = "pairs of rows")]
    Pairs,
}

impl Kind {
    /// All kinds of measurements.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The kind in words, for people to read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The datasets that are asked.
    #[must_use]
    pub fn neighbours(self) -> Neighbours {
        match self {
            Self::Count
            | Self::CountOfOneRow
            | Self::Sum
            | Self::DistinctUnits
            | Self::SumByUnit
            | Self::RunningSum => Neighbours::Single,
            Self::Window | Self::Cohort | Self::Pairs => Neighbours::Several,
        }
    }

    pub(super) fn sql(self, dataset: &str, salt: u64) -> String {
        let plain = |slot: &str, aggregate: &str| {
            format!("SELECT grp, {slot}, {aggregate} AS n FROM {dataset} WHERE salt <> {salt} GROUP BY grp, {slot}")
        };
        match self {
            Self::Count | Self::CountOfOneRow => plain("slot", "COUNT(*)"),
            Self::Sum => plain("slot", "SUM(amount)"),
            Self::DistinctUnits => plain("pair", "COUNT(DISTINCT who)"),
            Self::SumByUnit => {
                let first = |column: &str| format!("(ARRAY_AGG({column} ORDER BY amount))[1] AS {column}");
                format!(
                    "SELECT grp, slot, SUM(total) AS n FROM (SELECT who, {}, {}, SUM(amount) AS total FROM {dataset} \
                     WHERE salt <> {salt} GROUP BY who) AS units GROUP BY grp, slot",
                    first("grp"),
                    first("slot")
                )
            }
            Self::RunningSum => format!(
                "SELECT grp, lane, pos, SUM(COUNT(*)) OVER (PARTITION BY grp, lane ORDER BY pos) AS n FROM {dataset} \
                 WHERE salt <> {salt} GROUP BY grp, lane, pos"
            ),
            Self::Window => format!(
                "SELECT grp, slot, COUNT(*) AS n FROM (SELECT grp, slot, salt, day - LAG(day) OVER (PARTITION BY who \
                 ORDER BY day) AS gap FROM {dataset}.visits) AS ordered WHERE COALESCE(gap, 0) <= 30 AND salt <> {salt} \
                 GROUP BY grp, slot"
            ),
            Self::Cohort => format!(
                "SELECT grp, slot, COUNT(*) AS n FROM {dataset}.visits WHERE who IN (SELECT who FROM {dataset}.drugs \
                 WHERE given) AND salt <> {salt} GROUP BY grp, slot"
            ),
            Self::Pairs => format!(
                "SELECT v.grp, v.slot, COUNT(*) AS n FROM {dataset}.visits v JOIN {dataset}.drugs d ON d.who = v.who \
                 AND d.day BETWEEN v.day - 30 AND v.day WHERE d.given AND v.salt <> {salt} GROUP BY v.grp, v.slot"
            ),
        }
    }

    /// How many rows of each unit count, if the audit of this kind asks for fewer than the policy allows.
    pub(super) fn rows_per_unit(self) -> Option<u32> {
        match self {
            Self::CountOfOneRow => Some(1),
            Self::Count
            | Self::Sum
            | Self::DistinctUnits
            | Self::SumByUnit
            | Self::RunningSum
            | Self::Window
            | Self::Cohort
            | Self::Pairs => None,
        }
    }

    fn slots(self) -> usize {
        match self {
            Self::Count | Self::CountOfOneRow | Self::Sum | Self::SumByUnit => SLOTS,
            Self::DistinctUnits => 2 * PAIRS,
            Self::RunningSum => LANES,
            Self::Window | Self::Cohort | Self::Pairs => SLOTS_OF_SEVERAL,
        }
    }

    pub(super) fn samples_per_query(self) -> u64 {
        (self.cells_per_query() / self.cells()) as u64
    }

    /// Number of cells in an answer, including those that only contain bystanders.
    pub(super) fn cells_per_query(self) -> usize {
        GROUPS * self.slots()
    }

    pub(super) fn others_per_query(self) -> u64 {
        match self {
            Self::RunningSum => 0,
            Self::Count
            | Self::CountOfOneRow
            | Self::Sum
            | Self::DistinctUnits
            | Self::SumByUnit
            | Self::Window
            | Self::Cohort
            | Self::Pairs => GROUPS as u64,
        }
    }

    /// Index of a group's cell among all; the cells of a sample are adjacent. `None` for a bystander's cell.
    pub(super) fn place(self, group: &str, slot: &str) -> Option<usize> {
        let number = |text: &str| text.get(1..)?.parse::<usize>().ok();
        let (group, slot) = (number(group)?, number(slot)?);
        (group < GROUPS && slot < self.slots()).then_some(group * self.slots() + slot)
    }

    /// Number of cells from one group to the next.
    pub(super) fn stride(self) -> usize {
        self.slots()
    }

    /// Number of cells in a sample.
    pub(super) fn cells(self) -> usize {
        match self {
            Self::Count
            | Self::CountOfOneRow
            | Self::Sum
            | Self::SumByUnit
            | Self::RunningSum
            | Self::Window
            | Self::Cohort
            | Self::Pairs => 1,
            Self::DistinctUnits => ROWS_PER_UNIT as usize,
        }
    }

    /// How far each cell of a sample moves when the unit is added.
    pub(super) fn move_per_cell(self) -> f64 {
        let rows = f64::from(ROWS_PER_UNIT);
        match self {
            Self::Count | Self::RunningSum => rows,
            Self::CountOfOneRow => 1.0,
            Self::Sum | Self::SumByUnit => rows * BOUND as f64,
            Self::DistinctUnits => 1.0,
            Self::Window | Self::Cohort => f64::from(VISITS_PER_UNIT),
            Self::Pairs => f64::from(VISITS_PER_UNIT * GIVEN_PER_UNIT),
        }
    }

    /// How far the whole vector moves in the ℓ₁ norm, which Laplace noise is calibrated to.
    pub(super) fn whole_move(self) -> f64 {
        self.move_per_cell() * self.cells() as f64
    }
}
