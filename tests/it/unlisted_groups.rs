//! Groups by a text column without a public list: found in the data, shown above a threshold, paid for in δ.

use std::sync::Arc;

use axum::http::Method;
use dashu::integer::IBig;
use serde_json::{Value, json};
use tacit::kernel::budget::ledger::read;
use tacit::kernel::privacy::amounts::{Delta, Price};
use tacit::kernel::privacy::mechanism::gaussian;
use tacit::kernel::privacy::sensitivity::{Aggregation, Sensitivity};
use tacit::kernel::privacy::threshold::Threshold;
use tacit::kernel::vault::noise::{NoiseSource, OpenDp};
use tacit::query::terms::policy::Policy;

use crate::support::{Lab, NoNoise, block_on, call};

/// A dataset of people whose rows hold a text.
fn policy(aside: &str, text: &str) -> String {
    format!(
        r#"
[dataset]
name = "visits"
source = "visits.csv"
privacy_unit = "patient_id"
max_rows_per_unit = 4
max_rows = 1_000_000
accountant = "gaussian"
cap = {{ epsilon = "8", delta = "0.01" }}
max_epsilon_per_query = "8"
{aside}
[[column]]
name = "drug"
type = "text"
{text}
[[column]]
name = "cost"
type = "integer"
min = "0"
max = "100"
"#
    )
}

const ASIDE: &str = "threshold_delta = \"3e-6\"\nthreshold_delta_per_query = \"1e-6\"";

/// 300 people got "aspirin", 200 "ibuprofen, twice", and 50 something that nobody else got.
fn csv() -> String {
    let mut csv = String::from("patient_id,drug,cost\n");
    for patient in 0..300 {
        csv.push_str(&format!("a{patient},aspirin,10\n"));
    }
    for patient in 0..200 {
        csv.push_str(&format!("b{patient},\" ibuprofen \",20\nb{patient},ibuprofen,40\n"));
    }
    for patient in 0..50 {
        csv.push_str(&format!("c{patient},rare {patient},99\n"));
    }
    csv
}

fn of(row: &Value, name: &str) -> f64 {
    row[name].as_f64().unwrap_or_else(|| panic!("{name} of {row}"))
}

#[test]
fn groups_are_found_and_small_ones_hidden() {
    let lab = Lab::new(&policy(ASIDE, "max_values = 1_000\nmax_groups_per_unit = 2"), &csv(), Arc::new(OpenDp), "8");
    let sql = "SELECT drug, COUNT(*) AS n, COUNT(DISTINCT patient_id) AS p, AVG(cost) AS m FROM visits GROUP BY drug";
    let quote = json!({"sql": sql, "epsilon": "2"}).to_string();
    let quote = block_on(call(&lab.router, Method::POST, "/v1/quotes", Some(&lab.researcher), &[], quote)).json();
    let answer = block_on(lab.sql(sql, "2")).json();
    assert_eq!(answer["threshold"], quote["threshold"], "{quote}");
    assert_eq!(answer["threshold"]["delta"], "1e-6");
    assert_eq!(answer["threshold"]["groups_per_unit"], 2);
    let rows = answer["rows"].as_array().expect("rows");
    let names: Vec<_> = rows.iter().map(|row| row["drug"].as_str().expect("a text")).collect();
    assert_eq!(names, ["aspirin", "ibuprofen"], "{answer}");
    for (row, (n, p, m)) in rows.iter().zip([(300.0, 300.0, 10.0), (400.0, 200.0, 30.0)]) {
        let near = |name: &str, truth: f64| {
            (of(row, name) - truth).abs() <= 4.0 * (of(row, &format!("{name}_high")) - of(row, name)).max(1.0)
        };
        assert!(near("n", n) && near("p", p) && near("m", m), "{row}");
        let least: f64 = answer["threshold"]["units"].as_str().expect("a number").parse().expect("a number");
        assert!(of(row, "p") >= least - 1.0, "{row} {least}");
    }
    // The same query with another layout is free: nothing is drawn, and no δ is used.
    let again = block_on(lab.sql(&sql.replace(" GROUP BY drug", " GROUP BY drug ORDER BY p LIMIT 1"), "1.5")).json();
    assert_eq!((&again["replayed"], &again["price"]["epsilon"]), (&json!(true), &json!("0")), "{again}");
    assert_eq!(again["rows"][0], rows[1]);
    // A more precise answer is drawn as a whole, so each group has another chance of being shown.
    let finer = block_on(lab.sql(sql, "3")).json();
    assert_eq!((&finer["legs"]["dataset"], &finer["derived_from"]), (&json!("3"), &Value::Null), "{finer}");
    let stored =
        block_on(lab.get(&format!("/v1/releases/{}", answer["release"].as_str().expect("an id")), &lab.researcher))
            .json();
    assert_eq!((&stored["rows"], &stored["threshold"]), (&answer["rows"], &answer["threshold"]));
}

/// The δ for thresholds is a budget of its own: enough for three answers is set aside, and a fourth is refused at no cost, whatever ε is
/// left.
#[test]
fn thresholds_take_what_was_set_aside() {
    let lab = Lab::new(&policy(ASIDE, ""), &csv(), Arc::new(OpenDp), "8");
    let taken =
        || read(lab.service.ledger(), |book| book.dataset("visits").expect("visits").threshold_delta.to_string());
    let sql = |least: usize| format!("SELECT drug, COUNT(*) AS n FROM visits WHERE cost >= {least} GROUP BY drug");
    for (least, delta) in [(0, "1e-6"), (1, "2e-6"), (2, "3e-6")] {
        assert_eq!(block_on(lab.sql(&sql(least), "0.5")).rows().len(), 2);
        assert_eq!(taken(), delta);
    }
    let head = lab.head();
    let refused = block_on(lab.sql(&sql(3), "0.5"));
    assert_eq!((refused.code(), lab.head()), ("budget-exhausted".to_owned(), head));
    assert!(refused.json()["detail"].as_str().expect("words").contains("delta 1e-6"), "{}", refused.json());
    // A more precise answer than the stored one is drawn as a whole, without a top-up, so it is refused, too.
    assert_eq!(block_on(lab.sql(&sql(0), "3")).code(), "budget-exhausted");
    assert_eq!(block_on(lab.sql(&sql(0), "0.5")).json()["replayed"], true);
    // Groups with a public domain are answered as usual.
    assert_eq!(block_on(lab.sql("SELECT COUNT(*) AS n FROM visits", "0.5")).rows().len(), 1);
    let accounts = block_on(lab.get("/v1/accounts", &lab.steward)).json();
    let whole = accounts
        .as_array()
        .expect("accounts")
        .iter()
        .find(|one| one["kind"] == "dataset")
        .expect("the dataset's")
        .clone();
    assert_eq!((&whole["threshold_delta_spent"], &whole["delta"]), (&json!("3e-6"), &json!("1e-2")), "{whole}");
    let shown = block_on(lab.get("/v1/datasets/visits", &lab.researcher)).json();
    assert_eq!((&shown["cap"]["threshold_delta"], &shown["cap"]["delta"]), (&json!("3e-6"), &json!("1e-2")));
    assert_eq!((&shown["columns"][0]["type"], &shown["columns"][0]["max_values"]), (&json!("text"), &json!(10_000)));
    lab.verified();
}

#[test]
fn what_is_grouped_by_text_says_what_it_is_not() {
    let lab = Lab::new(&policy("", ""), &csv(), Arc::new(OpenDp), "8");
    let refused = block_on(lab.sql("SELECT drug, COUNT(*) AS n FROM visits GROUP BY drug", "0.5")).json();
    assert!(refused["detail"].as_str().expect("words").contains("sets no delta aside"), "{refused}");
    for (from, to) in [
        ("threshold_delta = \"3e-6\"", "threshold_delta = \"0.01\""),
        ("per_query = \"1e-6\"", "per_query = \"4e-6\""),
        ("threshold_delta = \"3e-6\"\n", ""),
        (
            "accountant = \"gaussian\"\ncap = { epsilon = \"8\", delta = \"0.01\" }",
            "accountant = \"pure\"\ncap = { epsilon = \"8\" }",
        ),
        ("type = \"text\"", "type = \"text\"\nmax_values = 100_000"),
        ("type = \"text\"", "type = \"text\"\nmax_groups_per_unit = 5"),
        ("type = \"text\"", "type = \"text\"\nper_unit = true\nmax_groups_per_unit = 2"),
        ("type = \"text\"", "type = \"text\"\nvalues = [\"a\"]"),
        ("type = \"integer\"", "type = \"integer\"\nmax_values = 3"),
    ] {
        let text = policy(ASIDE, "");
        assert!(text.contains(from) && Policy::parse(&text.replace(from, to)).is_err(), "{to}");
    }
}

/// As many texts as were declared, and missing ones: a table within its capacity is answered, whatever one unit adds to it.
#[test]
fn the_declared_capacity_can_be_reached() {
    let mut csv = String::from("patient_id,drug,cost\n");
    for patient in 0..40 {
        csv.push_str(&format!("p{patient},text {},1\np{patient},,1\n", patient % 5));
    }
    for groups in [1, 4] {
        let text = format!("max_values = 5\nnullable = true\nmax_groups_per_unit = {groups}");
        let lab = Lab::new(&policy(ASIDE, &text), &csv, Arc::new(OpenDp), "8");
        let rows = block_on(lab.sql("SELECT drug, COUNT(*) AS n FROM visits GROUP BY drug", "8")).rows();
        assert!(rows.len() <= 6, "{rows:?}");
        let ledger = read(lab.service.ledger(), |book| book.dataset("visits").expect("visits").cells);
        assert_eq!(ledger, 2 * 6, "five texts and nothing, of two measurements");
    }
}

/// A total over all groups, including hidden ones, is a measurement of its own, never the sum of the groups.
#[test]
fn a_total_stands_beside_the_groups() {
    let lab = Lab::new(&policy(ASIDE, "max_values = 1_000\nmax_groups_per_unit = 2"), &csv(), Arc::new(OpenDp), "8");
    let sql = "SELECT drug, GROUPING(drug) AS g, COUNT(*) AS n, COUNT(DISTINCT patient_id) AS p, AVG(cost) AS m FROM visits GROUP BY ROLLUP (drug) ORDER BY g, drug";
    let answer = block_on(lab.sql(sql, "4")).json();
    let rows = answer["rows"].as_array().expect("rows");
    let names: Vec<_> = rows.iter().map(|row| (row["drug"].clone(), row["g"].as_i64())).collect();
    assert_eq!(names, [(json!("aspirin"), Some(0)), (json!("ibuprofen"), Some(0)), (Value::Null, Some(1))], "{answer}");
    let near = |row: &Value, name: &str, truth: f64| {
        assert!(
            (of(row, name) - truth).abs() <= 4.5 * of(row, &format!("{name}_std_error")) + 1.0,
            "{name} of {row}: {truth}"
        );
    };
    for (row, (n, p)) in rows.iter().zip([(300.0, 300.0), (400.0, 200.0), (750.0, 550.0)]) {
        near(row, "n", n);
        near(row, "p", p);
    }
    assert!(of(&rows[2], "p_std_error") < of(&rows[0], "p_std_error"), "a person is in one total, and in two groups");
    assert!(answer["sql"].as_str().expect("SQL").contains("GROUP BY GROUPING SETS ((drug), ())"), "{answer}");
    assert_eq!(block_on(lab.sql(answer["sql"].as_str().expect("SQL"), "4")).json()["replayed"], true);
    let cells = read(lab.service.ledger(), |book| book.dataset("visits").expect("visits").cells);
    assert_eq!(cells, 3 * 1_001, "the capacity and the total, of rows, of units, and of costs");
    // Outputs that nobody asked a total of have none.
    let terms = &lab.service.dataset("visits").expect("visits").terms;
    let query =
        tacit::query::parse::parse("SELECT drug, COUNT(*) AS n FROM visits GROUP BY ROLLUP (drug)").expect("SQL");
    assert_eq!(tacit::query::plan::plan(&query, terms, None).expect("a plan").sought.len(), 3);
    lab.verified();
}

/// Rows that are units themselves, texts of a joined table, other formats, keys and colleagues.
#[test]
fn groups_are_found_however_they_are_asked_for() {
    let joined = "\n[[join]]\nname = \"people\"\nsource = \"people.csv\"\n[[join.column]]\nname = \"town\"\ntype = \"text\"\nmax_values = 100\n";
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("visits.csv"), csv()).expect("a source");
    let people: String = (0..300).map(|patient| format!("a{patient},{}\n", ["Ulm", "Bonn"][patient % 2])).collect();
    std::fs::write(dir.path().join("people.csv"), format!("patient_id,town\n{people}b0,Nowhere\n")).expect("a source");
    let lab = Lab::over(dir, &(policy(ASIDE, "max_values = 100") + joined), Arc::new(OpenDp), "4");
    let sql = "SELECT town, COUNT(*) AS n, SUM(cost) AS s FROM visits JOIN people USING (patient_id) GROUP BY town";
    let body = json!({"sql": sql, "epsilon": "1"}).to_string();
    let ask = |token: &str, headers: &[(&str, &str)]| {
        block_on(call(&lab.router, Method::POST, "/v1/queries", Some(token), headers, body.clone()))
    };
    let keyed = [("idempotency-key", "one")];
    let first = ask(&lab.researcher, &keyed);
    let names = |rows: &[Value]| rows.iter().map(|row| row["town"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&first.rows()), ["Bonn", "Ulm"]);
    assert_eq!(ask(&lab.researcher, &keyed).bytes, first.bytes);
    let csv = String::from_utf8(ask(&lab.researcher, &[("accept", "text/csv")]).bytes).expect("UTF-8");
    assert!(
        csv.starts_with("town,n,n_low,n_high,n_std_error,s,") && csv.contains("\nBonn,") && csv.lines().count() == 3,
        "{csv}"
    );
    for format in ["application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"] {
        assert_eq!(ask(&lab.researcher, &[("accept", format)]).status, 200);
    }
    // A colleague is served what is stored, which uses none of the δ set aside.
    let bob = block_on(lab.act("/v1/researchers", &json!({"name": "bob", "role": "researcher"}))).json();
    assert_eq!(block_on(lab.grant("bob", "visits", "2")).status, 200);
    let served = ask(bob["token"].as_str().expect("a token"), &[]);
    assert_eq!(served.rows(), first.rows());
    assert_eq!((&served.json()["legs"]["dataset"], &served.json()["replayed"]), (&json!("0"), &json!(true)));
    let taken = read(lab.service.ledger(), |book| book.dataset("visits").expect("visits").threshold_delta.to_string());
    assert_eq!(taken, "1e-6");
    // The table by itself; a query whose groups are all too small; and one that finds no groups.
    assert_eq!(
        names(&block_on(lab.sql("SELECT town, COUNT(*) AS n FROM people GROUP BY town", "1")).rows()),
        ["Bonn", "Ulm"]
    );
    let none = "SELECT drug, COUNT(*) AS n FROM visits WHERE cost > 95 GROUP BY drug";
    assert!(block_on(lab.sql(none, "1")).rows().is_empty());

    let by_row = policy(ASIDE, "").replace("\"patient_id\"\nmax_rows_per_unit = 4", "\"row\"");
    let lab = Lab::new(&by_row, &csv_of_rows(), Arc::new(OpenDp), "8");
    let rows = block_on(lab.sql("SELECT drug, COUNT(*) AS n FROM visits WHERE cost > 500 GROUP BY drug", "1")).rows();
    assert!(rows.is_empty());
    let rows = block_on(lab.sql("SELECT drug, COUNT(*) AS n FROM visits GROUP BY drug", "2")).rows();
    assert_eq!(rows.iter().map(|row| row["drug"].clone()).collect::<Vec<_>>(), ["aspirin", "ibuprofen"]);
}

/// The same rows without the people's ids.
fn csv_of_rows() -> String {
    csv().lines().map(|line| format!("{}\n", line.split_once(',').expect("an id").1)).collect()
}

/// A unit counts only in its first groups; texts are cut and cleaned; more texts than were declared stop the sealing.
#[test]
fn texts_are_bounded_when_they_are_sealed() {
    let mut csv = String::from("patient_id,drug,cost\n");
    for patient in 0..100 {
        csv.push_str(&format!(
            "p{patient},aspirin,1\np{patient},ibuprofen,1\np{patient},\u{1b}[2J{},1\n",
            "ä".repeat(300)
        ));
    }
    let one = policy(
        "threshold_delta = \"3e-6\"\nthreshold_delta_per_query = \"1e-6\"",
        "max_groups_per_unit = 1\nmax_values = 3",
    );
    let lab = Lab::new(&one, &csv, Arc::new(NoNoise), "8");
    let rows =
        block_on(lab.sql("SELECT drug, COUNT(*) AS n, COUNT(DISTINCT patient_id) AS p FROM visits GROUP BY drug", "8"))
            .rows();
    assert!((1..=3).contains(&rows.len()), "{rows:?}");
    let (n, p): (f64, f64) = (rows.iter().map(|row| of(row, "n")).sum(), rows.iter().map(|row| of(row, "p")).sum());
    assert_eq!((n, p), (100.0, 100.0), "each of a hundred people counts once: {rows:?}");
    for row in &rows {
        let text = row["drug"].as_str().expect("a text");
        assert!(text.len() <= 200 && !text.chars().any(char::is_control), "{text:?}");
    }
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("visits.csv"), csv).expect("a source");
    let path = dir.path().join("policy.toml");
    std::fs::write(&path, one.replace("max_values = 3", "max_values = 2")).expect("a policy");
    let policy = Policy::load(&path).expect("a policy");
    let error = tacit::engine::seal::seal(&policy, &dir.path().join("state"), &|_| {}).expect_err("too many");
    assert!(error.to_string().contains("max_values = 2"), "{error}");
    assert!(!error.to_string().contains("aspirin"), "{error}");
}

/// Upper confidence bound at 99.9 % for a probability, given that the event was seen `seen` times in `n` trials.
fn upper_bound(seen: usize, n: usize) -> f64 {
    // Clopper–Pearson by bisection: P[X ≤ seen] = 0.001 at the bound.
    let below = |p: f64| {
        let (mut term, mut sum) = ((n as f64 * (-p).ln_1p()).exp(), 0.0);
        for k in 0..=seen {
            sum += term;
            term *= (n - k) as f64 / (k + 1) as f64 * p / (1.0 - p);
        }
        sum
    };
    let (mut low, mut high) = (0.0, 0.5);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if below(middle) > 0.001 { low = middle } else { high = middle }
    }
    high
}

/// A text that only one person has is shown with a probability of at most δ; of two such texts, each with at most half of it.
#[test]
fn a_rare_text_is_shown_no_more_often_than_delta() {
    let sensitivity = Sensitivity::of(Aggregation::DistinctUnits { cells_reachable: 2 }, 4).expect("it fits");
    let law = gaussian(sensitivity, Price::from_quanta(50_000_000_000_000)).expect("a law");
    for (delta, samples) in [("0.01", 40_000), ("0.001", 200_000)] {
        let delta = Delta::parse(delta).expect("a delta");
        let least = Threshold { groups_per_unit: 2, delta }.least(&law).expect("a Gaussian");
        let one = IBig::ONE << law.fine_bits as usize;
        let noise = OpenDp.draw(&law, samples).expect("noise");
        let shown = noise.iter().filter(|noise| &one + *noise >= least).count();
        let bound = upper_bound(shown, samples);
        println!("delta {delta}: {shown} of {samples} shown, at most {bound:.6} with 99.9 %");
        assert!(bound <= delta.to_f64(), "{shown} of {samples}: {bound}");
        // Nor much less often, otherwise the threshold would be higher than needed.
        assert!(shown as f64 / samples as f64 > 0.4 * delta.to_f64() / 2.0, "{shown} of {samples}");
    }
}

/// The same check end to end: 40,000 texts that only one person has, two per person, at δ = 0.001.
#[test]
fn rare_texts_of_many_people_stay_hidden_end_to_end() {
    const PEOPLE: usize = 20_000;
    let mut csv = String::from("patient_id,drug,cost\n");
    for patient in 0..PEOPLE {
        csv.push_str(&format!("p{patient},first of {patient},1\np{patient},second of {patient},1\n"));
    }
    let aside = "threshold_delta = \"0.009\"\nthreshold_delta_per_query = \"0.009\"";
    let lab = Lab::new(&policy(aside, "max_values = 40_000\nmax_groups_per_unit = 2"), &csv, Arc::new(OpenDp), "8");
    let rows =
        block_on(lab.sql("SELECT drug, COUNT(DISTINCT patient_id) AS p FROM visits GROUP BY drug", "0.5")).rows();
    let bound = upper_bound(rows.len(), 2 * PEOPLE);
    println!("{} of {} texts shown, at most {bound:.6} with 99.9 %", rows.len(), 2 * PEOPLE);
    assert!(bound <= 0.009 && !rows.is_empty());
}
