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
-- not yet: a percentile, a running sum or a rank is moved and stretched by numbers alone
SELECT PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY cost) - PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY cost) AS iqr FROM visits;

-- taken
SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY COUNT(*) FILTER (WHERE emergency) DESC;

-- taken
-- compare
SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING COUNT(DISTINCT patient_id) BETWEEN 5 AND 10000 ORDER BY n;

-- taken
-- compare
-- not yet: this is computed from rows, and is no key
SELECT UPPER(region) AS label, COUNT(*) AS n FROM visits GROUP BY region;

-- taken
-- compare
SELECT age / 10 * 10 AS decade, COUNT(*) AS n FROM visits GROUP BY age / 10;

-- taken
-- compare
SELECT CASE WHEN region = 'north' THEN 'N' ELSE region END AS label, COUNT(*) AS n FROM visits GROUP BY region;

-- taken
-- compare
-- not yet: this is computed from rows, and is no key
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
-- not yet: the function "regr_r2" is not supported
SELECT REGR_R2(cost, age) AS r2, REGR_INTERCEPT(cost, age) AS a, REGR_COUNT(cost, hba1c) AS n, REGR_AVGX(cost, hba1c) AS x FROM visits;

-- taken
-- compare
SELECT t.region, t.n + t.m AS total FROM (SELECT region, COUNT(*) FILTER (WHERE emergency) AS n, COUNT(*) FILTER (WHERE NOT emergency) AS m FROM visits GROUP BY region) AS t;

-- taken
SELECT SUM(n) FILTER (WHERE region <> 'north') AS others FROM (SELECT region, COUNT(*) AS n FROM visits GROUP BY region) AS r;

-- taken
-- compare
SELECT y, MAX(n) AS largest FROM (SELECT EXTRACT(YEAR FROM visited) AS y, region, COUNT(*) AS n FROM visits GROUP BY 1, 2) AS t GROUP BY y;
