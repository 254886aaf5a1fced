//! The two datasets of an audit, which are neighbours in each of many disjoint groups.
//!
//! In every group, one dataset holds a unit that contributes as much as a unit may, and the other does not:
//! * a *heavy* unit has more rows than `max_rows_per_unit`, all equal, in one cell, with a value far beyond its bound: the worst
//!   case for counts and sums;
//! * a *spread* unit has one row in each of as many cells as a unit may reach: the worst case for distinct counts;
//! * an *early* unit has more rows than count, all in the first of several ordered positions: the worst case for running sums.
//!
//! Groups are a key of 1,000 values times a key of slots, so that one question gives up to 99,000 independent samples.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Name of the dataset with the units.
pub const WITH: &str = "audit_with";
/// Name of the dataset without the units.
pub const WITHOUT: &str = "audit_without";
/// The ε of the datasets' cap and of the auditor's allocation: the largest possible.
pub const CAP: f64 = 100.0;
/// Number of values of the column that makes questions differ.
pub(super) const SALTS: u64 = 1_000_000_000;

const GROUPS: usize = 1_000;
const SLOTS: usize = 99;
const PAIRS: usize = 49;
/// k: number of a unit's rows that count.
pub(super) const ROWS_PER_UNIT: u32 = 2;
/// Number of lanes in a group; each lane has running sums of its own.
pub(super) const LANES: usize = 10;
/// Number of positions over which running sums run. The last one holds all rows that do not belong to them, and is not evaluated.
pub(super) const POSITIONS: usize = 9;
/// Number of a heavy unit's rows in the source.
const HEAVY_ROWS: usize = 5;
/// R: the bound of the summed column, around 0.
const BOUND: u64 = 2;
/// The value of a heavy unit's rows in the source, far beyond the bound.
const BEYOND: i64 = 1_000;

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
}

impl Kind {
    /// All kinds of measurements.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The kind in words, for people to read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    pub(super) fn sql(self, dataset: &str, salt: u64) -> String {
        if self == Self::SumByUnit {
            let first = |column: &str| format!("(ARRAY_AGG({column} ORDER BY amount))[1] AS {column}");
            return format!(
                "SELECT grp, slot, SUM(total) AS n FROM (SELECT who, {}, {}, SUM(amount) AS total FROM {dataset} \
                 WHERE salt <> {salt} GROUP BY who) AS units GROUP BY grp, slot",
                first("grp"),
                first("slot")
            );
        }
        if self == Self::RunningSum {
            return format!(
                "SELECT grp, lane, pos, SUM(COUNT(*)) OVER (PARTITION BY grp, lane ORDER BY pos) AS n FROM {dataset} \
                 WHERE salt <> {salt} GROUP BY grp, lane, pos"
            );
        }
        let (slot, aggregate) = match self {
            Self::Count | Self::CountOfOneRow | Self::RunningSum => ("slot", "COUNT(*)"),
            Self::Sum | Self::SumByUnit => ("slot", "SUM(amount)"),
            Self::DistinctUnits => ("pair", "COUNT(DISTINCT who)"),
        };
        format!("SELECT grp, {slot}, {aggregate} AS n FROM {dataset} WHERE salt <> {salt} GROUP BY grp, {slot}")
    }

    /// How many rows of each unit count, if the audit of this kind asks for fewer than the policy allows.
    pub(super) fn rows_per_unit(self) -> Option<u32> {
        match self {
            Self::CountOfOneRow => Some(1),
            Self::Count | Self::Sum | Self::DistinctUnits | Self::SumByUnit | Self::RunningSum => None,
        }
    }

    fn slots(self) -> usize {
        match self {
            Self::Count | Self::CountOfOneRow | Self::Sum | Self::SumByUnit => SLOTS,
            Self::DistinctUnits => 2 * PAIRS,
            Self::RunningSum => LANES,
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
            Self::Count | Self::CountOfOneRow | Self::Sum | Self::DistinctUnits | Self::SumByUnit => GROUPS as u64,
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
            Self::Count | Self::CountOfOneRow | Self::Sum | Self::SumByUnit | Self::RunningSum => 1,
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
        }
    }

    /// How far the whole vector moves in the ℓ₁ norm, which Laplace noise is calibrated to.
    pub(super) fn whole_move(self) -> f64 {
        self.move_per_cell() * self.cells() as f64
    }
}

/// Writes the two policies and their sources into a folder. Each policy file is named after its dataset, with `.toml`.
///
/// # Errors
/// Errors of the file system.
pub fn prepare(dir: &Path, accountant: &str) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    for (name, has_units) in [(WITH, true), (WITHOUT, false)] {
        fs::write(dir.join(format!("{name}.toml")), policy(name, accountant))?;
        let mut source = BufWriter::new(fs::File::create(dir.join(format!("{name}.csv")))?);
        write_rows(&mut source, has_units)?;
        source.flush()?;
    }
    Ok(())
}

fn policy(name: &str, accountant: &str) -> String {
    let list = |prefix: char, count: usize| {
        (0..count).map(|number| format!("\"{prefix}{number}\"")).collect::<Vec<_>>().join(", ")
    };
    let (groups, slots, pairs) = (list('g', GROUPS), list('s', SLOTS), list('p', 2 * PAIRS));
    let (lanes, last) = (list('l', LANES), POSITIONS - 1);
    let delta = if accountant == "pure" { "" } else { ", delta = \"0.01\"" };
    format!(
        r#"# Written by tacit audit --prepare: a table of nobody, to be sealed on the server that is audited.
[dataset]
name = "{name}"
title = "A table of nobody, for audits"
source = "{name}.csv"
privacy_unit = "who"
max_rows_per_unit = {ROWS_PER_UNIT}
max_rows = 1_000_000
accountant = "{accountant}"
cap = {{ epsilon = "100"{delta} }}
max_epsilon_per_query = "10"

[[column]]
name = "grp"
type = "category"
values = [{groups}]

[[column]]
name = "slot"
type = "category"
values = [{slots}, "none"]

[[column]]
name = "pair"
type = "category"
values = [{pairs}, "none"]

[[column]]
name = "lane"
type = "category"
values = [{lanes}]

[[column]]
name = "pos"
type = "integer"
min = "0"
max = "{last}"

[[column]]
name = "amount"
type = "integer"
min = "-{BOUND}"
max = "{BOUND}"

[[column]]
name = "salt"
type = "integer"
min = "0"
max = "{SALTS}"
"#
    )
}

/// Writes the rows. Each table has a bystander in every group; only the table with the units has the units.
fn write_rows(out: &mut impl Write, has_units: bool) -> io::Result<()> {
    let last = POSITIONS - 1;
    writeln!(out, "who,grp,slot,pair,lane,pos,amount,salt")?;
    for group in 0..GROUPS {
        writeln!(out, "b{group},g{group},none,none,l0,{last},0,0")?;
        if !has_units {
            continue;
        }
        for slot in 0..SLOTS {
            for _ in 0..HEAVY_ROWS {
                writeln!(out, "h{group}.{slot},g{group},s{slot},none,l0,{last},{BEYOND},0")?;
            }
        }
        for pair in 0..PAIRS {
            for cell in 0..2 {
                writeln!(out, "d{group}.{pair},g{group},none,p{},l0,{last},0,0", 2 * pair + cell)?;
            }
        }
        for lane in 0..LANES {
            for _ in 0..HEAVY_ROWS {
                writeln!(out, "e{group}.{lane},g{group},none,none,l{lane},0,0,0")?;
            }
        }
    }
    Ok(())
}
