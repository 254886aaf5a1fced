-- B10: FLOOR, CEIL, TRUNC, MOD and % of a row, in keys, conditions and aggregates; the usual ways to make age groups.

-- taken
-- compare
SELECT FLOOR(age / 10.0) AS decade, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT FLOOR(age / 10) AS decade, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT FLOOR(age / 10) * 10 AS decade, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY FLOOR(age / 10) * 10;

-- taken
-- compare
SELECT FLOOR(age::float / 5) * 5 AS five, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT FLOOR((EXTRACT(YEAR FROM visited) - EXTRACT(YEAR FROM registered)) / 10) AS decades, COUNT(*) AS n FROM visits JOIN patients USING (patient_id) GROUP BY 1;

-- taken
-- compare
SELECT FLOOR((visited - DATE '2020-01-01') / 30) AS month, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT FLOOR((visited - registered) / 365.25) AS years, COUNT(*) AS n FROM visits JOIN patients USING (patient_id) GROUP BY 1;

-- taken
-- compare
SELECT CEIL(age / 10.0) AS decade, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT CEILING(hba1c) AS percent, COUNT(*) AS n FROM visits WHERE hba1c IS NOT NULL GROUP BY 1;

-- taken
-- compare
SELECT TRUNC(hba1c) AS percent, COUNT(*) AS n FROM visits GROUP BY TRUNC(hba1c);

-- taken
SELECT TRUNC(hba1c, 0) AS percent, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT TRUNC(cost / 100) * 100 AS from_euros, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT TRUNC(cost, -2) AS from_euros, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT FLOOR(cost / 250) AS bin, COUNT(*) AS n, SUM(age) AS ages FROM visits GROUP BY 1;

-- taken
-- compare
SELECT age % 2 AS odd, COUNT(*) AS n FROM visits GROUP BY age % 2;

-- taken
-- compare
SELECT MOD(age, 10) AS last_digit, COUNT(*) AS n FROM visits GROUP BY MOD(age, 10);

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE MOD(EXTRACT(YEAR FROM visited)::int, 2) = 0;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE age % 10 IN (0, 5);

-- taken
-- compare
SELECT SUM(FLOOR(cost)) AS euros, SUM(CEIL(cost)) AS up, SUM(TRUNC(cost, 1)) AS tenths FROM visits;

-- taken
-- compare
SELECT SUM(FLOOR(-cost)) AS down, SUM(TRUNC(-cost)) AS towards_0, SUM(CEIL(-cost)) AS up FROM visits;

-- taken
-- compare
SELECT SUM(MOD(age, 7)) AS rest FROM visits;

-- taken
-- compare
SELECT SUM(MOD(cost, 100)) AS rest, SUM(cost % 1) AS cents FROM visits;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE FLOOR(hba1c) = 6;

-- taken
-- compare
SELECT COUNT(*) FILTER (WHERE CEIL(cost / 100) > 5) AS dear FROM visits;

-- taken
-- compare
SELECT DIV(age, 10) AS decade, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
-- not yet: this expression cannot be used: it has more than 10000 combinations of values, each of which is worked out beforehand
SELECT CONCAT(FLOOR(age / 10) * 10, '-', FLOOR(age / 10) * 10 + 9) AS band, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
-- not yet: a integer cannot be cast to TEXT
SELECT (age / 10 * 10)::text || '-' || (age / 10 * 10 + 9)::text AS band, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT ((FLOOR(((age - 0.0) / 10.0)) * 10.0) + 0.0) AS age, COUNT(*) AS n FROM visits GROUP BY ((FLOOR(((age - 0.0) / 10.0)) * 10.0) + 0.0);

-- taken
-- compare
SELECT WIDTH_BUCKET(age, 80, 20, 3) AS from_the_top, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
-- not yet: WIDTH_BUCKET has 2 arguments; accepted are four
SELECT WIDTH_BUCKET(age, ARRAY[18, 40, 65, 80]) AS band, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
SELECT AVG(FLOOR(cost)) AS mean_euros FROM visits;

-- taken
SELECT FLOOR(AVG(cost)) AS mean_euros, CEIL(AVG(age)) AS mean_age, TRUNC(AVG(hba1c), 1) AS hba1c FROM visits;

-- refused: MOD by a column is not built, MOD by a constant is
SELECT SUM(MOD(age, NULLIF(EXTRACT(DOW FROM visited)::int, 0))) AS n FROM visits;
