//! Tests that the type in which a column is stored changes nothing, nor where a window begins.

use super::*;
use crate::engine::polars::accumulators::{Binning, Places, Sums};
use crate::engine::polars::compile::{Compiler, IntegerForm};
use crate::engine::polars::stored::{BlockColumn, Slice, Validity};
use crate::query::computation::Measure;
use crate::query::parse::parse;
use crate::query::plan::plan;
use crate::query::terms::policy::Policy;

/// Two columns about 0: the domain of one is tabulated, that of the other is too large.
const POLICY: &str = r#"
[dataset]
name = "t"
source = "t.parquet"
privacy_unit = "who"
max_rows_per_unit = 1
max_rows = 1000
accountant = "pure"
cap = { epsilon = "1" }
[[column]]
name = "few"
type = "integer"
min = "-110"
max = "110"
nullable = true
[[column]]
name = "many"
type = "integer"
min = "-1000000"
max = "1000000"
nullable = true
"#;

const CONDITIONS: [&str; 12] = [
    "few BETWEEN 5 AND 90",
    "many BETWEEN 5 AND 90",
    "many BETWEEN -700 AND 60",
    "NOT (many BETWEEN 30 AND 70000)",
    "many > 127 OR many < 3",
    "few IN (3, 50, 99) OR few IS NULL",
    "many IN (3, 50, 99, 100000)",
    "NOT (many IN (3, 50, 500000)) AND few IS NOT NULL",
    "NOT (few > 20 AND many > 20)",
    "ABS(few - 60) < 20",
    "many * few > 1000 OR COALESCE(many, 7) = 7",
    "CASE WHEN few > 70 THEN many WHEN many > 70 THEN few END > 30",
];

const SUMS: [&str; 8] = [
    "few",
    "many",
    "few * few",
    "many * few + 3",
    "ABS(many - 50)",
    "LEAST(few, many)",
    "GREATEST(few, many, 40)",
    "CASE WHEN few > 50 THEN many ELSE 2 END",
];

fn results(slices: [Slice<'_>; 2], present: [&[u8]; 2], rows: usize) -> Vec<Vec<i64>> {
    let policy = Policy::parse(POLICY).expect("a policy");
    let mut compiler = Compiler::of(&policy.terms);
    let planned = |sql: String| {
        plan(&parse(&sql).unwrap_or_else(|error| panic!("{sql}: {error}")), &policy.terms, Some(1))
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
            .computation
    };
    let conditions = CONDITIONS.map(|condition| {
        let filter = planned(format!("SELECT COUNT(*) AS n FROM t WHERE {condition}")).filter.expect("a filter");
        compiler.condition(&filter)
    });
    let values = SUMS.map(|sum| {
        let measures = planned(format!("SELECT SUM({sum}) AS s FROM t")).measures;
        let sum = measures.iter().find_map(|one| if let Measure::Sum { column } = one { Some(column) } else { None });
        compiler.value(sum.expect("a sum"), IntegerForm::Stored)
    });
    let key = planned("SELECT few, COUNT(*) AS n FROM t WHERE few BETWEEN 10 AND 80 GROUP BY few".to_owned()).keys;
    let key = compiler.key(&key[0]);
    let program = compiler.finish();
    let column = |place: usize| BlockColumn { values: slices[place], validity: Validity::Bytes(present[place]) };
    let columns = [(0, column(0)), (1, column(1))].into();
    let block = Block { rows, columns, units: None, ranks: Some(slices[0]) };
    let mut results = vec![Vec::new(); 2 * conditions.len() + 2 * values.len() + 3];
    for window in Window::all(&block, 0..rows, &program) {
        let mut next = results.iter_mut();
        let mut put = |found: Vec<i64>| next.next().expect("a place").extend(found);
        let wide = |rows: &[u8]| rows.iter().map(|row| i64::from(*row)).collect();
        for condition in conditions {
            put(wide(window.holds(condition, true)));
            put(wide(window.holds(condition, false)));
        }
        for value in values {
            let (values, present) = window.value(value);
            let all = vec![1; window.len()];
            let present = present.unwrap_or(&all);
            let values: Vec<i64> = typed!(values, values => values.iter().map(|value| value.wide()).collect());
            // The integer of a row without a value is arbitrary.
            put(values.iter().zip(present).map(|(value, present)| if *present == 1 { *value } else { 0 }).collect());
            put(wide(present));
        }
        put(window.codes(key).iter().map(|code| i64::from(*code)).collect());
        put(wide(&window.ranked_below(50).expect("ranks")));
        let mut counts = Sums::of(20);
        let cells =
            Binning { low: 0, width: 7, count: 20 }.cells(Places::All(window.len()), 1, window.value(values[0]));
        counts.count(Places::Cells(&cells), None);
        put(counts.finish());
    }
    results
}

#[test]
fn the_type_that_a_column_is_stored_in_changes_nothing() {
    let rows = WINDOW_ROWS + 700;
    let few: Vec<u8> = (0..rows).map(|row| (row * 37 % 101) as u8).collect();
    let many: Vec<u8> = (0..rows).map(|row| (row * row % 103) as u8).collect();
    let present = [7, 5].map(|every| (0..rows).map(|row| u8::from(row % every != 0)).collect::<Vec<u8>>());
    let present = [&present[0][..], &present[1][..]];
    let wide = |values: &[u8]| values.iter().map(|value| i64::from(*value)).collect::<Vec<_>>();
    let (few_wide, many_wide) = (wide(&few), wide(&many));
    let expected = results([Slice::I64(&few_wide), Slice::I64(&many_wide)], present, rows);
    assert!(expected.iter().all(|one| one.len() >= rows || one.len() == 40));
    // Every condition is true of some rows and false of others.
    for (condition, truth) in CONDITIONS.iter().zip(expected.chunks(2)) {
        assert!(truth.iter().all(|rows| rows.contains(&1) && rows.contains(&0)), "{condition}");
    }
    macro_rules! check {
        ($($variant:ident: $type:ty),*) => {$({
            let cast = |values: &[u8]| values.iter().map(|value| *value as $type).collect::<Vec<_>>();
            let (few, many) = (cast(&few), cast(&many));
            let found = results([Slice::$variant(&few), Slice::$variant(&many)], present, rows);
            assert_eq!(found, expected, stringify!($variant));
        })*};
    }
    check!(U8: u8, I8: i8, U16: u16, I16: i16, U32: u32, I32: i32);
}
