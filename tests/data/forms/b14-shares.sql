-- B14: shares of totals, differences to the group before, ranks and moving averages: all of it after the noise.

-- taken
SELECT region, 100.0 * COUNT(*) / SUM(COUNT(*)) OVER () AS percent FROM visits GROUP BY region;

-- taken
SELECT region, COUNT(*) AS n, ROUND(100.0 * COUNT(*) / SUM(COUNT(*)) OVER (), 1) AS percent FROM visits GROUP BY region ORDER BY percent DESC;

-- taken
SELECT sex, diagnosis, COUNT(*) * 100.0 / SUM(COUNT(*)) OVER (PARTITION BY sex) AS percent FROM visits GROUP BY sex, diagnosis;

-- taken
-- compare
SELECT region, COUNT(*) AS n, SUM(COUNT(*)) OVER () AS total FROM visits GROUP BY region;

-- taken
-- compare
SELECT sex, region, COUNT(*) AS n, SUM(COUNT(*)) OVER (PARTITION BY sex) AS of_sex FROM visits GROUP BY sex, region;

-- taken
SELECT region, COUNT(*)::float / SUM(COUNT(*)) OVER () AS share FROM visits GROUP BY region;

-- taken
SELECT region, SUM(cost) / SUM(SUM(cost)) OVER () AS share FROM visits GROUP BY region;

-- taken
SELECT region, COUNT(DISTINCT patient_id) * 1.0 / SUM(COUNT(DISTINCT patient_id)) OVER () AS share FROM visits GROUP BY region;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM visited) AS y, COUNT(*) - LAG(COUNT(*)) OVER (ORDER BY EXTRACT(YEAR FROM visited)) AS more FROM visits GROUP BY 1;

-- taken
SELECT EXTRACT(YEAR FROM visited) AS y, COUNT(*) AS n, 100.0 * (COUNT(*) - LAG(COUNT(*)) OVER (ORDER BY EXTRACT(YEAR FROM visited))) / LAG(COUNT(*)) OVER (ORDER BY EXTRACT(YEAR FROM visited)) AS percent FROM visits GROUP BY 1 ORDER BY 1;

-- taken
SELECT DATE_TRUNC('month', visited) AS m, COUNT(*) - LAG(COUNT(*), 12) OVER (ORDER BY DATE_TRUNC('month', visited)) AS than_a_year_before FROM visits GROUP BY 1;

-- taken
SELECT EXTRACT(YEAR FROM visited) AS y, AVG(cost) - LEAD(AVG(cost)) OVER (ORDER BY EXTRACT(YEAR FROM visited)) AS less FROM visits GROUP BY 1;

-- taken
SELECT region, COUNT(*) AS n, RANK() OVER (ORDER BY COUNT(*) DESC) AS place FROM visits GROUP BY region;

-- taken
SELECT region, ROW_NUMBER() OVER (ORDER BY SUM(cost) DESC) AS nr, SUM(cost) AS cost FROM visits GROUP BY region;

-- taken
SELECT region, diagnosis, DENSE_RANK() OVER (PARTITION BY region ORDER BY COUNT(*) DESC) AS place FROM visits GROUP BY region, diagnosis;

-- taken
SELECT diagnosis, COUNT(*) AS n, NTILE(4) OVER (ORDER BY COUNT(*)) AS quarter, PERCENT_RANK() OVER (ORDER BY COUNT(*)) AS pr FROM visits GROUP BY diagnosis;

-- taken
SELECT DATE_TRUNC('month', visited) AS m, AVG(COUNT(*)) OVER (ORDER BY DATE_TRUNC('month', visited) ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS moving FROM visits GROUP BY 1;

-- taken
SELECT DATE_TRUNC('month', visited) AS m, AVG(SUM(cost)) OVER (ORDER BY DATE_TRUNC('month', visited) ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS moving FROM visits GROUP BY 1;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM visited) AS y, SUM(COUNT(*)) OVER (ORDER BY EXTRACT(YEAR FROM visited) ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS so_far FROM visits GROUP BY 1;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM visited) AS y, SUM(SUM(cost)) OVER (ORDER BY EXTRACT(YEAR FROM visited)) AS so_far FROM visits GROUP BY 1;

-- taken
SELECT age / 10 AS decade, SUM(COUNT(*)) OVER (ORDER BY age / 10) * 1.0 / SUM(COUNT(*)) OVER () AS share_up_to FROM visits GROUP BY 1;

-- taken
SELECT region, COUNT(*) AS n, COUNT(*) - AVG(COUNT(*)) OVER () AS above_mean FROM visits GROUP BY region;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM visited) AS y, emergency, COUNT(*) AS n, NTILE(4) OVER (PARTITION BY emergency ORDER BY EXTRACT(YEAR FROM visited) DESC) AS quarter, PERCENT_RANK() OVER (PARTITION BY emergency ORDER BY EXTRACT(YEAR FROM visited)) AS pr, CUME_DIST() OVER (ORDER BY EXTRACT(YEAR FROM visited)) AS cd FROM visits GROUP BY 1, 2;

-- taken
-- spelling
-- same as: SELECT region, n FROM (SELECT region, COUNT(*) AS n, RANK() OVER (ORDER BY COUNT(*) DESC) AS place FROM visits GROUP BY region) AS t WHERE place <= 2
SELECT region, COUNT(*) AS n FROM visits GROUP BY region QUALIFY RANK() OVER (ORDER BY COUNT(*) DESC) <= 2;

-- taken
-- spelling
-- same as: SELECT * FROM (SELECT region, COUNT(*) AS n, RANK() OVER (ORDER BY COUNT(*) DESC) AS place FROM visits GROUP BY region) AS t WHERE place <= 2
SELECT region, COUNT(*) AS n, RANK() OVER (ORDER BY COUNT(*) DESC) AS place FROM visits GROUP BY region QUALIFY place <= 2;

-- taken
-- compare
SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY n DESC FETCH FIRST 2 ROWS WITH TIES;

-- taken
SELECT region, COUNT(*) AS n, COUNT(*) = MAX(COUNT(*)) OVER () AS is_largest FROM visits GROUP BY region;

-- taken
SELECT region, COUNT(*) * 1.0 / FIRST_VALUE(COUNT(*)) OVER (ORDER BY region) AS than_the_first FROM visits GROUP BY region;

-- taken
SELECT region, COUNT(*) * 100.0 / (SELECT COUNT(*) FROM visits) AS percent FROM visits GROUP BY region;

-- taken
-- compare
SELECT region, COUNT(*) AS n, (SELECT COUNT(*) FROM visits) AS total FROM visits GROUP BY region;

-- taken
SELECT COUNT(*) FILTER (WHERE emergency) * 1.0 / (SELECT COUNT(DISTINCT patient_id) FROM visits) AS per_patient FROM visits;

-- taken
SELECT (SELECT COUNT(*) FROM visits WHERE emergency) * 1.0 / (SELECT COUNT(*) FROM visits) AS share;

-- refused: a joined table is known for people with a row in the table that it is joined with alone; of two [[table]]s it is taken
SELECT (SELECT COUNT(*) FROM visits) AS visits, (SELECT COUNT(*) FROM patients) AS patients;

-- taken
SELECT region, n, n * 100.0 / SUM(n) OVER () AS percent FROM (SELECT region, COUNT(*) AS n FROM visits GROUP BY region) AS r;

-- taken
WITH by_region AS (SELECT region, COUNT(*) AS n FROM visits GROUP BY region), total AS (SELECT COUNT(*) AS n FROM visits) SELECT r.region, r.n * 1.0 / t.n AS share FROM by_region r CROSS JOIN total t;

-- taken
WITH a AS (SELECT region, COUNT(*) AS n FROM visits GROUP BY region), b AS (SELECT region, COUNT(*) AS n FROM visits WHERE emergency GROUP BY region) SELECT a.region, 1000.0 * b.n / a.n AS per_thousand FROM a JOIN b ON a.region = b.region;

-- taken
SELECT * FROM (SELECT region, diagnosis, COUNT(*) AS n, ROW_NUMBER() OVER (PARTITION BY region ORDER BY COUNT(*) DESC) AS place FROM visits GROUP BY region, diagnosis) AS t WHERE place <= 3;

-- taken
SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING COUNT(*) > (SELECT COUNT(*) FROM visits) / 5;

-- taken
SELECT r.region, r.share FROM (SELECT region, COUNT(*) FILTER (WHERE emergency) * 1.0 / NULLIF(COUNT(*), 0) AS share FROM visits GROUP BY region) AS r ORDER BY r.share DESC;
