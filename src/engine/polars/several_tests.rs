//! Tests that several tables are sealed with shared units, and read back block by block.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use polars::prelude::DataType;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::evaluate::PolarsEngine;
use super::stored_columns::StoredColumns;
use super::table::Loaded;
use crate::engine::Host;
use crate::engine::seal::{Report, SealError, seal_with_key};
use crate::query::terms::edition::layout::TableLayout;
use crate::query::terms::edition::{EditionError, Manifest};
use crate::query::terms::policy::Policy;

const KEY: [u8; 32] = [7; 32];

/// Patients with one row each, visits, and doses; the column `who` repeats the unit's id.
const POLICY: &str = r#"
[dataset]
name = "clinic"
privacy_unit = "patient_id"
exclude = "gone.csv"
cap = { epsilon = "1", delta = "1e-9" }
[[table]]
name = "patients"
source = "patients.csv"
one_row_per_unit = true
max_rows = 1_000_000
[[table.column]]
name = "who"
source = "patient_id"
type = "integer"
min = 0
max = 1_000_000
[[table.column]]
name = "born"
type = "integer"
min = 1900
max = 2030
nullable = true
[[table]]
name = "visits"
source = "visits.csv"
max_rows_per_unit = 3
max_rows = 1_000_000
[[table.column]]
name = "who"
source = "patient_id"
type = "integer"
min = 0
max = 1_000_000
[[table.column]]
name = "cost"
type = "integer"
min = 0
max = 1000
[[table]]
name = "doses"
source = "doses.csv"
max_rows_per_unit = 2
max_rows = 1_000_000
[[table.column]]
name = "who"
source = "patient_id"
type = "integer"
min = 0
max = 1_000_000
[[table.column]]
name = "drug"
type = "category"
values_from = "drugs.code"
[[public]]
name = "drugs"
source = "drugs.csv"
columns = ["code", "name"]
"#;

const DRUGS: &str = "code,name\n101,aspirin\n007,ibuprofen\n300,\n";

struct Sealed {
    dir: tempfile::TempDir,
    manifest: Manifest,
    report: Report,
}

fn write(dir: &Path, files: &[(&str, &str)]) -> Policy {
    let all = [("policy.toml", POLICY), ("drugs.csv", DRUGS), ("gone.csv", "patient_id\n999999\n")];
    for (name, text) in all.iter().chain(files) {
        fs::write(dir.join(name), text).expect("a file");
    }
    Policy::load(&dir.join("policy.toml")).unwrap_or_else(|error| panic!("{error}"))
}

fn sealed(files: &[(&str, &str)]) -> Result<Sealed, SealError> {
    let dir = tempfile::tempdir().expect("a folder");
    let policy = write(dir.path(), files);
    let (manifest, report) = seal_with_key(&policy, &dir.path().join("state"), &KEY, &|_| {})?;
    Ok(Sealed { dir, manifest, report })
}

impl Sealed {
    /// Passes the tables to `run`, as a worker sees them before anything is checked.
    fn with<T>(&self, run: impl FnOnce(&Loaded) -> T) -> T {
        let file = fs::File::open(self.manifest.table_path(&self.dir.path().join("state"))).expect("a file");
        run(&Loaded::open(file, &self.manifest.facts(), self.manifest.terms.clone()).expect("an edition"))
    }

    /// The rows of each block of a table: unit, rank, and the stored integers of two columns.
    fn rows(&self, table: u32) -> Vec<Vec<(i64, i64, i64, i64)>> {
        self.with(|loaded| {
            let block = |block: usize| {
                let frame = loaded.table_block(block, table, &BTreeSet::from([0, 1])).expect("a block");
                let column = |name: &str| {
                    let wide = frame.column(name).expect("a column").cast(&DataType::Int64).expect("integers");
                    let wide: Vec<i64> =
                        wide.i64().expect("integers").iter().map(|value| value.unwrap_or(i64::MIN)).collect();
                    wide
                };
                let (units, ranks, own, other) = (column("unit"), column("rank"), column("c0"), column("c1"));
                (0..frame.height()).map(|row| (units[row], ranks[row], own[row] + 500_000, other[row])).collect()
            };
            (0..loaded.blocks()).map(block).collect()
        })
    }
}

const PATIENTS: &str = "patient_id,born\n12,1950\n7,1960\n30,1970\n7,1955\n999999,1980\n";
const VISITS: &str = "patient_id,cost\n12.0,5\n12.0,6\n12.0,7\n12.0,8\n8,1\n999999,1\n";
const DOSES: &str = "patient_id,drug\n012,101\n30,007\n40,300\n40,101\n40,007\n";

fn three() -> Sealed {
    sealed(&[("patients.csv", PATIENTS), ("visits.csv", VISITS), ("doses.csv", DOSES)]).expect("sealed")
}

#[test]
fn a_unit_has_one_number_in_all_tables() {
    let sealed = three();
    let tables: Vec<Vec<_>> = (0..3).map(|table| sealed.rows(table).concat()).collect();
    let mut numbers: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    for (unit, _, who, _) in tables.iter().flatten() {
        numbers.entry(*who).or_default().insert(*unit);
    }
    assert_eq!(numbers.keys().copied().collect::<Vec<_>>(), [7, 8, 12, 30, 40], "who withdrew is gone");
    let units: BTreeSet<i64> = numbers.values().flatten().copied().collect();
    assert!(numbers.values().all(|units| units.len() == 1), "{numbers:?}");
    assert_eq!(units, (0..5).collect());
    let of = |table: usize, who: i64| {
        let own = tables[table].iter().filter(move |(_, _, id, _)| *id == who);
        own.map(|(_, rank, _, value)| (*rank, *value)).collect::<Vec<_>>()
    };
    assert_eq!(of(0, 7), [(0, 1955 - 1965)], "rows of one patient are merged: the least known value");
    assert_eq!(of(1, 12).iter().map(|(rank, _)| *rank).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(of(2, 40).len(), 2);
    assert_eq!((of(0, 8), of(1, 30), of(2, 7)), (vec![], vec![], vec![]));
}

#[test]
fn the_report_has_a_section_for_each_table() {
    let Sealed { report, manifest, .. } = three();
    let facts = |table: usize| {
        let facts = &report.tables[table];
        (facts.name.as_str(), facts.rows_read, facts.rows_excluded, facts.rows_cut, facts.rows_kept, facts.units)
    };
    assert_eq!(facts(0), ("patients", 5, 1, 0, 3, 3));
    assert_eq!(facts(1), ("visits", 6, 1, 1, 4, 2));
    assert_eq!(facts(2), ("doses", 5, 0, 1, 4, 3));
    assert_eq!((report.rows_read, report.rows_kept, report.units, manifest.rows), (16, 11, 5, 11));
    assert_eq!((report.units_by_value, report.ids_unmatched), (1, 0));
    assert_eq!(report.doubled, [("patients".to_owned(), 1)]);
    let born = report.columns.iter().find(|(name, _)| name == "patients.born").expect("a column");
    assert_eq!(born.1.conflicts, 1);
}

#[test]
fn several_spellings_in_one_table_are_several_units_in_all() {
    let visits = "patient_id,cost\n12,5\n012,6\n";
    let sealed = sealed(&[("patients.csv", PATIENTS), ("visits.csv", visits), ("doses.csv", DOSES)]).expect("sealed");
    let units = |table: u32| -> BTreeSet<i64> {
        sealed.rows(table).concat().into_iter().filter(|row| row.2 == 12).map(|row| row.0).collect()
    };
    let (patients, visits, doses) = (units(0), units(1), units(2));
    assert_eq!((patients.len(), visits.len(), doses.len()), (1, 2, 1));
    assert_eq!(patients.union(&doses).copied().collect::<BTreeSet<_>>(), visits);
    assert_eq!((sealed.report.units_by_value, sealed.report.ids_spelled_twice), (0, 1));
}

/// Rows of many units, of whom some occur in one table only, in an order by chance.
fn many(rows: usize, order: u64) -> [(&'static str, String); 3] {
    let mut chance = StdRng::seed_from_u64(order);
    let mut text = |head: &str, row: &dyn Fn(usize) -> String, rows: usize| {
        let mut all: Vec<String> = (0..rows).map(row).collect();
        all.shuffle(&mut chance);
        format!("{head}\n{}\n", all.join("\n"))
    };
    let patients = text("patient_id,born", &|at| format!("{},{}", at * 3, 1900 + at % 100), rows / 3);
    let visits = text("patient_id,cost", &|at| format!("{},{}", at * 7919 % rows, at % 1000), rows);
    let doses =
        text("patient_id,drug", &|at| format!("{},{}", at * 31 % rows, ["101", "007", "300"][at % 3]), rows / 5);
    [("patients.csv", patients), ("visits.csv", visits), ("doses.csv", doses)]
}

fn sealed_many(rows: usize, order: u64) -> Sealed {
    let files = many(rows, order);
    sealed(&files.each_ref().map(|(name, text)| (*name, text.as_str()))).expect("sealed")
}

#[test]
fn the_order_of_sources_changes_nothing() {
    let (one, other) = (sealed_many(2_000, 1), sealed_many(2_000, 2));
    for table in 0..3 {
        assert_eq!(one.rows(table), other.rows(table));
    }
    assert_eq!(one.manifest.table, other.manifest.table, "the file is the same, byte for byte");
}

#[test]
fn blocks_end_at_the_same_units_in_all_tables() {
    let sealed = sealed_many(300_000, 3);
    let all: Vec<Vec<Vec<_>>> = (0..3).map(|table| sealed.rows(table)).collect();
    let blocks = all[0].len();
    assert!(blocks > 1, "{blocks}");
    let mut last = None;
    for block in 0..blocks {
        let units: Vec<i64> = all.iter().flat_map(|table| table[block].iter().map(|row| row.0)).collect();
        assert!(units.iter().min().copied() > last, "block {block}");
        last = units.iter().max().copied();
        for table in &all {
            assert!(table[block].is_sorted_by_key(|row| (row.0, row.1)));
        }
    }
    sealed.with(|loaded| {
        let everything = StoredColumns::all(&loaded.terms);
        assert!((0..blocks).all(|block| loaded.check(block, &everything)));
        assert!(!loaded.check(blocks, &everything));
        assert!(loaded.table_block(blocks, 0, &BTreeSet::new()).is_err());
        assert!(loaded.table_block(0, 3, &BTreeSet::new()).is_err());
    });
    let state = sealed.dir.path().join("state");
    assert!(Manifest::open_whole(&state, &sealed.manifest.edition, &sealed.manifest.commitment()).is_ok());
}

#[test]
fn damage_of_one_table_is_noticed_there() {
    let sealed = three();
    let (state, edition) = (sealed.dir.path().join("state"), sealed.manifest.edition.clone());
    let ends = &sealed.manifest.blocks.as_ref().expect("blocks").ends;
    let layout = TableLayout::of(&sealed.manifest.terms, ends).expect("a layout");
    let place = layout.columns().iter().position(|column| column.table == 1).expect("a column") + 3;
    let at = layout.chunk(0, place).expect("a chunk").values_at as usize;
    let path = sealed.manifest.table_path(&state);
    let mut bytes = fs::read(&path).expect("bytes");
    bytes[at] ^= 1;
    fs::write(&path, bytes).expect("a file");
    let columns = |table: u32, columns: &[usize]| StoredColumns {
        tables: BTreeMap::from([(table, columns.iter().copied().collect())]),
        ..StoredColumns::default()
    };
    sealed.with(|loaded| {
        assert!(loaded.check(0, &columns(0, &[0, 1])) && loaded.check(0, &columns(2, &[0, 1])));
        assert!(loaded.check(0, &columns(1, &[0])) && !loaded.check(0, &columns(1, &[1])));
    });
    assert!(PolarsEngine::new().load(&state, &sealed.manifest).is_err());
    let opened = Manifest::open_whole(&state, &edition, &sealed.manifest.commitment());
    assert!(matches!(opened, Err(EditionError::DamagedBlock { block: 0, .. })), "{opened:?}");
}

#[test]
fn what_does_not_fit_names_its_table() {
    for (name, text, message) in [
        ("patients.csv", "patient_id,born\n,1950\n", "patients.csv: 1 row has no \"patient_id\""),
        ("visits.csv", "patient_id,cost\n1,x\n", "visits.csv: column \"cost\": 1 value is not of type integer"),
        ("doses.csv", "patient_id,drug\n1,102\n", "doses.csv: column \"drug\": 1 value is missing (1 because"),
        ("doses.csv", "patient_id,dose\n1,102\n", "doses.csv: has no column \"drug\""),
    ] {
        let whole = [("patients.csv", PATIENTS), ("visits.csv", VISITS), ("doses.csv", DOSES)];
        let files = whole.map(|(file, own)| (file, if file == name { text } else { own }));
        let Err(error) = sealed(&files) else { panic!("{name} was sealed") };
        let shown = error.to_string();
        assert!(shown.contains(message), "{shown}");
    }
}

#[test]
fn terms_read_back_and_are_written_alike() {
    let sealed = three();
    let terms = &sealed.manifest.terms;
    let json = serde_json::to_string(terms).expect("JSON");
    let read: crate::query::terms::policy::Terms = serde_json::from_str(&json).expect("terms");
    assert_eq!(read, *terms);
    assert_eq!(serde_json::to_string(&read).expect("JSON"), json);
    let drug = &terms.tables[2].columns[1];
    assert_eq!(drug.domain.labels().expect("labels")[..], ["101", "007", "300"]);
    assert!(terms.public[0].columns[1].nullable && terms.public[0].rows == 3);
}
