-- Conditions, truth values and constants in further spellings that people use.

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE smoker
SELECT COUNT(*) AS n FROM visits WHERE smoker IS TRUE;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE smoker
SELECT COUNT(*) AS n FROM visits WHERE smoker = TRUE;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE smoker IS NULL OR NOT smoker
SELECT COUNT(*) AS n FROM visits WHERE smoker IS NOT TRUE;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE NOT smoker
SELECT COUNT(*) AS n FROM visits WHERE smoker IS FALSE;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE smoker IS NULL
SELECT COUNT(*) AS n FROM visits WHERE smoker IS UNKNOWN;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE smoker IS NULL
SELECT COUNT(*) AS n FROM visits WHERE smoker ISNULL;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE hba1c IS NOT NULL
SELECT COUNT(*) AS n FROM visits WHERE hba1c NOTNULL;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE smoker IS NULL OR NOT smoker
SELECT COUNT(*) AS n FROM visits WHERE smoker IS DISTINCT FROM TRUE;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE region <> 'north'
SELECT COUNT(*) AS n FROM visits WHERE region IS DISTINCT FROM 'north';

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE region <> 'north'
SELECT COUNT(*) AS n FROM visits WHERE region != 'north';

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE age >= 65
SELECT COUNT(*) AS n FROM visits WHERE 65 <= age;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE age < 18 OR age > 64
SELECT COUNT(*) AS n FROM visits WHERE age NOT BETWEEN 18 AND 64;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE age BETWEEN 18 AND 64
SELECT COUNT(*) AS n FROM visits WHERE 18 <= age AND NOT age >= 65;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE age BETWEEN 18 AND 64
SELECT COUNT(*) AS n FROM visits WHERE age >= 9 * 2 AND age < (60 + 5);

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE emergency = smoker
SELECT COUNT(*) AS n FROM visits WHERE (emergency AND smoker) OR (NOT emergency AND NOT smoker);

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE emergency <> smoker;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE (age >= 65) = emergency;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE COALESCE(smoker, FALSE);

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE COALESCE(hba1c, 0) = 0;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE NULLIF(age, 0) IS NULL;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE CASE diagnosis WHEN 'asthma' THEN 1 WHEN 'copd' THEN 2 ELSE 0 END > 0;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE CASE WHEN sex = 'female' THEN age >= 60 ELSE age >= 65 END;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE CASE WHEN age < 18 THEN 'minor' ELSE 'adult' END = 'minor';

-- taken
-- spelling
-- same as: SELECT COUNT(*) FILTER (WHERE emergency) AS n FROM visits
SELECT SUM(emergency) AS n FROM visits;

-- taken
-- spelling
-- same as: SELECT region, AVG(emergency::int) AS share FROM visits GROUP BY region
SELECT region, AVG(emergency) AS share FROM visits GROUP BY region;

-- taken
-- spelling
-- same as: SELECT SUM((cost > 500)::int) AS n, AVG((age >= 65)::int) AS old FROM visits
SELECT SUM(cost > 500) AS n, AVG(age >= 65) AS old FROM visits;

-- taken
-- spelling
-- same as: SELECT region, SUM(smoker::int) AS n FROM visits GROUP BY region
SELECT region, SUM(smoker) AS n FROM visits GROUP BY region;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE GREATEST(age, 50) = 50 AND LEAST(cost, 100) < 100;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE age * 2 > 100 AND -age < -20;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE hba1c > age / 10;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE diagnosis NOT IN ('asthma', 'copd') AND region NOT IN ('north');

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE diagnosis IN ('asthma', 'asthma', 'copd');

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE EXTRACT(YEAR FROM visited) = 2024 AND EXTRACT(MONTH FROM visited) <= 6;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE age BETWEEN 18 AND 64
SELECT COUNT(*) AS n FROM visits WHERE age BETWEEN SYMMETRIC 64 AND 18;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '1990-01-01' AND age < 500 AND cost >= -1;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE cost = 12.345;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE cost > 1e3;

-- taken
-- compare
SELECT SUM(CASE WHEN smoker IS TRUE THEN 1 ELSE 0 END) AS smokers, SUM(CASE WHEN smoker IS NULL THEN 1 END) AS unknown FROM visits;

-- taken
-- compare
SELECT (smoker IS TRUE) AS smoker, (hba1c > 6.5 OR diagnosis = 'diabetes') AS diabetic, COUNT(*) AS n FROM visits GROUP BY 1, 2;

-- taken
-- compare
SELECT emergency AND age >= 65 AS old_emergency, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT COALESCE(smoker, FALSE) AS smoker, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY 1;

-- taken
-- compare
SELECT NULLIF(diagnosis, 'check-up') AS diagnosis, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT CASE WHEN diagnosis IN ('asthma', 'copd') THEN diagnosis ELSE 'other' END AS diagnosis, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT CASE WHEN emergency THEN region ELSE sex END AS k, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT CASE WHEN hba1c IS NULL THEN 'no value' WHEN hba1c < 5.7 THEN 'normal' WHEN hba1c < 6.5 THEN 'raised' ELSE 'high' END AS hba1c_class, sex, COUNT(*) AS n FROM visits GROUP BY 1, 2;

-- taken
-- compare
SELECT SUM(COALESCE(hba1c, cost)) AS s FROM visits;

-- taken
-- compare
SELECT SUM(NULLIF(cost, 0)) AS s, COUNT(NULLIF(cost, 0)) AS n FROM visits;

-- taken
-- compare
SELECT SUM(CASE sex WHEN 'female' THEN cost ELSE -cost END) AS d FROM visits;

-- taken
-- compare
SELECT SUM(CASE WHEN age < 18 THEN 0.5 WHEN age < 65 THEN 1 ELSE 1.5 END) AS weights FROM visits;

-- refused: a comparison with NULL is true of no row: IS NULL asks whether a value is missing
SELECT COUNT(*) AS n FROM visits WHERE smoker = NULL;
