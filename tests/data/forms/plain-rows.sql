-- What was taken from the start: conditions and arithmetic of a row.

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE age BETWEEN 18 AND 64 AND diagnosis = 'check-up' AND NOT emergency;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE diagnosis IN ('asthma', 'copd') OR hba1c >= 6.5;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE smoker IS NULL OR hba1c IS NOT NULL;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE visited BETWEEN DATE '2024-01-01' AND DATE '2024-12-31';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE cost > age * 10 AND ABS(age - 50) < 20;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE EXTRACT(MONTH FROM visited) IN (1, 2, 12);

-- taken
-- compare
SELECT SUM(cost * 2 - age) AS s, SUM(LEAST(cost, 500)) AS l, SUM(GREATEST(age, 18)) AS g, SUM(ROUND(cost)) AS r FROM visits;

-- taken
-- compare
SELECT SUM(CASE WHEN emergency THEN cost ELSE cost / 2 END) AS weighed FROM visits;

-- taken
-- compare
SELECT SUM(COALESCE(hba1c, 5.5)) AS s FROM visits;

-- taken
-- compare
SELECT SUM(visited - DATE '2020-01-01') AS days FROM visits;

-- taken
-- compare
SELECT SUM(EXTRACT(YEAR FROM visited) - 2000) AS years FROM visits;

-- taken
-- compare
SELECT SUM(age * age) AS squares, SUM(cost * age) AS products FROM visits;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE NOT (region = 'north' OR (sex = 'male' AND age < 30));

-- taken
-- compare
SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING COUNT(*) > 10 AND SUM(cost) > 1000;

-- taken
SELECT region, ROUND(SUM(cost) / NULLIF(COUNT(*), 0), 2) AS mean_cost FROM visits GROUP BY region ORDER BY mean_cost DESC LIMIT 3;

-- taken
-- compare
SELECT region, 2 * COUNT(*) + 1 AS n, SUM(cost) - SUM(age) AS d FROM visits GROUP BY region;
