-- B5: WITH, and derived tables that only filter, name or compute.

-- taken
WITH per_patient AS (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id) SELECT AVG(n) AS mean_visits FROM per_patient;

-- taken
-- compare
WITH per_patient AS (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id) SELECT n, COUNT(*) AS patients FROM per_patient GROUP BY n;

-- taken
-- compare
WITH v AS (SELECT * FROM visits) SELECT COUNT(*) AS n FROM v;

-- taken
-- compare
-- same as: SELECT region, COUNT(*) AS n FROM visits WHERE age >= 65 GROUP BY region
WITH old AS (SELECT region, cost FROM visits WHERE age >= 65) SELECT region, COUNT(*) AS n FROM old GROUP BY region;

-- taken
-- compare
-- same as: SELECT region, SUM(cost) AS cost FROM visits WHERE age >= 65 GROUP BY region
SELECT region, SUM(cost) AS cost FROM (SELECT region, cost FROM visits WHERE age >= 65) s GROUP BY region;

-- taken
-- compare
-- same as: SELECT region, COUNT(*) AS n FROM visits GROUP BY region
SELECT region, COUNT(*) AS n FROM (SELECT * FROM visits) AS virtual_table GROUP BY region;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits
SELECT COUNT(*) AS n FROM (SELECT 1 FROM visits) AS t;

-- taken
-- compare
SELECT COUNT(*) AS n FROM (SELECT v.* FROM visits v WHERE v.emergency) AS e;

-- taken
-- compare
WITH a AS (SELECT * FROM visits WHERE visited >= DATE '2023-01-01'), b AS (SELECT * FROM a WHERE NOT emergency) SELECT diagnosis, COUNT(*) AS n FROM b GROUP BY diagnosis;

-- taken
-- compare
WITH diabetics AS (SELECT DISTINCT patient_id FROM visits WHERE diagnosis = 'diabetes'), costs AS (SELECT patient_id, SUM(cost) AS total FROM visits GROUP BY patient_id) SELECT COUNT(*) AS patients, SUM(total) AS cost FROM costs JOIN diabetics USING (patient_id);

-- taken
-- compare
WITH first_visit (patient, day) AS (SELECT patient_id, MIN(visited) FROM visits GROUP BY patient_id) SELECT EXTRACT(YEAR FROM day) AS y, COUNT(*) AS patients FROM first_visit GROUP BY 1;

-- taken
-- compare
SELECT y, COUNT(*) AS n FROM (SELECT EXTRACT(YEAR FROM visited) AS y FROM visits) AS t GROUP BY y;

-- taken
-- compare
SELECT band, COUNT(*) AS n FROM (SELECT CASE WHEN age < 40 THEN 'young' ELSE 'old' END AS band, cost FROM visits) AS t WHERE cost > 100 GROUP BY band;

-- taken
-- compare
SELECT COUNT(*) AS n FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM visits WHERE age > 20) a WHERE age > 30) b WHERE age > 40) c;

-- taken
-- compare
SELECT k, COUNT(*) AS n FROM (SELECT region AS k, age AS a FROM visits) AS t (k, a) WHERE a BETWEEN 30 AND 60 GROUP BY k;

-- taken
-- compare
WITH p AS (SELECT patient_id, region, COUNT(*) AS n, SUM(cost) AS total FROM visits GROUP BY patient_id, region) SELECT region, COUNT(*) AS patients, SUM(n) AS visits, SUM(total) AS cost FROM p WHERE n >= 2 GROUP BY region;

-- taken
-- compare
WITH p AS (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id), q AS (SELECT patient_id, n, n >= 4 AS often FROM p) SELECT often, COUNT(*) AS patients FROM q GROUP BY often;

-- taken
-- compare
WITH p AS MATERIALIZED (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id) SELECT COUNT(*) AS patients FROM p WHERE n > 3;

-- taken
-- compare
WITH v AS (SELECT * FROM visits), p AS (SELECT * FROM patients) SELECT p.insurer, COUNT(*) AS n FROM v JOIN p ON v.patient_id = p.patient_id GROUP BY p.insurer;

-- taken
-- compare
SELECT t.n AS visits, COUNT(*) AS patients FROM (SELECT visits.patient_id, COUNT(*) AS n FROM visits GROUP BY visits.patient_id) t GROUP BY t.n ORDER BY t.n;

-- taken
-- compare
WITH counts AS (SELECT region, COUNT(*) AS n FROM visits GROUP BY region) SELECT region, n FROM counts WHERE n > 10;

-- taken
-- compare
WITH counts AS (SELECT region, COUNT(*) AS n, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY region) SELECT region, n, patients FROM counts ORDER BY n DESC;

-- taken
WITH counts AS (SELECT region, COUNT(*) AS n, SUM(cost) AS cost FROM visits GROUP BY region) SELECT region, cost / n AS mean_cost FROM counts;

-- taken
SELECT AVG(n) AS mean_per_region FROM (SELECT region, COUNT(*) AS n FROM visits GROUP BY region) AS r;

-- taken
SELECT MAX(n) AS largest FROM (SELECT region, COUNT(*) AS n FROM visits GROUP BY region) AS r;

-- taken
-- compare
SELECT SUM(n) AS n FROM (SELECT region, COUNT(*) AS n FROM visits GROUP BY region) AS r;

-- taken
-- compare
WITH unused AS (SELECT patient_id FROM patients) SELECT COUNT(*) AS n FROM visits;

-- taken
-- compare
WITH recent AS (SELECT patient_id, diagnosis FROM visits WHERE visited >= DATE '2024-01-01') SELECT diagnosis, COUNT(DISTINCT patient_id) AS patients FROM recent GROUP BY diagnosis HAVING COUNT(DISTINCT patient_id) > 2;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id FROM visits GROUP BY patient_id) AS p;

-- taken
-- compare
SELECT p.n, COUNT(*) AS patients FROM (SELECT q.patient_id, MAX(q.n) AS n FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id) AS q GROUP BY q.patient_id) AS p GROUP BY p.n;

-- refused: recursion
WITH RECURSIVE t AS (SELECT patient_id, visited FROM visits UNION ALL SELECT t.patient_id, t.visited FROM t JOIN visits USING (patient_id) WHERE FALSE) SELECT COUNT(*) AS n FROM t;

-- refused: LIMIT keeps some people's rows and not others' by an order over all people
SELECT COUNT(*) AS n FROM (SELECT * FROM visits LIMIT 100) AS t;

-- refused: the first rows of all people depend on each other
SELECT SUM(cost) AS cost FROM (SELECT cost FROM visits ORDER BY cost DESC LIMIT 10) AS t;

-- taken
-- compare
SELECT COUNT(*) AS n FROM (SELECT * FROM visits) AS v;

-- taken
SELECT AVG(n) AS mean FROM (SELECT patient_id, diagnosis, COUNT(*) AS n FROM visits GROUP BY patient_id, diagnosis) AS p;

-- taken
SELECT AVG(n) AS mean FROM (SELECT patient_id, COUNT(*) AS n FROM (SELECT patient_id, COUNT(*) AS m FROM visits GROUP BY patient_id) AS q GROUP BY patient_id) AS p;

-- taken
SELECT AVG(n) AS mean FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id HAVING COUNT(*) > 2) AS p;

-- taken
-- compare
SELECT n, region AS place FROM (SELECT region, COUNT(*) AS n FROM visits GROUP BY region) r ORDER BY place DESC LIMIT 2;

-- taken
-- compare
SELECT * FROM (SELECT EXTRACT(YEAR FROM visited) AS y, COUNT(*) AS n FROM visits GROUP BY y) r WHERE y BETWEEN 2021 AND 2023 AND n > 3;

-- taken
-- compare
WITH a AS (SELECT region, sex, COUNT(*) AS n FROM visits GROUP BY region, sex), b AS (SELECT region, sex, n, n * 2 AS twice FROM a WHERE sex <> 'other'), c AS (SELECT region, sex, twice - n AS again FROM b WHERE n > 2) SELECT * FROM c ORDER BY again DESC, region;

-- taken
SELECT region FROM (SELECT DISTINCT region FROM visits) t WHERE region <> 'north';

-- taken
-- compare
SELECT n FROM (SELECT COUNT(*) AS n FROM visits WHERE emergency) t;

-- taken
-- compare
SELECT region, n FROM (SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY region LIMIT 3) t LIMIT 2;

-- taken
-- compare
SELECT y, n, n - LAG(n) OVER (ORDER BY y) AS more FROM (SELECT EXTRACT(YEAR FROM visited) AS y, COUNT(*) AS n FROM visits GROUP BY 1) t WHERE y > 2020;

-- taken
-- compare
SELECT region, n FROM (SELECT region, COUNT(*) AS n, RANK() OVER (ORDER BY COUNT(*) DESC) AS place FROM visits GROUP BY region) t WHERE place <= 2 AND n > 10 ORDER BY place;

-- refused: the rows that a LIMIT leaves are sorted again
SELECT region, n FROM (SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY n DESC LIMIT 2) t ORDER BY region;

-- refused: a column that the query in FROM does not select
SELECT region, sex FROM (SELECT region, COUNT(*) AS n FROM visits GROUP BY region) t;

-- refused: a column of the query in FROM that is there twice
SELECT region FROM (SELECT region, sex AS region, COUNT(*) AS n FROM visits GROUP BY 1, 2) t;

-- refused: a window over the rows that a condition leaves after other windows
SELECT region, SUM(n) OVER () AS s FROM (SELECT region, COUNT(*) AS n, RANK() OVER (ORDER BY COUNT(*) DESC) AS place FROM visits GROUP BY region) t WHERE place <= 2;

-- refused: the groups are people
SELECT patient_id, n FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id) t WHERE n > 3;

-- taken
-- compare
-- same as: SELECT region AS place, COUNT(*) AS visits FROM visits WHERE region LIKE '%th' GROUP BY region
SELECT t.place, t.visits FROM (SELECT region, COUNT(*) FROM visits GROUP BY 1) AS t(place, visits) WHERE t.place LIKE '%th';

-- taken
-- compare
SELECT AVG(n) AS a, MIN(n) AS b, COUNT(*) AS c, COUNT(n) AS d, SUM(n) AS e FROM (SELECT region, COUNT(*) AS n FROM visits GROUP BY region) t WHERE n > 3;

-- taken
-- compare
WITH t AS (SELECT region, sex, COUNT(*) AS n, SUM(cost) AS cost FROM visits GROUP BY region, sex) SELECT sex, SUM(n) AS n, SUM(cost) / SUM(n) AS mean, MAX(n) - MIN(n) AS spread FROM t WHERE region <> 'north' GROUP BY sex HAVING SUM(n) > 5 ORDER BY n DESC LIMIT 2;

-- taken
-- compare
SELECT region, largest FROM (SELECT region, MAX(n) AS largest FROM (SELECT region, sex, COUNT(*) AS n FROM visits GROUP BY 1, 2) t GROUP BY region) u WHERE largest > 4;

-- taken
-- compare
SELECT COUNT(*) FILTER (WHERE n > 20) AS many, COUNT(*) AS n FROM (SELECT diagnosis, COUNT(*) AS n FROM visits GROUP BY diagnosis) t;

-- refused: over groups there are COUNT, SUM, AVG, MIN and MAX
SELECT STDDEV(n) AS s FROM (SELECT region, COUNT(*) AS n FROM visits GROUP BY region) t;

-- refused: groups are grouped again by their keys
SELECT n, COUNT(*) AS c FROM (SELECT region, COUNT(*) AS n FROM visits GROUP BY region) t GROUP BY n;

-- refused: the rows that a LIMIT leaves
SELECT SUM(n) AS s FROM (SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY n DESC LIMIT 2) t;
