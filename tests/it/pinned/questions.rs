//! The questions of the pinned state: every layout, formula, key, condition and term that can be on disk.

/// A question: who asks, the SQL, the accuracy as JSON fields, and the idempotency key.
pub struct Question<'a> {
    pub who: &'a str,
    pub sql: &'a str,
    pub how: &'a str,
    pub key: Option<&'a str>,
}

const fn of(who: &'static str, how: &'static str, sql: &'static str) -> Question<'static> {
    Question { who, sql, how, key: None }
}

const fn keyed(who: &'static str, key: &'static str, how: &'static str, sql: &'static str) -> Question<'static> {
    Question { who, sql, how, key: Some(key) }
}

const LOW: &str = r#""epsilon":"0.3""#;
const MIDDLE: &str = r#""epsilon":"0.4""#;
const HIGH: &str = r#""epsilon":"0.5""#;

/// Asked of the first edition, which the second one supersedes.
pub const FIRST: [Question<'static>; 3] = [
    of("ada", LOW, "SELECT COUNT(*) AS n FROM visits"),
    of("bob", HIGH, "SELECT region, AVG(cost) AS mean FROM visits GROUP BY region"),
    keyed("ada", "first", LOW, "SELECT diagnosis, COUNT(*) AS n FROM visits WHERE age > 40 GROUP BY diagnosis"),
];

/// Asked after the ledger was recovered and the dataset sealed anew.
pub const SECOND: [Question<'static>; 67] = [
    of("ada", LOW, "SELECT COUNT(*) AS n FROM visits"),
    of("ada", LOW, "SELECT region, COUNT(*) AS n FROM visits GROUP BY region"),
    // Topped up, shared, and served for its price.
    of("ada", HIGH, "SELECT region, COUNT(*) AS n FROM visits GROUP BY region"),
    of(
        "bob",
        MIDDLE,
        "SELECT COUNT(*) AS people, region AS r FROM visits GROUP BY region ORDER BY region DESC LIMIT 3",
    ),
    keyed("bob", "once", MIDDLE, "SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING COUNT(*) > 5"),
    keyed("ada", "drawn", r#""epsilon":"0.2","purpose":"a pinned purpose""#, "SELECT SUM(age) AS s FROM visits"),
    // Keys of every kind.
    of("ada", HIGH, "SELECT region, diagnosis, smoker, COUNT(*) AS n FROM visits GROUP BY region, diagnosis, smoker"),
    of("ada", LOW, "SELECT age / 10 AS decade, COUNT(*) AS n FROM visits GROUP BY age / 10"),
    of("ada", LOW, "SELECT WIDTH_BUCKET(age, 20, 90, 7) AS band, COUNT(*) AS n FROM visits GROUP BY 1"),
    of("ada", LOW, "SELECT WIDTH_BUCKET(cost, 0.5, 400.25, 4) AS band, SUM(cost) AS s FROM visits GROUP BY 1"),
    of("ada", LOW, "SELECT DATE_TRUNC('quarter', visited) AS q, COUNT(*) AS n FROM visits GROUP BY 1"),
    of("ada", LOW, "SELECT DATE_TRUNC('month', visited) AS m, COUNT(DISTINCT patient_id) AS p FROM visits GROUP BY 1"),
    of(
        "ada",
        LOW,
        "SELECT DATE_TRUNC('year', visited) AS y, EXTRACT(quarter FROM visited) AS q, COUNT(*) AS n FROM visits GROUP BY 1, 2",
    ),
    of("ada", LOW, "SELECT EXTRACT(dow FROM visited) AS d, COUNT(*) AS n FROM visits GROUP BY 1"),
    of(
        "ada",
        LOW,
        "SELECT EXTRACT(month FROM visited) AS m, COUNT(*) AS n FROM visits WHERE visited >= '2024-01-01' GROUP BY 1",
    ),
    of(
        "ada",
        LOW,
        "SELECT CASE WHEN age < 30 THEN 'young' WHEN smoker THEN 'smokes' ELSE 'other' END AS kind, COUNT(*) AS n FROM visits GROUP BY 1",
    ),
    of(
        "ada",
        LOW,
        "SELECT CASE WHEN age < 30 THEN 1 WHEN age > 60 THEN 3 END AS kind, COUNT(*) AS n FROM visits GROUP BY 1",
    ),
    of("ada", LOW, "SELECT age > 50 AS old, COUNT(*) AS n FROM visits GROUP BY 1"),
    // Aggregates.
    of(
        "ada",
        HIGH,
        "SELECT COUNT(diagnosis) AS d, SUM(cost) AS s, AVG(age) AS a, COUNT(DISTINCT patient_id) AS p FROM visits WHERE cost >= 10",
    ),
    of(
        "ada",
        HIGH,
        "SELECT smoker, AVG(cost) FILTER (WHERE region IN ('north', 'west')) AS a, COUNT(*) FILTER (WHERE diagnosis IS NULL) AS n FROM visits GROUP BY smoker",
    ),
    of("ada", HIGH, "SELECT COUNT(DISTINCT patient_id) FILTER (WHERE age BETWEEN 30 AND 60) AS p FROM visits"),
    of(
        "ada",
        HIGH,
        "SELECT VAR_SAMP(age) AS vs, VAR_POP(age) AS vp, STDDEV_SAMP(age) AS ss, STDDEV_POP(cost) AS sp FROM visits",
    ),
    of(
        "ada",
        HIGH,
        "SELECT CORR(cost, age) AS c, COVAR_SAMP(cost, age) AS cs, COVAR_POP(cost, age) AS cp, REGR_SLOPE(cost, age) AS rs, REGR_INTERCEPT(cost, age) AS ri FROM visits",
    ),
    of("ada", HIGH, "SELECT region, MEDIAN(age) AS m FROM visits GROUP BY region"),
    of("ada", HIGH, "SELECT PERCENTILE_CONT(ARRAY[0.1, 0.9]) WITHIN GROUP (ORDER BY age - 20) AS p FROM visits"),
    of(
        "ada",
        HIGH,
        "SELECT SUM(cost, contribution_bounds => (10, 200)) AS s, AVG(age, contribution_bounds => (18, 80)) AS a FROM visits",
    ),
    of("ada", r#""margin":"90""#, "SELECT diagnosis, COUNT(*) AS n FROM visits WHERE NOT smoker GROUP BY diagnosis"),
    of(
        "ada",
        r#""margin":{"n":"80","m":"40"},"group_size":50"#,
        "SELECT COUNT(*) AS n, AVG(age) AS m FROM visits WHERE region = 'east'",
    ),
    of("ada", r#""epsilon":"0.4","rows_per_unit":1"#, "SELECT region, COUNT(*) AS n FROM visits GROUP BY region"),
    // Several groupings; the second follows from what is stored.
    of(
        "ada",
        HIGH,
        "SELECT region, smoker, GROUPING(region) AS g, COUNT(*) AS n, AVG(cost) AS m, COUNT(DISTINCT patient_id) AS p FROM visits GROUP BY ROLLUP (region, smoker)",
    ),
    of("ada", LOW, "SELECT region, smoker, COUNT(*) AS n FROM visits GROUP BY CUBE (region, smoker)"),
    of(
        "ada",
        HIGH,
        "SELECT region, diagnosis, COUNT(*) AS n, COUNT(*) FILTER (WHERE cost > 100) AS d FROM visits GROUP BY GROUPING SETS ((region), (diagnosis), ())",
    ),
    of(
        "ada",
        HIGH,
        "SELECT region, diagnosis, MEDIAN(WIDTH_BUCKET(age, 20, 90, 7)) AS m FROM visits GROUP BY ROLLUP (region, diagnosis)",
    ),
    // Running sums.
    of(
        "ada",
        HIGH,
        "SELECT DATE_TRUNC('month', visited) AS m, COUNT(*) AS n, SUM(COUNT(*)) OVER (ORDER BY DATE_TRUNC('month', visited)) AS upto FROM visits GROUP BY 1",
    ),
    of(
        "ada",
        HIGH,
        "SELECT region, age / 20 AS a, SUM(COUNT(*)) OVER (PARTITION BY region ORDER BY age / 20) AS upto FROM visits GROUP BY region, age / 20",
    ),
    // Arithmetic after the noise.
    of(
        "ada",
        HIGH,
        "SELECT region, 100.0 * COUNT(*) FILTER (WHERE smoker) / NULLIF(COUNT(*), 0) AS share, SUM(cost) / COUNT(*) AS each, ROUND(AVG(age), 1) AS a FROM visits GROUP BY region",
    ),
    of(
        "ada",
        HIGH,
        "SELECT SQRT(ABS(COUNT(*) - COUNT(diagnosis))) AS r, -SUM(age) AS s, COUNT(*) * 2 + 1 AS t, AVG(cost) * COUNT(*) AS u, MEDIAN(age) + 1 AS v FROM visits",
    ),
    of(
        "ada",
        HIGH,
        "SELECT region, COUNT(*) AS n, AVG(cost) AS a FROM visits GROUP BY region HAVING (COUNT(*) >= 2 AND NOT AVG(cost) > 499) OR AVG(cost) IS NULL ORDER BY AVG(cost) DESC NULLS LAST, 1 LIMIT 2",
    ),
    of(
        "ada",
        LOW,
        "SELECT smoker, COUNT(*) AS n FROM visits GROUP BY smoker HAVING COUNT(*) <> 3 AND COUNT(*) < 10000 AND COUNT(*) = COUNT(*) AND COUNT(*) <= 9999 ORDER BY smoker NULLS FIRST",
    ),
    // Terms and conditions.
    of(
        "ada",
        LOW,
        "SELECT SUM(LEAST(age, 65) + GREATEST(cost, 1.5) - ROUND(cost, 1)) AS s, AVG(ABS(age - 40) * 2) AS a FROM visits",
    ),
    of(
        "ada",
        LOW,
        "SELECT SUM(COALESCE(CASE WHEN smoker THEN cost END, 0)) AS s, AVG(cost / 2.5) AS a, SUM(-age) AS o FROM visits",
    ),
    of(
        "ada",
        LOW,
        "SELECT COUNT(*) AS n FROM visits WHERE diagnosis NOT IN ('flu') OR cost NOT IN (5, 7.5, 11.5) OR age IN (20, 30, 41)",
    ),
    of(
        "ada",
        LOW,
        "SELECT COUNT(*) AS n FROM visits WHERE (smoker IS NULL AND region <> 'south') OR NOT (age * 2 > cost AND visited < DATE '2024-06-01')",
    ),
    of(
        "ada",
        LOW,
        "SELECT COUNT(*) AS n FROM visits WHERE visited + 30 > DATE '2024-03-01' AND COALESCE(CASE WHEN smoker THEN age END, 30) > 35",
    ),
    of("ada", LOW, "SELECT AVG(visited - DATE '2023-01-01') AS days FROM visits"),
    // One row a person.
    of(
        "ada",
        HIGH,
        "SELECT region, COUNT(*) AS people, AVG(total) AS m FROM (SELECT patient_id, region, SUM(cost) AS total, COUNT(*) AS n, MAX(age) AS oldest, MIN(cost) AS least FROM visits GROUP BY patient_id, region) AS p WHERE n > 1 AND oldest < 80 AND least >= 0 GROUP BY region",
    ),
    of(
        "ada",
        HIGH,
        "SELECT ever, COUNT(*) AS people, AVG(average) AS m FROM (SELECT patient_id, BOOL_OR(diagnosis = 'flu') AS ever, BOOL_AND(cost > 1) AS always, AVG(age) AS average FROM visits WHERE age > 20 GROUP BY patient_id) AS p WHERE always GROUP BY ever",
    ),
    of(
        "ada",
        HIGH,
        "SELECT last, COUNT(*) AS people FROM (SELECT patient_id, (ARRAY_AGG(diagnosis ORDER BY visited DESC))[1] AS last, (ARRAY_AGG(cost ORDER BY visited))[1] AS first_cost FROM visits GROUP BY patient_id) AS p WHERE first_cost < 400 GROUP BY last",
    ),
    of(
        "ada",
        HIGH,
        "SELECT MEDIAN(n) AS m, COUNT(*) AS people FROM (SELECT patient_id, COUNT(smoker) AS n, COUNT(*) FILTER (WHERE cost > 50) AS k FROM visits GROUP BY patient_id) AS p WHERE k > 0",
    ),
    // Tables that are joined.
    of(
        "ada",
        LOW,
        "SELECT insurer, COUNT(*) AS n, AVG(born) AS b FROM visits JOIN patients USING (patient_id) GROUP BY insurer",
    ),
    of("ada", LOW, "SELECT insurer, COUNT(*) AS n FROM visits LEFT JOIN patients USING (patient_id) GROUP BY insurer"),
    of(
        "ada",
        LOW,
        "SELECT COUNT(*) AS n FROM visits LEFT JOIN patients USING (patient_id) JOIN consents USING (patient_id) WHERE born > 1960 OR signed IS NULL",
    ),
    of(
        "ada",
        LOW,
        "SELECT COUNT(*) AS people FROM (SELECT patient_id, MAX(born) AS born FROM visits LEFT JOIN patients USING (patient_id) GROUP BY patient_id) AS p WHERE born > 1970",
    ),
    of("bob", LOW, "SELECT insurer, COUNT(*) AS people FROM patients GROUP BY insurer"),
    // Texts without a list.
    of(
        "ada",
        r#""epsilon":"4""#,
        "SELECT clinic, COUNT(*) AS n, COUNT(DISTINCT patient_id) AS p, AVG(cost) AS m FROM visits GROUP BY clinic",
    ),
    of(
        "ada",
        r#""epsilon":"4""#,
        "SELECT clinic, GROUPING(clinic) AS g, COUNT(*) AS n FROM visits WHERE age > 20 GROUP BY ROLLUP (clinic)",
    ),
    // Small counts that are not shown.
    of(
        "bob",
        HIGH,
        "SELECT region, COUNT(*) AS n, AVG(cost) AS m, COUNT(*) FILTER (WHERE smoker) AS s, AVG(age) FILTER (WHERE smoker) AS a FROM reports GROUP BY region",
    ),
    of(
        "bob",
        HIGH,
        "SELECT region, MEDIAN(WIDTH_BUCKET(age, 20, 90, 7)) AS m, MEDIAN(WIDTH_BUCKET(cost, 0, 400, 8)) FILTER (WHERE smoker) AS c FROM reports GROUP BY region",
    ),
    of(
        "bob",
        HIGH,
        "SELECT age / 40 AS a, SUM(COUNT(*)) OVER (ORDER BY age / 40) AS upto, SUM(COUNT(*) FILTER (WHERE smoker)) OVER (ORDER BY age / 40) AS smokers FROM reports GROUP BY 1",
    ),
    of("bob", HIGH, "SELECT region, smoker, COUNT(*) AS n FROM reports GROUP BY CUBE (region, smoker)"),
    // Laplace noise.
    of("carl", HIGH, "SELECT ward, COUNT(*) AS n, SUM(staff) AS s, AVG(staff) AS a FROM wards GROUP BY ward"),
    of("carl", HIGH, "SELECT MEDIAN(staff) AS m, VAR_POP(staff) AS v FROM wards WHERE urgent"),
    of("carl", HIGH, "SELECT ward, urgent, COUNT(*) AS n FROM wards GROUP BY ROLLUP (ward, urgent)"),
    of("carl", HIGH, "SELECT staff, SUM(COUNT(*)) OVER (ORDER BY staff) AS upto FROM wards GROUP BY staff"),
    keyed("carl", "staffed", HIGH, "SELECT MEDIAN(staff) AS m, VAR_POP(staff) AS v FROM wards WHERE urgent"),
    // Points of noise paths: a copy of what a colleague asked, and one that is derived from a colleague's cells.
    of("bob", r#""epsilon":"0.1""#, "SELECT COUNT(*) AS n FROM visits"),
    of("bob", r#""epsilon":"0.1""#, "SELECT smoker, COUNT(*) AS n FROM visits GROUP BY smoker"),
];
