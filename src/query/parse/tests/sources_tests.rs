//! What FROM, WITH and qualified names are read as.

use super::{placeless, read, same};
use crate::query::syntax::{Condition, Expression, FromItem, ItemValue, JoinOn, Scalar};

#[test]
fn the_dataset_is_the_schema_or_the_first_table() {
    for (from, dataset) in [
        ("omop.person", "omop"),
        ("Omop.Person AS p", "omop"),
        ("\"Omop\".person", "Omop"),
        ("person p JOIN omop.visit v USING (person_id)", "person"),
        ("(SELECT * FROM omop.visit UNION ALL SELECT * FROM person) AS v", "omop"),
        ("(visits v JOIN people p USING (id)), others", "visits"),
    ] {
        assert_eq!(read(&format!("SELECT COUNT(*) FROM {from}")).dataset.text, dataset, "{from}");
    }
}

#[test]
fn joins_have_one_reading_each() {
    same("visits v", "visits AS v");
    same("a INNER JOIN b ON a.u = b.u", "a JOIN b ON a.u = b.u");
    same("a LEFT OUTER JOIN b USING (u, d)", "a LEFT JOIN b USING (u, d)");
    same("a RIGHT JOIN b USING (u)", "b LEFT JOIN a USING (u)");
    same("a, b", "a CROSS JOIN b");
    same("(a JOIN b USING (u)) JOIN c USING (u)", "a JOIN b USING (u) JOIN c USING (u)");
    same("((SELECT u FROM a)) AS t", "(SELECT u FROM a) AS t");
    same("a AS t (x, y)", "(SELECT * FROM a) AS t (x, y)");
    let query = read("SELECT COUNT(*) FROM a NATURAL LEFT JOIN b");
    assert!(matches!(query.from, FromItem::Joined { is_left: true, on: JoinOn::Natural, .. }));
    let query = read("SELECT COUNT(*) FROM a, b JOIN c ON b.u = c.u, LATERAL_ d");
    let FromItem::Joined { left, right, on: JoinOn::All, .. } = query.from else { panic!("{:?}", query.from) };
    assert!(matches!(*right, FromItem::Table { alias: Some(ref alias), .. } if alias.text == "d"));
    assert!(matches!(*left, FromItem::Joined { ref right, .. } if matches!(**right, FromItem::Joined { .. })));
}

#[test]
fn names_of_with_are_their_queries() {
    let whole = |text: &str| placeless(&read(text).from);
    for (named, written) in [
        ("WITH v AS (SELECT u FROM visits) SELECT COUNT(*) FROM v", "SELECT COUNT(*) FROM (SELECT u FROM visits) AS v"),
        (
            "WITH v (a, b) AS MATERIALIZED (SELECT u, d FROM visits) SELECT COUNT(*) FROM v AS w (x)",
            "SELECT COUNT(*) FROM (SELECT u, d FROM visits) AS w (x, b)",
        ),
        (
            "WITH a AS (SELECT u FROM visits), b AS (SELECT u FROM a x JOIN a y USING (u)) SELECT COUNT(*) FROM b",
            "SELECT COUNT(*) FROM (SELECT u FROM (SELECT u FROM visits) x JOIN (SELECT u FROM visits) y USING (u)) b",
        ),
        // A name hides a table, but not inside of its own query, and not with a dataset before it.
        (
            "WITH visits AS (SELECT u FROM visits) SELECT COUNT(*) FROM visits JOIN demo.visits AS d USING (u)",
            "SELECT COUNT(*) FROM (SELECT u FROM visits) AS visits JOIN demo.visits AS d USING (u)",
        ),
        // An inner name hides an outer one, and ends with its query.
        (
            "WITH a AS (SELECT u FROM one) SELECT COUNT(*) FROM (WITH a AS (SELECT u FROM two) SELECT u FROM a) x, a",
            "SELECT COUNT(*) FROM (SELECT u FROM (SELECT u FROM two) a) x, (SELECT u FROM one) a",
        ),
        (
            "WITH RECURSIVE a AS (SELECT u FROM one) SELECT COUNT(*) FROM a",
            "SELECT COUNT(*) FROM (SELECT u FROM one) AS a",
        ),
    ] {
        assert_eq!(whole(named), whole(written), "{named}");
    }
    let query = read("WITH old AS (SELECT u FROM people) SELECT COUNT(*) FROM visits WHERE u IN (SELECT u FROM old)");
    let Some(Condition::InRows(_, rows)) = query.condition else { panic!("{:?}", query.condition) };
    assert_eq!(rows.first_table().expect("a table").1.text, "people");
}

#[test]
fn columns_keep_the_names_before_them() {
    let query = read(
        "SELECT V.region, COUNT(DISTINCT \"V\".u), AVG(demo.v.cost) FROM visits v WHERE v.smoker GROUP BY v.region ORDER BY v.region",
    );
    let ItemValue::Key(Expression { value: Scalar::Column(name), .. }) = &query.items[0].value else {
        panic!("{:?}", query.items[0])
    };
    assert_eq!((name.of.as_deref(), name.text.as_str(), name.at.column), (Some("v"), "region", 8));
    let text = placeless(&query);
    assert_eq!(text.matches("of: Some(\"v\"), text: \"region\"").count(), 3, "{text}");
    assert!(
        text.contains("of: Some(\"V\"), text: \"u\"") && text.contains("of: Some(\"v\"), text: \"cost\""),
        "{text}"
    );
    assert!(matches!(query.condition, Some(Condition::Is(_))));
}
