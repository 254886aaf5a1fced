-- Questions to the clinic of tests/it/twins/several that are answered, one a line.

-- Tables by themselves.
SELECT COUNT(*) AS n FROM people;
SELECT sex, COUNT(*) AS n, AVG(born) AS mean FROM people GROUP BY sex;
SELECT code, COUNT(*) AS n, COUNT(DISTINCT patient_id) AS p FROM conditions GROUP BY code;
SELECT COUNT(*) AS n, SUM(dose) AS total, STDDEV(dose) AS spread, COUNT(dose) AS known FROM clinic.drugs;
SELECT EXTRACT(YEAR FROM began) AS y, AVG(ended - began) AS days FROM stays WHERE ended >= began GROUP BY y;
SELECT PERCENTILE_CONT(ARRAY[0.25, 0.5]) WITHIN GROUP (ORDER BY score) AS q FROM conditions;
SELECT CORR(score, EXTRACT(MONTH FROM found)) AS r FROM conditions WHERE severe;
SELECT severe, code, COUNT(*) AS n FROM conditions GROUP BY ROLLUP (code, severe);
SELECT DATE_TRUNC('month', found) AS m, SUM(COUNT(*)) OVER (ORDER BY DATE_TRUNC('month', found)) AS n FROM conditions WHERE found BETWEEN DATE '2023-01-01' AND DATE '2023-12-31' GROUP BY DATE_TRUNC('month', found);

-- Inner joins in every spelling.
SELECT COUNT(*) AS n FROM conditions c JOIN drugs d ON d.patient_id = c.patient_id;
SELECT p.sex, COUNT(*) AS n FROM conditions c JOIN people p USING (patient_id) GROUP BY p.sex;
SELECT COUNT(*) AS n FROM stays NATURAL JOIN people;
SELECT c.code, COUNT(*) AS n FROM conditions c, stays s WHERE c.patient_id = s.patient_id AND c.severe GROUP BY c.code;
SELECT COUNT(DISTINCT c.patient_id) AS n FROM conditions c CROSS JOIN drugs d WHERE d.patient_id = c.patient_id AND d.code = c.code;
SELECT c.code, d.code AS other, COUNT(*) AS n FROM conditions c JOIN drugs d USING (patient_id) GROUP BY c.code, d.code;
SELECT SUM(a.score * b.score) AS products FROM conditions a JOIN conditions b USING (patient_id);
SELECT COUNT(*) AS n FROM people p JOIN conditions c USING (patient_id) JOIN drugs d USING (patient_id) JOIN stays s USING (patient_id);
SELECT AVG(d.dose) AS mean FROM drugs d JOIN (SELECT patient_id, MIN(found) AS first FROM conditions GROUP BY patient_id) f ON f.patient_id = d.patient_id WHERE d.given >= f.first;

-- Left and right joins.
SELECT COUNT(*) AS n, COUNT(d.dose) AS with_dose FROM conditions c LEFT JOIN drugs d ON d.patient_id = c.patient_id;
SELECT COUNT(*) AS never FROM people p LEFT JOIN conditions c ON c.patient_id = p.patient_id WHERE c.patient_id IS NULL;
SELECT p.sex, COUNT(*) AS n FROM conditions c LEFT JOIN people p USING (patient_id) GROUP BY p.sex;
SELECT COUNT(*) AS n, COUNT(s.began) AS seen FROM stays s RIGHT JOIN people p ON p.patient_id = s.patient_id;
SELECT COUNT(*) AS n FROM drugs d LEFT JOIN conditions c ON c.patient_id = d.patient_id AND c.found BETWEEN d.given - 30 AND d.given WHERE c.code IS NULL OR c.severe;

-- Ranges of days.
SELECT COUNT(*) AS n FROM conditions c JOIN drugs d ON d.patient_id = c.patient_id AND d.given BETWEEN c.found AND c.found + 30;
SELECT COUNT(*) AS n FROM conditions c JOIN stays s ON s.patient_id = c.patient_id AND c.found BETWEEN s.began AND s.ended;
SELECT COUNT(*) AS n FROM conditions a JOIN conditions b ON a.patient_id = b.patient_id AND b.found > a.found AND b.found <= a.found + 90;
SELECT COUNT(*) AS n FROM conditions c WHERE NOT EXISTS (SELECT 1 FROM stays s WHERE s.patient_id = c.patient_id AND c.found BETWEEN s.began AND s.ended);
SELECT (d.given - c.found) / 30 AS months, COUNT(*) AS n FROM conditions c JOIN drugs d ON d.patient_id = c.patient_id WHERE d.given - c.found BETWEEN 0 AND 360 GROUP BY 1;

-- Windows within a unit.
SELECT nr, COUNT(*) AS n FROM (SELECT ROW_NUMBER() OVER (PARTITION BY patient_id ORDER BY found) AS nr FROM conditions) AS t GROUP BY nr;
SELECT code, COUNT(*) AS firsts FROM (SELECT code, ROW_NUMBER() OVER (PARTITION BY patient_id ORDER BY found DESC) AS nr FROM conditions) AS t WHERE nr <= 2 GROUP BY code;
SELECT COUNT(*) AS n FROM (SELECT found - LAG(found) OVER (PARTITION BY patient_id ORDER BY found) AS gap FROM conditions) AS t WHERE gap <= 30;
SELECT COUNT(*) AS n, AVG(next) AS mean FROM (SELECT LEAD(score) OVER (PARTITION BY patient_id ORDER BY found) AS next FROM conditions) AS t;
SELECT COUNT(*) AS n FROM (SELECT RANK() OVER (PARTITION BY patient_id ORDER BY score) AS r FROM conditions) AS t WHERE r = 1;
SELECT COUNT(*) AS n FROM (SELECT DENSE_RANK() OVER (PARTITION BY patient_id ORDER BY code) AS r FROM conditions) AS t WHERE r > 1;
SELECT SUM(so_far) AS total FROM (SELECT SUM(dose) OVER (PARTITION BY patient_id ORDER BY given ROWS UNBOUNDED PRECEDING) AS so_far FROM drugs) AS t;
SELECT COUNT(*) AS n FROM (SELECT score, MAX(score) OVER (PARTITION BY patient_id ORDER BY found ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING) AS before FROM conditions) AS t WHERE score > before;
SELECT COUNT(*) AS n FROM (SELECT score, AVG(score) OVER (PARTITION BY patient_id) AS own FROM conditions) AS t WHERE score > own;
SELECT COUNT(*) AS n FROM (SELECT code, FIRST_VALUE(code) OVER (PARTITION BY patient_id ORDER BY found) AS first FROM conditions) AS t WHERE code = first;
SELECT COUNT(*) AS n FROM (SELECT COUNT(*) OVER (PARTITION BY patient_id, code) AS same FROM drugs) AS t WHERE same > 1;
SELECT COUNT(*) AS n FROM (SELECT NTH_VALUE(dose, 2) OVER (PARTITION BY patient_id ORDER BY given ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS second FROM drugs) AS t WHERE second > 1;
SELECT COUNT(*) AS n FROM (SELECT DISTINCT ON (patient_id) patient_id, code FROM conditions ORDER BY patient_id, found) AS t WHERE code = 'a10';

-- One row for each unit, and for each unit and key.
SELECT AVG(n) AS mean, COUNT(*) AS p FROM (SELECT patient_id, COUNT(*) AS n FROM conditions GROUP BY patient_id) AS t;
SELECT n, COUNT(*) AS p FROM (SELECT patient_id, COUNT(*) AS n FROM drugs GROUP BY patient_id) AS t GROUP BY n;
SELECT COUNT(*) AS p FROM (SELECT patient_id FROM conditions GROUP BY patient_id HAVING COUNT(*) >= 2 AND BOOL_OR(severe)) AS t;
SELECT COUNT(*) AS p FROM (SELECT patient_id FROM drugs GROUP BY patient_id HAVING SUM(dose) > 4 OR COUNT(DISTINCT code) > 1) AS t;
SELECT code, AVG(mean) AS m FROM (SELECT patient_id, code, AVG(score) AS mean FROM conditions GROUP BY patient_id, code) AS t GROUP BY code;
SELECT AVG(spread) AS m FROM (SELECT patient_id, STDDEV(score) AS spread FROM conditions GROUP BY patient_id) AS t;
SELECT AVG(middle) AS m FROM (SELECT patient_id, MEDIAN(dose) AS middle FROM drugs GROUP BY patient_id) AS t;
SELECT latest, COUNT(*) AS p FROM (SELECT patient_id, (ARRAY_AGG(code ORDER BY found DESC))[1] AS latest FROM conditions GROUP BY patient_id) AS t GROUP BY latest;
SELECT y, COUNT(*) AS person_years FROM (SELECT patient_id, EXTRACT(YEAR FROM found) AS y FROM conditions GROUP BY patient_id, EXTRACT(YEAR FROM found)) AS t GROUP BY y;

-- Cohorts.
SELECT COUNT(*) AS n FROM conditions WHERE patient_id IN (SELECT patient_id FROM drugs WHERE dose > 2);
SELECT sex, COUNT(*) AS p FROM people WHERE patient_id NOT IN (SELECT patient_id FROM conditions) GROUP BY sex;
SELECT COUNT(*) AS p FROM people p WHERE EXISTS (SELECT 1 FROM stays s WHERE s.patient_id = p.patient_id AND s.began > p.joined);
SELECT COUNT(DISTINCT patient_id) AS p FROM drugs WHERE patient_id IN (SELECT patient_id FROM conditions WHERE severe) OR dose IS NULL;
SELECT COUNT(*) AS p FROM (SELECT patient_id FROM conditions INTERSECT SELECT patient_id FROM drugs) AS t;
SELECT COUNT(*) AS p FROM (SELECT patient_id FROM conditions EXCEPT SELECT patient_id FROM stays) AS t;
SELECT COUNT(*) AS p FROM (SELECT patient_id FROM conditions UNION SELECT patient_id FROM drugs EXCEPT SELECT patient_id FROM people) AS t;
SELECT COUNT(*) FILTER (WHERE patient_id IN (SELECT patient_id FROM stays)) AS stayed, COUNT(*) AS n FROM people;
SELECT EXISTS (SELECT 1 FROM drugs d WHERE d.patient_id = p.patient_id) AS treated, COUNT(*) AS n FROM people p GROUP BY 1;
SELECT COUNT(*) AS n FROM conditions c WHERE c.found = (SELECT MIN(d.given) FROM drugs d WHERE d.patient_id = c.patient_id);
WITH sick AS (SELECT patient_id, MIN(found) AS day FROM conditions WHERE code = 'a10' GROUP BY patient_id), treated AS (SELECT patient_id, MIN(given) AS day FROM drugs GROUP BY patient_id) SELECT COUNT(*) AS p FROM sick JOIN treated USING (patient_id) WHERE treated.day <= sick.day + 60;
WITH firsts AS (SELECT patient_id, found FROM (SELECT patient_id, found, ROW_NUMBER() OVER (PARTITION BY patient_id ORDER BY found) AS nr FROM conditions) AS t WHERE nr = 1) SELECT p.sex, AVG(EXTRACT(YEAR FROM f.found) - p.born) AS age FROM firsts f JOIN people p USING (patient_id) GROUP BY p.sex;

-- Public tables.
SELECT k.label, COUNT(*) AS n FROM conditions c JOIN codes k ON k.code = c.code GROUP BY k.label;
SELECT k.chapter, COUNT(DISTINCT d.patient_id) AS p FROM drugs d LEFT JOIN codes k ON k.code = d.code GROUP BY k.chapter;
SELECT COUNT(*) AS n FROM conditions WHERE code IN (SELECT code FROM codes WHERE chapter = 1);
SELECT COUNT(*) AS n FROM conditions WHERE code NOT IN (SELECT code FROM codes WHERE label LIKE '%i%');
SELECT m.month, COUNT(*) AS n FROM conditions c JOIN months m ON c.found BETWEEN m.first_day AND m.last_day GROUP BY m.month;
SELECT m.month, COUNT(DISTINCT s.patient_id) AS there FROM stays s JOIN months m ON s.began <= m.last_day AND s.ended >= m.first_day GROUP BY m.month;
SELECT m.month, COUNT(*) AS n FROM stays s LEFT JOIN months m ON m.first_day = s.began GROUP BY m.month;

-- Survival.
SELECT KAPLAN_MEIER(days, sick, 90) AS alive FROM (SELECT p.patient_id, LEAST(360, GREATEST(0, MAX(c.found - p.joined))) AS days, BOOL_OR(c.severe) AS sick FROM people p JOIN conditions c USING (patient_id) GROUP BY p.patient_id) AS t;
SELECT sex, CUMULATIVE_INCIDENCE(days, stayed, 120) AS share FROM (SELECT p.patient_id, p.sex, LEAST(360, GREATEST(0, MAX(s.ended - p.joined))) AS days, BOOL_OR(s.ended > s.began) AS stayed FROM people p JOIN stays s USING (patient_id) GROUP BY p.patient_id, p.sex) AS t GROUP BY sex;
SELECT 1000.0 * SUM(CASE WHEN c.severe THEN 1 ELSE 0 END) / SUM(s.ended - s.began) AS rate FROM conditions c JOIN stays s USING (patient_id);

-- After the noise.
SELECT code, COUNT(*) AS n, 100.0 * COUNT(*) / SUM(COUNT(*)) OVER () AS percent, RANK() OVER (ORDER BY COUNT(*) DESC) AS place FROM conditions GROUP BY code;
SELECT code, COUNT(*) AS n FROM conditions GROUP BY code HAVING COUNT(*) > 3 ORDER BY n DESC LIMIT 2;

-- Answers put together.
SELECT 'conditions' AS what, COUNT(*) AS n, COUNT(DISTINCT patient_id) AS people FROM conditions UNION ALL SELECT 'drugs', COUNT(*), COUNT(DISTINCT patient_id) FROM drugs UNION ALL SELECT 'people', COUNT(*), COUNT(*) FROM people;
SELECT code, COUNT(*) AS n FROM conditions GROUP BY code UNION ALL SELECT NULL, COUNT(*) FROM conditions WHERE severe UNION ALL SELECT sex, AVG(born) FROM people GROUP BY sex ORDER BY n DESC LIMIT 4;
SELECT * FROM (SELECT 'all' AS grp, COUNT(*) AS n FROM drugs UNION ALL SELECT code, COUNT(*) FROM drugs GROUP BY ROLLUP (code)) AS t WHERE n > 2;
SELECT (SELECT COUNT(*) FROM drugs) AS drugs, (SELECT AVG(born) FROM people) AS born, (SELECT COUNT(DISTINCT patient_id) FROM stays) AS stayed;
SELECT COUNT(DISTINCT patient_id) AS people FROM (SELECT patient_id FROM conditions UNION ALL SELECT patient_id FROM drugs) AS t;
