//! What is refused: the reason and the place.

use super::refused;

/// Queries with a part of the reason and the place.
const OF_FROM: &[(&str, &str, (u64, u64))] = &[
    // FROM
    ("SELECT COUNT(*) FROM a FULL JOIN b USING (u)", "no place", (1, 34)),
    ("SELECT COUNT(*) FROM a, LATERAL (SELECT u FROM b) AS t", "LATERAL", (1, 34)),
    ("SELECT COUNT(*) FROM a JOIN LATERAL unnest(b) AS t ON a.u = t.u", "LATERAL", (1, 37)),
    ("SELECT COUNT(*) FROM a JOIN b", "which rows belong together", (1, 29)),
    ("SELECT COUNT(*) FROM a JOIN b USING (x.u)", "by themselves", (1, 29)),
    ("SELECT COUNT(*) FROM (a JOIN b USING (u)) AS j", "a name for a join", (1, 23)),
    ("SELECT COUNT(*) FROM c.s.t", "one dataset's name", (1, 22)),
    ("SELECT COUNT(*) FROM read_csv('/etc/passwd')", "functions in FROM", (1, 22)),
    ("SELECT COUNT(*) FROM UNNEST(ARRAY[1, 2]) AS t", "belong to nobody", (1, 1)),
    ("SELECT COUNT(*) FROM generate_series(1, 2) AS t", "belong to nobody", (1, 1)),
    ("SELECT COUNT(*) FROM generate_series(1, x) AS t", "a constant is wanted", (1, 41)),
    ("SELECT COUNT(*) FROM generate_series(1, 1000000000) AS t", "more than 1000 values", (1, 22)),
    ("SELECT COUNT(*) FROM generate_series(1, 9, 0) AS t", "moves one way", (1, 22)),
    ("SELECT COUNT(*) FROM visits TABLESAMPLE BERNOULLI (10)", "TABLESAMPLE", (1, 22)),
    ("SELECT COUNT(*) FROM (VALUES (1), (2)) AS t", "belong to nobody", (1, 1)),
    ("SELECT COUNT(*) FROM (SELECT 1) AS t", "there is no FROM", (1, 23)),
    ("SELECT COUNT(*)", "there is no FROM", (1, 1)),
    ("SELECT COUNT(*) FROM (SELECT u FROM a LIMIT 3) AS t", "cannot be cut", (1, 23)),
    ("SELECT COUNT(*) FROM (SELECT u FROM a OFFSET 3) AS t", "cannot be cut", (1, 23)),
    ("SELECT COUNT(*) FROM (SELECT u FROM a FETCH FIRST ROW ONLY) AS t", "cannot be cut", (1, 23)),
    ("SELECT COUNT(*) FROM a WHERE EXISTS (SELECT u FROM a LIMIT 0)", "cannot be cut", (1, 38)),
    ("SELECT COUNT(*) FROM (SELECT u FROM a FOR UPDATE) AS t", "locks no rows", (1, 23)),
    // WITH
    ("WITH a AS (SELECT u FROM x), a AS (SELECT u FROM y) SELECT COUNT(*) FROM a", "twice", (1, 30)),
    ("WITH RECURSIVE a AS (SELECT u FROM a) SELECT COUNT(*) FROM b", "no recursion", (1, 36)),
    ("WITH RECURSIVE a AS (SELECT u FROM b), b AS (SELECT u FROM a) SELECT COUNT(*) FROM b", "no rec", (1, 36)),
    ("WITH a AS (SELECT LEFT_(u) FROM x) SELECT COUNT(*) FROM y", "left_", (1, 19)),
];

/// The same for what stands in rows, windows and conditions.
const OF_ROWS: &[(&str, &str, (u64, u64))] = &[
    // Rows
    ("SELECT COUNT(*) FROM (SELECT u FROM a WHERE COUNT(*) > 1) AS t", "conditions on aggregates", (1, 45)),
    ("SELECT COUNT(*) FROM (SELECT MAX(MIN(x)) FROM a) AS t", "the aggregate MIN", (1, 34)),
    ("SELECT COUNT(*) FROM (SELECT u FROM a GROUP BY ROLLUP (u)) AS t", "several groupings", (1, 23)),
    ("SELECT COUNT(*) FROM (SELECT * EXCLUDE u FROM a) AS t", "EXCLUDE", (1, 32)),
    ("SELECT COUNT(*) FROM (SELECT DISTINCT ON (2) u FROM a) AS t", "of this number", (1, 43)),
    // Windows
    ("SELECT COUNT(*) FROM a WHERE ROW_NUMBER() OVER (PARTITION BY u) = 1", "a window function", (1, 30)),
    ("SELECT COUNT(*) FROM (SELECT ROW_NUMBER() FROM a) AS t", "wants a window", (1, 30)),
    ("SELECT COUNT(*) FROM (SELECT MEDIAN(d) OVER (ORDER BY d) FROM a) AS t", "median", (1, 30)),
    ("SELECT COUNT(*) FROM (SELECT LAG(d, x) OVER (PARTITION BY u) FROM a) AS t", "constant", (1, 37)),
    ("SELECT COUNT(*) FROM (SELECT LAG(d) IGNORE NULLS OVER (PARTITION BY u) FROM a) AS t", "IGNORE", (1, 30)),
    ("SELECT COUNT(*) FROM (SELECT COUNT(DISTINCT d) OVER (PARTITION BY u) FROM a) AS t", "DISTINCT", (1, 30)),
    ("SELECT COUNT(*) FROM (SELECT LAG(d) OVER w FROM a) AS t", "no window \"w\"", (1, 42)),
    ("SELECT COUNT(*) FROM (SELECT u FROM a WINDOW w AS (), w AS ()) AS t", "twice", (1, 55)),
    (
        "SELECT COUNT(*) FROM (SELECT SUM(a) OVER (w PARTITION BY d) FROM a WINDOW w AS (PARTITION BY u)) AS t",
        "cannot change",
        (1, 30),
    ),
    (
        "SELECT COUNT(*) FROM (SELECT SUM(a) OVER (ORDER BY d GROUPS 1 PRECEDING) FROM a) AS t",
        "GROUPS are not",
        (1, 30),
    ),
    (
        "SELECT COUNT(*) FROM (SELECT SUM(a) OVER (ORDER BY d RANGE INTERVAL '1 month' PRECEDING) FROM a) AS t",
        "days as in INTERVAL",
        (1, 30),
    ),
    (
        "SELECT COUNT(*) FROM (SELECT SUM(a) OVER (ORDER BY d ROWS INTERVAL '1 day' PRECEDING) FROM a) AS t",
        "constant",
        (1, 68),
    ),
    ("SELECT COUNT(*) FROM (SELECT SUM(a) OVER (ORDER BY d, e RANGE 3 PRECEDING) FROM a) AS t", "there are 2", (1, 30)),
    (
        "SELECT COUNT(*) FROM (SELECT SUM(a) OVER (ROWS BETWEEN CURRENT ROW AND 1 PRECEDING) FROM a) AS t",
        "before it begins",
        (1, 30),
    ),
    ("SELECT COUNT(*) FROM (SELECT SUM(a) OVER (ROWS CURRENT ROW EXCLUDE TIES) FROM a) AS t", "EXCLUDE", (1, 60)),
    // Conditions and columns
    ("SELECT COUNT(*) FROM a WHERE x > ALL (SELECT y FROM b)", "= ANY and <> ALL", (1, 30)),
    ("SELECT COUNT(*) FROM a WHERE p.q.r.x > 1", "at most two others", (1, 30)),
];

#[test]
fn refusals_name_the_place_and_the_reason() {
    let wrong = |&(sql, reason, place): &(&str, &str, (u64, u64))| {
        let error = refused(sql);
        let at = error.position.map(|at| (at.line, at.column));
        let text = format!("{error} {}", error.hint.clone().unwrap_or_default());
        let is_right = text.contains(reason) && at == Some(place);
        (!is_right).then(|| format!("{sql}: {text} {at:?}"))
    };
    let wrong: Vec<_> = OF_FROM.iter().chain(OF_ROWS).filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
