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

/// Number of groups.
pub(super) const GROUPS: usize = 1_000;
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
