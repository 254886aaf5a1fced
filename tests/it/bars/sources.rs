//! Tables that share stored draws: how often their intervals, and those of their totals, contain the true value.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::Seeded;
use crate::support::{Lab, block_on};

const PLACES: usize = 300;

fn policy() -> String {
    let last = PLACES - 1;
    format!(
        r#"
[dataset]
name = "visits"
source = "visits.csv"
privacy_unit = "patient_id"
max_rows_per_unit = 1
max_rows = 100_000
accountant = "gaussian"
cap = {{ epsilon = "60", delta = "1e-6" }}
max_epsilon_per_query = "10"
[[column]]
name = "place"
type = "integer"
min = "0"
max = "{last}"
[[column]]
name = "a"
type = "category"
values = ["x", "y"]
[[column]]
name = "b"
type = "category"
values = ["x", "y", "z"]
[[column]]
name = "c"
type = "category"
values = ["x", "y"]
[[column]]
name = "cost"
type = "decimal"
min = "0"
max = "100"
step = "0.5"
"#
    )
}

/// A row of a person: place, the codes of a, b and c, and the cost in halves.
type Row = (usize, [usize; 3], u32);

const LABELS: [&str; 3] = ["x", "y", "z"];

fn rows() -> Vec<Row> {
    let mut rng = StdRng::seed_from_u64(4);
    let mut code = |codes: usize| rng.random_range(0..codes);
    (0..60 * PLACES).map(|person| (person % PLACES, [code(2), code(3), code(2)], code(201) as u32)).collect()
}

fn lab(rows: &[Row], seed: u64) -> Lab {
    let mut csv = String::from("patient_id,place,a,b,c,cost\n");
    for (person, (place, codes, cost)) in rows.iter().enumerate() {
        let [a, b, c] = codes.map(|code| LABELS[code]);
        csv.push_str(&format!("p{person},{place},{a},{b},{c},{}\n", f64::from(*cost) / 2.0));
    }
    Lab::new(&policy(), &csv, Seeded::new(seed), "60")
}

fn number(row: &Value, name: &str) -> f64 {
    row[name].as_f64().unwrap_or_else(|| panic!("{name} of {row} is a number"))
}

/// The place, with the codes of a, b and c if they are grouping keys: these identify a group.
type Group = (usize, [Option<usize>; 3]);

/// Counts and sums of all groups, over rows whose cost is at least `least`.
fn truths(rows: &[Row], least: f64) -> BTreeMap<Group, (f64, f64)> {
    let mut truths = BTreeMap::new();
    for (place, codes, cost) in rows.iter().filter(|row| f64::from(row.2) / 2.0 >= least) {
        for grouped in 0..8 {
            let key = |at: usize| (grouped >> at & 1 == 1).then_some(codes[at]);
            let (count, sum) = truths.entry((*place, [key(0), key(1), key(2)])).or_insert((0.0, 0.0));
            (*count, *sum) = (*count + 1.0, *sum + f64::from(*cost) / 2.0);
        }
    }
    truths
}

/// How often the intervals of counts, sums and means contain the true value, by the keys of a row and the estimate: the number that do, and
/// the number of all.
type Held = BTreeMap<(String, &'static str), (u32, u32)>;

/// Asks questions one after the other, and examines the intervals of the last one.
fn look(lab: &Lab, rows: &[Row], least: f64, stored: &[(&str, &str)], (sets, epsilon): (&str, &str), held: &mut Held) {
    let keys = |groups: &str| {
        let named = |key: &&str| groups.split(|sign: char| !sign.is_alphanumeric()).any(|word| word == *key);
        ["place", "a", "b", "c"].into_iter().filter(named).collect::<Vec<_>>().join(", ")
    };
    let sql = |groups: &str| {
        let keys = keys(groups);
        format!(
            "SELECT {keys}, COUNT(*) AS n, SUM(cost) AS s, AVG(cost) AS m FROM visits WHERE cost >= {least} GROUP BY {groups}"
        )
    };
    for (groups, epsilon) in stored {
        block_on(lab.sql(&sql(groups), epsilon)).rows();
    }
    let answer = block_on(lab.sql(&sql(sets), epsilon)).json();
    assert!(answer["derived_from"].as_array().is_some_and(|from| !from.is_empty()), "{sets}: {answer}");
    let truths = truths(rows, least);
    for row in answer["rows"].as_array().expect("rows").iter().filter(|row| row["place"].is_number()) {
        let code = |key: &str| LABELS.iter().position(|label| row[key] == *label);
        let (place, keys) = (row["place"].as_u64().expect("a place") as usize, ["a", "b", "c"]);
        let about = keys.into_iter().filter(|key| code(key).is_some()).collect::<Vec<_>>().join(" ");
        let (n, s) = truths.get(&(place, keys.map(code))).copied().unwrap_or_default();
        for (name, truth) in [("n", n), ("s", s), ("m", s / n)] {
            // Means of the smallest groups are mostly lost in noise, so those of all tables are counted together.
            let about = if name == "m" { "all" } else { &about };
            let (held, all) = held.entry((about.to_owned(), name)).or_default();
            if row[name].is_number() && truth.is_finite() {
                let is_held =
                    number(row, &format!("{name}_low")) <= truth && truth <= number(row, &format!("{name}_high"));
                (*held, *all) = (*held + u32::from(is_held), *all + 1);
            }
        }
    }
}

/// Groupings that were asked before, each with its ε.
type Asked<'a> = &'a [(&'a str, &'a str)];

/// Whatever stored draws tables share, their intervals and those of their totals contain the true value as often as they claim.
#[test]
fn tables_that_share_stored_draws_hold_the_truth() {
    let (rows, mut wrong) = (rows(), Vec::new());
    let lab = lab(&rows, 7);
    let sets = "GROUPING SETS ((place, a), (place, b), (place))";
    let three = "GROUPING SETS ((place, a), (place, b), (place, c), (place))";
    let finest = "place, a, b";
    let questions: [(&str, Asked<'_>, (&str, &str)); 6] = [
        ("stored", &[(finest, "1")], (sets, "0.3")),
        ("topped up", &[(finest, "0.5")], (sets, "0.6")),
        ("in part", &[(finest, "0.7"), ("place, b, c", "0.7")], (three, "0.4")),
        ("of one finer", &[("place, a, b, c", "1"), (finest, "0.4")], (three, "0.3")),
        (
            "pairs",
            &[("place, a, b, c", "1")],
            ("GROUPING SETS ((place, a, b), (place, b, c), (place, c), (place))", "0.5"),
        ),
        ("of one table", &[("place, a, b, c", "1")], ("ROLLUP (place, a, b)", "0.3")),
    ];
    for (at, (name, stored, asked)) in questions.into_iter().enumerate() {
        let mut held = Held::new();
        for round in 0..3 {
            look(&lab, &rows, (3 * at + round) as f64, stored, asked, &mut held);
        }
        for ((about, of), (held, all)) in held {
            let share = f64::from(held) / f64::from(all.max(1));
            println!("{name:14} {of} of ({about}): {share:.3} of {all}");
            if !(0.93..=0.97).contains(&share) {
                wrong.push(format!("{name}: {of} of ({about}): {share:.3} of {all}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The sources of tables are stored with the answer: another question over it, and the same question again, show the same numbers.
#[test]
fn what_tables_share_is_stored() {
    let rows = rows();
    let lab = lab(&rows, 8);
    let sql = |sets: &str| format!("SELECT place, a, b, COUNT(*) AS n FROM visits GROUP BY GROUPING SETS ({sets})");
    block_on(lab.sql("SELECT place, a, b, COUNT(*) AS n FROM visits GROUP BY place, a, b", "1")).rows();
    let all = block_on(lab.sql(&sql("(place, a), (place, b), (place)"), "0.3"));
    let shown = all.rows();
    assert_eq!(all.json()["price"]["epsilon"], "0");
    for sets in ["(place), (place, b), (place, a)", "(place, a), (place, b)"] {
        for row in block_on(lab.sql(&sql(sets), "0.3")).rows() {
            assert!(shown.contains(&row), "{sets}: {row}");
        }
    }
    let release = all.json()["release"].as_str().expect("a release").to_owned();
    let again = block_on(lab.get(&format!("/v1/releases/{release}"), &lab.researcher)).rows();
    assert_eq!(again, shown);
    let key = [("idempotency-key", "one")];
    let body = json!({"sql": sql("(place, a), (place, b), (place)"), "epsilon": "0.3"}).to_string();
    let ask = || {
        let token = Some(&lab.researcher[..]);
        block_on(crate::support::call(&lab.router, axum::http::Method::POST, "/v1/queries", token, &key, body.clone()))
    };
    let keyed = ask();
    assert_eq!(keyed.rows(), shown);
    assert_eq!(ask().bytes, keyed.bytes);
    lab.verified();
}
