//! Joins with tables of one row per unit, resolved when the dataset is sealed.

use std::sync::Arc;

use serde_json::{Value, json};
use tacit::kernel::vault::noise::{NoiseSource, OpenDp};
use tacit::query::terms::policy::Policy;

use crate::support::{Lab, NoNoise, PURE, block_on, policy, visits};

/// The shared policy, with additional tables of patients and consents.
fn joined(budget: &str) -> String {
    policy(budget)
        + r#"
[[join]]
name = "patients"
source = "patients.csv"
[[join.column]]
name = "born"
type = "integer"
min = "1900"
max = "2020"
[[join.column]]
name = "insurer"
type = "category"
values = ["state", "private"]
nullable = true
[[join]]
name = "consents"
source = "consents.csv"
[[join.column]]
name = "signed"
type = "date"
min = 2020-01-01
max = 2025-12-31
"#
}

/// A lab in which every tenth person has no row among the patients and every third has no insurer; every other person signed a consent,
/// twice.
fn lab(budget: &str, noise: Arc<dyn NoiseSource>, allocation: &str) -> Lab {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("visits.csv"), visits(200)).expect("a source");
    let (mut patients, mut consents) = (String::from("born,patient_id,insurer\n"), String::from("patient_id,signed\n"));
    for patient in (0..200).rev() {
        if patient % 10 != 0 {
            let insurer = ["", "state", "private"][patient % 3];
            patients.push_str(&format!("{},p{patient},{insurer}\n", 1950 + patient % 50));
        }
        if patient % 2 == 0 {
            consents.push_str(&format!("p{patient},2021-01-01\np{patient},2021-01-01\n"));
        }
    }
    patients.push_str("1990,nobody who ever came,state\n");
    std::fs::write(dir.path().join("patients.csv"), patients).expect("a source");
    std::fs::write(dir.path().join("consents.csv"), consents).expect("a source");
    Lab::over(dir, &joined(budget), noise, allocation)
}

/// Number of visits in the shared table by persons for whom `is` holds.
fn count(is: impl Fn(usize) -> bool) -> i64 {
    (0..200_usize).filter(|patient| is(*patient)).map(|patient| 1 + patient as i64 % 3).sum()
}

fn one(lab: &Lab, sql: &str) -> Value {
    let reply = block_on(lab.sql(sql, "0.01"));
    assert_eq!(reply.status, 200, "{sql}: {}", reply.json());
    let rows = reply.rows();
    assert_eq!(rows.len(), 1, "{sql}");
    rows[0]["x"].clone()
}

#[test]
fn joins_are_those_of_sql() {
    let lab = lab(PURE, Arc::new(NoNoise), "100");
    let known = |patient: usize| !patient.is_multiple_of(10);
    for (sql, expected) in [
        ("SELECT COUNT(*) AS x FROM visits", count(|_| true)),
        ("SELECT COUNT(*) AS x FROM visits JOIN patients USING (patient_id)", count(known)),
        (
            "SELECT COUNT(*) AS x FROM visits INNER JOIN patients USING (patient_id) WHERE age > 30",
            count(|p| known(p) && 20 + p % 70 > 30),
        ),
        ("SELECT COUNT(*) AS x FROM visits LEFT JOIN patients USING (patient_id)", count(|_| true)),
        ("SELECT COUNT(born) AS x FROM visits LEFT OUTER JOIN patients USING (patient_id)", count(known)),
        (
            "SELECT COUNT(*) AS x FROM visits LEFT JOIN patients USING (patient_id) WHERE born IS NULL",
            count(|p| !known(p)),
        ),
        (
            "SELECT COUNT(*) AS x FROM visits JOIN patients USING (patient_id) WHERE insurer = 'state' OR born >= 1990",
            count(|p| known(p) && (p % 3 == 1 || p % 50 >= 40)),
        ),
        ("SELECT COUNT(DISTINCT patient_id) AS x FROM visits JOIN patients USING (patient_id)", 180),
        (
            "SELECT COUNT(*) AS x FROM visits JOIN patients USING (patient_id) JOIN consents USING (patient_id)",
            count(|p| known(p) && p % 2 == 0),
        ),
        (
            "SELECT SUM(born) AS x FROM visits JOIN patients USING (patient_id) WHERE insurer IS NULL",
            (0..200).filter(|p| p % 10 != 0 && p % 3 == 0).map(|p| 1950 + p % 50).sum(),
        ),
        (
            "SELECT COUNT(*) AS x FROM (SELECT patient_id, born, COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE age > 30 GROUP BY patient_id, born) AS p WHERE n > 1 AND born < 1990",
            (0..200).filter(|p| p % 10 != 0 && 20 + p % 70 > 30 && p % 3 > 0 && p % 50 < 40).count() as i64,
        ),
    ] {
        assert_eq!(one(&lab, sql), json!(expected), "{sql}");
    }
    let sql =
        "SELECT insurer, COUNT(*) AS n, AVG(born) AS a FROM visits JOIN patients USING (patient_id) GROUP BY insurer";
    let rows = block_on(lab.sql(sql, "0.01")).rows();
    let counts: Vec<_> = rows.iter().map(|row| (row["insurer"].clone(), row["n"].as_i64())).collect();
    let of = |rest: usize| Some(count(|p| known(p) && p % 3 == rest));
    assert_eq!(counts, [(json!("state"), of(1)), (json!("private"), of(2)), (Value::Null, of(0))]);
}

/// Groups by a column of a left join do not cover all rows, so no total is derived from the groups that are present.
#[test]
fn what_is_missing_from_a_join_is_not_left_out_of_totals() {
    let lab = lab(crate::support::GAUSSIAN, Arc::new(NoNoise), "4");
    let there = "SELECT signed, COUNT(*) AS n FROM visits LEFT JOIN consents USING (patient_id) \
                 WHERE signed BETWEEN DATE '2020-12-01' AND DATE '2021-02-01' GROUP BY signed";
    assert_eq!(block_on(lab.sql(there, "1")).status, 200);
    let known = "SELECT insurer, COUNT(*) AS n FROM visits LEFT JOIN patients USING (patient_id) WHERE insurer IS NOT NULL GROUP BY insurer";
    assert_eq!(block_on(lab.sql(known, "1")).status, 200);
    for sql in
        ["SELECT COUNT(*) AS n FROM visits", "SELECT COUNT(*) AS n FROM visits LEFT JOIN patients USING (patient_id)"]
    {
        let all = block_on(lab.sql(sql, "0.5")).json();
        assert_eq!((&all["rows"][0]["n"], &all["derived_from"]), (&json!(399), &Value::Null), "{all}");
    }
}

/// The question is recorded in the ledger as it was understood, and is priced as if the joined columns were the dataset's own.
#[test]
fn joins_are_planned_again_from_the_ledger() {
    let lab = lab(crate::support::GAUSSIAN, Arc::new(OpenDp), "4");
    let sql = "SELECT COUNT(*) AS n FROM visits LEFT JOIN consents USING (patient_id) JOIN patients USING (patient_id) WHERE age > 30 AND signed > DATE '2020-06-01'";
    let answer = block_on(lab.sql(sql, "0.5")).json();
    let canonical = "FROM visits JOIN patients USING (patient_id) LEFT JOIN consents USING (patient_id) WHERE ";
    assert!(answer["sql"].as_str().expect("SQL").contains(canonical), "{answer}");
    let again = block_on(lab.sql(answer["sql"].as_str().expect("SQL"), "0.5")).json();
    assert_eq!(again["replayed"], true);
    let subquery = "SELECT AVG(n) AS n FROM (SELECT patient_id, COUNT(*) AS n FROM visits JOIN patients USING (patient_id) GROUP BY patient_id) AS p";
    assert_eq!(block_on(lab.sql(subquery, "0.5")).status, 200);
    let shown = block_on(lab.get("/v1/datasets/visits", &lab.researcher)).json();
    assert_eq!(shown["columns"].as_array().expect("columns").len(), 6);
    assert_eq!(
        (&shown["joins"][0]["name"], &shown["joins"][0]["columns"][0]["name"]),
        (&json!("patients"), &json!("born"))
    );
    assert_eq!(shown["joins"][0]["columns"].as_array().expect("columns").len(), 2, "{shown}");
    lab.verified();
}

#[test]
fn what_cannot_be_joined_says_why() {
    let lab = lab(PURE, Arc::new(NoNoise), "100");
    for (sql, code, words) in [
        ("SELECT AVG(born) AS x FROM visits", "unknown-column", "JOIN patients USING (patient_id)"),
        ("SELECT COUNT(*) AS x FROM visits WHERE \"\"", "unknown-column", ""),
        ("SELECT \"\", COUNT(*) AS x FROM visits GROUP BY \"\"", "unknown-column", ""),
        ("SELECT AVG(signed) AS x FROM visits JOIN patients USING (patient_id)", "unknown-column", "signed"),
        (
            "SELECT COUNT(*) AS x FROM visits JOIN patient USING (patient_id)",
            "unsupported-sql",
            "did you mean \"patients\"",
        ),
        ("SELECT COUNT(*) AS x FROM visits JOIN patients USING (age)", "unknown-column", "has no column"),
        (
            "SELECT COUNT(*) AS x FROM visits JOIN patients USING (patient_id) JOIN patients USING (patient_id)",
            "unsupported-sql",
            "joined twice",
        ),
        ("SELECT COUNT(*) AS x FROM visits RIGHT JOIN patients USING (patient_id)", "unsupported-sql", "[[table]]"),
        ("SELECT COUNT(*) AS x FROM visits, patients", "unsupported-sql", "visits.patient_id = patients.patient_id"),
        ("SELECT AVG(age) AS x FROM patients", "unknown-column", "its columns are born, insurer"),
    ] {
        let refused = block_on(lab.sql(sql, "0.01")).json();
        assert_eq!(refused["code"], code, "{sql}: {refused}");
        assert!(refused.to_string().replace("\\\"", "\"").contains(words), "{sql}: {refused}");
    }
    let good = joined(PURE);
    for (from, to) in [
        ("name = \"patients\"", "name = \"visits\""),
        ("name = \"patients\"", "name = \"consents\""),
        ("name = \"born\"", "name = \"age\""),
        ("name = \"signed\"", "name = \"born\""),
        ("name = \"signed\"", "name = \"patient_id\""),
        ("source = \"consents.csv\"", "source = \"\""),
        ("privacy_unit = \"patient_id\"\nmax_rows_per_unit = 4", "privacy_unit = \"row\""),
    ] {
        assert!(good.contains(from) && Policy::parse(&good.replace(from, to)).is_err(), "{to}");
    }
}

/// A joined table is also a dataset of its own, including units without other rows; questions to it are charged to the cap that all tables
/// share.
#[test]
fn a_table_by_itself_has_the_cap_of_its_dataset() {
    let lab = lab(crate::support::GAUSSIAN, Arc::new(NoNoise), "4");
    let whole = block_on(lab.sql("SELECT COUNT(*) AS n FROM patients", "0.5")).json();
    assert_eq!((&whole["rows"][0]["n"], &whole["dataset"]), (&json!(181), &json!("visits")), "{whole}");
    let by_insurer = block_on(lab.sql(
        "SELECT insurer, COUNT(DISTINCT patient_id) AS n FROM patients WHERE born < 1990 GROUP BY insurer",
        "0.5",
    ))
    .json();
    assert_eq!(by_insurer["rows"].as_array().expect("rows").len(), 3, "{by_insurer}");
    assert_eq!(
        block_on(lab.sql("SELECT COUNT(*) AS n FROM consents WHERE signed > DATE '2020-06-01'", "0.5")).rows()[0]["n"],
        100
    );
    let visits = block_on(lab.sql("SELECT COUNT(*) AS n FROM visits", "0.5")).json();
    let accounts = block_on(lab.get("/v1/accounts", &lab.steward)).json();
    let accounts = accounts.as_array().expect("accounts");
    assert_eq!(accounts.len(), 2, "one of the dataset, one of the researcher: {accounts:?}");
    for account in accounts {
        assert_eq!(account["epsilon_spent"], visits["account"]["epsilon_spent"]);
    }
    assert!(visits["account"]["fraction_spent"].as_str() > whole["account"]["fraction_spent"].as_str());
    // The noise covers one row for each unit: at the same price, the error is a quarter of that for four rows.
    let error = |answer: &Value| {
        answer["columns"][0]["std_error"].as_str().expect("an error").parse::<f64>().expect("a number")
    };
    assert!((error(&visits) / error(&whole) - 4.0).abs() < 0.01);
    let shown = block_on(lab.get("/v1/datasets/patients", &lab.researcher)).json();
    assert_eq!((&shown["lineage"], &shown["max_rows_per_unit"]), (&json!("visits"), &json!(1)), "{shown}");
    let all = block_on(lab.get("/v1/datasets", &lab.researcher)).json();
    assert_eq!(all.as_array().expect("datasets").len(), 3);
    let stranger = block_on(lab.get("/v1/datasets/nothing", &lab.researcher)).json();
    assert_eq!(stranger["code"], "unknown-dataset");
    let frozen = block_on(lab.act("/v1/datasets/visits/freeze", &json!({"reason": "a test"})));
    assert_eq!(frozen.status, 200);
    assert_eq!(block_on(lab.sql("SELECT COUNT(born) AS n FROM patients WHERE born > 1960", "0.1")).code(), "frozen");
    let state = lab.dir.path().join("state");
    let editions = || std::fs::read_dir(state.join("editions")).expect("editions").count();
    assert_eq!(editions(), 3);
    let dir = lab.verified();
    // A new edition replaces the editions of all three tables.
    let policy = Policy::load(&dir.path().join("policy.toml")).expect("a policy");
    let (manifest, _) = tacit::engine::seal::seal(&policy, &state, &|_| {}).expect("sealed");
    assert_eq!(editions(), 6);
    tacit::engine::seal::clear_superseded(&state, &[manifest.edition]).expect("cleared");
    assert_eq!(editions(), 3);
}
