-- B9: counting people and rows: COUNT(unit) and COUNT(1) are rows, COUNT(DISTINCT CASE …) is people under a condition.

-- taken
-- compare
-- same as: SELECT COUNT(DISTINCT patient_id) FILTER (WHERE diagnosis = 'diabetes') AS patients FROM visits
SELECT COUNT(DISTINCT CASE WHEN diagnosis = 'diabetes' THEN patient_id END) AS patients FROM visits;

-- taken
-- compare
-- same as: SELECT COUNT(DISTINCT patient_id) FILTER (WHERE diagnosis = 'diabetes') AS patients FROM visits
SELECT COUNT(DISTINCT CASE WHEN diagnosis = 'diabetes' THEN patient_id ELSE NULL END) AS patients FROM visits;

-- taken
-- compare
-- same as: SELECT COUNT(DISTINCT patient_id) FILTER (WHERE diagnosis = 'diabetes') AS patients FROM visits
SELECT COUNT(DISTINCT CASE diagnosis WHEN 'diabetes' THEN patient_id END) AS patients FROM visits;

-- taken
-- compare
SELECT region, COUNT(DISTINCT CASE WHEN emergency THEN patient_id END) AS with_emergency, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY region;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits
SELECT COUNT(patient_id) AS n FROM visits;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits
SELECT COUNT(1) AS n FROM visits;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits
SELECT COUNT(ALL patient_id) AS n FROM visits;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits
SELECT COUNT('x') AS n FROM visits;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits
SELECT COUNT(TRUE) AS n FROM visits;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits
SELECT SUM(1) AS n FROM visits;

-- taken
-- compare
-- same as: SELECT 2 * COUNT(*) AS n FROM visits
SELECT SUM(2) AS n FROM visits;

-- taken
-- compare
SELECT SUM(-1) AS n, SUM(0.5) AS h, SUM(3) FILTER (WHERE emergency) AS e FROM visits;

-- taken
-- compare
SELECT region, SUM(10) AS n FROM visits GROUP BY region;

-- taken
-- compare
-- same as: SELECT COUNT(*) FILTER (WHERE emergency) AS n FROM visits
SELECT COUNT(CASE WHEN emergency THEN 1 END) AS n FROM visits;

-- taken
-- compare
-- same as: SELECT COUNT(*) FILTER (WHERE emergency) AS n FROM visits
SELECT COUNT(CASE WHEN emergency THEN patient_id END) AS n FROM visits;

-- taken
-- compare
SELECT COUNT(CASE WHEN emergency THEN patient_id ELSE NULL END) AS n FROM visits WHERE age > 40;

-- taken
-- compare
SELECT region, COUNT(CASE WHEN age > 60 THEN v.patient_id WHEN emergency THEN v.patient_id END) AS n FROM visits v GROUP BY region;

-- taken
-- compare
SELECT COUNT(CASE WHEN emergency THEN cost END) AS n FROM visits;

-- taken
-- compare
-- same as: SELECT COUNT(*) FILTER (WHERE emergency) AS n FROM visits
SELECT SUM(CASE WHEN emergency THEN 1 ELSE 0 END) AS n FROM visits;

-- taken
-- compare
-- same as: SELECT COUNT(*) FILTER (WHERE diagnosis <> 'check-up') AS n FROM visits
SELECT COUNT(NULLIF(diagnosis, 'check-up')) AS n FROM visits;

-- taken
-- compare
-- same as: SELECT COUNT(*) FILTER (WHERE emergency) AS n FROM visits
SELECT COUNT(emergency OR NULL) AS n FROM visits;

-- taken
-- compare
SELECT COUNT((cost > 500 AND age > 40) OR NULL) AS n FROM visits;

-- taken
-- compare
SELECT COUNT(NULL OR smoker) AS n FROM visits;

-- taken
-- compare
SELECT COUNT(NULLIF(emergency, FALSE)) AS n FROM visits;

-- taken
-- compare
-- same as: SELECT COUNT(*) FILTER (WHERE smoker IS NOT NULL) AS n FROM visits
SELECT COUNT(smoker) AS n FROM visits;

-- taken
-- compare
SELECT COUNT(*) - COUNT(hba1c) AS not_measured FROM visits;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS patients FROM patients
SELECT COUNT(DISTINCT patient_id) AS patients FROM patients;

-- taken
-- compare
-- same as: SELECT diagnosis, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY diagnosis
SELECT diagnosis, COUNT(*) AS patients FROM (SELECT DISTINCT patient_id, diagnosis FROM visits) AS d GROUP BY diagnosis;

-- taken
-- compare
-- same as: SELECT diagnosis, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY diagnosis
SELECT diagnosis, COUNT(*) AS patients FROM (SELECT patient_id, diagnosis FROM visits GROUP BY patient_id, diagnosis) AS d GROUP BY diagnosis;

-- taken
-- compare
SELECT COUNT(*) AS person_days FROM (SELECT DISTINCT patient_id, visited FROM visits) AS d;

-- taken
-- compare
SELECT COUNT(*) AS person_years FROM (SELECT DISTINCT patient_id, EXTRACT(YEAR FROM visited) AS y FROM visits) AS d;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS person_years FROM (SELECT DISTINCT patient_id, EXTRACT(YEAR FROM visited) AS y FROM visits) AS d
SELECT COUNT(DISTINCT (patient_id, EXTRACT(YEAR FROM visited))) AS person_years FROM visits;

-- taken
-- compare
SELECT COUNT(DISTINCT (patient_id, diagnosis)) AS pairs FROM visits WHERE age > 40;

-- taken
-- compare
SELECT diagnosis, COUNT(DISTINCT (patient_id, EXTRACT(YEAR FROM visited))) AS person_years FROM visits GROUP BY diagnosis;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM visited) AS y, COUNT(DISTINCT (v.patient_id, v.diagnosis)) AS pairs FROM visits v GROUP BY 1 ORDER BY y;

-- refused: a pair has to have the person in it
SELECT COUNT(DISTINCT (region, sex)) AS pairs FROM visits;

-- taken
-- spelling
-- same as: SELECT COUNT(*) FILTER (WHERE emergency) AS n FROM visits
SELECT COUNT_IF(emergency) AS n FROM visits;

-- taken
-- spelling
-- same as: SELECT COUNT(*) FILTER (WHERE emergency) AS n FROM visits
SELECT COUNTIF(emergency) AS n FROM visits;

-- taken
-- spelling
-- same as: SELECT COUNT(*) FILTER (WHERE emergency) AS n FROM visits
SELECT SUM(IF(emergency, 1, 0)) AS n FROM visits;

-- taken
-- spelling
-- same as: SELECT COUNT(*) FILTER (WHERE emergency) AS n FROM visits
SELECT SUM(IIF(emergency, 1, 0)) AS n FROM visits;

-- taken
-- spelling
-- same as: SELECT COUNT(*) AS n FROM visits
SELECT COUNT_BIG(*) AS n FROM visits;

-- refused: how many values occur tells of single people, and no noise for it is built: count people by diagnosis
SELECT COUNT(DISTINCT diagnosis) AS diagnoses FROM visits;

-- refused: a sum of each value once hangs on which values occur
SELECT SUM(DISTINCT cost) AS cost FROM visits;
