-- B2: keys whose values have gaps. The groups are the values that the expression can take, not all numbers between them.

-- taken
-- compare
SELECT age / 10 * 10 AS decade, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT age / 5 * 5 AS five, COUNT(*) AS n FROM visits GROUP BY age / 5 * 5;

-- taken
-- compare
SELECT age / 10 * 10 + 5 AS middle, COUNT(*) AS n FROM visits GROUP BY middle;

-- taken
-- compare
SELECT ROUND(age / 10.0) * 10 AS nearest, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT age * 2 AS twice, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT (age - 18) / 10 * 10 + 18 AS band, COUNT(*) AS n FROM visits WHERE age >= 18 GROUP BY 1;

-- taken
-- compare
SELECT 10 * (age / 10) AS decade, sex, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY 1, 2;

-- taken
-- compare
SELECT age - age % 10 AS decade, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM visited) * 100 + EXTRACT(MONTH FROM visited) AS month, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM visited) * 10 + EXTRACT(QUARTER FROM visited) AS quarter, SUM(cost) AS cost FROM visits GROUP BY 1;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM visited) * 100 + EXTRACT(MONTH FROM visited) AS month, diagnosis, region, sex, COUNT(*) AS n FROM visits GROUP BY 1, 2, 3, 4;

-- taken
-- compare
SELECT diagnosis, EXTRACT(YEAR FROM visited) * 100 + EXTRACT(MONTH FROM visited) AS month, sex, age / 10 AS decade, COUNT(DISTINCT patient_id) AS patients FROM visits WHERE visited >= DATE '2024-01-01' GROUP BY 1, 2, 3, 4;

-- taken
-- compare
SELECT DATE_TRUNC('month', visited)::date + 14 AS middle_of_month, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- spelling
-- same as: SELECT DATE_TRUNC('month', visited)::date + 14 AS middle_of_month, COUNT(*) AS n FROM visits GROUP BY 1
SELECT DATE_TRUNC('month', visited) + 14 AS middle_of_month, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT CASE WHEN age < 18 THEN 0 WHEN age < 65 THEN 18 ELSE 65 END AS lowest_age, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT CASE WHEN age < 18 THEN 1 WHEN age < 65 THEN 100 ELSE 10000 END AS code, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY 1;

-- taken
-- compare
SELECT CASE sex WHEN 'female' THEN 8532 WHEN 'male' THEN 8507 ELSE 0 END AS gender_concept_id, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY 1;

-- taken
-- compare
SELECT CASE WHEN age >= 90 THEN 90 ELSE age / 10 * 10 END AS decade, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT LEAST(age / 10 * 10, 90) AS decade, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT LEAST(age, 90) / 10 * 10 AS decade, COUNT(*) AS n FROM visits WHERE age BETWEEN 20 AND 59 GROUP BY 1;

-- taken
-- compare
SELECT (EXTRACT(YEAR FROM visited) - 2020) * 12 + EXTRACT(MONTH FROM visited) AS month_of_study, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM visited)::int / 2 * 2 AS two_years, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT (visited - DATE '2020-01-01') / 30 * 30 AS days, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT ROUND(hba1c) AS percent, COUNT(*) AS n FROM visits WHERE hba1c IS NOT NULL GROUP BY 1;

-- taken
-- compare
SELECT ROUND(cost / 100) * 100 AS about, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT ROUND(cost, -2) AS about, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT WIDTH_BUCKET(age, 0, 100, 10) * 10 - 10 AS decade, COUNT(*) AS n FROM visits WHERE age < 100 GROUP BY 1;

-- taken
-- compare
SELECT n / 2 * 2 AS visits, COUNT(*) AS patients FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id) AS p GROUP BY 1;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM registered) AS y, COUNT(*) AS patients FROM patients WHERE registered BETWEEN DATE '2015-01-01' AND DATE '2019-12-31' GROUP BY 1;

-- taken
-- compare
SELECT age / 10 * 10 AS decade, COUNT(*) AS n FROM visits WHERE age / 10 * 10 IN (20, 40, 60) GROUP BY 1;

-- taken
SELECT hba1c, COUNT(*) AS n FROM visits WHERE hba1c BETWEEN 6 AND 7 GROUP BY hba1c;
