//! The datasets of an audit: two pairs, each of which are neighbours in each of many disjoint groups.
//!
//! In every group, one dataset of a pair holds a unit that contributes as much as a unit may, and the other does not. One pair
//! has a single table:
//! * a *heavy* unit has more rows than `max_rows_per_unit`, all equal, in one cell, with a value far beyond its bound: the worst
//!   case for counts and sums;
//! * a *spread* unit has one row in each of as many cells as a unit may reach: the worst case for distinct counts;
//! * an *early* unit has more rows than count, all in the first of several ordered positions: the worst case for running sums.
//!
//! The other pair has several tables; its units are described in the module `several`.
//!
//! Groups are a key of 1,000 values times a key of slots, so that one question gives up to 99,000 independent samples.

pub(super) mod groups;
pub(super) mod several;

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use groups::{GROUPS, SALTS, list};

/// The ε of the datasets' cap and of the auditor's allocation: the largest possible.
pub const CAP: f64 = 100.0;

/// Number of slots in a group, each with a heavy unit of its own.
pub(super) const SLOTS: usize = 99;
/// Number of spread units in a group, each with two cells.
pub(super) const PAIRS: usize = 49;
/// k: number of a unit's rows that count.
pub(super) const ROWS_PER_UNIT: u32 = 2;
/// Number of lanes in a group; each lane has running sums of its own.
pub(super) const LANES: usize = 10;
/// Number of positions over which running sums run. The last one holds all rows that do not belong to them, and is not evaluated.
pub(super) const POSITIONS: usize = 9;
/// Number of a heavy unit's rows in the source.
const HEAVY_ROWS: usize = 5;
/// R: the bound of the summed column, around 0.
pub(super) const BOUND: u64 = 2;
/// The value of a heavy unit's rows in the source, far beyond the bound.
const BEYOND: i64 = 1_000;

/// A pair of datasets, of which one has the units and the other does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub enum Neighbours {
    /// Datasets with a single table each.
    Single,
    /// Datasets with several tables each.
    Several,
}

impl Neighbours {
    /// Every pair that the audit asks; each kind of question belongs to one.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// Name of the dataset with the units.
    #[must_use]
    pub fn with(self) -> &'static str {
        match self {
            Self::Single => "audit_with",
            Self::Several => "audit_several_with",
        }
    }

    /// Name of the dataset without the units.
    #[must_use]
    pub fn without(self) -> &'static str {
        match self {
            Self::Single => "audit_without",
            Self::Several => "audit_several_without",
        }
    }

    /// Names of both datasets.
    #[must_use]
    pub fn names(self) -> [&'static str; 2] {
        [self.with(), self.without()]
    }

    /// The largest number of a unit's rows that count in a table.
    pub(super) fn rows_per_unit(self) -> u32 {
        match self {
            Self::Single => ROWS_PER_UNIT,
            Self::Several => several::VISITS_PER_UNIT,
        }
    }

    /// Writes the two policies and their sources into a folder. Each policy file is named after its dataset, with `.toml`.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn prepare(self, dir: &Path, accountant: &str) -> io::Result<()> {
        fs::create_dir_all(dir)?;
        for (name, has_units) in [(self.with(), true), (self.without(), false)] {
            let head = head(name, accountant);
            let text = match self {
                Self::Single => single(name, &head),
                Self::Several => several::policy(name, &head),
            };
            fs::write(dir.join(format!("{name}.toml")), text)?;
            let source = |name: String| Ok::<_, io::Error>(BufWriter::new(fs::File::create(dir.join(name))?));
            match self {
                Self::Single => write_rows(&mut source(format!("{name}.csv"))?, has_units)?,
                Self::Several => {
                    let (mut visits, mut drugs) =
                        (source(format!("{name}.visits.csv"))?, source(format!("{name}.drugs.csv"))?);
                    several::write_rows(&mut visits, &mut drugs, has_units)?;
                }
            }
        }
        Ok(())
    }
}

/// The lines of a policy that all datasets of an audit have.
fn head(name: &str, accountant: &str) -> String {
    let delta = if accountant == "pure" { "" } else { ", delta = \"0.01\"" };
    format!(
        r#"# Written by tacit audit --prepare: a table of nobody, to be sealed on the server that is audited.
[dataset]
name = "{name}"
title = "A table of nobody, for audits"
privacy_unit = "who"
accountant = "{accountant}"
cap = {{ epsilon = "100"{delta} }}
max_epsilon_per_query = "10"
oversubscribe = true
"#
    )
}

fn single(name: &str, head: &str) -> String {
    let (groups, slots, pairs) = (list('g', GROUPS), list('s', SLOTS), list('p', 2 * PAIRS));
    let (lanes, last) = (list('l', LANES), POSITIONS - 1);
    format!(
        r#"{head}source = "{name}.csv"
max_rows_per_unit = {ROWS_PER_UNIT}
max_rows = 1_000_000

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
    out.flush()
}
