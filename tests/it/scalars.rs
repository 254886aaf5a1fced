//! Arithmetic, casts and numeric functions of one row, as people write them: each form is planned, reads back from its canonical text to the
//! same plan, and gives the oracle's integers.

use rand::SeedableRng;
use rand::rngs::StdRng;
use tacit::query::canonical;
use tacit::query::parse::{TEXT_BYTES_MAX, parse};
use tacit::query::plan::{Plan, plan};
use tacit::query::terms::policy::{Policy, Terms};

use crate::grammar;
use crate::support::{PURE, policy};

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
