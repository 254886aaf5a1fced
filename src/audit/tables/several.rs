//! The tables of the pair with several: visits, and drugs that were given or not.
//!
//! In every group and slot, one dataset holds a unit that has more rows than count in both tables, all on one day: the worst case
//! for what windows choose within a unit, for the rows of a cohort, and for pairs of rows.

use std::io::{self, Write};

use super::groups::{GROUPS, SALTS, list};

/// Number of slots in a group, each with a unit of its own.
pub(in crate::audit) const SLOTS_OF_SEVERAL: usize = 49;
/// k₁: number of a unit's visits that count.
pub(in crate::audit) const VISITS_PER_UNIT: u32 = 3;
/// k₂: number of a unit's drugs that count. Of two different bounds, the product differs from the sum, too.
pub(in crate::audit) const GIVEN_PER_UNIT: u32 = 2;
/// Numbers of a unit's rows in the sources.
const VISITS: usize = 5;
const DRUGS: usize = 4;

pub(super) fn policy(name: &str, head: &str) -> String {
    let (groups, slots) = (list('g', GROUPS), list('s', SLOTS_OF_SEVERAL));
    format!(
        r#"{head}
[[table]]
name = "visits"
source = "{name}.visits.csv"
max_rows_per_unit = {VISITS_PER_UNIT}
max_rows = 1_000_000

[[table.column]]
name = "grp"
type = "category"
values = [{groups}]

[[table.column]]
name = "slot"
type = "category"
values = [{slots}, "none"]

[[table.column]]
name = "day"
type = "date"
min = 2024-01-01
max = 2024-12-31

[[table.column]]
name = "salt"
type = "integer"
min = "0"
max = "{SALTS}"

[[table]]
name = "drugs"
source = "{name}.drugs.csv"
max_rows_per_unit = {GIVEN_PER_UNIT}
max_rows = 1_000_000

[[table.column]]
name = "given"
type = "boolean"

[[table.column]]
name = "day"
type = "date"
min = 2024-01-01
max = 2024-12-31
"#
    )
}

/// Writes the rows of both tables. Each dataset has a bystander in every group; only the dataset with the units has the units.
pub(super) fn write_rows(visits: &mut impl Write, drugs: &mut impl Write, has_units: bool) -> io::Result<()> {
    writeln!(visits, "who,grp,slot,day,salt")?;
    writeln!(drugs, "who,given,day")?;
    for group in 0..GROUPS {
        writeln!(visits, "b{group},g{group},none,2024-06-01,0")?;
        writeln!(drugs, "b{group},false,2024-06-01")?;
        for slot in (0..SLOTS_OF_SEVERAL).filter(|_| has_units) {
            for _ in 0..VISITS {
                writeln!(visits, "u{group}.{slot},g{group},s{slot},2024-03-01,0")?;
            }
            for _ in 0..DRUGS {
                writeln!(drugs, "u{group}.{slot},true,2024-03-01")?;
            }
        }
    }
    visits.flush()?;
    drugs.flush()
}
