-- B18: years of 365.25 days, roots, powers, logarithms and exponentials of a row, and after the noise.

-- taken
SELECT AVG((visited - registered) / 365.25) AS years FROM visits JOIN patients USING (patient_id);

-- taken
SELECT SUM((visited - registered) / 365.25) AS person_years FROM visits JOIN patients USING (patient_id);

-- taken
SELECT SUM(visited - registered) / 365.25 AS person_years FROM visits JOIN patients USING (patient_id);

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE (visited - registered) / 365.25 >= 5;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE (visited - registered) / 365.25 BETWEEN 1 AND 10;

-- taken
-- compare
SELECT FLOOR((visited - registered) / 365.25) AS years, COUNT(DISTINCT patient_id) AS patients FROM visits JOIN patients USING (patient_id) WHERE visited >= registered GROUP BY FLOOR((visited - registered) / 365.25);

-- taken
-- compare
SELECT FLOOR((visited - registered) / 365.25 / 5) * 5 AS years, COUNT(*) AS n FROM visits JOIN patients USING (patient_id) GROUP BY 1;

-- taken
-- compare
SELECT ROUND((visited - registered) / 365.25) AS years, COUNT(*) AS n FROM visits JOIN patients USING (patient_id) GROUP BY 1;

-- taken
-- compare
SELECT SUM(ROUND((visited - registered) / 365.25, 1)) AS years FROM visits JOIN patients USING (patient_id);

-- taken
-- compare
SELECT CASE WHEN (visited - registered) / 365.25 < 1 THEN 'new' WHEN (visited - registered) / 365.25 < 5 THEN 'known' ELSE 'long known' END AS grp, COUNT(*) AS n FROM visits JOIN patients USING (patient_id) GROUP BY 1;

-- taken
-- compare
SELECT TRUNC((visited - DATE '2020-01-01') / 30.4375) AS month, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
SELECT AVG((visited - DATE '2020-01-01') / 7.0) AS weeks FROM visits;

-- taken
SELECT AVG((visited - DATE '2020-01-01')::float / 365) AS years FROM visits;

-- taken
SELECT 1000 * COUNT(*) FILTER (WHERE emergency) / NULLIF(SUM(visited - registered) / 365.25, 0) AS per_1000_years FROM visits JOIN patients USING (patient_id);

-- taken
SELECT AVG((LEAST(last, DATE '2024-12-31') - first) / 365.25) AS years FROM (SELECT patient_id, MIN(visited) AS first, MAX(visited) AS last FROM visits GROUP BY patient_id) AS p;

-- taken
SELECT EXP(AVG(LN(hba1c))) AS geometric_mean FROM visits;

-- taken
SELECT region, EXP(AVG(LN(cost + 1))) - 1 AS geometric_mean FROM visits GROUP BY region;

-- taken
SELECT AVG(LOG(hba1c)) AS mean_log FROM visits;

-- taken
SELECT AVG(LOG(2, hba1c)) AS mean_log FROM visits;

-- taken
SELECT AVG(LOG10(hba1c)) AS mean_log FROM visits;

-- taken
SELECT AVG(SQRT(cost)) AS mean_root FROM visits;

-- taken
SELECT SUM(POWER(hba1c, 2)) AS squares FROM visits;

-- taken
-- compare
SELECT SUM(hba1c ^ 3) AS cubes, AVG(age ^ 2) AS ages FROM visits;

-- taken
-- compare
SELECT region, AVG(POWER(hba1c - 6, 2)) AS spread FROM visits GROUP BY region;

-- taken
-- compare
SELECT SUM(POWER(age, 2)) AS squares, SUM(age ^ 2) AS same_squares FROM visits;

-- taken
SELECT SQRT(AVG(POWER(cost - 500, 2))) AS rms FROM visits;

-- taken
SELECT AVG(EXP(-hba1c / 10)) AS e FROM visits;

-- taken
SELECT STDDEV(LN(hba1c)) AS spread FROM visits;

-- taken
SELECT LN(SUM(cost)) AS a, LOG(COUNT(*)) AS b, EXP(AVG(hba1c) / 10) AS c, POWER(AVG(age), 2) AS d FROM visits;

-- taken
SELECT LN(COUNT(*) FILTER (WHERE emergency) * 1.0 / NULLIF(COUNT(*) FILTER (WHERE NOT emergency), 0)) AS log_odds FROM visits;

-- taken
SELECT AVG(10.929 * (hba1c - 2.15)) AS mmol_per_mol FROM visits;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE 10.929 * (hba1c - 2.15) >= 48;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE SQRT(cost) > 20;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE LN(hba1c) > 2;

-- taken
-- compare
SELECT FLOOR(LOG(cost + 1)) AS digits, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT SIGN(cost - 1000) AS side, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
SELECT WIDTH_BUCKET(LN(hba1c), 1, 3, 8) AS bin, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
SELECT EXP(AVG(LN(NULLIF(cost, 0)))) AS geometric_mean FROM visits;

-- taken
SELECT diagnosis, EXP(AVG(LN(cost))) AS geometric_mean FROM visits WHERE cost > 0 GROUP BY diagnosis;

-- taken
SELECT AVG(LN(GREATEST(cost, 0.01))) AS mean_log FROM visits;

-- taken
-- spelling
SELECT EXP(AVG(LN(cost))) AS geometric_mean FROM visits;

-- taken
-- spelling
SELECT AVG(SQRT(cost - 100)) AS r FROM visits;

-- refused: RANDOM() is another number each time, and an answer is served again as it was
SELECT AVG(cost * RANDOM()) AS c FROM visits;
