-- B6: cohorts: a condition on a person's own rows, of this or of another table of the dataset.

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE patient_id IN (SELECT patient_id FROM visits WHERE diagnosis = 'diabetes');

-- taken
-- compare
SELECT region, COUNT(DISTINCT patient_id) AS patients FROM visits WHERE patient_id IN (SELECT patient_id FROM visits WHERE diagnosis = 'diabetes') GROUP BY region;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE patient_id NOT IN (SELECT patient_id FROM visits WHERE emergency);

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE patient_id NOT IN (SELECT patient_id FROM visits WHERE emergency)
SELECT COUNT(*) AS n FROM visits WHERE NOT patient_id IN (SELECT patient_id FROM visits WHERE emergency);

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE patient_id IN (SELECT patient_id FROM visits WHERE diagnosis = 'diabetes')
SELECT COUNT(*) AS n FROM visits v WHERE EXISTS (SELECT 1 FROM visits w WHERE w.patient_id = v.patient_id AND w.diagnosis = 'diabetes');

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE patient_id NOT IN (SELECT patient_id FROM visits WHERE diagnosis = 'copd')
SELECT COUNT(*) AS n FROM visits v WHERE NOT EXISTS (SELECT * FROM visits w WHERE w.patient_id = v.patient_id AND w.diagnosis = 'copd');

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE patient_id IN (SELECT patient_id FROM visits WHERE diagnosis = 'diabetes')
SELECT COUNT(*) AS n FROM visits v WHERE v.patient_id = ANY (SELECT w.patient_id FROM visits w WHERE w.diagnosis = 'diabetes');

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE patient_id IN (SELECT patient_id FROM visits WHERE diagnosis = 'diabetes')
SELECT COUNT(*) AS n FROM visits v JOIN (SELECT DISTINCT patient_id FROM visits WHERE diagnosis = 'diabetes') d ON d.patient_id = v.patient_id;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE patient_id NOT IN (SELECT patient_id FROM visits WHERE diagnosis = 'copd')
SELECT COUNT(*) AS n FROM visits v LEFT JOIN (SELECT DISTINCT patient_id FROM visits WHERE diagnosis = 'copd') c ON c.patient_id = v.patient_id WHERE c.patient_id IS NULL;

-- taken
-- compare
SELECT diagnosis, COUNT(*) AS n FROM visits WHERE patient_id IN (SELECT patient_id FROM patients WHERE insurer = 'public') GROUP BY diagnosis;

-- taken
-- compare
SELECT insurer, COUNT(*) AS patients FROM patients WHERE patient_id IN (SELECT patient_id FROM visits WHERE diagnosis IN ('asthma', 'copd')) GROUP BY insurer;

-- refused: people without a visit are not known to a table that was joined when it was sealed
SELECT insurer, COUNT(*) AS never_seen FROM patients WHERE patient_id NOT IN (SELECT patient_id FROM visits) GROUP BY insurer;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id FROM visits GROUP BY patient_id HAVING COUNT(*) >= 3) AS p;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE patient_id IN (SELECT patient_id FROM visits GROUP BY patient_id HAVING COUNT(*) >= 3);

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id FROM visits GROUP BY patient_id HAVING BOOL_OR(diagnosis = 'diabetes') AND BOOL_OR(diagnosis = 'hypertension')) AS p;

-- taken
-- compare
SELECT region, COUNT(*) AS patients FROM (SELECT patient_id, region FROM visits GROUP BY patient_id, region HAVING BOOL_OR(diagnosis = 'asthma') AND NOT BOOL_OR(emergency)) AS p GROUP BY region;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id FROM visits GROUP BY patient_id HAVING COUNT(*) FILTER (WHERE emergency) >= 2 AND SUM(cost) > 1000) AS p;

-- taken
-- compare
-- same as: SELECT COUNT(DISTINCT patient_id) AS patients FROM visits
SELECT COUNT(*) AS patients FROM (SELECT DISTINCT patient_id FROM visits) AS p;

-- taken
-- compare
-- same as: SELECT COUNT(DISTINCT patient_id) AS patients FROM visits WHERE diagnosis = 'diabetes'
SELECT COUNT(*) AS patients FROM (SELECT DISTINCT patient_id FROM visits WHERE diagnosis = 'diabetes') AS p;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id FROM visits WHERE diagnosis = 'diabetes' INTERSECT SELECT patient_id FROM visits WHERE diagnosis = 'hypertension') AS b;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id FROM visits WHERE diagnosis = 'diabetes' EXCEPT SELECT patient_id FROM visits WHERE emergency) AS d;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id FROM visits WHERE diagnosis = 'copd' UNION SELECT patient_id FROM visits WHERE diagnosis = 'asthma') AS d;

-- refused: people without a visit are not known to a table that was joined when it was sealed
SELECT COUNT(*) AS patients FROM (SELECT patient_id FROM patients EXCEPT SELECT patient_id FROM visits) AS unseen;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE patient_id IN (SELECT patient_id FROM visits WHERE emergency INTERSECT SELECT patient_id FROM patients WHERE insurer = 'none');

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE patient_id IN (SELECT patient_id FROM visits WHERE patient_id IN (SELECT patient_id FROM patients WHERE insurer = 'private') AND emergency);

-- taken
-- compare
SELECT COUNT(DISTINCT patient_id) AS patients FROM visits WHERE patient_id IN (SELECT patient_id FROM visits WHERE diagnosis = 'diabetes') OR patient_id IN (SELECT patient_id FROM visits WHERE hba1c >= 6.5);

-- taken
-- compare
SELECT COUNT(*) FILTER (WHERE patient_id IN (SELECT patient_id FROM visits WHERE diagnosis = 'diabetes')) AS of_diabetics, COUNT(*) AS n FROM visits;

-- taken
-- compare
SELECT CASE WHEN patient_id IN (SELECT patient_id FROM visits WHERE diagnosis = 'diabetes') THEN 'diabetes' ELSE 'no diabetes' END AS grp, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT EXISTS (SELECT 1 FROM visits e WHERE e.patient_id = v.patient_id AND e.emergency) AS had_emergency, COUNT(*) AS n FROM visits v GROUP BY 1;

-- taken
-- compare
SELECT COUNT(DISTINCT v.patient_id) AS patients FROM visits v WHERE v.diagnosis = 'infection' AND EXISTS (SELECT 1 FROM visits w WHERE w.patient_id = v.patient_id AND w.visited > v.visited AND w.visited <= v.visited + 30);

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits v WHERE NOT EXISTS (SELECT 1 FROM visits w WHERE w.patient_id = v.patient_id AND w.visited < v.visited);

-- refused: people without a visit are not known to a table that was joined when it was sealed
SELECT p.insurer, COUNT(*) AS patients FROM patients p WHERE (SELECT COUNT(*) FROM visits v WHERE v.patient_id = p.patient_id) >= 2 GROUP BY p.insurer;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits v WHERE v.visited = (SELECT MIN(w.visited) FROM visits w WHERE w.patient_id = v.patient_id);

-- taken
-- compare
WITH diabetes AS (SELECT patient_id, MIN(visited) AS since FROM visits WHERE diagnosis = 'diabetes' GROUP BY patient_id), lung AS (SELECT DISTINCT patient_id FROM visits WHERE diagnosis IN ('asthma', 'copd')) SELECT EXTRACT(YEAR FROM since) AS y, COUNT(*) AS patients FROM diabetes WHERE patient_id NOT IN (SELECT patient_id FROM lung) GROUP BY 1;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id, MAX(CASE WHEN diagnosis = 'diabetes' THEN 1 ELSE 0 END) AS dm, MAX(CASE WHEN diagnosis = 'hypertension' THEN 1 ELSE 0 END) AS ht FROM visits GROUP BY patient_id) AS p WHERE dm = 1 AND ht = 1;

-- taken
-- compare
SELECT dm, ht, COUNT(*) AS patients FROM (SELECT patient_id, BOOL_OR(diagnosis = 'diabetes') AS dm, BOOL_OR(diagnosis = 'hypertension') AS ht FROM visits GROUP BY patient_id) AS p GROUP BY dm, ht;

-- refused: a condition on other people's rows: the subquery is not of the same person
SELECT COUNT(*) AS n FROM visits v WHERE EXISTS (SELECT 1 FROM visits w WHERE w.region = v.region AND w.emergency);

-- refused: whether any row at all exists is told of all people at once, and exactly
SELECT COUNT(*) AS n FROM visits WHERE EXISTS (SELECT 1 FROM visits WHERE cost > 1999);

-- refused: persons by name
SELECT COUNT(*) AS n FROM visits WHERE patient_id IN (17, 18, 19);

-- refused: a value is compared with those of other people
SELECT COUNT(*) AS n FROM visits WHERE visited IN (SELECT registered FROM patients);

-- refused: a comparison with all rows of all people
SELECT COUNT(*) AS n FROM visits WHERE cost >= ALL (SELECT cost FROM visits);
