-- B4: joins and names as every tool writes them: aliases, qualified and quoted names, ON, NATURAL, comma, the other way round.

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits v;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits AS v WHERE v.age >= 65;

-- taken
-- compare
-- same as: SELECT region, COUNT(*) AS n FROM visits GROUP BY region
SELECT v.region, COUNT(*) AS n FROM visits v GROUP BY v.region;

-- taken
-- compare
-- same as: SELECT region, COUNT(*) AS n FROM visits GROUP BY region
SELECT visits.region, COUNT(*) AS n FROM visits GROUP BY visits.region;

-- taken
-- compare
-- same as: SELECT region, COUNT(*) AS n FROM visits GROUP BY region
SELECT public.visits.region, COUNT(*) AS n FROM public.visits GROUP BY public.visits.region;

-- taken
-- compare
-- same as: SELECT region, COUNT(*) AS n FROM visits GROUP BY region
SELECT "visits"."region", COUNT(*) AS "n" FROM "public"."visits" AS "visits" GROUP BY "visits"."region";

-- taken
-- compare
SELECT COUNT(DISTINCT v.patient_id) AS patients FROM visits v;

-- taken
-- compare
SELECT COUNT(DISTINCT visits.patient_id) AS patients FROM visits;

-- taken
-- compare
SELECT COUNT(*) AS n FROM public.visits;

-- taken
-- compare
-- same as: SELECT insurer, COUNT(*) AS n FROM visits JOIN patients USING (patient_id) GROUP BY insurer
SELECT insurer, COUNT(*) AS n FROM visits JOIN patients ON visits.patient_id = patients.patient_id GROUP BY insurer;

-- taken
-- compare
-- same as: SELECT insurer, COUNT(*) AS n FROM visits JOIN patients USING (patient_id) GROUP BY insurer
SELECT p.insurer, COUNT(*) AS n FROM visits v JOIN patients p ON v.patient_id = p.patient_id GROUP BY p.insurer;

-- taken
-- compare
-- same as: SELECT insurer, COUNT(*) AS n FROM visits JOIN patients USING (patient_id) GROUP BY insurer
SELECT p.insurer, COUNT(*) AS n FROM visits AS v INNER JOIN patients AS p ON p.patient_id = v.patient_id GROUP BY p.insurer;

-- taken
-- compare
-- same as: SELECT insurer, COUNT(*) AS n FROM visits JOIN patients USING (patient_id) GROUP BY insurer
SELECT insurer, COUNT(*) AS n FROM visits NATURAL JOIN patients GROUP BY insurer;

-- taken
-- compare
-- same as: SELECT insurer, COUNT(*) AS n FROM visits JOIN patients USING (patient_id) GROUP BY insurer
SELECT p.insurer, COUNT(*) AS n FROM visits v, patients p WHERE v.patient_id = p.patient_id GROUP BY p.insurer;

-- taken
-- compare
-- same as: SELECT insurer, COUNT(*) AS n FROM visits JOIN patients USING (patient_id) GROUP BY insurer
SELECT p.insurer, COUNT(*) AS n FROM visits v CROSS JOIN patients p WHERE p.patient_id = v.patient_id GROUP BY p.insurer;

-- taken
-- compare
-- same as: SELECT insurer, COUNT(*) AS n FROM visits JOIN patients USING (patient_id) GROUP BY insurer
SELECT insurer, COUNT(*) AS n FROM patients JOIN visits USING (patient_id) GROUP BY insurer;

-- taken
-- compare
-- same as: SELECT insurer, COUNT(*) AS n FROM visits JOIN patients USING (patient_id) GROUP BY insurer
SELECT insurer, COUNT(*) AS n FROM (visits JOIN patients USING (patient_id)) GROUP BY insurer;

-- taken
-- compare
SELECT p.insurer, v.sex, SUM(v.cost) AS cost, COUNT(DISTINCT v.patient_id) AS patients FROM visits v JOIN patients p ON v.patient_id = p.patient_id WHERE v.visited >= p.registered GROUP BY p.insurer, v.sex;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits v JOIN patients p ON v.patient_id = p.patient_id AND p.insurer = 'public';

-- taken
-- compare
SELECT COUNT(*) AS n, COUNT(p.insurer) AS known FROM visits v LEFT JOIN patients p ON v.patient_id = p.patient_id;

-- taken
-- compare
SELECT COUNT(*) AS n, COUNT(p.insurer) AS privately FROM visits v LEFT JOIN patients p ON v.patient_id = p.patient_id AND p.insurer = 'private';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits v LEFT OUTER JOIN patients p USING (patient_id) WHERE p.insurer IS NULL OR p.insurer <> 'none';

-- refused: the tables were joined when the dataset was sealed, so that people without a row in the other are not known
SELECT insurer, COUNT(*) AS n, COUNT(visits.cost) AS visits FROM patients LEFT JOIN visits USING (patient_id) GROUP BY insurer;

-- refused: the tables were joined when the dataset was sealed, so that people without a row in the other are not known
SELECT COUNT(DISTINCT patient_id) AS never_seen FROM patients LEFT JOIN visits USING (patient_id) WHERE visits.visited IS NULL;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n, COUNT(insurer) AS known FROM visits LEFT JOIN patients USING (patient_id)
SELECT COUNT(*) AS n, COUNT(p.insurer) AS known FROM patients p RIGHT JOIN visits v ON v.patient_id = p.patient_id;

-- taken
-- compare
SELECT p.insurer, COUNT(DISTINCT p.patient_id) AS patients FROM patients p JOIN visits v ON v.patient_id = p.patient_id AND v.diagnosis = 'diabetes' GROUP BY p.insurer;

-- taken
-- compare
SELECT COUNT(*) AS pairs FROM visits a JOIN visits b ON a.patient_id = b.patient_id WHERE a.visited < b.visited;

-- taken
-- compare
SELECT COUNT(DISTINCT a.patient_id) AS patients FROM visits a JOIN visits b USING (patient_id) WHERE a.diagnosis = 'diabetes' AND b.diagnosis = 'hypertension';

-- taken
-- compare
SELECT COUNT(DISTINCT a.patient_id) AS readmitted FROM visits a JOIN visits b ON a.patient_id = b.patient_id AND b.visited > a.visited AND b.visited <= a.visited + 30;

-- taken
-- compare
SELECT a.diagnosis, b.diagnosis AS next_diagnosis, COUNT(*) AS pairs FROM visits a JOIN visits b ON b.patient_id = a.patient_id AND b.visited - a.visited BETWEEN 1 AND 90 GROUP BY a.diagnosis, b.diagnosis;

-- taken
-- compare
SELECT COUNT(DISTINCT a.patient_id) AS patients FROM visits a, visits b, patients p WHERE a.patient_id = b.patient_id AND p.patient_id = a.patient_id AND a.emergency AND b.diagnosis = 'copd' AND p.insurer = 'public';

-- taken
-- compare
SELECT v.region, COUNT(*) AS n FROM (SELECT * FROM visits) v JOIN (SELECT patient_id, insurer FROM patients WHERE registered >= DATE '2010-01-01') p ON v.patient_id = p.patient_id GROUP BY v.region;

-- taken
-- compare
SELECT "v"."sex" AS "Sex", COUNT(*) AS "Number of visits" FROM visits AS "v" GROUP BY "v"."sex" ORDER BY "Number of visits" DESC;

-- taken
-- compare
SELECT V.Region, COUNT(*) AS N FROM Visits V GROUP BY V.REGION;

-- taken
-- compare
SELECT t1.region, COUNT(*) AS n FROM visits AS t1 INNER JOIN patients AS t2 ON (t1.patient_id = t2.patient_id) WHERE (t2.insurer IN ('public', 'private')) GROUP BY t1.region;

-- taken
-- compare
SELECT COUNT(visits.hba1c) AS measured, COUNT(DISTINCT visits.patient_id) FILTER (WHERE visits.hba1c > 6.5) AS high FROM visits;

-- taken
-- compare
SELECT m.region, SUM(m.cost) AS cost FROM visits m JOIN (SELECT patient_id, MIN(visited) AS first FROM visits GROUP BY patient_id) f ON m.patient_id = f.patient_id AND m.visited = f.first GROUP BY m.region;

-- refused: people of two tables are joined by another column than the unit
SELECT COUNT(*) AS n FROM visits v JOIN patients p ON v.visited = p.registered;

-- refused: rows of different people are put together
SELECT COUNT(*) AS n FROM visits v CROSS JOIN patients p;

-- refused: a join of visits with themselves by region pairs different people
SELECT COUNT(*) AS n FROM visits a JOIN visits b ON a.region = b.region AND a.patient_id <> b.patient_id;

-- refused: units are joined by an order, so that different people meet
SELECT COUNT(*) AS n FROM visits a JOIN visits b ON a.patient_id < b.patient_id;

-- refused: 8 × 8 × 8 × 8 × 8 rows of a person are more than 4,096
SELECT COUNT(*) AS n FROM visits a JOIN visits b USING (patient_id) JOIN visits c USING (patient_id) JOIN visits d USING (patient_id) JOIN visits e USING (patient_id);

-- refused: a join by OR meets rows of different people
SELECT COUNT(*) AS n FROM visits a JOIN patients p ON a.patient_id = p.patient_id OR a.visited = p.registered;
