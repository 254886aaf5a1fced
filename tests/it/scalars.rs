//! Arithmetic, casts and numeric functions of one row, as people write them: each form is planned, reads back from its canonical text to the
//! same plan, and gives the oracle's integers.

use std::collections::BTreeSet;
use std::sync::Arc;

use dashu::integer::IBig;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tacit::query::answer::Label;
use tacit::query::canonical;
use tacit::query::parse::{TEXT_BYTES_MAX, parse};
use tacit::query::plan::{Plan, plan};
use tacit::query::terms::policy::{Policy, Terms};

use crate::differential::{csv, rows};
use crate::grammar;
use crate::oracle::Oracle;
use crate::support::{Lab, NoNoise, PURE, block_on, policy};

/// Number of random questions whose canonical text is read back.
const QUESTIONS: usize = 4_000;
const SEED: u64 = 16;

fn terms() -> Terms {
    Policy::parse(&policy(PURE)).unwrap_or_else(|faults| panic!("{faults:?}")).terms
}

/// Plans a question, whose canonical text must read back to the same plan.
fn planned(sql: &str, terms: &Terms) -> Plan {
    let plan_of = |sql: &str| {
        let query = parse(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        plan(&query, terms, None).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    };
    let first = plan_of(sql);
    let text = canonical::sql(&first, terms);
    let second = plan_of(&text);
    assert_eq!(first.computation, second.computation, "{sql}: {text}");
    assert_eq!(canonical::sql(&second, terms), text, "{sql}");
    first
}

#[test]
fn random_questions_read_back_from_their_canonical_text() {
    let terms = terms();
    let mut rng = StdRng::seed_from_u64(SEED);
    let (mut read, mut long) = (0, 0);
    for _ in 0..QUESTIONS {
        let sql = grammar::sound(&mut rng, "visits", &terms);
        let Ok(first) = parse(&sql).and_then(|query| plan(&query, &terms, None)) else { continue };
        // A column of a subquery whose presence alone is counted is always present, and is not asked for again.
        if first.computation.units.is_some() && sql.contains("COUNT(") {
            continue;
        }
        let text = canonical::sql(&first, &terms);
        match parse(&text).and_then(|query| plan(&query, &terms, None)) {
            Ok(second) => {
                assert_eq!(first.computation, second.computation, "{sql}: {text}");
                read += 1;
            }
            // Only a text that is too long or too deep cannot be read back.
            Err(error) => {
                let is_large = text.len() > TEXT_BYTES_MAX
                    || ["at most", "deeper", "steps"].iter().any(|word| error.message.contains(word));
                assert!(is_large, "{sql}: {text}: {error:?}");
                long += 1;
            }
        }
    }
    assert!(read > QUESTIONS / 4 && long < read / 50, "{read} read back, {long} too long");
}

#[test]
fn a_day_that_was_computed_less_a_day_is_a_number_of_days() {
    let terms = terms();
    for days in [
        "LEAST(visited, DATE '2024-12-31') - DATE '2020-01-01'",
        "GREATEST(visited, DATE '2024-12-31') - DATE '2020-01-01'",
        "CASE WHEN smoker THEN visited ELSE DATE '2024-12-31' END - DATE '2020-01-01'",
        "DATE_TRUNC('month', visited) - DATE '2020-01-01'",
        "COALESCE(visited, DATE '2025-12-31') - visited",
        "LEAST(visited, DATE '2024-12-31') - GREATEST(visited, DATE '2020-06-01') + 1",
        "visited - DATE_TRUNC('month', visited)",
        "DATE '2024-12-31' - LEAST(visited, DATE '2024-12-31')",
        "(LEAST(visited, DATE '2024-12-31') - visited) + 0.5",
    ] {
        planned(&format!("SELECT AVG({days}), COUNT(*) FROM visits WHERE {days} > 3"), &terms);
        planned(&format!("SELECT WIDTH_BUCKET({days}, 0, 3000, 10), SUM({days}) FROM visits GROUP BY 1"), &terms);
    }
}

/// The groups of a question's only key, as text.
fn groups(sql: &str, terms: &Terms) -> Vec<String> {
    let of = |label: &Label| label.cell().text().unwrap_or_else(|| "missing".to_owned());
    planned(sql, terms).layout.keys[0].iter().map(of).collect()
}

#[test]
fn a_key_has_the_values_that_its_expression_can_have() {
    let terms = terms();
    let steps = |from: i64, to: i64, by: usize| (from..=to).step_by(by).map(|one| one.to_string()).collect::<Vec<_>>();
    let months = |years: std::ops::RangeInclusive<i64>| {
        years.flat_map(|year| (1..=12).map(move |month| (year * 100 + month).to_string())).collect::<Vec<_>>()
    };
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    for (key, condition, expected) in [
        ("age / 10 * 10", "", steps(0, 110, 10)),
        ("age / 5 * 5", "", steps(0, 110, 5)),
        ("age / 10 * 10 + 5", "", steps(5, 115, 10)),
        ("ROUND(age / 10.0) * 10", "", steps(0, 110, 10)),
        ("age * 2", "", steps(0, 220, 2)),
        ("age / 10", "", steps(0, 11, 1)),
        ("age / 10 * 10", "age BETWEEN 20 AND 39", steps(20, 30, 10)),
        ("age / 10 * 10", "age BETWEEN 20 AND 39 OR age = 80", texts(&["20", "30", "80"])),
        ("age / 10 * 10", "age / 10 * 10 >= 90 AND smoker", steps(90, 110, 10)),
        ("age / 10", "age >= 90", steps(9, 11, 1)),
        ("age", "age IN (7, 20, 300)", texts(&["7", "20"])),
        ("EXTRACT(YEAR FROM visited) * 100 + EXTRACT(MONTH FROM visited)", "", months(2020..=2025)),
        (
            "EXTRACT(YEAR FROM visited) * 100 + EXTRACT(MONTH FROM visited)",
            "visited >= DATE '2024-01-01'",
            months(2024..=2025),
        ),
        ("CASE WHEN age < 18 THEN 0 WHEN age < 65 THEN 18 ELSE 65 END", "", texts(&["0", "18", "65"])),
        ("CASE WHEN smoker THEN 100 ELSE 7 END", "", texts(&["7", "100"])),
        (
            "ROUND(age / 100.0, 1)",
            "",
            texts(&["0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1", "1.1"]),
        ),
        ("cost", "cost IN (1.25, 3.5)", texts(&["1.25", "3.5"])),
        ("cost", "cost BETWEEN 0.02 AND 0.04", texts(&["0.02", "0.03", "0.04"])),
        (
            "DATE_TRUNC('month', visited) + 14",
            "visited BETWEEN DATE '2024-01-02' AND DATE '2024-02-01'",
            texts(&["2024-01-15", "2024-02-15"]),
        ),
        // Too many combinations to work out one by one: the multiples between the bounds.
        ("ROUND(cost / 100 + age / 1000.0) * 100", "", steps(0, 500, 100)),
    ] {
        let condition = if condition.is_empty() { String::new() } else { format!("WHERE {condition}") };
        let sql = format!("SELECT {key} AS k, COUNT(*) FROM visits {condition} GROUP BY 1");
        assert_eq!(groups(&sql, &terms), expected, "{sql}");
    }
    let days: BTreeSet<String> =
        groups("SELECT DATE_TRUNC('month', visited) + 14, COUNT(*) FROM visits GROUP BY 1", &terms)
            .into_iter()
            .collect();
    assert_eq!(days.len(), 72);
    assert!(days.iter().all(|day| day.ends_with("-15")), "{days:?}");
}

/// Plans questions and compares their exact integers with the oracle's over random rows.
fn evaluated(questions: &[String]) {
    let terms = terms();
    let rows = rows(&mut StdRng::seed_from_u64(SEED), &terms, 40);
    let lab = Lab::new(&policy(PURE), &csv(&terms, &rows), Arc::new(NoNoise), "100");
    let oracle = Oracle { terms: &terms };
    for sql in questions {
        let plan = planned(sql, &terms);
        let reply = block_on(lab.sql(sql, "0.001")).json();
        let release = reply["release"].as_str().unwrap_or_else(|| panic!("{sql}: {reply}"));
        let stored = lab.service.stored_answer(release).expect("an answer");
        let whole = |cell: &IBig, bits: u32| i64::try_from(cell >> bits as usize).expect("an integer");
        let vectors: Vec<Vec<i64>> = stored
            .vectors()
            .iter()
            .map(|one| one.cells.iter().map(|cell| whole(cell, one.law.fine_bits)).collect())
            .collect();
        assert_eq!(
            vectors,
            oracle.vectors(&plan.computation, &plan.layout.keys, &rows),
            "{sql}\n{:?}",
            plan.computation
        );
    }
}

#[test]
fn casts_are_the_identity_or_a_known_map() {
    let outputs = [
        "AVG(smoker::int)",
        "SUM((diagnosis = 'flu')::int)",
        "SUM(CAST(cost AS INTEGER))",
        "SUM(CAST(cost AS BIGINT))",
        "SUM(SAFE_CAST(cost AS INTEGER))",
        "SUM(age::float / 10)",
        "SUM(age::numeric / 10)",
        "SUM(cost::numeric(10, 1))",
        "SUM(CAST(age AS DOUBLE PRECISION))",
        "COUNT(diagnosis::text)",
        "SUM(CASE WHEN age::boolean THEN 1 ELSE 0 END)",
        "SUM(visited - '2020-01-01'::date)",
        "SUM(visited - CAST('2020-01-01' AS DATE))",
        "SUM(visited - TIMESTAMP '2020-01-01 00:00:00')",
        "SUM(DATE_TRUNC('month', visited)::date - DATE '2020-01-01')",
        "SUM(age / 10::numeric)",
        "SUM(age / (-2))",
        "SUM(age / (2 * 5))",
        "SUM(+age)",
    ];
    let mut questions: Vec<String> = outputs.iter().map(|one| format!("SELECT {one} FROM visits")).collect();
    for condition in [
        "visited >= '2024-01-01'::date",
        "visited >= '2024-01-01 00:00:00'",
        "visited < TIMESTAMP '2024-01-01 00:00:00'",
        "visited::date = DATE '2024-01-01'",
        "smoker::int = 1",
        "diagnosis::text = 'flu'",
        "age::int BETWEEN 3 AND 50",
    ] {
        questions.push(format!("SELECT COUNT(*) FROM visits WHERE {condition}"));
    }
    questions.push("SELECT smoker::int AS s, COUNT(*) FROM visits GROUP BY 1".to_owned());
    questions.push("SELECT CAST(cost / 100 AS INTEGER), COUNT(*) FROM visits GROUP BY 1".to_owned());
    evaluated(&questions);
}

#[test]
fn numeric_functions_are_exact_on_their_grids() {
    let sums = [
        "FLOOR(cost)",
        "CEIL(cost - 250)",
        "CEILING(cost / 3.0)",
        "TRUNC(cost - 250)",
        "TRUNC(cost - 250, 1)",
        "FLOOR((visited - DATE '2022-01-01') / 365.25)",
        "FLOOR(age / 10)",
        "MOD(age, 7)",
        "age % 7",
        "MOD(cost - 250, 1.5)",
        "SIGN(cost - 250)",
        "POWER(age, 2)",
        "POWER(cost, 0.5)",
        "SQRT(cost)",
        "SQRT(age - 50)",
        "LN(cost)",
        "LN(age + 1)",
        "LOG(cost + 1)",
        "LOG10(age)",
        "LOG2(age + 1)",
        "LOG(3, age + 1)",
        "EXP(age / 100.0)",
        "cost / 7.0",
        "(visited - DATE '2020-01-01') / 365.25",
        "NULLIF(age, 50)",
        "COALESCE(NULLIF(age, 50), cost)",
        "COALESCE(NULLIF(age, 50), NULLIF(cost, 0), 7)",
        "ABS(-age)",
    ];
    let mut questions: Vec<String> =
        sums.iter().map(|one| format!("SELECT SUM({one}), COUNT({one}) FROM visits")).collect();
    for condition in [
        "(visited - DATE '2020-01-01') / 365.25 >= 5",
        "(visited - DATE '2020-01-01') / 365.25 = 4",
        "(visited - DATE '2020-01-01') / 365.25 BETWEEN 1 AND 2",
        "3 < age / 7.0",
        "age / -7.0 <> -3",
        "age % 2 = 0",
        "LN(cost) > 2",
        "LN(cost) IS NULL",
    ] {
        questions.push(format!("SELECT COUNT(*) FROM visits WHERE {condition}"));
    }
    for key in [
        "FLOOR(cost / 100)",
        "age % 7",
        "FLOOR((visited - DATE '2020-01-01') / 365.25)",
        "SIGN(cost - 250)",
        "ROUND(LN(age + 1), 1)",
    ] {
        questions.push(format!("SELECT {key}, COUNT(*) FROM visits GROUP BY 1"));
    }
    evaluated(&questions);
}

#[test]
fn cases_and_counts_are_taken_in_every_form() {
    let mut questions: Vec<String> = [
        "CASE age WHEN 1 THEN 10 WHEN 2 THEN 20 ELSE 0 END",
        "CASE region WHEN 'north' THEN 1 ELSE 0 END",
        "CASE WHEN smoker THEN NULL WHEN age > 50 THEN age ELSE 3 END",
        "CASE WHEN smoker THEN 1 ELSE 0 END",
        "CASE WHEN smoker THEN CASE WHEN age > 50 THEN 2 ELSE 1 END ELSE 0.25 END",
        "CASE WHEN smoker THEN cost ELSE age END",
    ]
    .iter()
    .map(|one| format!("SELECT SUM({one}), COUNT({one}) FROM visits"))
    .collect();
    for count in [
        "COUNT(1)",
        "COUNT(patient_id)",
        "COUNT(patient_id) FILTER (WHERE smoker)",
        "COUNT(DISTINCT CASE WHEN diagnosis = 'flu' THEN patient_id END)",
        "COUNT(DISTINCT CASE WHEN diagnosis = 'flu' THEN patient_id ELSE NULL END)",
    ] {
        questions.push(format!("SELECT {count} FROM visits"));
    }
    questions.push(
        "SELECT AVG(n) FROM (SELECT patient_id, COUNT(patient_id) AS n FROM visits GROUP BY patient_id) AS t"
            .to_owned(),
    );
    evaluated(&questions);
    let terms = terms();
    let same = |one: &str, other: &str| {
        let of = |output: &str| planned(&format!("SELECT {output} FROM visits"), &terms).computation;
        assert_eq!(of(one), of(other), "{one} is {other}");
    };
    same("COUNT(patient_id)", "COUNT(*)");
    same("COUNT(1)", "COUNT(*)");
    same(
        "COUNT(DISTINCT CASE WHEN diagnosis = 'flu' THEN patient_id END)",
        "COUNT(DISTINCT patient_id) FILTER (WHERE diagnosis = 'flu')",
    );
    same("SUM(CAST(age AS INTEGER))", "SUM(age)");
}

#[test]
fn what_stays_refused_says_why() {
    let terms = terms();
    for (output, part) in [
        ("SUM(cost / age)", "divided only by a constant"),
        ("SUM(age % cost)", "a division by a constant"),
        ("SUM(POWER(age, cost))", "a constant exponent"),
        ("SUM(POWER(age, -1))", "above 0 alone"),
        ("SUM(EXP(cost))", "62 bits"),
        ("SUM(LOG(1, cost))", "not 1"),
        ("SUM(diagnosis::int)", "cannot be cast"),
        ("SUM(cost * cost * cost * cost / 7.0)", "62 bits"),
        ("SUM(COALESCE(visited, age))", "COALESCE wants"),
        ("SUM(MOD(age, 0))", "divides by 0"),
    ] {
        let sql = format!("SELECT {output} FROM visits");
        let error = parse(&sql).and_then(|query| plan(&query, &terms, None)).expect_err(&sql);
        assert!(error.message.contains(part), "{sql}: {error:?}");
    }
}
