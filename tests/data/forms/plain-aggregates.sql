-- What was taken from the start: aggregates of rows and people, by keys of every kind.

-- taken
-- compare
SELECT COUNT(*) FROM visits;

-- taken
-- compare
SELECT COUNT(*), COUNT(DISTINCT patient_id) AS patients FROM visits;

-- taken
-- compare
SELECT sex, region, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY sex, region ORDER BY sex, region;

-- taken
-- compare
SELECT diagnosis, COUNT(*) AS n, SUM(cost) AS cost FROM visits GROUP BY diagnosis;

-- taken
SELECT diagnosis, AVG(cost) AS mean_cost FROM visits GROUP BY diagnosis;

-- taken
SELECT AVG(cost) AS m, STDDEV_SAMP(cost) AS s, VAR_POP(cost) AS v, COUNT(*) AS n FROM visits;

-- taken
SELECT CORR(cost, age) AS r, COVAR_SAMP(cost, age) AS c, REGR_SLOPE(cost, age) AS b FROM visits;

-- taken
SELECT PERCENTILE_CONT(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY cost) AS q FROM visits;

-- taken
SELECT region, PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY hba1c) AS p90 FROM visits GROUP BY region;

-- taken
-- differs: a percentile is that of bins
-- spelling
-- same as: SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY cost) AS m FROM visits
SELECT MEDIAN(cost) AS m FROM visits;

-- taken
-- compare
SELECT COUNT(*) FILTER (WHERE emergency) AS e, COUNT(*) FILTER (WHERE age >= 65) AS old, SUM(cost) FILTER (WHERE smoker) AS of_smokers FROM visits;

-- taken
-- compare
SELECT smoker, emergency, COUNT(*) AS n FROM visits GROUP BY smoker, emergency;

-- taken
-- compare
SELECT age, COUNT(*) AS n FROM visits GROUP BY age;

-- taken
-- compare
SELECT age / 10 AS decade, sex, COUNT(*) AS n FROM visits GROUP BY age / 10, sex;

-- taken
-- compare
SELECT WIDTH_BUCKET(cost, 0, 2000, 8) AS bin, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT DATE_TRUNC('month', visited) AS month, COUNT(*) AS n FROM visits GROUP BY DATE_TRUNC('month', visited) ORDER BY month;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM visited) AS y, EXTRACT(QUARTER FROM visited) AS q, COUNT(*) AS n FROM visits GROUP BY 1, 2;

-- taken
-- compare
SELECT visited, COUNT(*) AS n FROM visits WHERE visited BETWEEN DATE '2024-01-01' AND DATE '2024-01-31' GROUP BY visited;

-- taken
-- compare
SELECT CASE WHEN age < 18 THEN 'minor' WHEN age < 65 THEN 'adult' ELSE 'old' END AS band, COUNT(*) AS n, SUM(cost) AS cost FROM visits GROUP BY band;

-- taken
-- compare
SELECT (age >= 65) AS old, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY (age >= 65);

-- taken
-- compare
SELECT region, sex, COUNT(*) AS n FROM visits GROUP BY ROLLUP (region, sex);

-- taken
-- compare
SELECT region, sex, COUNT(*) AS n, GROUPING(region) AS g FROM visits GROUP BY CUBE (region, sex);

-- taken
-- compare
SELECT region, sex, SUM(cost) AS cost FROM visits GROUP BY GROUPING SETS ((region), (sex), ());

-- taken
SELECT drug, COUNT(DISTINCT patient_id) AS patients FROM visits WHERE drug IS NOT NULL GROUP BY drug ORDER BY patients DESC LIMIT 10;

-- taken
-- compare
SELECT DATE_TRUNC('month', visited) AS month, SUM(COUNT(*)) OVER (ORDER BY DATE_TRUNC('month', visited)) AS so_far FROM visits WHERE visited >= DATE '2025-01-01' GROUP BY DATE_TRUNC('month', visited);

-- taken
-- compare
SELECT insurer, COUNT(*) AS n FROM visits JOIN patients USING (patient_id) GROUP BY insurer;

-- taken
-- compare
-- differs: the service asks the joined table by itself, with other terms than those that the test plans with
SELECT insurer, COUNT(*) AS patients FROM patients GROUP BY insurer;

-- taken
-- compare
SELECT n, COUNT(*) AS patients, SUM(total) AS cost FROM (SELECT patient_id, COUNT(*) AS n, SUM(cost) AS total FROM visits GROUP BY patient_id) AS p GROUP BY n;

-- taken
SELECT region, AVG(n) AS mean_visits FROM (SELECT patient_id, region, COUNT(*) AS n FROM visits GROUP BY patient_id, region) AS p GROUP BY region;

-- taken
-- compare
SELECT asthma, COUNT(*) AS patients FROM (SELECT patient_id, BOOL_OR(diagnosis = 'asthma') AS asthma FROM visits GROUP BY patient_id) AS p GROUP BY asthma;

-- taken
SELECT DISTINCT region FROM visits;

-- taken
SELECT region, sex FROM visits GROUP BY region, sex;

-- taken
SELECT 1;

-- taken
EXPLAIN SELECT region, COUNT(*) AS n FROM visits GROUP BY region;

-- taken
-- spelling
SELECT SUM(cost, contribution_bounds => (0, 500)) AS cost FROM visits;
