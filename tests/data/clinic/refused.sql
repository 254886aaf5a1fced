-- Questions to the clinic of tests/it/twins/several that are refused, whatever the tables hold, one a line.

SELECT COUNT(*) AS n FROM conditions c JOIN drugs d ON d.code = c.code;
SELECT COUNT(*) AS n FROM conditions c CROSS JOIN drugs d;
SELECT COUNT(*) AS n FROM people p JOIN stays s ON s.began = p.joined;
SELECT COUNT(*) AS n FROM (SELECT ROW_NUMBER() OVER (ORDER BY found) AS nr FROM conditions) AS t WHERE nr <= 10;
SELECT COUNT(*) AS n FROM (SELECT found - LAG(found) OVER (PARTITION BY code ORDER BY found) AS gap FROM conditions) AS t WHERE gap < 2;
SELECT COUNT(*) AS n FROM conditions WHERE code IN (SELECT code FROM drugs);
SELECT COUNT(*) AS n FROM people WHERE born = (SELECT MAX(born) FROM people);
SELECT COUNT(*) AS n FROM conditions a JOIN conditions b USING (patient_id) JOIN conditions c USING (patient_id) JOIN conditions d USING (patient_id) JOIN conditions e USING (patient_id) JOIN conditions f USING (patient_id) JOIN conditions g USING (patient_id);
SELECT COUNT(*) AS unused FROM codes WHERE code NOT IN (SELECT code FROM conditions);
SELECT MAX(n) AS most FROM (SELECT patient_id, COUNT(*) AS n FROM conditions GROUP BY patient_id) AS t;
SELECT COUNT(*) AS codes FROM codes;
SELECT COUNT(DISTINCT code) AS codes FROM conditions;
SELECT COUNT(*) AS n FROM (SELECT patient_id FROM conditions LIMIT 3) AS t;
SELECT patient_id, COUNT(*) AS n FROM conditions GROUP BY patient_id;
SELECT COUNT(*) AS n FROM conditions WHERE code = 'z99';
SELECT COUNT(*) AS n FROM nobody JOIN people USING (patient_id);
WITH RECURSIVE t AS (SELECT patient_id FROM people UNION SELECT patient_id FROM t) SELECT COUNT(*) AS n FROM t;
SELECT code, COUNT(*) AS n FROM conditions GROUP BY code UNION SELECT code, COUNT(*) FROM drugs GROUP BY code;
SELECT code, COUNT(*) AS n FROM conditions GROUP BY code UNION ALL SELECT COUNT(*), code FROM drugs GROUP BY code;
