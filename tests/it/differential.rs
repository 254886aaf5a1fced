//! The engine against an oracle: random questions over random tables, with exact integers compared.

use std::sync::Arc;

use dashu::integer::IBig;
use dashu::rational::RBig;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use tacit::query::parse::parse;
use tacit::query::plan::plan;
use tacit::query::terms::domain::{Domain, date_days, date_text};
use tacit::query::terms::policy::{Policy, Terms};

use crate::grammar;
use crate::oracle::{Oracle, Row, Value};
use crate::support::{Lab, NoNoise, PURE, block_on, policy};

/// Number of pairs of a question and a table; `TACIT_PAIRS` asks for more.
const PAIRS: usize = 400;
const QUESTIONS_PER_TABLE: usize = 100;
const SEED: u64 = 5;

/// A random value of a domain, more often than not at one of its ends.
fn value(rng: &mut StdRng, domain: &Domain) -> Value {
    match domain {
        Domain::Category(values) => Value::Text(values.choose(rng).expect("a value").clone()),
        Domain::Boolean => Value::Truth(rng.random_bool(0.5)),
        // Groups without a public list are compared in the engine's own tests.
        Domain::Text { .. } => Value::Text("anything".to_owned()),
        Domain::Number(grid) => {
            let steps = match rng.random_range(0..6) {
                0 => grid.low,
                1 => grid.high,
                2 => rng.random_range(grid.low..=grid.low + 9),
                _ => rng.random_range(grid.low..=grid.high),
            };
            let number = RBig::from(IBig::from(steps) * IBig::from(grid.step)) / RBig::from(1_000_000_000);
            if grid.integer { Value::Whole(number) } else { Value::Decimal(number) }
        }
        Domain::Date { min, max } => {
            let days = if rng.random_bool(0.1) { *min } else { rng.random_range(*min..=*max) };
            Value::Day(date_text(days).parse().expect("a day"))
        }
    }
}

fn text(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Truth(truth)) => truth.to_string(),
        Some(Value::Day(day)) => day.to_string(),
        Some(Value::Whole(number) | Value::Decimal(number)) => {
            let nanos = i128::try_from((number * RBig::from(1_000_000_000)).floor()).expect("a number");
            tacit::kernel::privacy::amounts::unscaled(nanos, 9)
        }
    }
}

/// Random rows of people, each with at most as many rows as the policy counts, and with one value per person where the policy says so.
pub fn rows(rng: &mut StdRng, terms: &Terms, people: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for person in 0..people {
        let one = |rng: &mut StdRng| -> Vec<Option<Value>> {
            let of = |column: &tacit::query::terms::domain::Column, rng: &mut StdRng| {
                let is_missing = column.nullable && rng.random_bool(0.2);
                (!is_missing).then(|| value(rng, &column.domain))
            };
            terms.columns.iter().map(|column| of(column, rng)).collect()
        };
        let first = one(rng);
        for _ in 0..rng.random_range(1..=terms.max_rows_per_unit as usize) {
            let drawn = loop {
                let drawn = one(rng);
                // No two rows of a unit have the same decimals, so that ordering by them is unambiguous.
                let is_same = |row: &Row| {
                    let decimal = |value: &Option<Value>| matches!(value, Some(Value::Decimal(_)));
                    row.unit == format!("p{person}")
                        && row.values.iter().zip(&drawn).any(|(one, other)| decimal(one) && one == other)
                };
                if !rows.iter().any(is_same) {
                    break drawn;
                }
            };
            let keep = terms.columns.iter().zip(first.iter().zip(drawn));
            let values = keep.map(|(column, (first, drawn))| if column.per_unit { first.clone() } else { drawn });
            rows.push(Row { unit: format!("p{person}"), values: values.collect() });
        }
    }
    rows
}

/// Writes the rows as a source file.
pub fn csv(terms: &Terms, rows: &[Row]) -> String {
    let names: Vec<_> = terms.columns.iter().map(|column| column.name.as_str()).collect();
    let mut csv = format!("patient_id,{}\n", names.join(","));
    for row in rows {
        let values: Vec<_> = row.values.iter().map(|value| text(value.as_ref())).collect();
        csv.push_str(&format!("{},{}\n", row.unit, values.join(",")));
    }
    csv
}

#[test]
fn the_engine_computes_what_the_oracle_does() {
    assert_eq!(date_days("1970-01-01"), Some(0));
    let wanted = std::env::var("TACIT_PAIRS").ok().and_then(|text| text.parse().ok()).unwrap_or(PAIRS);
    // The two accountants lead to different measurements.
    let gaussian = "accountant = \"gaussian\"\ncap = { epsilon = \"100\", delta = \"1e-6\" }";
    let policies = [policy(PURE), policy(gaussian)];
    let terms =
        policies.each_ref().map(|policy| Policy::parse(policy).unwrap_or_else(|faults| panic!("{faults:?}")).terms);
    let (mut compared, mut refused, mut cells, mut table, mut of_units, mut running) = (0, 0, 0, 0, 0, 0);
    while compared < wanted {
        table += 1;
        let mut rng = StdRng::seed_from_u64(SEED + table);
        let (policy, terms) = (&policies[table as usize % 2], &terms[table as usize % 2]);
        let people = rng.random_range(0..60);
        let rows = rows(&mut rng, terms, people);
        let lab = Lab::new(policy, &csv(terms, &rows), Arc::new(NoNoise), "100");
        let oracle = Oracle { terms };
        for _ in 0..QUESTIONS_PER_TABLE.min(wanted - compared) {
            let sql = grammar::sound(&mut rng, "visits", terms);
            let Ok(plan) = parse(&sql).and_then(|query| plan(&query, terms, None)) else {
                refused += 1;
                continue;
            };
            let reply = block_on(lab.sql(&sql, "0.001")).json();
            let Some(release) = reply["release"].as_str() else {
                // In canonical form it is longer than a question may be, or keys and constants alone are free.
                let is_free = plan.computation.measures.is_empty() && reply["rows"].is_array();
                assert!(is_free || reply["code"] == "unsupported-sql", "{sql}: {reply}");
                refused += 1;
                continue;
            };
            let stored = lab.service.stored_answer(release).expect("an answer");
            let vectors: Vec<Vec<i64>> = stored
                .vectors()
                .iter()
                .map(|one| {
                    let whole = |cell: &IBig| i64::try_from(cell >> one.law.fine_bits as usize).expect("an integer");
                    one.cells.iter().map(whole).collect()
                })
                .collect();
            let expected = oracle.vectors(&plan.computation, &plan.layout.keys, &rows);
            assert_eq!(vectors, expected, "{sql}\n{:?}\n{}", plan.computation, csv(terms, &rows));
            compared += 1;
            of_units += usize::from(plan.computation.units.is_some());
            running += usize::from(sql.contains(" OVER ("));
            cells += vectors.iter().map(Vec::len).sum::<usize>();
        }
    }
    println!(
        "{compared} questions over {table} tables ({of_units} with a row for each unit, {running} with running sums), {cells} exact integers, 0 differences; {refused} refused"
    );
    assert!(of_units > compared / 20, "{of_units} of {compared} questions have a row for each unit");
    assert!(refused < compared / 2, "most questions are answered: {refused} refused, {compared} compared");
}
