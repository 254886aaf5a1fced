//! Questions about several tables: fixed ones of each form, from `tests/data/clinic`, and random ones that put relations into each other.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

const ANSWERED: &str = include_str!("../../../data/clinic/answered.sql");
const REFUSED: &str = include_str!("../../../data/clinic/refused.sql");

/// Questions that are answered.
pub fn answered() -> impl Iterator<Item = &'static str> {
    statements(ANSWERED)
}

/// Questions that are refused, whatever the tables hold.
pub fn refused() -> impl Iterator<Item = &'static str> {
    statements(REFUSED)
}

fn statements(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with("--")).map(|line| line.trim_end_matches(';'))
}

/// How deep relations are put into each other.
const DEPTH_MAX: u32 = 3;
/// Conditions on the columns of a random relation.
const CONDITIONS: [&str; 7] = [
    "flag",
    "NOT flag",
    "n > 3",
    "n IS NULL",
    "code = 'a10' OR code IS NULL",
    "day >= DATE '2023-03-01'",
    "code IN (SELECT code FROM codes WHERE chapter = 2)",
];
const AGGREGATES: [&str; 8] = [
    "COUNT(*)",
    "COUNT(DISTINCT patient_id)",
    "SUM(n)",
    "AVG(n)",
    "COUNT(day)",
    "COUNT(*) FILTER (WHERE flag)",
    "AVG(n) FILTER (WHERE NOT flag)",
    "STDDEV(n)",
];
const KEYS: [&str; 4] = ["code", "flag", "EXTRACT(YEAR FROM day)", "n > 5"];

fn choose<'a>(rng: &mut StdRng, from: &[&'a str]) -> &'a str {
    from.choose(rng).expect("one")
}

/// A random question over a random relation, or several put together.
pub fn random(rng: &mut StdRng) -> String {
    if rng.random_bool(0.1) {
        let arms: Vec<String> = (0..rng.random_range(2..4)).map(|_| single(rng)).collect();
        return arms.join(" UNION ALL ");
    }
    single(rng)
}

/// A random question over a random relation.
fn single(rng: &mut StdRng) -> String {
    let depth = rng.random_range(1..=DEPTH_MAX);
    let of = relation(rng, depth);
    let first = choose(rng, &AGGREGATES);
    let mut items = format!("{first} AS a0");
    if rng.random_bool(0.4) {
        items.push_str(&format!(", {} AS a1", choose(rng, &AGGREGATES)));
    }
    let condition = match rng.random_bool(0.4) {
        true => format!(" WHERE {}", choose(rng, &CONDITIONS)),
        false => String::new(),
    };
    match rng.random_bool(0.5) {
        true => {
            let key = choose(rng, &KEYS);
            format!("SELECT {key} AS k, {items} FROM ({of}) AS r{condition} GROUP BY {key}")
        }
        false => format!("SELECT {items} FROM ({of}) AS r{condition}"),
    }
}

/// A random query of rows with the unit, a code, a day, a number and a flag.
fn relation(rng: &mut StdRng, depth: u32) -> String {
    if depth == 0 {
        return match rng.random_range(0..4) {
            0 => "SELECT patient_id, code, given AS day, dose AS n, dose > 2 AS flag FROM drugs",
            1 => "SELECT patient_id, CASE WHEN ended - began > 20 THEN 'a10' END AS code, began AS day, ended - began AS n, ended > began AS flag FROM stays",
            2 => "SELECT patient_id, CASE WHEN sex = 'f' THEN 'a10' ELSE 'b20' END AS code, joined AS day, born - 1960 AS n, sex = 'm' AS flag FROM people",
            _ => "SELECT patient_id, code, found AS day, score AS n, severe AS flag FROM conditions",
        }
        .to_owned();
    }
    let of = relation(rng, depth - 1);
    let by = choose(rng, &["day", "n, day", "day DESC", "code, n"]);
    let condition = choose(rng, &CONDITIONS);
    let own = format!("PARTITION BY patient_id ORDER BY {by}");
    match rng.random_range(0..12) {
        0 => format!("SELECT patient_id, code, day, n, flag FROM ({of}) AS r WHERE {condition}"),
        1 => format!(
            "SELECT patient_id, code, day, day - LAG(day) OVER ({own}) AS n, ROW_NUMBER() OVER ({own}) <= 2 AS flag FROM ({of}) AS r"
        ),
        2 => format!(
            "SELECT patient_id, LEAD(code) OVER ({own}) AS code, MIN(day) OVER (PARTITION BY patient_id, code) AS day, \
             COUNT(*) OVER ({own} ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS n, flag FROM ({of}) AS r"
        ),
        3 => format!(
            "SELECT patient_id, FIRST_VALUE(code) OVER ({own}) AS code, day, SUM(n) OVER ({own}) AS n, RANK() OVER ({own}) = 1 AS flag FROM ({of}) AS r"
        ),
        4 => format!(
            "SELECT patient_id, code, MIN(day) AS day, COUNT(*) AS n, BOOL_OR(flag) AS flag FROM ({of}) AS r GROUP BY patient_id, code"
        ),
        5 => format!(
            "SELECT patient_id, (ARRAY_AGG(code ORDER BY day))[1] AS code, MAX(day) AS day, SUM(n) AS n, BOOL_AND(flag) AS flag FROM ({of}) AS r GROUP BY patient_id HAVING COUNT(*) > 1"
        ),
        6 | 7 => {
            let (other, left) = (relation(rng, depth - 1), choose(rng, &["", "LEFT "]));
            let near =
                choose(rng, &["", " AND b.day BETWEEN a.day AND a.day + 60", " AND a.code = b.code", " AND b.n > a.n"]);
            format!(
                "SELECT a.patient_id, a.code, b.day, b.day - a.day AS n, a.flag FROM ({of}) AS a {left}JOIN ({other}) AS b ON a.patient_id = b.patient_id{near}"
            )
        }
        8 => {
            let (other, not) = (relation(rng, depth - 1), choose(rng, &["", "NOT "]));
            format!(
                "SELECT patient_id, code, day, n, flag FROM ({of}) AS r WHERE patient_id {not}IN (SELECT patient_id FROM ({other}) AS s WHERE {condition})"
            )
        }
        9 => {
            let (other, operator) = (relation(rng, depth - 1), choose(rng, &["INTERSECT", "EXCEPT", "UNION"]));
            format!(
                "SELECT patient_id, code, day, n, flag FROM ({of}) AS r WHERE patient_id IN \
                 (SELECT patient_id FROM people {operator} SELECT patient_id FROM ({other}) AS s)"
            )
        }
        10 => format!(
            "SELECT r.patient_id, r.code, m.first_day AS day, m.month AS n, r.flag FROM ({of}) AS r JOIN months m ON r.day BETWEEN m.first_day AND m.last_day"
        ),
        _ => format!(
            "SELECT r.patient_id, r.code, r.day, k.chapter AS n, k.label LIKE '%e%' AS flag FROM ({of}) AS r LEFT JOIN codes k ON k.code = r.code"
        ),
    }
}
