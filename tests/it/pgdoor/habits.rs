//! SQL as dashboards write it: what means something that is taken is taken, however it is quoted, named and wrapped.

use super::{Served, entries, fault};
use crate::support::Lab;

#[test]
fn what_dashboards_write_is_answered() {
    let lab = Lab::exact();
    let door = Served::new(&lab.service);
    let (mut client, _) = door.ada(&lab);
    client.batch_execute("SET tacit.epsilon = '0.01'").expect("set");
    for (sql, rows) in [
        (
            r#"SELECT "region" AS "region", COUNT(*) AS "count" FROM "visits"."visits" GROUP BY "region" ORDER BY "count" DESC LIMIT 1001"#,
            4,
        ),
        (
            r#"SELECT region AS region, COUNT(*) AS "COUNT(*)" FROM (SELECT * FROM visits) AS virtual_table GROUP BY region ORDER BY "COUNT(*)" DESC LIMIT 1001"#,
            4,
        ),
        (
            r#"SELECT "source"."region" AS "region", COUNT(*) AS "count" FROM (SELECT * FROM visits) "source" GROUP BY "source"."region" ORDER BY "source"."region" ASC"#,
            4,
        ),
        (
            "SELECT DATE_TRUNC('year', visited) AS __timestamp, SUM(cost) AS \"SUM(cost)\" FROM visits WHERE visited >= TO_DATE('2023-01-01', 'YYYY-MM-DD') AND visited < TO_DATE('2024-01-01', 'YYYY-MM-DD') GROUP BY DATE_TRUNC('year', visited) ORDER BY \"SUM(cost)\" DESC LIMIT 50000",
            1,
        ),
        (
            "SELECT COUNT(*) AS n FROM public.visits WHERE visited >= TO_TIMESTAMP('2023-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US')",
            1,
        ),
        ("SELECT COUNT(*) AS n FROM visits WHERE visited BETWEEN '2023-01-01T00:00:00Z' AND '2023-12-31T00:00:00Z'", 1),
        ("SELECT COUNT(*) AS n FROM visits WHERE visited >= '2023-01-01'::timestamp", 1),
        ("SELECT COUNT(*) FROM (SELECT * FROM visits) AS t", 1),
        ("SELECT AVG(cost) AS a, COUNT(DISTINCT patient_id) AS p FROM visits", 1),
    ] {
        let found = client.query(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        assert_eq!(found.len(), rows, "{sql}");
    }
    let before = entries(&lab);
    for (sql, rows) in [
        ("SELECT DISTINCT \"region\" AS \"region\" FROM \"visits\"", 4),
        ("SELECT region AS region FROM visits GROUP BY region LIMIT 1000", 4),
        ("SELECT DISTINCT region FROM (SELECT * FROM visits) AS virtual_table ORDER BY region ASC", 4),
    ] {
        let found = client.query(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        assert_eq!(found.len(), rows, "{sql}");
    }
    for sql in ["SELECT * FROM \"visits\".\"visits\" LIMIT 100", "SELECT * FROM (SELECT * FROM visits) AS t LIMIT 101"]
    {
        assert_eq!(fault(client.query(sql, &[])).code().code(), "42501", "{sql}");
    }
    assert_eq!(entries(&lab), before, "domains, and what is refused, are free");
}
