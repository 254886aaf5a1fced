-- B8: casts and literals that change nothing, or are a known map.

-- taken
SELECT AVG(smoker::int) AS share FROM visits;

-- taken
-- compare
SELECT SUM(smoker::int) AS smokers FROM visits;

-- taken
-- compare
SELECT region, SUM(CAST(emergency AS integer)) AS emergencies FROM visits GROUP BY region;

-- taken
-- compare
SELECT SUM((diagnosis = 'diabetes')::int) AS n FROM visits;

-- taken
-- compare
SELECT smoker::int AS smoker, COUNT(*) AS n FROM visits WHERE smoker IS NOT NULL GROUP BY 1;

-- taken
-- compare
-- same as: SELECT SUM(dm) AS patients FROM (SELECT patient_id, MAX(CASE WHEN diagnosis = 'diabetes' THEN 1 ELSE 0 END) AS dm FROM visits GROUP BY patient_id) AS p
SELECT SUM(dm) AS patients FROM (SELECT patient_id, MAX((diagnosis = 'diabetes')::int) AS dm FROM visits GROUP BY patient_id) AS p;

-- taken
-- compare
SELECT DATE_TRUNC('month', visited)::date AS month, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT CAST(DATE_TRUNC('quarter', visited) AS date) AS quarter, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY CAST(DATE_TRUNC('quarter', visited) AS date);

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '2024-01-01'
SELECT COUNT(*) AS n FROM visits WHERE visited >= '2024-01-01'::date;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '2024-01-01'
SELECT COUNT(*) AS n FROM visits WHERE visited >= CAST('2024-01-01' AS DATE);

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '2024-01-01'
SELECT COUNT(*) AS n FROM visits WHERE visited >= '2024-01-01';

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '2024-01-01'
SELECT COUNT(*) AS n FROM visits WHERE visited >= TIMESTAMP '2024-01-01 00:00:00';

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '2024-01-01'
SELECT COUNT(*) AS n FROM visits WHERE visited >= '2024-01-01 00:00:00';

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '2024-01-01'
SELECT COUNT(*) AS n FROM visits WHERE visited >= '2024-01-01 00:00:00'::timestamp;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '2024-01-01'
SELECT COUNT(*) AS n FROM visits WHERE CAST(visited AS timestamp) >= CAST('2024-01-01T00:00:00' AS timestamp);

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited BETWEEN DATE '2024-01-01' AND DATE '2024-12-31'
SELECT COUNT(*) AS n FROM visits WHERE visited::date BETWEEN date('2024-01-01') AND date('2024-12-31');

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited < DATE '2024-06-02'
SELECT COUNT(*) AS n FROM visits WHERE visited <= TIMESTAMP '2024-06-01 12:30:00';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE visited < TIMESTAMP '2024-06-01 12:30:00';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE visited > TIMESTAMP '2024-06-01 12:30:00';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE visited >= TIMESTAMP '2024-06-01 12:30:00';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE visited = TIMESTAMP '2024-06-01 12:30:00';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE visited <> TIMESTAMP '2024-06-01 12:30:00';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE visited BETWEEN TIMESTAMP '2024-01-01' AND TIMESTAMP '2024-06-01 23:59:59.999';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE visited < '2024-06-01 12:30:00'::timestamp;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE visited < '2024-06-01 12:30:00'::date;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE visited < DATE '2024-06-01 12:30:00';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE visited BETWEEN '2024-01-01' AND '2024-06-01 23:59:59';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE visited >= TO_TIMESTAMP('2024-06-01 12:30', 'YYYY-MM-DD HH24:MI');

-- refused: a text with a time is a day beside a date, and a moment beside a time
SELECT COUNT(*) AS n FROM visits WHERE visited < '2024-06-01 12:30:00';

-- taken
-- compare
SELECT SUM(age::float) AS ages FROM visits;

-- taken
-- compare
SELECT SUM(CAST(age AS numeric)) AS ages, SUM(age::bigint) AS same_ages FROM visits;

-- taken
-- compare
SELECT SUM(cost::numeric(10, 2)) AS cost FROM visits;

-- taken
-- compare
SELECT SUM(cost::int) AS whole_euros FROM visits;

-- taken
-- compare
SELECT SUM(CAST(hba1c AS integer)) AS percent FROM visits;

-- taken
SELECT ROUND(AVG(hba1c)::numeric, 2) AS mean_hba1c FROM visits;

-- taken
SELECT CAST(AVG(cost) AS numeric(12, 2)) AS mean_cost FROM visits;

-- taken
SELECT COUNT(*) FILTER (WHERE emergency)::decimal / COUNT(*) AS share FROM visits;

-- taken
SELECT CAST(SUM(CASE WHEN emergency THEN 1 ELSE 0 END) AS float) / CAST(COUNT(*) AS float) AS share FROM visits;

-- taken
-- compare
SELECT COUNT(*)::int AS n, CAST(SUM(age) AS bigint) AS ages FROM visits;

-- taken
-- compare
SELECT region::text AS region, COUNT(*) AS n FROM visits GROUP BY region::text;

-- taken
-- compare
SELECT CAST(region AS varchar(20)) AS region, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT age::text AS age, COUNT(*) AS n FROM visits WHERE age BETWEEN 40 AND 49 GROUP BY 1;

-- taken
-- compare
SELECT (age / 10 * 10)::text AS decade, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT CAST(EXTRACT(YEAR FROM visited) AS integer) AS y, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM visited)::text AS y, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT visited::text AS day, COUNT(*) AS n FROM visits WHERE visited BETWEEN DATE '2024-03-01' AND DATE '2024-03-31' GROUP BY 1;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE region = 'north'
SELECT COUNT(*) AS n FROM visits WHERE region = 'north'::text;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE region = 'north'
SELECT COUNT(*) AS n FROM visits WHERE CAST(region AS text) = CAST('north' AS varchar);

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE age >= 65
SELECT COUNT(*) AS n FROM visits WHERE age >= '65';

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE age >= 65
SELECT COUNT(*) AS n FROM visits WHERE age::numeric >= 65.0;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE emergency
SELECT COUNT(*) AS n FROM visits WHERE emergency = 'true';

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE emergency
SELECT COUNT(*) AS n FROM visits WHERE emergency = 't'::boolean;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE emergency
SELECT COUNT(*) AS n FROM visits WHERE emergency::int = 1;

-- taken
-- compare
SELECT SUM(age * 1.0) AS ages FROM visits;

-- taken
-- spelling
-- same as: SELECT SUM(CAST(age AS numeric)) AS ages FROM visits
SELECT SUM(SAFE_CAST(age AS NUMERIC)) AS ages FROM visits;

-- taken
-- spelling
-- same as: SELECT SUM(CAST(age AS numeric)) AS ages FROM visits
SELECT SUM(TRY_CAST(age AS DOUBLE)) AS ages FROM visits;

-- refused: a text that is no number cannot be cast to one
-- spelling
SELECT SUM(diagnosis::int) AS n FROM visits;

-- refused: a day that does not exist
-- spelling
SELECT COUNT(*) AS n FROM visits WHERE visited > '2024-02-30'::date;
