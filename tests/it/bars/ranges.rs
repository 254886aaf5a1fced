//! Intervals end at the limits that public bounds imply.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use tacit::query::answer::OutputValue;
use tacit::query::parse::parse;
use tacit::query::plan::plan;

use super::Seeded;
use crate::support::{Lab, NoNoise, block_on, policy};

const BUDGET: &str = r#"accountant = "gaussian"
cap = { epsilon = "60", delta = "1e-6" }
max_epsilon_per_query = "10""#;

type Known = (Option<f64>, Option<f64>);

const ANYTHING: Known = (None, None);
const POSITIVE: Known = (Some(0.0), None);

const fn between(low: f64, high: f64) -> Known {
    (Some(low), Some(high))
}

/// Outputs, and the range of each that follows from the policy and the question alone.
const RANGES: &[(&str, Known)] = &[
    // Counts and sums are shown as they are.
    ("COUNT(*) / 2 + 1", ANYTHING),
    ("-SUM(cost)", ANYTHING),
    ("ROUND(SUM(cost) * 2, 1)", ANYTHING),
    ("COUNT(*) * COUNT(*)", ANYTHING),
    ("SUM(COUNT(*)) OVER (ORDER BY region)", ANYTHING),
    // Means, percentiles and other statistics of columns.
    ("AVG(cost) + 1", between(1.0, 501.0)),
    ("100 - 2 * AVG(age)", between(-120.0, 100.0)),
    ("ROUND(AVG(age) / 7, 1)", between(0.0, 15.7)),
    ("MEDIAN(cost) - 500", between(-500.0, 0.0)),
    ("AVG(cost) FILTER (WHERE smoker) - AVG(cost) FILTER (WHERE NOT smoker)", between(-500.0, 500.0)),
    ("AVG(cost) / AVG(age)", POSITIVE),
    ("COUNT(*) * AVG(age)", POSITIVE),
    ("ABS(AVG(age) - 50)", between(0.0, 60.0)),
    ("SQRT(AVG(cost - 100))", between(0.0, 20.0)),
    ("NULLIF(AVG(age), 3)", between(0.0, 110.0)),
    ("VAR_POP(age)", between(0.0, 3025.0)),
    ("VAR_SAMP(age)", between(0.0, 6050.0)),
    ("STDDEV_POP(age)", between(0.0, 55.0)),
    ("STDDEV(age)", between(0.0, 77.781_745_930_520_24)),
    ("COVAR_POP(cost, age)", between(-13_750.0, 13_750.0)),
    ("COVAR_SAMP(cost, age)", between(-27_500.0, 27_500.0)),
    ("CORR(cost, age)", between(-1.0, 1.0)),
    ("REGR_SLOPE(cost, age)", ANYTHING),
    // Parts of a whole.
    ("COUNT(*) FILTER (WHERE smoker) / COUNT(*)", between(0.0, 1.0)),
    ("100.0 * COUNT(*) FILTER (WHERE smoker) / NULLIF(COUNT(*), 0)", between(0.0, 100.0)),
    ("1 - COUNT(*) FILTER (WHERE smoker) * 1.0 / COUNT(*)", between(0.0, 1.0)),
    ("(COUNT(*) - COUNT(*) FILTER (WHERE smoker)) / COUNT(*)", between(0.0, 1.0)),
    ("COUNT(smoker) / COUNT(*)", between(0.0, 1.0)),
    ("COUNT(*) FILTER (WHERE diagnosis = 'flu') / COUNT(diagnosis)", between(0.0, 1.0)),
    ("COUNT(*) FILTER (WHERE diagnosis <> 'flu') / COUNT(diagnosis)", between(0.0, 1.0)),
    ("COUNT(*) FILTER (WHERE age > 60 AND smoker) / COUNT(*) FILTER (WHERE age > 40)", between(0.0, 1.0)),
    (
        "COUNT(*) FILTER (WHERE diagnosis = 'flu') / COUNT(*) FILTER (WHERE diagnosis IN ('flu', 'copd'))",
        between(0.0, 1.0),
    ),
    ("COUNT(*) FILTER (WHERE age > 40) / COUNT(*) FILTER (WHERE age > 60)", (Some(1.0), None)),
    ("COUNT(*) FILTER (WHERE age > 40) / COUNT(*) FILTER (WHERE cost > 60)", POSITIVE),
    (
        "COUNT(*) FILTER (WHERE smoker) / (COUNT(*) FILTER (WHERE smoker) + COUNT(*) FILTER (WHERE age > 60))",
        between(0.0, 1.0),
    ),
    ("COUNT(*) / COUNT(*) FILTER (WHERE smoker)", (Some(1.0), None)),
    ("COUNT(*) FILTER (WHERE smoker) / (COUNT(*) - 5)", ANYTHING),
    // Rows per unit: at most four each.
    ("COUNT(DISTINCT patient_id) / COUNT(*)", between(0.25, 1.0)),
    ("COUNT(*) / COUNT(DISTINCT patient_id)", between(1.0, 4.0)),
    ("COUNT(DISTINCT patient_id) FILTER (WHERE smoker) / COUNT(DISTINCT patient_id)", between(0.0, 1.0)),
    ("COUNT(*) FILTER (WHERE smoker) / COUNT(DISTINCT patient_id)", between(0.0, 4.0)),
    // Sums over rows that are counted.
    ("SUM(cost) / COUNT(*)", between(0.0, 500.0)),
    ("SUM(cost - 100) / COUNT(*)", between(-100.0, 400.0)),
    ("SUM(cost - 100) FILTER (WHERE smoker) / COUNT(*)", between(-100.0, 400.0)),
    ("SUM(cost) / COUNT(DISTINCT patient_id)", between(0.0, 2000.0)),
    ("SUM(CASE WHEN smoker THEN 1 ELSE 0 END) / COUNT(*)", between(0.0, 1.0)),
    ("SUM(cost) / SUM(age)", POSITIVE),
    ("SUM(age + 1) / SUM(age + 11)", between(1.0 / 121.0, 111.0 / 11.0)),
    ("(COUNT(*) FILTER (WHERE smoker) / COUNT(*)) / (COUNT(*) FILTER (WHERE age > 60) / COUNT(*))", POSITIVE),
];

#[test]
fn ranges_follow_from_public_bounds() {
    let lab = Lab::exact();
    let terms = &lab.service.dataset("visits").expect("a dataset").terms;
    for (output, expected) in RANGES {
        let key = if output.contains("OVER") { "age" } else { "region" };
        let output = output.replace("ORDER BY region", "ORDER BY age");
        let sql = format!("SELECT {key}, {output} AS x FROM visits GROUP BY {key}");
        let plan =
            parse(&sql).and_then(|query| plan(&query, terms, None)).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let OutputValue::Formula { range, .. } = &plan.layout.outputs[1].value else { panic!("{output} is a formula") };
        let is_near = |found: Option<f64>, expected: Option<f64>| match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
            (found, expected) => found == expected,
        };
        let is_expected = is_near(range.low, expected.0) && is_near(range.high, expected.1);
        assert!(is_expected, "{output}: {range:?}, expected {expected:?}");
    }
}

/// Number of groups, which are small and near the bounds, and observed through much noise.
const GROUPS: usize = 200;

fn noisy_policy() -> String {
    let last = GROUPS - 1;
    policy(BUDGET).replace("max_rows_per_unit = 4", "max_rows_per_unit = 2")
        + &format!(
            "[[column]]\nname = \"hba1c\"\ntype = \"decimal\"\nmin = \"3\"\nmax = \"18\"\nstep = \"0.1\"\n[[column]]\nname = \"place\"\ntype = \"integer\"\nmin = \"0\"\nmax = \"{last}\"\n"
        )
}

fn noisy_csv() -> String {
    let mut rng = StdRng::seed_from_u64(11);
    let mut csv = String::from("patient_id,region,diagnosis,smoker,age,cost,visited,hba1c,place\n");
    for person in 0..GROUPS * 40 {
        for _ in 0..2 {
            let (smoker, age) = (rng.random_range(0..30) == 0, rng.random_range(90..110));
            let cost = if rng.random_range(0..10) == 0 { rng.random_range(0..500) } else { 0 };
            let hba1c = 3.0 + f64::from(rng.random_range(0..20_u8)) / 10.0;
            let place = person % GROUPS;
            csv.push_str(&format!("p{person},north,flu,{smoker},{age},{cost},2023-01-01,{hba1c:.1},{place}\n"));
        }
    }
    csv
}

/// Outputs with their possible ranges.
const NOISY: [(&str, (f64, f64)); 12] = [
    ("AVG(hba1c)", (3.0, 18.0)),
    ("AVG(age)", (0.0, 110.0)),
    ("AVG(cost)", (0.0, 500.0)),
    ("MEDIAN(age)", (0.0, 110.0)),
    ("AVG(CASE WHEN smoker THEN 1 ELSE 0 END)", (0.0, 1.0)),
    ("100.0 * COUNT(*) FILTER (WHERE smoker) / COUNT(*)", (0.0, 100.0)),
    ("COUNT(DISTINCT patient_id) FILTER (WHERE smoker) / COUNT(DISTINCT patient_id)", (0.0, 1.0)),
    ("SUM(cost) / COUNT(DISTINCT patient_id)", (0.0, 1000.0)),
    ("COUNT(*) / COUNT(DISTINCT patient_id)", (1.0, 2.0)),
    // The square root of half of 110², and a quarter of 15².
    ("STDDEV(age)", (0.0, 77.781_745_930_520_24)),
    ("VAR_POP(hba1c)", (0.0, 56.25)),
    ("CORR(age, cost)", (-1.0, 1.0)),
];

fn number(row: &Value, name: &str) -> Option<f64> {
    row[name].as_f64()
}

/// Everything shown lies within the bounds, estimates are never clipped, and the cut intervals contain the true value as often as before.
#[test]
fn intervals_are_cut_and_hold_the_truth() {
    let noisy = Lab::new(&noisy_policy(), &noisy_csv(), Seeded::new(12), "60");
    let exact = Lab::new(&noisy_policy(), &noisy_csv(), std::sync::Arc::new(NoNoise), "60");
    let (mut outside, mut cut, mut wrong) = (0, 0, Vec::new());
    // One value for each person: the highest and the lowest of theirs.
    let of_people = ["MAX(hba1c)", "MIN(hba1c)"].map(|of| {
        let from =
            format!("(SELECT patient_id, MAX(place) AS place, {of} AS most FROM visits GROUP BY patient_id) AS people");
        ("AVG(most)", (3.0, 18.0), from)
    });
    let of_rows = NOISY.map(|(output, bounds)| (output, bounds, "visits".to_owned()));
    for (output, (least, greatest), from) in of_rows.into_iter().chain(of_people) {
        let sql = format!("SELECT place, {output} AS x FROM {from} GROUP BY place");
        let truth = block_on(exact.sql(&sql, "10")).rows();
        let mut held = 0_u32;
        let rows =
            block_on(noisy.sql(&sql, if output.contains("STD") || output.contains("VAR") { "2" } else { "0.6" }))
                .rows();
        for (row, truth) in rows.iter().zip(&truth) {
            let (low, high) = (number(row, "x_low").expect("a bound"), number(row, "x_high").expect("a bound"));
            assert!(least <= low && low <= high && high <= greatest, "{output}: {row}");
            let value = number(row, "x");
            assert_eq!(row.get("x_null").is_some(), value.is_none(), "{output}: {row}");
            let is_outside = value.is_some_and(|value| value < low || high < value);
            assert_eq!(row.get("x_note").is_some(), is_outside, "{output}: {row}");
            assert!(!is_outside || value.is_some_and(|value| value < least || greatest < value), "{output}: {row}");
            (outside, cut) = (outside + u32::from(is_outside), cut + u32::from(low == least || high == greatest));
            held += u32::from(number(truth, "x").is_none_or(|truth| low <= truth && truth <= high));
        }
        let share = f64::from(held) / GROUPS as f64;
        println!("{output} of {from}: {share:.3}");
        if share < 0.93 {
            wrong.push(format!("{output}: {share:.3}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(outside > 50 && cut > 500, "{outside} estimates out of bounds, {cut} intervals cut");
}
