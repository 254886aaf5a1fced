-- After the noise: whatever can be computed of noisy values and keys.

-- taken
SELECT region, CASE WHEN COUNT(*) > 100 THEN SUM(cost) / COUNT(*) END AS mean_if_many FROM visits GROUP BY region;

-- taken
-- compare
SELECT region, GREATEST(COUNT(*), 0) AS n, LEAST(COUNT(*), 100) AS at_most_100 FROM visits GROUP BY region;

-- taken
-- compare
SELECT region, COALESCE(SUM(hba1c), 0) AS s FROM visits GROUP BY region;

-- taken
SELECT region, ROUND(COUNT(*), -1) AS about FROM visits GROUP BY region;

-- taken
SELECT region, ROUND(100.0 * COUNT(*) FILTER (WHERE emergency) / NULLIF(COUNT(*), 0), 1) AS percent FROM visits GROUP BY region;

-- refused: every number comes with its interval, and a text has none: leave the sign out
SELECT region, ROUND(100.0 * COUNT(*) FILTER (WHERE emergency) / NULLIF(COUNT(*), 0), 1) || ' %' AS percent FROM visits GROUP BY region;

-- taken
SELECT region, AVG(CASE WHEN emergency THEN 1.0 ELSE 0.0 END) AS share FROM visits GROUP BY region;

-- taken
SELECT region, AVG(emergency::int) * 100 AS percent FROM visits GROUP BY region HAVING AVG(emergency::int) > 0.1;

-- taken
-- compare
SELECT sex, COUNT(*) FILTER (WHERE emergency) - COUNT(*) FILTER (WHERE NOT emergency) AS difference FROM visits GROUP BY sex;

-- taken
SELECT AVG(cost) FILTER (WHERE sex = 'female') - AVG(cost) FILTER (WHERE sex = 'male') AS difference FROM visits;

-- taken
SELECT (COUNT(*) FILTER (WHERE smoker AND diagnosis = 'copd') * 1.0 / NULLIF(COUNT(*) FILTER (WHERE smoker), 0)) / NULLIF(COUNT(*) FILTER (WHERE NOT smoker AND diagnosis = 'copd') * 1.0 / NULLIF(COUNT(*) FILTER (WHERE NOT smoker), 0), 0) AS risk_ratio FROM visits;

-- taken
SELECT AVG(cost) - 1.96 * STDDEV(cost) / SQRT(COUNT(*)) AS low, AVG(cost) + 1.96 * STDDEV(cost) / SQRT(COUNT(*)) AS high FROM visits;

-- taken
SELECT PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY cost) - PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY cost) AS iqr FROM visits;

-- taken
SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY COUNT(*) FILTER (WHERE emergency) DESC;

-- taken
-- compare
SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING COUNT(DISTINCT patient_id) BETWEEN 5 AND 10000 ORDER BY n;

-- taken
-- compare
SELECT UPPER(region) AS label, COUNT(*) AS n FROM visits GROUP BY region;

-- taken
-- compare
SELECT CONCAT(region, smoker) AS g, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT CAST(age AS VARCHAR(2)) AS a, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT LEFT(region, 1) AS l, COUNT(*) AS n FROM visits GROUP BY region ORDER BY LEFT(region, 1);

-- taken
-- compare
SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING UPPER(region) = 'NORTH';

-- taken
-- compare
SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING region LIKE 'n%';

-- taken
-- compare
SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY LENGTH(region), region;

-- taken
-- compare
SELECT TO_CHAR(m, 'YYYY-MM') AS mm, COUNT(*) AS n FROM (SELECT DATE_TRUNC('month', visited) AS m FROM visits) AS t GROUP BY m;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM m) AS y, COUNT(*) AS n FROM (SELECT DATE_TRUNC('year', visited)::date AS m FROM visits) AS t GROUP BY m;

-- taken
-- compare
SELECT age / 10 AS d, CASE WHEN age / 10 >= 6 THEN 'old' ELSE 'young' END AS o, COUNT(*) AS n FROM visits GROUP BY age / 10;

-- taken
-- compare
SELECT diagnosis, SUBSTRING(diagnosis FROM 1 FOR 3) AS short, AVG(cost) AS c FROM visits GROUP BY diagnosis;

-- taken
-- compare
SELECT COALESCE(insurer, 'none') AS i, UPPER(COALESCE(insurer, 'none')) AS u, COUNT(*) AS n FROM patients GROUP BY COALESCE(insurer, 'none');

-- taken
-- compare
SELECT UPPER(region) AS r, SUM(COUNT(*)) OVER (ORDER BY region) AS run FROM visits GROUP BY region;

-- taken
-- compare
SELECT CONCAT(age / 10 * 10, '-', age / 10 * 10 + 9) AS band, COUNT(*) AS n FROM visits GROUP BY age / 10;

-- taken
-- compare
SELECT EXTRACT(QUARTER FROM DATE_TRUNC('month', visited)) AS q, SUM(cost) AS c FROM visits GROUP BY DATE_TRUNC('month', visited);

-- taken
-- compare
SELECT region, UPPER(LEFT(region, 1)) AS initial, COUNT(*) AS n FROM visits GROUP BY region ORDER BY initial, region;

-- taken
-- compare
SELECT region || ' / ' || sex AS grp, COUNT(*) AS n FROM visits GROUP BY region, sex;

-- taken
-- compare
SELECT CONCAT(region, '-', emergency::text) AS grp, AVG(cost) AS c FROM visits GROUP BY region, emergency;

-- taken
-- compare
SELECT INITCAP(diagnosis) AS d, COUNT(*) AS n FROM visits GROUP BY diagnosis HAVING COUNT(*) > 5;

-- taken
-- compare
SELECT REPLACE(diagnosis, ' ', '_') AS d, COUNT(*) AS n FROM visits WHERE age > 40 GROUP BY diagnosis;

-- taken
-- compare
SELECT CASE WHEN LENGTH(diagnosis) > 8 THEN 'long' ELSE 'short' END AS l, diagnosis, COUNT(*) AS n FROM visits GROUP BY diagnosis;

-- taken
-- compare
SELECT LENGTH(region) AS l, region LIKE 'n%' AS is_north, COUNT(*) AS n FROM visits GROUP BY region;

-- taken
-- compare
SELECT age / 10 * 10 || '+' AS band, COUNT(*) AS n FROM visits GROUP BY age / 10 * 10;

-- taken
-- compare
SELECT (DATE_TRUNC('quarter', visited) + INTERVAL '3 months' - INTERVAL '1 day')::date AS q_end, COUNT(*) AS n FROM visits GROUP BY DATE_TRUNC('quarter', visited);

-- taken
-- compare
SELECT TO_CHAR(DATE_TRUNC('quarter', visited), 'YYYY-"Q"Q') AS q, COUNT(*) AS n FROM visits GROUP BY DATE_TRUNC('quarter', visited);

-- taken
-- compare
SELECT DATE_TRUNC('year', DATE_TRUNC('month', visited))::date AS y, DATE_TRUNC('month', visited)::date AS m, COUNT(*) AS n FROM visits GROUP BY DATE_TRUNC('month', visited);

-- taken
-- compare
SELECT CONCAT(EXTRACT(YEAR FROM visited), '/', EXTRACT(QUARTER FROM visited)) AS q, COUNT(*) AS n FROM visits GROUP BY EXTRACT(YEAR FROM visited), EXTRACT(QUARTER FROM visited);

-- taken
-- compare
SELECT MAKE_DATE(EXTRACT(YEAR FROM visited)::int, EXTRACT(MONTH FROM visited)::int, 1) AS m, COUNT(*) AS n FROM visits WHERE visited >= DATE '2024-01-01' GROUP BY EXTRACT(YEAR FROM visited), EXTRACT(MONTH FROM visited);

-- refused: the groups do not decide it
SELECT UPPER(diagnosis) AS d, COUNT(*) AS n FROM visits GROUP BY region;

-- refused: the month does not decide the day
SELECT TO_CHAR(visited, 'YYYY-MM-DD') AS d, COUNT(*) AS n FROM visits GROUP BY DATE_TRUNC('month', visited);

-- taken
-- compare
SELECT age / 10 * 10 AS decade, COUNT(*) AS n FROM visits GROUP BY age / 10;

-- taken
-- compare
SELECT CASE WHEN region = 'north' THEN 'N' ELSE region END AS label, COUNT(*) AS n FROM visits GROUP BY region;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM DATE_TRUNC('month', visited)) AS y, EXTRACT(MONTH FROM DATE_TRUNC('month', visited)) AS m, COUNT(*) AS n FROM visits GROUP BY DATE_TRUNC('month', visited);

-- taken
SELECT region, COUNT(*) > 100 AS many, MOD(COUNT(*), 2) AS odd, SIGN(COUNT(*) - 50) AS side FROM visits GROUP BY region;

-- refused: every number comes with its interval, and a text has none: leave the cast out
SELECT COUNT(*)::text AS n FROM visits;

-- refused: every number comes with its interval, and a text has none: ROUND(SUM(cost), 2)
SELECT TO_CHAR(SUM(cost), 'FM999G999G990D00') AS cost FROM visits;

-- taken
SELECT SUM(cost) / COUNT(DISTINCT patient_id) AS cost_per_patient FROM visits;

-- taken
SELECT COUNT(*) * 1.0 / COUNT(DISTINCT patient_id) AS visits_per_patient FROM visits;

-- taken
SELECT 0.4 * AVG(cost) FILTER (WHERE age < 40) + 0.6 * AVG(cost) FILTER (WHERE age >= 40) AS standardised FROM visits;

-- taken
SELECT VAR_SAMP(cost) / NULLIF(AVG(cost), 0) AS dispersion, STDDEV(cost) / NULLIF(AVG(cost), 0) AS variation FROM visits;

-- taken
SELECT REGR_R2(cost, age) AS r2, REGR_INTERCEPT(cost, age) AS a, REGR_COUNT(cost, hba1c) AS n, REGR_AVGX(cost, hba1c) AS x FROM visits;

-- taken
-- compare
SELECT region, REGR_COUNT(hba1c, cost) AS n FROM visits GROUP BY region;

-- taken
SELECT region, REGR_SXX(cost, age) AS sxx, REGR_SYY(cost, age) AS syy, REGR_SXY(cost, age) AS sxy, REGR_AVGY(cost, hba1c) AS y FROM visits GROUP BY region;

-- taken
-- compare
SELECT t.region, t.n + t.m AS total FROM (SELECT region, COUNT(*) FILTER (WHERE emergency) AS n, COUNT(*) FILTER (WHERE NOT emergency) AS m FROM visits GROUP BY region) AS t;

-- taken
SELECT SUM(n) FILTER (WHERE region <> 'north') AS others FROM (SELECT region, COUNT(*) AS n FROM visits GROUP BY region) AS r;

-- taken
-- compare
SELECT y, MAX(n) AS largest FROM (SELECT EXTRACT(YEAR FROM visited) AS y, region, COUNT(*) AS n FROM visits GROUP BY 1, 2) AS t GROUP BY y;

-- taken
SELECT KAPLAN_MEIER(days, sick, 90) AS alive FROM (SELECT p.patient_id, LEAST(360, GREATEST(0, MAX(v.visited - p.registered))) AS days, BOOL_OR(v.emergency) AS sick FROM patients p JOIN visits v USING (patient_id) GROUP BY p.patient_id) AS t;

-- taken
WITH p AS (SELECT patient_id, MAX(age) AS t, BOOL_OR(emergency) AS e FROM visits GROUP BY patient_id) SELECT KAPLAN_MEIER(t, e, 10) AS alive FROM p;

-- taken
SELECT time, alive FROM (SELECT KAPLAN_MEIER(age, smoker, 10) AS alive FROM visits) AS c WHERE alive < 0.9;
