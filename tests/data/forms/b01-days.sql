-- B1: arithmetic of days that were computed: by LEAST, GREATEST, COALESCE, CASE or DATE_TRUNC, and then less another day.
-- Person-time that ends with a study is of this kind. A difference of days is a whole number of days.

-- taken
SELECT AVG(LEAST(visited, DATE '2024-12-31') - DATE '2020-01-01') AS days FROM visits;

-- taken
-- compare
SELECT SUM(LEAST(visited, DATE '2024-12-31') - DATE '2020-01-01') AS days FROM visits;

-- taken
-- compare
SELECT region, SUM(GREATEST(visited, DATE '2022-01-01') - DATE '2020-01-01') AS days FROM visits GROUP BY region;

-- taken
-- compare
SELECT SUM(DATE '2025-12-31' - GREATEST(visited, DATE '2022-01-01')) AS days FROM visits;

-- taken
-- compare
SELECT SUM(LEAST(visited, DATE '2024-12-31') - GREATEST(visited, DATE '2022-01-01')) AS days FROM visits;

-- taken
-- compare
SELECT SUM(CASE WHEN emergency THEN visited ELSE DATE '2021-06-30' END - DATE '2020-01-01') AS days FROM visits;

-- taken
-- compare
SELECT SUM(COALESCE(CASE WHEN emergency THEN visited END, DATE '2025-12-31') - DATE '2020-01-01') AS days FROM visits;

-- taken
SELECT AVG(DATE_TRUNC('month', visited)::date - DATE '2020-01-01') AS days FROM visits;

-- taken
-- compare
SELECT SUM(visited - DATE_TRUNC('year', visited)::date) AS days FROM visits;

-- taken
SELECT SUM(DATE_TRUNC('month', visited) - DATE '2020-01-01') AS days FROM visits;

-- taken
-- spelling
-- same as: SELECT COUNT(*) AS n FROM visits WHERE DATE_TRUNC('quarter', visited)::date - DATE '2020-01-01' < 366
SELECT COUNT(*) AS n FROM visits WHERE DATE_TRUNC('quarter', visited) - DATE '2020-01-01' < 366;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE LEAST(visited, DATE '2024-12-31') - DATE '2020-01-01' > 1000;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE GREATEST(visited, DATE '2021-01-01') - DATE '2020-01-01' BETWEEN 366 AND 800;

-- taken
-- compare
SELECT (LEAST(visited, DATE '2023-12-31') - DATE '2020-01-01') / 365 AS year_of_study, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT (GREATEST(visited, DATE '2022-01-01') - DATE '2022-01-01') / 100 AS hundreds, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY (GREATEST(visited, DATE '2022-01-01') - DATE '2022-01-01') / 100;

-- taken
SELECT AVG(LEAST(visited, DATE '2024-12-31') - registered) AS days FROM visits JOIN patients USING (patient_id);

-- taken
-- compare
SELECT SUM(LEAST(visited, DATE '2024-12-31') - registered) AS days FROM visits JOIN patients USING (patient_id);

-- taken
-- compare
SELECT insurer, SUM(GREATEST(visited, registered) - LEAST(visited, registered)) AS days FROM visits JOIN patients USING (patient_id) GROUP BY insurer;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE visited - GREATEST(registered, DATE '2010-01-01') >= 3650;

-- taken
-- compare
SELECT SUM(LEAST(last, DATE '2024-12-31') - first) AS person_days FROM (SELECT patient_id, MIN(visited) AS first, MAX(visited) AS last FROM visits GROUP BY patient_id) AS p WHERE first <= DATE '2024-12-31';

-- taken
-- compare
SELECT region, SUM(LEAST(last, DATE '2024-12-31') - GREATEST(first, DATE '2021-01-01')) AS person_days FROM (SELECT patient_id, region, MIN(visited) AS first, MAX(visited) AS last FROM visits GROUP BY patient_id, region) AS p WHERE first <= DATE '2024-12-31' AND last >= DATE '2021-01-01' GROUP BY region;

-- taken
-- compare
SELECT SUM(COALESCE(first, DATE '2025-12-31') - DATE '2020-01-01') AS person_days FROM (SELECT patient_id, MIN(visited) FILTER (WHERE emergency) AS first FROM visits GROUP BY patient_id) AS p;

-- taken
SELECT AVG(COALESCE(first_emergency, DATE '2025-12-31') - entry) AS days FROM (SELECT patient_id, MIN(visited) AS entry, MIN(CASE WHEN emergency THEN visited END) AS first_emergency FROM visits GROUP BY patient_id) AS p;

-- taken
-- compare
SELECT SUM(-(DATE '2020-01-01' - LEAST(visited, DATE '2024-12-31'))) AS days FROM visits;

-- taken
-- compare
SELECT SUM((LEAST(visited, DATE '2024-12-31') - DATE '2020-01-01') + 1) AS days FROM visits;

-- taken
-- compare
SELECT SUM(LEAST(visited + 30, DATE '2025-12-31') - visited) AS days_at_risk FROM visits;

-- taken
-- compare
SELECT SUM(ABS(visited - DATE '2023-01-01')) AS days FROM visits;

-- taken
-- compare
SELECT SUM(LEAST(visited - DATE '2020-01-01', 1000)) AS days FROM visits;

-- taken
SELECT t.region, AVG(t.days) AS days FROM (SELECT region, LEAST(visited, DATE '2024-12-31') - DATE '2020-01-01' AS days FROM visits) AS t GROUP BY t.region;

-- taken
SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY LEAST(visited, DATE '2024-12-31') - DATE '2020-01-01') AS days FROM visits;
