//! Datasets with several tables, from the policy's file to what people see of them.

use std::os::unix::fs::FileExt;
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};
use tacit::engine::{Engine, Host, WorkerPool};
use tacit::kernel::budget::ledger::read;
use tacit::kernel::vault::noise::OpenDp;
use tacit::query::computation::relation::Relation;
use tacit::query::computation::{Computation, Measure};
use tacit::query::terms::edition::Manifest;
use tacit::query::terms::edition::layout::TableLayout;
use tempfile::TempDir;

use crate::support::{Lab, block_on, launch};

/// Patients with one row each, diagnoses and drugs, with a list of codes that is published.
pub const CLINIC: &str = r#"
[dataset]
name = "clinic"
title = "A clinic"
privacy_unit = "patient_id"
cap = { epsilon = "4", delta = "1e-9" }

[[table]]
name = "patients"
title = "People, once each"
source = "patients.csv"
one_row_per_unit = true
max_rows = 1_000
[[table.column]]
name = "born"
type = "integer"
min = 1900
max = 2030

[[table]]
name = "diagnoses"
source = "diagnoses.csv"
max_rows_per_unit = 4
max_rows = 4_000
[[table.column]]
name = "code"
type = "category"
values_from = "codes.code"
[[table.column]]
name = "found"
type = "date"
min = 2020-01-01
max = 2025-12-31

[[table]]
name = "drugs"
source = "drugs.csv"
max_rows_per_unit = 2
max_rows = 2_000
[[table.column]]
name = "dose"
type = "decimal"
min = "0"
max = "10"
step = "0.5"
nullable = true

[[public]]
name = "codes"
source = "codes.csv"
columns = ["code", "label", "chapter"]
"#;

/// A folder with the sources of the clinic. Some patients occur in one table only.
pub fn sources() -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: String| std::fs::write(dir.path().join(name), text).expect("a source");
    let patients = (0..60).map(|at| format!("{at},{}\n", 1930 + at)).collect::<String>();
    let diagnoses = (20..120).map(|at| format!("{}.0,{:03},2021-03-{:02}\n", at % 80, at % 3, 1 + at % 28));
    let drugs =
        (70..100).map(|at| format!("{at},{}\n", if at % 7 == 0 { String::new() } else { format!("{}.5", at % 9) }));
    write("patients.csv", format!("patient_id,born\n{patients}"));
    write("diagnoses.csv", format!("patient_id,code,found\n{}", diagnoses.collect::<String>()));
    write("drugs.csv", format!("patient_id,dose\n{}", drugs.collect::<String>()));
    write("codes.csv", "code,label,chapter\n000,fever,1\n001,cough,1\n002,pain,2\n".to_owned());
    dir
}

fn lab() -> Lab {
    Lab::over(sources(), CLINIC, Arc::new(OpenDp), "1")
}

#[test]
fn everybody_sees_the_tables_and_their_bounds() {
    let lab = lab();
    let body = block_on(lab.get("/v1/datasets/clinic", &lab.viewer)).json();
    let names = |list: &Value| -> Vec<String> {
        let names = list.as_array().expect("a list").iter().map(|one| one["name"].as_str().expect("a name").to_owned());
        names.collect()
    };
    assert_eq!(names(&body["tables"]), ["patients", "diagnoses", "drugs"]);
    assert_eq!((&body["columns"], &body["max_rows_per_unit"]), (&json!([]), &json!(4)));
    let bounds = |at: usize| [&body["tables"][at]["max_rows_per_unit"], &body["tables"][at]["max_rows"]];
    assert_eq!(
        [bounds(0), bounds(1)].map(|bounds| bounds.map(Value::as_u64)),
        [[Some(1), Some(1_000)], [Some(4), Some(4_000)]]
    );
    assert_eq!(body["tables"][0]["title"], "People, once each");
    let code = &body["tables"][1]["columns"][0];
    assert_eq!((&code["values"], &code["values_from"]), (&json!(["000", "001", "002"]), &json!("codes.code")));
    assert_eq!(names(&body["public"]), ["codes"]);
    assert_eq!(body["public"][0]["rows"], 3);
    assert_eq!(names(&body["public"][0]["columns"]), ["code", "label", "chapter"]);
    assert_eq!(body["public"][0]["columns"][2]["type"], "integer");
    assert!(body["public"][0]["columns"][1]["values"].is_null());
}

/// A code that is not in the list is no misspelling of another code, whose digits mean something else.
#[test]
fn no_other_code_is_proposed_for_a_code() {
    let lab = lab();
    let hint = |condition: &str| {
        let reply = block_on(lab.sql(&format!("SELECT COUNT(*) FROM diagnoses WHERE {condition}"), "0.1"));
        assert_eq!(reply.code(), "out-of-domain", "{condition}");
        reply.json()["hint"].as_str().expect("a hint").to_owned()
    };
    assert_eq!(hint("code = '003'"), "it is one of '000', '001', '002'");
    assert_eq!(hint("code = 'C001'"), "did you mean '001'?");
}

#[test]
fn a_single_table_has_the_name_of_its_dataset() {
    let lab = Lab::gaussian();
    let body = block_on(lab.get("/v1/datasets/visits", &lab.viewer)).json();
    let table = &body["tables"][0];
    assert_eq!((&table["name"], &table["columns"]), (&json!("visits"), &body["columns"]));
    assert_eq!((body["tables"].as_array().map(Vec::len), &body["public"]), (Some(1), &json!([])));
}

#[test]
fn the_report_and_the_policy_speak_of_each_table() {
    let dir = sources();
    std::fs::write(dir.path().join("clinic.toml"), CLINIC).expect("a policy");
    let run = |arguments: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_tacit")).args(arguments).current_dir(dir.path()).output().expect("a run");
        let said = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    };
    let checked = run(&["policy", "check", "clinic.toml"]);
    assert!(checked.contains("dataset \"clinic\", 3 tables, cap epsilon 4"), "{checked}");
    assert!(checked.contains("  table \"patients\": 1 column, at most 1 row a unit\n"), "{checked}");
    assert!(checked.contains("  public table \"codes\": 3 columns, 3 rows\n"), "{checked}");
    let report: Value = serde_json::from_str(&run(&["seal", "clinic.toml", "--dry-run", "--json"])).expect("JSON");
    let kept: Vec<_> =
        report["tables"].as_array().expect("tables").iter().map(|table| table["rows_kept"].as_u64()).collect();
    assert_eq!(kept, [Some(60), Some(100), Some(30)]);
    assert_eq!((&report["units"], &report["units_by_value"]), (&json!(100), &json!(70)));
    let printed = run(&["seal", "clinic.toml", "--dry-run"]);
    assert!(printed.contains("  drugs: 30 rows read, 30 kept of 30 units, 0 cut"), "{printed}");
    assert!(printed.contains("diagnoses.code"), "{printed}");
}

/// A question about the number of rows of one of the tables.
fn rows_of(table: u32) -> Computation {
    Computation {
        rows_per_unit: 4,
        filter: None,
        keys: Vec::new(),
        measures: vec![Measure::Rows],
        units: None,
        text: None,
        left: Vec::new(),
        relation: Some(Relation::Table { table, rows_per_unit: 4 }),
    }
}

#[test]
fn damage_of_one_table_stops_questions_before_they_are_charged() {
    let lab = lab();
    let state = lab.dir.path().join("state");
    let mark = read(lab.service.ledger(), |book| book.dataset("clinic").and_then(|whole| whole.edition.clone()));
    let mark = mark.expect("an edition");
    let edition = mark.id;
    let manifest = Manifest::open(&state, &edition, &mark.commitment).expect("an edition");
    let mut pool = WorkerPool::new(launch());
    pool.load(&state, &manifest).expect("workers");
    assert!((0..3).all(|table| pool.prepare(&edition, &rows_of(table)).is_ok()));
    drop(pool);

    let layout = TableLayout::of(&manifest.terms, &manifest.blocks.as_ref().expect("blocks").ends).expect("a layout");
    let last = layout.columns().len() - 1;
    assert_eq!(layout.columns()[last].table, 2);
    let at = layout.chunk(0, last).expect("a chunk").values_at;
    let file = std::fs::File::options().read(true).write(true).open(manifest.table_path(&state)).expect("a table");
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("a byte");
    file.write_all_at(&[byte[0] ^ 1], at).expect("a changed byte");
    let mut pool = WorkerPool::new(launch());
    pool.load(&state, &manifest).expect("workers");
    assert!(pool.prepare(&edition, &rows_of(2)).is_err());
    assert!(!pool.is_ready(&edition), "damage of one table is damage of the dataset");
}
