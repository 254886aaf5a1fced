//! The canonical form of a condition means the same as the condition, and reads back as itself.

use super::*;
use crate::query::parse::parse;
use crate::query::plan::plan;
use crate::query::term::checker::{self, TypeChecker};
use crate::query::term::context::TermContext;
use crate::query::terms::policy::Policy;
use crate::query::{canonical, syntax::Query};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const POLICY: &str = r#"
[dataset]
name = "d"
source = "d.csv"
privacy_unit = "row"
max_rows = 10
cap = { epsilon = "1" }
accountant = "pure"
[[column]]
name = "kind"
type = "category"
values = ["a", "b", "c", "d", "e"]
nullable = true
[[column]]
name = "flag"
type = "boolean"
nullable = true
[[column]]
name = "size"
type = "integer"
min = "-3"
max = "3"
nullable = true
"#;

/// A random condition as somebody might write it.
fn condition(rng: &mut StdRng, depth: u32) -> String {
    let size = |rng: &mut StdRng| rng.random_range(-4..5);
    let kind = |rng: &mut StdRng| ["'a'", "'b'", "'c'", "'d'", "'e'"][rng.random_range(0..5)];
    if depth > 0 && rng.random_range(0..3) > 0 {
        let (one, other) = (condition(rng, depth - 1), condition(rng, depth - 1));
        return match rng.random_range(0..4) {
            0 => format!("({one}) AND ({other})"),
            1 => format!("({one} OR {other})"),
            2 => format!("NOT ({one})"),
            _ => format!("({one}) OR (({other}))"),
        };
    }
    match rng.random_range(0..9) {
        0 => format!("kind = {}", kind(rng)),
        1 => format!("kind <> {}", kind(rng)),
        2 => format!("kind IN ({}, {}, {}, {})", kind(rng), kind(rng), kind(rng), kind(rng)),
        3 => format!("kind NOT IN ({}, {})", kind(rng), kind(rng)),
        4 => ["flag", "flag = FALSE", "flag IS NULL", "size IS NOT NULL"][rng.random_range(0..4)].to_owned(),
        5 => format!("size {} {}", ["<", "<=", ">", ">=", "=", "<>"][rng.random_range(0..6)], size(rng)),
        6 => format!("size BETWEEN {} AND {}", size(rng), size(rng)),
        7 => format!("size IN ({}, {})", size(rng), size(rng)),
        _ => format!("size NOT BETWEEN {} AND {}", size(rng), size(rng)),
    }
}

/// Truth of a filter for one row's stored integers in three-valued logic, as the SQL standard defines it.
fn truth(filter: &Filter, row: &[Option<i64>]) -> Option<bool> {
    let value = |term: &Term| match term {
        Term::Column(index) => row[*index],
        Term::Made(_) => panic!("these conditions are about columns"),
    };
    let of = |column: &Term, is: &dyn Fn(i64) -> bool| value(column).map(is);
    match filter {
        Filter::Range { column, low, high } => of(column, &|value| (*low..=*high).contains(&value)),
        Filter::Members { column, codes } => of(column, &|value| codes.iter().any(|code| i64::from(*code) == value)),
        Filter::Values { column, values } => of(column, &|value| values.contains(&value)),
        Filter::Missing { column } => Some(value(column).is_none()),
        Filter::Not(inner) => truth(inner, row).map(|truth| !truth),
        Filter::All(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| truth(part, row)).collect();
            if parts.contains(&Some(false)) {
                Some(false)
            } else {
                parts.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
            }
        }
        Filter::Any(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| truth(part, row)).collect();
            if parts.contains(&Some(true)) {
                Some(true)
            } else {
                parts.into_iter().collect::<Option<Vec<_>>>().map(|_| false)
            }
        }
    }
}

fn parsed(condition: &str) -> Query {
    let sql = format!("SELECT COUNT(*) FROM d WHERE {condition}");
    parse(&sql).unwrap_or_else(|error| panic!("{condition}: {error}"))
}

#[test]
fn the_canonical_form_means_the_same_and_reads_back() {
    let terms = Policy::parse(POLICY).unwrap_or_else(|faults| panic!("{faults:?}")).terms;
    let mut rng = StdRng::seed_from_u64(7);
    let (mut shorter, mut too_long) = (0, 0);
    for round in 0..3_000 {
        let depth = 2 + round % 5;
        let text = condition(&mut rng, depth);
        let query = parsed(&text);
        let written = query.condition.as_ref().expect("a condition");
        let known = TermContext::of(&terms);
        let literal = TypeChecker { known: &known }.filter(written).expect("typed");
        let form = checker::condition(written, &known).expect("typed");
        for kind in (-1..5).map(|code| (code >= 0).then_some(code)) {
            for flag in [None, Some(0), Some(1)] {
                for size in (-4..4).map(|size| (size >= -3).then_some(size)) {
                    let row = [kind, flag, size];
                    assert_eq!(truth(&literal, &row), truth(&form, &row), "{text}\n{form:?}\n{row:?}");
                }
            }
        }
        let first = plan(&query, &terms, None).unwrap_or_else(|error| panic!("{text}: {error}"));
        let sql = canonical::sql(&first, &terms);
        // A form that is too deep or too long to be read again is refused before anything is charged.
        let Ok(again) = parse(&sql).and_then(|query| plan(&query, &terms, None)) else {
            too_long += 1;
            continue;
        };
        assert_eq!(again.computation, first.computation, "{text}\n{sql}");
        shorter += usize::from(sql.len() < text.len());
    }
    assert!(shorter > 100 && too_long < 100, "{shorter}, {too_long}");
}
