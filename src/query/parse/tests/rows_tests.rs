//! What queries that make rows are read as, and conditions that hold queries.

use super::{condition, item, placeless, read, same, select, window};
use crate::query::syntax::{
    AggregateFunction, Condition, Distinct, FromItem, RowValue, Rows, Scalar, SetOperator, WindowBound, WindowCall,
    WindowFrame,
};

#[test]
fn rows_are_selected_with_aggregates_inside_of_expressions() {
    let of = |text: &str| match item(text) {
        Scalar::Aggregate(aggregate) => aggregate.function,
        other => panic!("{other:?}"),
    };
    assert!(matches!(of("COUNT(*)"), AggregateFunction::CountRows));
    assert!(matches!(of("COUNT(DISTINCT v.diagnosis)"), AggregateFunction::CountDistinct(_)));
    assert!(matches!(of("MEDIAN(cost)"), AggregateFunction::Percentile(..)));
    assert!(matches!(of("PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY cost)"), AggregateFunction::Percentile(..)));
    assert!(matches!(of("(ARRAY_AGG(a ORDER BY b DESC))[1]"), AggregateFunction::First { descending: true, .. }));
    assert!(matches!(of("BOOL_OR(cost > 3)"), AggregateFunction::Any(_)));
    assert!(matches!(of("STDDEV(cost) FILTER (WHERE age > 3)"), AggregateFunction::Spread(..)));
    assert!(matches!(item("MAX(d) - MIN(d)"), Scalar::Arithmetic(..)));
    assert!(matches!(item("COALESCE(MAX(a), 0)"), Scalar::Coalesce(..)));
    assert!(matches!(item("COUNT(*) > 2"), Scalar::Truth(_)));
    assert!(matches!(item("CASE WHEN MAX(a) > 3 THEN MIN(b) ELSE 0 END"), Scalar::Case(..)));
    assert!(matches!(item("(SELECT MAX(a) FROM visits)"), Scalar::Subquery(_)));
    let select = select(
        "SELECT u, diagnosis AS d, t.*, * FROM visits AS t GROUP BY 1, diagnosis HAVING COUNT(*) > 2 AND BOOL_OR(a)",
    );
    assert!(matches!(select.items[2].value, RowValue::Wildcard(Some(ref of)) if of.text == "t"));
    assert!(matches!(select.items[3].value, RowValue::Wildcard(None)));
    assert_eq!(select.keys.len(), 2);
    assert!(matches!(select.having, Some(Condition::All(ref parts)) if matches!(parts[1], Condition::Is(_))));
}

#[test]
fn the_order_of_rows_matters_to_distinct_on_alone() {
    same("(SELECT u FROM a ORDER BY d DESC, 1) AS t", "(SELECT u FROM a) AS t");
    same("(SELECT u FROM a UNION SELECT u FROM b ORDER BY 1) AS t", "(SELECT u FROM a UNION SELECT u FROM b) AS t");
    assert!(matches!(select("SELECT DISTINCT u FROM a").distinct, Distinct::All));
    let written = "SELECT DISTINCT ON (1) v.u, v.d AS day FROM a AS v ORDER BY v.u, 2 DESC, day";
    let meant = "SELECT DISTINCT ON (v.u) v.u, v.d AS day FROM a AS v ORDER BY v.u, v.d DESC, v.d";
    assert_eq!(placeless(&select(written)), placeless(&select(meant)));
    assert!(select(meant).order[1].nulls_first, "as in PostgreSQL");
}

#[test]
fn queries_are_combined() {
    for (written, operator, all) in [
        ("UNION", SetOperator::Union, false),
        ("UNION DISTINCT", SetOperator::Union, false),
        ("UNION ALL", SetOperator::Union, true),
        ("INTERSECT", SetOperator::Intersect, false),
        ("EXCEPT ALL", SetOperator::Except, true),
    ] {
        let from = read(&format!("SELECT COUNT(*) FROM (SELECT u FROM a {written} SELECT u FROM b) AS t")).from;
        let FromItem::Derived { rows, .. } = from else { panic!("{from:?}") };
        let Rows::Set { operator: found, all: is_all, .. } = *rows else { panic!("{rows:?}") };
        assert_eq!((found, is_all), (operator, all), "{written}");
    }
    // INTERSECT binds tighter, and the others from left to right.
    same(
        "(SELECT u FROM a EXCEPT SELECT u FROM b UNION SELECT u FROM c INTERSECT SELECT u FROM d) AS t",
        "((SELECT u FROM a EXCEPT SELECT u FROM b) UNION (SELECT u FROM c INTERSECT SELECT u FROM d)) AS t",
    );
}

#[test]
fn windows_are_read_with_their_frames() {
    let of = |written: &str| window(written).function;
    assert!(matches!(of("ROW_NUMBER() OVER (PARTITION BY u ORDER BY d)"), WindowCall::RowNumber));
    assert!(matches!(of("RANK() OVER (PARTITION BY u ORDER BY d)"), WindowCall::Rank));
    assert!(matches!(of("DENSE_RANK() OVER (PARTITION BY u ORDER BY d)"), WindowCall::DenseRank));
    assert!(matches!(of("LAG(d) OVER (PARTITION BY u ORDER BY d)"), WindowCall::Lag(_, 1)));
    assert!(matches!(of("LEAD(d, 2, NULL) OVER (PARTITION BY u ORDER BY d)"), WindowCall::Lead(_, 2)));
    assert!(matches!(of("FIRST_VALUE(d) OVER (PARTITION BY u ORDER BY d)"), WindowCall::Nth(_, 1)));
    assert!(matches!(of("NTH_VALUE(d, 3) OVER (PARTITION BY u ORDER BY d)"), WindowCall::Nth(_, 3)));
    assert!(matches!(of("LAST_VALUE(d) RESPECT NULLS OVER (PARTITION BY u ORDER BY d)"), WindowCall::Last(_)));
    for aggregate in ["COUNT(*)", "SUM(a)", "AVG(a)", "MIN(a)", "MAX(a)", "BOOL_OR(a > 1)", "EVERY(b)", "SUM(COUNT(*))"]
    {
        assert!(matches!(of(&format!("{aggregate} OVER (PARTITION BY u)")), WindowCall::Aggregate(_)), "{aggregate}");
    }
    use WindowBound::{After, Before, Current, First, Last};
    for (written, by_rows, start, end) in [
        ("ROWS UNBOUNDED PRECEDING", true, First, Current),
        ("ROWS BETWEEN 3 PRECEDING AND 1 FOLLOWING", true, Before(3), After(1)),
        ("ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING", true, Before(3), Before(1)),
        ("RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING", false, Current, Last),
        ("RANGE BETWEEN INTERVAL '30 days' PRECEDING AND CURRENT ROW", false, Before(30), Current),
        ("RANGE BETWEEN INTERVAL '2' WEEK PRECEDING AND INTERVAL '1 day' FOLLOWING", false, Before(14), After(1)),
        ("RANGE BETWEEN '7 days' PRECEDING AND CURRENT ROW", false, Before(7), Current),
        ("RANGE BETWEEN 5 PRECEDING AND CURRENT ROW", false, Before(5), Current),
    ] {
        let window = window(&format!("SUM(a) OVER (PARTITION BY u ORDER BY d {written})"));
        assert_eq!(window.frame, Some(WindowFrame { by_rows, start, end }), "{written}");
    }
    // Functions of the order alone have no frame.
    assert_eq!(window("RANK() OVER (PARTITION BY u ORDER BY d ROWS UNBOUNDED PRECEDING)").frame, None);
}

#[test]
fn named_windows_are_written_out() {
    same(
        "(SELECT SUM(a) OVER w AS s, LAG(a) OVER (w ORDER BY e) AS l FROM v WINDOW x AS (PARTITION BY u), w AS (x)) t",
        "(SELECT SUM(a) OVER (PARTITION BY u) AS s, LAG(a) OVER (PARTITION BY u ORDER BY e) AS l FROM v) t",
    );
}

#[test]
fn a_default_of_lag_is_the_case_that_means_the_same() {
    same(
        "(SELECT LAG(a, 2, 0) OVER (PARTITION BY u ORDER BY d) AS b FROM v) t",
        "(SELECT CASE WHEN ROW_NUMBER() OVER (PARTITION BY u ORDER BY d) <= 2 THEN 0
          ELSE LAG(a, 2) OVER (PARTITION BY u ORDER BY d) END AS b FROM v) t",
    );
    same(
        "(SELECT LEAD(a, 1, c) OVER (PARTITION BY u ORDER BY d) AS b FROM v) t",
        "(SELECT CASE WHEN COUNT(*) OVER (PARTITION BY u ORDER BY d ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
          <= 1 THEN c ELSE LEAD(a, 1) OVER (PARTITION BY u ORDER BY d) END AS b FROM v) t",
    );
}

#[test]
fn conditions_hold_queries() {
    assert!(matches!(condition("u IN (SELECT u FROM a)"), Condition::InRows(..)));
    for (one, other) in [
        ("u = ANY (SELECT u FROM a)", "u IN (SELECT u FROM a)"),
        ("u = SOME (SELECT u FROM a)", "u IN (SELECT u FROM a)"),
        ("u <> ALL (SELECT u FROM a)", "u NOT IN (SELECT u FROM a)"),
        ("NOT EXISTS (SELECT 1 FROM a WHERE a.u = v.u LIMIT 1)", "NOT (EXISTS (SELECT 1 FROM a WHERE a.u = v.u))"),
    ] {
        assert_eq!(placeless(&condition(one)), placeless(&condition(other)), "{one}");
    }
    assert!(matches!(condition("EXISTS (SELECT * FROM a)"), Condition::Exists(_)));
    let Condition::Compare(_, _, right) = condition("cost > (SELECT AVG(w.cost) FROM visits w WHERE w.u = v.u)") else {
        panic!("a comparison")
    };
    assert!(matches!(right.value, Scalar::Subquery(_)));
    // In a query that makes rows as well, and as a value.
    assert!(matches!(item("u IN (SELECT u FROM a)"), Scalar::Truth(_)));
    assert!(matches!(item("CASE WHEN EXISTS (SELECT u FROM a) THEN 1 END"), Scalar::Case(..)));
}
