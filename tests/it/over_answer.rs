//! Questions over an answer: each is the question that it would be if it were written as one, at that question's price.

use serde_json::Value;
use tacit::query::answer::{Cell, Table};
use tacit::query::canonical;
use tacit::query::error::QueryError;
use tacit::query::parse::parse;
use tacit::query::plan::{Plan, plan};

use crate::support::{Lab, block_on};

fn planned(lab: &Lab, sql: &str) -> Result<Plan, QueryError> {
    let terms = &lab.service.dataset("visits").expect("visits").terms;
    plan(&parse(sql)?, terms, None)
}

const REGIONS: &str = "(SELECT region, COUNT(*) AS n, SUM(cost) AS cost FROM visits GROUP BY region) r";
const CELLS: &str = "(SELECT region, smoker, COUNT(*) AS n FROM visits GROUP BY region, smoker) c";

/// Questions over an answer, each with the one that asks the same in one SELECT.
fn pairs() -> Vec<(String, &'static str)> {
    vec![
        (format!("SELECT region, n FROM {REGIONS} WHERE n > 70"), "SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING COUNT(*) > 70"),
        (
            format!("SELECT r.*, cost / n AS mean FROM {REGIONS} ORDER BY mean DESC LIMIT 2"),
            "SELECT region, COUNT(*) AS n, SUM(cost) AS cost, SUM(cost) / COUNT(*) AS mean FROM visits GROUP BY region ORDER BY mean DESC LIMIT 2",
        ),
        (
            format!("SELECT region, n * 100.0 / SUM(n) OVER () AS share FROM {REGIONS} WHERE region <> 'north'"),
            "SELECT region, COUNT(*) * 100.0 / SUM(COUNT(*)) OVER () AS share FROM visits GROUP BY region HAVING region <> 'north'",
        ),
        (
            "WITH a AS (SELECT region AS place, COUNT(*) FROM visits GROUP BY place), b(p, n) AS (SELECT * FROM a) SELECT p, n FROM b ORDER BY 2".to_owned(),
            "SELECT region AS p, COUNT(*) AS n FROM visits GROUP BY region ORDER BY n",
        ),
        (
            format!("SELECT region, SUM(n) AS n, MAX(n) AS most FROM {CELLS} GROUP BY region"),
            "SELECT DISTINCT region, SUM(COUNT(*)) OVER (PARTITION BY region) AS n, MAX(COUNT(*)) OVER (PARTITION BY region) AS most FROM visits GROUP BY region, smoker",
        ),
        (
            format!("SELECT AVG(n) AS mean, COUNT(*) AS k FROM {CELLS}"),
            "SELECT DISTINCT AVG(COUNT(*)) OVER () AS mean, COUNT(*) OVER () AS k FROM visits GROUP BY region, smoker",
        ),
        (
            format!("SELECT r.region, r.n * 1.0 / t.n AS share FROM {REGIONS} CROSS JOIN (SELECT COUNT(*) AS n FROM visits) t"),
            "SELECT region, COUNT(*) * 1.0 / (SELECT COUNT(*) FROM visits) AS share FROM visits GROUP BY region",
        ),
        (
            format!("SELECT r.region, s.n * 1.0 / r.n AS share FROM {REGIONS} JOIN (SELECT region, COUNT(*) AS n FROM visits WHERE smoker GROUP BY 1) s ON r.region = s.region"),
            "SELECT region, COUNT(*) FILTER (WHERE smoker) * 1.0 / COUNT(*) AS share FROM visits GROUP BY region",
        ),
        (
            "SELECT (SELECT COUNT(*) FROM visits WHERE smoker) * 1.0 / (SELECT COUNT(*) FROM visits) AS share".to_owned(),
            "SELECT COUNT(*) FILTER (WHERE smoker) * 1.0 / COUNT(*) AS share FROM visits",
        ),
        (
            "SELECT (SELECT AVG(cost) FROM visits WHERE age > 30) AS mean".to_owned(),
            "SELECT AVG(cost) AS mean FROM visits WHERE age > 30",
        ),
    ]
}

#[test]
fn a_question_over_an_answer_is_the_question_in_one() {
    let lab = Lab::exact();
    let terms = &lab.service.dataset("visits").expect("visits").terms;
    for (nested, plain) in pairs() {
        let of = |sql: &str| planned(&lab, sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let (one, other) = (of(&nested), of(plain));
        assert_eq!(one.computation, other.computation, "{nested}");
        assert_eq!(one.layout, other.layout, "{nested}");
        assert_eq!(canonical::sql(&one, terms), canonical::sql(&other, terms), "{nested}");
        let first = block_on(lab.sql(&nested, "0.1"));
        let again = block_on(lab.sql(plain, "0.1"));
        assert_eq!(again.json()["replayed"], true, "{plain}");
        assert_eq!(first.rows(), again.rows(), "{nested}");
    }
    lab.verified();
}

fn number(row: &Value, name: &str) -> f64 {
    row[name].as_f64().unwrap_or_else(|| panic!("{name} of {row}"))
}

/// The numbers of a column.
fn numbers(table: &Table, name: &str) -> Vec<f64> {
    let place = table.names.iter().position(|known| known == name).unwrap_or_else(|| panic!("no {name}"));
    let number = |row: &Vec<Cell>| row[place].text().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
    table.rows.iter().map(number).collect()
}

/// Aggregates over groups are those of the groups that are shown, and nothing more is measured for them.
#[test]
fn groups_add_up() {
    let lab = Lab::exact();
    let cells = "SELECT region, smoker, COUNT(*) AS n FROM visits GROUP BY region, smoker";
    let all = numbers(&block_on(lab.exact_table(cells)), "n");
    let north = numbers(&block_on(lab.exact_table(&format!("SELECT n FROM ({cells}) t WHERE region = 'north'"))), "n");
    let sql = format!(
        "SELECT SUM(n) AS s, AVG(n) AS a, MIN(n) AS b, MAX(n) AS c, COUNT(*) AS k, COUNT(*) FILTER (WHERE n > 20) AS many, \
         SUM(n) FILTER (WHERE region <> 'north') AS others FROM {CELLS}"
    );
    let reply = block_on(lab.sql(&sql, "0.001"));
    assert_eq!(reply.json()["replayed"], true, "nothing more is measured: {}", reply.json());
    let table = block_on(lab.exact_table(&sql));
    let (sum, count) = (all.iter().sum::<f64>(), all.len() as f64);
    for (name, wanted) in [
        ("s", sum),
        ("a", sum / count),
        ("b", all.iter().copied().fold(f64::INFINITY, f64::min)),
        ("c", all.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        ("k", count),
        ("many", all.iter().filter(|n| **n > 20.0).count() as f64),
        ("others", sum - north.iter().sum::<f64>()),
    ] {
        let found = numbers(&table, name);
        assert!(found.len() == 1 && (found[0] - wanted).abs() < 1e-6, "{name}: {found:?}, not {wanted}");
    }
    let width = |row: &Value, name: &str| number(row, &format!("{name}_high")) - number(row, &format!("{name}_low"));
    let cell = &block_on(lab.sql(cells, "0.001")).rows()[0];
    assert!(width(&reply.rows()[0], "s") > 2.0 * width(cell, "n"), "a sum of noisy groups is less certain than one");
    // A condition that no group meets leaves a row all the same, as in SQL.
    let none = block_on(lab.exact_table(&format!("SELECT COUNT(*) AS k FROM {CELLS} WHERE n > 1000000")));
    assert_eq!(numbers(&none, "k"), [0.0]);
}

/// A condition after windows applies after them: ranks are those among all groups.
#[test]
fn conditions_come_after_windows() {
    let lab = Lab::exact();
    let ranked = "SELECT region, COUNT(*) AS n, RANK() OVER (ORDER BY COUNT(*) DESC) AS place, SUM(COUNT(*)) OVER () AS all_of FROM visits GROUP BY region";
    let all = block_on(lab.sql(&format!("{ranked} ORDER BY place, region"), "0.5")).rows();
    let few =
        block_on(lab.sql(&format!("SELECT * FROM ({ranked}) t WHERE place > 1 ORDER BY place, region LIMIT 1"), "0.5"));
    assert_eq!(few.json()["replayed"], true);
    let wanted = all.iter().find(|row| number(row, "place") > 1.0).expect("a second place");
    assert_eq!(few.rows(), std::slice::from_ref(wanted));
    let late = block_on(lab.sql(
        "SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING COUNT(*) > (SELECT COUNT(*) FROM visits) / 2.0",
        "0.5",
    ));
    assert!(late.rows().len() < all.len(), "no two regions have more than half of all");
}

#[test]
fn what_is_refused_says_why() {
    let lab = Lab::exact();
    for (sql, why) in [
        (format!("SELECT region, smoker FROM {REGIONS}"), "\"smoker\" is no column of the query in FROM"),
        (format!("SELECT x.region FROM {REGIONS}"), "\"x\" is not the name of the query in FROM"),
        (
            "SELECT n FROM (SELECT region AS n, COUNT(*) AS n FROM visits GROUP BY region) t".to_owned(),
            "names two columns",
        ),
        (
            "SELECT n FROM (SELECT COUNT(*) AS n FROM visits GROUP BY region ORDER BY n LIMIT 2) t ORDER BY n DESC"
                .to_owned(),
            "has a LIMIT",
        ),
        (format!("SELECT STDDEV(n) FROM {REGIONS}"), "STDDEV over groups"),
        (format!("SELECT n, COUNT(*) FROM {REGIONS} GROUP BY n"), "grouped again by some of their keys"),
        (format!("SELECT region, MAX(n) FROM {CELLS}"), "neither aggregated nor grouped by"),
        ("SELECT DISTINCT COUNT(*) FROM visits GROUP BY region".to_owned(), "several groups"),
        (
            "SELECT region, (SELECT COUNT(DISTINCT patient_id) FROM visits) FROM visits GROUP BY region".to_owned(),
            "does not add up",
        ),
    ] {
        let error = planned(&lab, &sql).expect_err(&sql);
        assert!(error.message.contains(why), "{sql}: {}", error.message);
    }
}
