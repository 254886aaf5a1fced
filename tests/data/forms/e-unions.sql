-- E: answers put together: UNION ALL of questions, questions over a union, and totals of two tables in one row.

-- taken
-- compare
SELECT 'all' AS grp, COUNT(*) AS n FROM visits UNION ALL SELECT region, COUNT(*) FROM visits GROUP BY region;

-- taken
-- compare
SELECT 'all' AS grp, COUNT(*) AS n FROM visits UNION ALL SELECT region, COUNT(*) FROM visits GROUP BY region ORDER BY n DESC, grp;

-- taken
-- compare
SELECT region, sex, COUNT(*) AS n FROM visits GROUP BY region, sex UNION ALL SELECT region, NULL, COUNT(*) FROM visits GROUP BY region UNION ALL SELECT NULL, NULL, COUNT(*) FROM visits;

-- taken
-- compare
SELECT 'emergencies' AS what, COUNT(*) AS n FROM visits WHERE emergency UNION ALL SELECT 'others', COUNT(*) FROM visits WHERE NOT emergency UNION ALL SELECT 'patients', COUNT(DISTINCT patient_id) FROM visits;

-- taken
-- compare
-- same as: SELECT 'a' AS what, COUNT(*) AS n FROM visits UNION ALL SELECT 'b', COUNT(*) FROM visits WHERE emergency UNION ALL SELECT 'c', COUNT(*) FROM visits WHERE age > 60
(SELECT 'a' AS what, COUNT(*) AS n FROM visits) UNION ALL (SELECT 'b', COUNT(*) FROM visits WHERE emergency UNION ALL SELECT 'c', COUNT(*) FROM visits WHERE age > 60);

-- taken
-- compare
SELECT 'visits' AS what, COUNT(*) AS n FROM visits UNION SELECT 'people', COUNT(*) FROM (SELECT DISTINCT patient_id FROM visits) AS p;

-- taken
-- compare
SELECT 'region' AS by_what, region AS grp, COUNT(*) AS n, SUM(cost) AS cost FROM visits GROUP BY region UNION SELECT 'sex', sex, COUNT(*), SUM(cost) FROM visits GROUP BY sex;

-- taken
-- compare
SELECT 'age' AS what, AVG(age) AS mean FROM visits UNION ALL SELECT 'cost', AVG(cost) FROM visits;

-- taken
-- compare
SELECT 'rows' AS what, COUNT(*) AS value FROM visits UNION ALL SELECT 'mean age', AVG(age) FROM visits UNION ALL SELECT 'cost', SUM(cost) FROM visits;

-- taken
-- compare
SELECT smoker AS truth, COUNT(*) AS n FROM visits GROUP BY smoker UNION ALL SELECT emergency, COUNT(*) FROM visits GROUP BY emergency;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM visited) AS number, COUNT(*) AS n FROM visits GROUP BY 1 UNION ALL SELECT EXTRACT(MONTH FROM visited), COUNT(*) FROM visits GROUP BY 1;

-- taken
-- compare
SELECT 'n' AS what, COUNT(*) AS n FROM visits WHERE region = 'north' UNION ALL (SELECT region, COUNT(*) FROM visits GROUP BY region ORDER BY 2 DESC LIMIT 1);

-- taken
-- compare
(SELECT 'a' AS what, COUNT(*) AS n FROM visits UNION ALL SELECT 'b', COUNT(*) FROM visits WHERE emergency) ORDER BY n LIMIT 1;

-- taken
-- compare
SELECT * FROM (SELECT 'all' AS grp, COUNT(*) AS n FROM visits UNION ALL SELECT region, COUNT(*) FROM visits GROUP BY region) AS t;

-- taken
-- compare
-- same as: SELECT 'all' AS grp, COUNT(*) AS n FROM visits HAVING COUNT(*) > 100 UNION ALL SELECT region, COUNT(*) FROM visits GROUP BY region HAVING COUNT(*) > 100 ORDER BY n
SELECT * FROM (SELECT 'all' AS grp, COUNT(*) AS n FROM visits UNION ALL SELECT region, COUNT(*) FROM visits GROUP BY region) AS t WHERE n > 100 ORDER BY n;

-- taken
-- compare
SELECT t.grp, t.n, t.cost / t.n AS mean FROM (SELECT 'all' AS grp, COUNT(*) AS n, SUM(cost) AS cost FROM visits UNION ALL SELECT region, COUNT(*), SUM(cost) FROM visits GROUP BY region) AS t ORDER BY t.grp;

-- taken
-- compare
SELECT name, k * 2 AS twice FROM (SELECT 'all' AS grp, COUNT(*) AS n FROM visits UNION ALL SELECT region, COUNT(*) FROM visits GROUP BY region) AS t (name, k);

-- taken
-- compare
WITH u AS (SELECT 'all' AS grp, COUNT(*) AS n FROM visits UNION ALL SELECT region, COUNT(*) FROM visits GROUP BY region) SELECT grp, n FROM u WHERE grp <> 'south' ORDER BY n DESC LIMIT 3;

-- taken
-- compare
WITH by_region AS (SELECT region, COUNT(*) AS n FROM visits GROUP BY region) SELECT region, n FROM by_region UNION ALL SELECT 'all', SUM(n) FROM by_region;

-- taken
-- compare
WITH old AS (SELECT * FROM visits WHERE age >= 65) SELECT 'visits' AS what, COUNT(*) AS n FROM old UNION ALL SELECT 'people', COUNT(DISTINCT patient_id) FROM old;

-- taken
-- compare
SELECT what, n FROM (SELECT * FROM (SELECT 'a' AS what, COUNT(*) AS n FROM visits UNION ALL SELECT 'b', COUNT(*) FROM visits WHERE emergency) AS x UNION ALL SELECT 'c', COUNT(*) FROM visits WHERE age > 60) AS y WHERE n > 10;

-- taken
-- compare
SELECT visits, people FROM (SELECT COUNT(*) AS visits, COUNT(DISTINCT patient_id) AS people FROM visits UNION ALL SELECT COUNT(*), COUNT(DISTINCT patient_id) FROM visits WHERE emergency) AS t;

-- taken
SELECT region, COUNT(*) AS n, RANK() OVER (ORDER BY COUNT(*) DESC) AS place FROM visits GROUP BY region UNION ALL SELECT sex, COUNT(*), RANK() OVER (ORDER BY COUNT(*) DESC) FROM visits GROUP BY sex;

-- taken
-- compare
SELECT CASE WHEN GROUPING(region) = 1 THEN 'all' ELSE region END AS grp, COUNT(*) AS n FROM visits GROUP BY ROLLUP (region) UNION ALL SELECT sex, COUNT(*) FROM visits GROUP BY sex;

-- taken
SELECT 'median' AS what, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY age) AS value FROM visits UNION ALL SELECT 'spread', STDDEV_SAMP(age) FROM visits;

-- taken
-- compare
SELECT COUNT(DISTINCT patient_id) AS people FROM (SELECT patient_id FROM visits WHERE age > 60 UNION ALL SELECT patient_id FROM visits WHERE emergency) AS t;

-- taken
-- compare
SELECT sex, COUNT(*) AS n, AVG(cost) AS cost FROM (SELECT patient_id, sex, cost FROM visits UNION ALL SELECT patient_id, sex, cost FROM visits WHERE emergency) AS t GROUP BY sex;

-- taken
-- compare
SELECT (SELECT COUNT(*) FROM visits) AS visits, (SELECT COUNT(*) FROM (SELECT patient_id FROM visits GROUP BY patient_id HAVING COUNT(*) > 2) AS o) AS often, (SELECT AVG(age) FROM visits WHERE emergency) AS age;

-- taken
-- compare
SELECT 'totals' AS what, (SELECT COUNT(*) FROM visits) AS visits, (SELECT COUNT(*) FROM (SELECT patient_id FROM visits GROUP BY patient_id HAVING COUNT(*) > 2) AS o) AS often;

-- taken
-- compare
WITH old AS (SELECT * FROM visits WHERE age >= 65) SELECT (SELECT COUNT(*) FROM old) AS old, (SELECT COUNT(*) FROM visits) AS visits;

-- refused: noise makes the same rows differ, so that there is no telling which of them stand in both
SELECT region, COUNT(*) AS n FROM visits GROUP BY region INTERSECT SELECT region, COUNT(*) AS n FROM visits WHERE emergency GROUP BY region;

-- refused: noise makes the same rows differ, so that there is no telling which of them stand in both
SELECT region, COUNT(*) AS n FROM visits GROUP BY region EXCEPT SELECT region, COUNT(*) AS n FROM visits WHERE emergency GROUP BY region;

-- refused: rows of region and sex could be equal, and which noisy rows are equal is chance
SELECT region, COUNT(*) AS n FROM visits GROUP BY region UNION SELECT region, COUNT(*) FROM visits WHERE emergency GROUP BY region;

-- refused: the queries have different numbers of columns
SELECT region, COUNT(*) AS n FROM visits GROUP BY region UNION ALL SELECT COUNT(*) FROM visits;

-- refused: a text and a number are not of one column
SELECT region, COUNT(*) AS n FROM visits GROUP BY region UNION ALL SELECT COUNT(*), 'all' FROM visits;

-- refused: the groups of a column without a list are found in its rows, with a threshold for their own question
SELECT drug, COUNT(*) AS n FROM visits GROUP BY drug UNION ALL SELECT region, COUNT(*) FROM visits GROUP BY region;

-- refused: rows are sorted by columns of the union, as in PostgreSQL
SELECT region, COUNT(*) AS n FROM visits GROUP BY region UNION ALL SELECT sex, COUNT(*) FROM visits GROUP BY sex ORDER BY COUNT(*);

-- refused: single rows are asked for
SELECT patient_id FROM visits UNION ALL SELECT patient_id FROM visits;

-- taken
-- not yet: a window over the rows of a union
SELECT grp, n, RANK() OVER (ORDER BY n DESC) AS place FROM (SELECT region AS grp, COUNT(*) AS n FROM visits GROUP BY region UNION ALL SELECT sex, COUNT(*) FROM visits GROUP BY sex) AS t;

-- taken
-- not yet: an aggregate over the rows of a union
SELECT SUM(n) AS n FROM (SELECT COUNT(*) AS n FROM visits UNION ALL SELECT COUNT(*) FROM visits WHERE emergency) AS t;

-- taken
-- compare
SELECT (SELECT COUNT(*) FROM visits) * 1.0 / (SELECT COUNT(*) FROM (SELECT patient_id FROM visits GROUP BY patient_id HAVING COUNT(*) > 2) AS o) AS per_person;

-- taken
-- compare
SELECT (SELECT COUNT(*) FROM visits) AS visits, ROUND((SELECT COUNT(*) FROM visits) * 1.0 / NULLIF((SELECT COUNT(*) FROM (SELECT patient_id FROM visits GROUP BY patient_id HAVING COUNT(*) > 2) AS o), 0), 2) AS per_person, (SELECT COUNT(*) FROM visits) - (SELECT COUNT(*) FROM (SELECT patient_id FROM visits GROUP BY patient_id HAVING COUNT(*) > 2) AS o) AS more;

-- taken
-- compare
SELECT * FROM (WITH a AS (SELECT region, COUNT(*) AS n FROM visits GROUP BY region) SELECT region AS grp, n FROM a UNION ALL SELECT 'all', SUM(n) FROM a) AS t WHERE n > 3;

-- taken
-- compare
SELECT grp, CASE WHEN n > 100 THEN 'many' ELSE 'few' END AS size FROM (SELECT region AS grp, COUNT(*) AS n FROM visits GROUP BY region UNION ALL SELECT sex, COUNT(*) FROM visits GROUP BY sex) AS t WHERE n > 0;
