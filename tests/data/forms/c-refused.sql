-- What stays refused, each with its true reason.

-- refused: rows of people are shown
SELECT * FROM visits;

-- refused: rows of people are shown, however few
SELECT * FROM visits LIMIT 1;

-- refused: rows of people are shown
SELECT patient_id, diagnosis FROM visits WHERE diagnosis = 'copd';

-- refused: one value of each row is shown
SELECT diagnosis FROM visits;

-- refused: one value of each row is shown
SELECT cost * 2 AS c FROM visits;

-- refused: rows of people are shown
SELECT v.* FROM visits v JOIN patients p ON v.patient_id = p.patient_id;

-- refused: rows of people are shown
TABLE visits;

-- refused: people are listed
SELECT DISTINCT patient_id FROM visits;

-- refused: people are listed
SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id;

-- refused: people are listed
SELECT patient_id FROM visits GROUP BY patient_id HAVING COUNT(*) > 5;

-- refused: people are listed
SELECT patient_id, SUM(cost) AS total FROM visits GROUP BY patient_id ORDER BY total DESC LIMIT 10;

-- refused: the largest cost is one person's: PERCENTILE_CONT tells of many
SELECT MAX(cost) AS c FROM visits;

-- refused: the first day is one person's: PERCENTILE_CONT tells of many
SELECT region, MIN(visited) AS first FROM visits GROUP BY region;

-- refused: the extreme of a group is one person's
SELECT region, MAX(age) - MIN(age) AS spread FROM visits GROUP BY region;

-- refused: which values there are tells of single people: the list of a category is public, SELECT DISTINCT region
SELECT ARRAY_AGG(cost) AS costs FROM visits;

-- refused: a discrete percentile is somebody's value: PERCENTILE_CONT is not
SELECT PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY cost) AS m FROM visits;

-- refused: whether anybody at all meets a condition is told without noise: COUNT(DISTINCT patient_id) with the condition tells with it
SELECT BOOL_OR(cost > 1900) AS anybody FROM visits;

-- refused: the most frequent value would be chosen without noise: COUNT(*) by diagnosis with ORDER BY n DESC LIMIT 1 chooses with it
SELECT MODE() WITHIN GROUP (ORDER BY diagnosis) AS most FROM visits;

-- refused: one person is named
SELECT COUNT(*) AS n FROM visits WHERE patient_id = 17;

-- refused: people are told apart by their numbers
SELECT COUNT(*) AS n FROM visits WHERE patient_id % 2 = 0;

-- refused: one group a person
SELECT patient_id % 10 AS sample, COUNT(*) AS n FROM visits GROUP BY 1;

-- refused: a value is divided by a column, which can be 0
-- spelling
SELECT SUM(cost / age) AS s FROM visits;

-- refused: a quotient of two columns is on no grid
SELECT SUM(cost / NULLIF(age, 0)) AS s FROM visits;

-- refused: a quotient by a column is on no grid: cost > 0 AND cost < 0.5 asks the same
SELECT COUNT(*) AS n FROM visits WHERE 1 / NULLIF(cost, 0) > 2;

-- refused: the mean of other people stands in a condition on a row: ask for it first, and write the number
SELECT COUNT(*) AS n FROM visits WHERE cost > (SELECT AVG(cost) FROM visits);

-- refused: a correlated subquery looks at other people's rows
SELECT COUNT(*) AS n FROM visits v WHERE cost > (SELECT AVG(cost) FROM visits w WHERE w.region = v.region);

-- refused: rows are compared with other people's
SELECT COUNT(*) AS n FROM visits v WHERE EXISTS (SELECT 1 FROM visits w WHERE w.patient_id <> v.patient_id AND w.visited = v.visited AND w.diagnosis = v.diagnosis);

-- refused: groups of other people's rows are joined to rows
SELECT COUNT(*) AS n FROM visits v JOIN (SELECT region, AVG(cost) AS mean FROM visits GROUP BY region) r ON r.region = v.region WHERE v.cost > r.mean;

-- refused: a window of rows without PARTITION BY patient_id
SELECT COUNT(*) OVER (PARTITION BY region) AS n FROM visits;

-- refused: a sample by chance: rows_per_unit takes fewer rows of each person
SELECT COUNT(*) AS n FROM visits TABLESAMPLE BERNOULLI (10);

-- refused: a random choice of rows
SELECT COUNT(*) AS n FROM visits WHERE RANDOM() < 0.1;

-- refused: a sort of all people before a limit
SELECT AVG(cost) AS c FROM (SELECT cost FROM visits ORDER BY RANDOM() LIMIT 100) AS s;

-- refused: recursion
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT COUNT(*) AS n FROM n;

-- refused: a statement that changes rows
UPDATE visits SET cost = 0;

-- refused: a statement that deletes rows
DELETE FROM visits WHERE emergency;

-- refused: a statement that adds rows
INSERT INTO patients (patient_id, insurer) VALUES (999999, 'none');

-- refused: a statement that changes tables
DROP TABLE visits;

-- refused: a statement that makes tables
CREATE TABLE copy AS SELECT * FROM visits;

-- refused: rows are copied out
COPY visits TO STDOUT;

-- refused: a change within WITH
WITH d AS (DELETE FROM visits RETURNING patient_id) SELECT COUNT(*) AS n FROM d;

-- refused: a system table
SELECT COUNT(*) AS n FROM pg_catalog.pg_user;

-- refused: a system table
SELECT COUNT(*) AS n FROM information_schema.columns;

-- refused: a system function
SELECT CURRENT_USER, COUNT(*) AS n FROM visits;

-- refused: a place where a row is stored
SELECT COUNT(*) AS n FROM visits WHERE ctid = '(0,1)';

-- refused: a function of the server, which waits
SELECT COUNT(*) AS n FROM visits WHERE pg_sleep(0) IS NOT NULL;

-- refused: a file is read
-- spelling
SELECT COUNT(*) AS n FROM read_csv('/etc/passwd');

-- refused: a table that is not of this dataset
-- spelling
SELECT COUNT(*) AS n FROM visitors;

-- refused: a column that the table has not
-- spelling
SELECT COUNT(*) AS n FROM visits WHERE colour = 'red';

-- refused: rows are locked
SELECT COUNT(*) AS n FROM (SELECT patient_id FROM visits FOR UPDATE) AS v;

-- refused: how long the question takes would be told
EXPLAIN ANALYZE SELECT COUNT(*) AS n FROM visits;

-- refused: 200,001 costs are too many groups: WIDTH_BUCKET or ROUND makes fewer
SELECT cost, COUNT(*) AS n FROM visits GROUP BY cost;

-- refused: 2,192 days by 111 ages are too many groups
SELECT visited, age, COUNT(*) AS n FROM visits GROUP BY visited, age;

-- refused: texts without a public list by further keys are not built
SELECT drug, sex, COUNT(*) AS n FROM visits GROUP BY drug, sex;

-- refused: texts without a public list cannot be ordered or compared
SELECT COUNT(*) AS n FROM visits WHERE drug > 'm';

-- refused: no category of the list, so that a slip of the pen would be paid for
SELECT COUNT(*) AS n FROM visits WHERE diagnosis = 'plague';

-- refused: text is no number
-- spelling
SELECT SUM(region) AS s FROM visits;

-- refused: text is not compared with a number
-- spelling
SELECT COUNT(*) AS n FROM visits WHERE region = age;

-- refused: an aggregate stands in a condition on a row: HAVING is for that
-- spelling
SELECT COUNT(*) AS n FROM visits WHERE SUM(cost) > 3;

-- refused: a column stands beside an aggregate and is no key
-- spelling
SELECT age, COUNT(*) AS n FROM visits;

-- refused: a constant 0 divides
-- spelling
SELECT SUM(cost / 0) AS s FROM visits;

-- refused: rows of the two tables without a person in both are not built: FULL JOIN
SELECT COUNT(*) AS n FROM visits FULL JOIN patients USING (patient_id);

-- refused: LATERAL is not built: join a subquery that groups by patient_id
SELECT SUM(x.n) AS n FROM patients p CROSS JOIN LATERAL (SELECT COUNT(*) AS n FROM visits v WHERE v.patient_id = p.patient_id) x;

-- refused: JSON of rows is a list of rows
SELECT JSON_AGG(v) AS rows FROM (SELECT diagnosis, cost FROM visits) AS v;

-- refused: a checksum of all rows tells of every one exactly
SELECT MD5(STRING_AGG(cost::text, ',')) AS digest FROM visits;

-- refused: bits of all rows at once tell of single people
SELECT BIT_OR(age) AS bits FROM visits;

-- refused: the same name twice: an answer's columns need names of their own
SELECT COUNT(*), COUNT(hba1c) FROM visits;

-- refused: PIVOT is no PostgreSQL: COUNT(*) FILTER (WHERE …) per column
-- spelling
SELECT * FROM visits PIVOT (COUNT(*) FOR region IN ('north', 'south'));

-- refused: a window over the rows of different people
-- spelling
SELECT COUNT(*) AS n FROM (SELECT * FROM visits QUALIFY ROW_NUMBER() OVER (ORDER BY visited) = 1) AS f;
