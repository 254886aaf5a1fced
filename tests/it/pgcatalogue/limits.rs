//! What would take more memory or time than a statement may have is refused before it is taken.

use super::{lab, rows, tables, try_run};

/// The largest value, of which these statements ask for many times as much.
const MIB: usize = 1 << 20;

#[test]
fn a_value_is_refused_before_it_is_made() {
    let lab = lab();
    let tables = tables(&lab, "tacit");
    for sql in [
        "SELECT array_to_string(string_to_array(repeat(',', 250000), ','), repeat('x', 100000))",
        "SELECT array_to_string(ARRAY(SELECT NULL::text FROM generate_series(1, 9000)), '', repeat('x', 100000))",
        "SELECT replace(repeat('x', 100000), 'x', repeat('y', 100000))",
        "SELECT regexp_replace(repeat('x', 100000), 'x', repeat('y', 100000), 'g')",
        r"SELECT regexp_replace(repeat('x', 100000), '^x*$', repeat('\&', 10000))",
        "SELECT concat_ws(repeat('x', 100000), '', '', '', '', '', '', '', '', '', '', '', '')",
        "SELECT format(repeat('%s', 12), repeat('x', 1000000), repeat('x', 1000000))",
        "SELECT lpad('x', 2000000000, repeat('y', 1000))",
        "SELECT string_agg(repeat('x', 1000000), ',') FROM generate_series(1, 9)",
        "SELECT repeat('x', 1000000) || repeat('y', 1000000)",
    ] {
        assert_eq!(try_run(&tables, sql).expect_err(sql).sqlstate, "54000", "{sql}");
    }
    assert_eq!(rows(&tables, &format!("SELECT length(repeat('x', {MIB}))")), [MIB.to_string()]);
    assert_eq!(rows(&tables, "SELECT array_to_string(ARRAY['a', NULL, 'b'], '-', '?')"), ["a-?-b"]);
    assert_eq!(rows(&tables, "SELECT concat_ws('-', 'a', NULL, 'b'), concat('a', NULL, 1)"), ["a-b|a1"]);
    assert_eq!(rows(&tables, "SELECT regexp_replace('aXbX', '(X)', '<\\1>', 'g')"), ["a<X>b<X>"]);
    assert_eq!(rows(&tables, "SELECT translate('abcabc', 'aba', 'xy'), btrim('xyaxy', 'yx')"), ["xycxyc|a"]);
}

#[test]
fn long_sets_of_letters_take_no_longer() {
    let lab = lab();
    let tables = tables(&lab, "tacit");
    // A search through the set for every letter would be 10^12 steps.
    let set = "(SELECT string_agg(chr((20000 + n)::int), '') FROM generate_series(1, 9999) AS s(n))";
    let sql = format!(
        "SELECT length(translate(t, {set}, '')), length(btrim(t, {set})) \
                       FROM (SELECT repeat('x', 1000000) AS t) AS x"
    );
    assert_eq!(rows(&tables, &sql), ["1000000|1000000"]);
}

#[test]
fn a_statement_does_not_grow_with_its_depth() {
    let lab = lab();
    let tables = tables(&lab, "tacit");
    let whens = " WHEN 'a' THEN 'b'".repeat(40);
    let nested = (0..12).fold("'a'".to_owned(), |inner, _| format!("CASE {inner}{whens} END"));
    let stars = (0..20)
        .fold("pg_catalog.pg_class".to_owned(), |inner, depth| format!("(SELECT *, *, * FROM {inner} AS t{depth})"));
    for sql in [format!("SELECT {nested}"), format!("SELECT 1 FROM {stars} AS t")] {
        assert_eq!(try_run(&tables, &sql).expect_err(&sql).sqlstate, "54000", "{sql}");
    }
    assert_eq!(rows(&tables, "SELECT CASE CASE 1 WHEN 1 THEN 2 END WHEN 2 THEN 'yes' END"), ["yes"]);
}

#[test]
fn what_a_statement_keeps_until_it_ends_is_bounded() {
    let lab = lab();
    let tables = tables(&lab, "tacit");
    for value in [
        "repeat('x', 1000000) || g",
        "left(repeat('x', 1000000), 500000)",
        "regexp_replace(repeat('x', 1000000), 'y', '')",
    ] {
        let sql =
            format!("SELECT count(*) FROM (SELECT DISTINCT {value} AS t FROM generate_series(1, 9000) AS s(g)) AS d");
        let error = try_run(&tables, &sql).expect_err(&sql);
        assert_eq!(error.sqlstate, "54000", "{error:?}");
        assert!(error.message.contains("computes"), "{error:?}");
    }
    assert_eq!(rows(&tables, "SELECT 'a' || 1 || NULL, 'a' || 1"), ["-|a1"]);
}
