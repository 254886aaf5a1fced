-- Words of other databases that mean what PostgreSQL writes in other words.

-- taken
-- spelling
-- same as: SELECT CASE sex WHEN 'male' THEN 'm' WHEN 'female' THEN 'f' ELSE 'x' END AS k, COUNT(*) AS n FROM visits GROUP BY 1
SELECT DECODE(sex, 'male', 'm', 'female', 'f', 'x') AS k, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- spelling
-- same as: SELECT SUM(CASE sex WHEN 'male' THEN 1 END) AS men FROM visits
SELECT SUM(DECODE(sex, 'male', 1)) AS men FROM visits;

-- taken
-- spelling
-- same as: SELECT TO_CHAR(visited, 'YYYY-MM') AS m, COUNT(*) AS n FROM visits GROUP BY 1
SELECT STRFTIME('%Y-%m', visited) AS m, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- spelling
-- same as: SELECT TO_CHAR(visited, 'YYYY-MM') AS m, COUNT(*) AS n FROM visits GROUP BY 1
SELECT DATE_FORMAT(visited, '%Y-%m') AS m, COUNT(*) AS n FROM visits GROUP BY m;

-- taken
-- spelling
-- same as: SELECT TO_CHAR(visited, 'YYYY') AS y, COUNT(*) AS n FROM visits GROUP BY 1
SELECT FORMAT_DATE('%Y', visited) AS y, COUNT(*) AS n FROM visits GROUP BY y;

-- taken
-- spelling
-- same as: SELECT EXTRACT(YEAR FROM visited) AS y, COUNT(*) AS n FROM visits GROUP BY 1
SELECT toYear(visited) AS y, COUNT(*) AS n FROM visits GROUP BY y;

-- taken
-- spelling
-- same as: SELECT DATE_TRUNC('month', visited) AS m, COUNT(*) AS n FROM visits GROUP BY 1
SELECT toStartOfMonth(visited) AS m, COUNT(*) AS n FROM visits GROUP BY m;

-- taken
-- spelling
-- same as: SELECT region, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY region
SELECT region, APPROX_COUNT_DISTINCT(patient_id) AS patients FROM visits GROUP BY region;

-- taken
-- spelling
-- same as: SELECT region, sex, COUNT(*) AS n FROM visits GROUP BY ROLLUP (region, sex)
SELECT region, sex, COUNT(*) AS n FROM visits GROUP BY region, sex WITH ROLLUP;

-- taken
-- spelling
-- same as: SELECT region, sex, COUNT(*) AS n FROM visits GROUP BY CUBE (region, sex)
SELECT region, sex, COUNT(*) AS n FROM visits GROUP BY region, sex WITH CUBE;

-- refused: the format has a part without a stated meaning
SELECT STRFTIME('%Y-%Q', visited) AS m, COUNT(*) AS n FROM visits GROUP BY 1;
