//! The two datasets of an audit: neighbours in each of many disjoint groups.
//!
//! In every group one holds a unit that does the most that a unit may, and the other does not:
//! * a *heavy* unit has more rows than `max_rows_per_unit`, all equal, in one cell, with a value far beyond its bound: what counts
//!   and sums must bear;
//! * a *spread* unit has one row in each of as many cells as a unit may reach: what distinct counts must bear;
//! * an *early* unit has more rows than count, all in the first of several ordered positions: what running sums must bear.
//!
//! Groups are a key of 1,000 values times a key of slots, so that one question gives up to 99,000 independent samples.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// The dataset with the units.
pub const WITH: &str = "audit_with";
/// The dataset without them.
pub const WITHOUT: &str = "audit_without";
/// ε of the datasets' cap and of the auditor's allocation, the most there is.
pub const CAP: f64 = 100.0;
/// Values of the column that makes questions differ.
pub(super) const SALTS: u64 = 1_000_000_000;

const GROUPS: usize = 1_000;
const SLOTS: usize = 99;
const PAIRS: usize = 49;
/// k: rows of a unit that count.
pub(super) const ROWS_PER_UNIT: u32 = 2;
/// Lanes of a group with running sums of their own.
pub(super) const LANES: usize = 10;
/// Positions that they run over. At the last one stand all rows that are none of theirs, and nobody looks there.
pub(super) const POSITIONS: usize = 9;
/// Rows of a heavy unit in the source.
const HEAVY_ROWS: usize = 5;
/// R: the bound of the summed column, around 0.
const BOUND: u64 = 2;
/// What a heavy unit's rows hold in the source.
const BEYOND: i64 = 1_000;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Rows of heavy units.
    Count,
    /// The same, where one row per unit was asked for.
    CountOfOneRow,
    /// Their values.
    Sum,
    /// Spread units.
    DistinctUnits,
    /// The values of heavy units, summed unit by unit first.
    SumByUnit,
    /// Rows of early units, up to each position. Only of Gaussian noise: with Laplace noise running sums are sums of counts.
    RunningSum,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Count, Self::CountOfOneRow, Self::Sum, Self::DistinctUnits, Self::SumByUnit, Self::RunningSum];

    /// For people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::CountOfOneRow => "count of one row",
            Self::Sum => "sum",
            Self::DistinctUnits => "distinct units",
            Self::SumByUnit => "sum by unit",
            Self::RunningSum => "running sum",
        }
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

    /// Fewer rows per unit than the policy allows, where that is what is audited.
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

    /// Cells of an answer that samples are made of, and of those that only bystanders are in.
    pub(super) fn cells_per_query(self) -> usize {
        GROUPS * self.slots()
    }

    pub(super) fn others_per_query(self) -> u64 {
        match self {
            Self::RunningSum => 0,
            Self::Count | Self::CountOfOneRow | Self::Sum | Self::DistinctUnits | Self::SumByUnit => GROUPS as u64,
        }
    }

    /// Where a group's cell stands among all; the cells of a sample stand together. Nothing for a bystander's.
    pub(super) fn place(self, group: &str, slot: &str) -> Option<usize> {
        let number = |text: &str| text.get(1..)?.parse::<usize>().ok();
        let (group, slot) = (number(group)?, number(slot)?);
        (group < GROUPS && slot < self.slots()).then_some(group * self.slots() + slot)
    }

    /// Cells from one group to the next.
    pub(super) fn stride(self) -> usize {
        self.slots()
    }

    /// Cells of a sample.
    pub(super) fn cells(self) -> usize {
        match self {
            Self::Count | Self::CountOfOneRow | Self::Sum | Self::SumByUnit | Self::RunningSum => 1,
            Self::DistinctUnits => ROWS_PER_UNIT as usize,
        }
    }

    /// What each of them moves by, when the unit is added.
    pub(super) fn move_per_cell(self) -> f64 {
        let rows = f64::from(ROWS_PER_UNIT);
        match self {
            Self::Count | Self::RunningSum => rows,
            Self::CountOfOneRow => 1.0,
            Self::Sum | Self::SumByUnit => rows * BOUND as f64,
            Self::DistinctUnits => 1.0,
        }
    }

    /// What the whole vector moves by in ℓ₁, which is what Laplace noise must bear.
    pub(super) fn whole_move(self) -> f64 {
        self.move_per_cell() * self.cells() as f64
    }
}

/// Writes the two policies and their sources into a folder; the policies' names are those of the datasets with `.toml`.
///
/// # Errors
/// Those of the file system.
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

/// Every table has a bystander in each group; only the one with units has those.
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
