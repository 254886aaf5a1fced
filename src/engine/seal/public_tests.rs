//! Tests that columns of public tables get the type of what they hold, and that errors name the bound.

use super::*;
use crate::query::terms::policy::limits::PUBLIC_COLUMNS_MAX;

fn table(text: &str) -> Result<PublicRows, PublicFault> {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("t.csv");
    std::fs::write(&path, text).expect("a file");
    let names: Vec<String> = text.lines().next().unwrap_or_default().split(';').map(str::to_owned).collect();
    assert!(names.len() <= PUBLIC_COLUMNS_MAX);
    read(&SourceSpec { separator: Some(b';'), ..SourceSpec::file(&path) }, &names)
}

fn column(values: &[&str]) -> (Domain, Vec<Option<i64>>) {
    let mut rows =
        table(&format!("a;b\n{}\n", values.iter().map(|value| format!("{value};x")).collect::<Vec<_>>().join("\n")))
            .expect("a table");
    let (column, values) = rows.remove(0);
    assert_eq!(column.nullable, values.contains(&None));
    (column.domain, values)
}

fn grid(values: &[&str]) -> (Grid, Vec<Option<i64>>) {
    match column(values) {
        (Domain::Number(grid), stored) => {
            (grid, stored.into_iter().map(|value| value.map(|value| value + grid.centre())).collect())
        }
        (other, _) => panic!("{other}"),
    }
}

#[test]
fn numbers_lie_on_the_coarsest_grid_that_holds_them() {
    let (whole, values) = grid(&["12", "", "-3", "7.0"]);
    assert_eq!(whole, Grid::new(true, -3 * ONE, 12 * ONE, ONE).expect("a grid"));
    assert_eq!(values, [Some(12), None, Some(-3), Some(7)]);
    let (half, values) = grid(&["1.5", "-0.50", "3"]);
    assert_eq!((half.integer, half.step, half.low, half.high), (false, 500_000_000, -1, 6));
    assert_eq!(values, [Some(3), Some(-1), Some(6)]);
    assert_eq!(grid(&["5", "5"]).0, Grid::new(true, 5 * ONE, 6 * ONE, ONE).expect("a grid"));
}

#[test]
fn days_and_booleans_have_their_types_and_codes_stay_texts() {
    assert!(matches!(column(&["2024-02-29", "2024-03-01"]), (Domain::Date { min: 19_782, max: 19_783 }, _)));
    assert_eq!(column(&["true", "", "false"]), (Domain::Boolean, vec![Some(1), None, Some(0)]));
    for codes in
        [&["007", "12"][..], &["12", "x"], &["1e5"], &["99999999999999999999"], &["2024-02-30"], &["b", "a", "b"]]
    {
        let (domain, stored) = column(codes);
        let labels = domain.labels().expect("labels");
        let back: Vec<&str> = stored.iter().flatten().map(|code| labels[*code as usize].as_str()).collect();
        assert_eq!(back, codes);
        assert_eq!(stored[0], Some(0), "labels are in the order of their first occurrence");
    }
}

#[test]
fn what_cannot_be_published_says_why() {
    for (text, message) in [
        ("a;b\n", "it has no row"),
        ("a;b\n1;\n2;\n", "column \"b\" has no value in any row"),
        ("a;b\n0.1234567891;x\n", "column \"a\" holds numbers with more than 9 decimals"),
        (&format!("a;b\n{};x\n", "y".repeat(257)), "column \"a\" holds a text of more than 256 characters"),
    ] {
        let error = table(text).expect_err(text).to_string();
        assert!(error.contains(message), "{error}");
    }
    let many = format!("a;b\n{}", "1;2\n".repeat(PUBLIC_ROWS_MAX + 1));
    assert!(table(&many).expect_err("too many").to_string().contains("more than 1000000 rows"));
}
