-- B7: order within a person: gaps, episodes, first and last rows, rows after a person's own index date.

-- taken
-- compare
SELECT COUNT(*) AS readmissions FROM (SELECT patient_id, visited, LAG(visited) OVER (PARTITION BY patient_id ORDER BY visited) AS before FROM visits) AS g WHERE visited - before BETWEEN 1 AND 30;

-- taken
SELECT AVG(gap) AS mean_gap FROM (SELECT patient_id, visited - LAG(visited) OVER (PARTITION BY patient_id ORDER BY visited) AS gap FROM visits) AS g;

-- taken
-- compare
SELECT COUNT(gap) AS gaps, SUM(gap) AS days FROM (SELECT patient_id, visited - LAG(visited) OVER (PARTITION BY patient_id ORDER BY visited) AS gap FROM visits) AS g;

-- taken
-- compare
SELECT SUM(next - visited) AS days FROM (SELECT patient_id, visited, LEAD(visited, 1) OVER (PARTITION BY patient_id ORDER BY visited) AS next FROM visits) AS g WHERE next IS NOT NULL;

-- taken
-- compare
SELECT COUNT(*) AS n FROM (SELECT visited - LAG(visited, 2) OVER (PARTITION BY patient_id ORDER BY visited) AS two FROM visits) AS g WHERE two <= 365;

-- taken
-- compare
SELECT SUM(visited - before) AS days FROM (SELECT visited, LAG(visited, 1, DATE '2020-01-01') OVER (PARTITION BY patient_id ORDER BY visited) AS before FROM visits) AS g;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM visited) AS y, COUNT(*) AS new_patients FROM (SELECT patient_id, visited, ROW_NUMBER() OVER (PARTITION BY patient_id ORDER BY visited) AS nr FROM visits) AS v WHERE nr = 1 GROUP BY 1;

-- taken
SELECT diagnosis, COUNT(*) AS first_diagnosis FROM (SELECT v.*, ROW_NUMBER() OVER (PARTITION BY v.patient_id ORDER BY v.visited, v.cost) AS nr FROM visits v) AS t WHERE t.nr = 1 GROUP BY diagnosis;

-- taken
SELECT diagnosis, COUNT(*) AS last_diagnosis FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY patient_id ORDER BY visited DESC) AS nr FROM visits) AS t WHERE nr = 1 GROUP BY diagnosis;

-- taken
-- compare
SELECT nr, COUNT(*) AS n FROM (SELECT ROW_NUMBER() OVER (PARTITION BY patient_id ORDER BY visited) AS nr FROM visits) AS t GROUP BY nr;

-- taken
-- compare
SELECT nr, SUM(days) AS days FROM (SELECT RANK() OVER (PARTITION BY patient_id ORDER BY visited) AS nr, visited - DATE '2020-01-01' AS days FROM visits) AS t GROUP BY nr;

-- taken
-- compare
SELECT nr, COUNT(*) AS n FROM (SELECT DENSE_RANK() OVER (PARTITION BY patient_id ORDER BY age) AS nr FROM visits) AS t GROUP BY nr;

-- taken
-- compare
SELECT COUNT(*) AS n FROM (SELECT visited, FIRST_VALUE(visited) OVER (PARTITION BY patient_id ORDER BY visited) AS first FROM visits) AS t WHERE visited - first <= 365;

-- taken
-- compare
SELECT COUNT(*) AS n FROM (SELECT visited, LAST_VALUE(visited) OVER (PARTITION BY patient_id ORDER BY visited ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS last FROM visits) AS t WHERE last - visited <= 365;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM second) AS y, COUNT(*) AS n FROM (SELECT patient_id, NTH_VALUE(visited, 2) OVER (PARTITION BY patient_id ORDER BY visited ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS second FROM visits) AS t WHERE second IS NOT NULL GROUP BY 1;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM visited) AS y, COUNT(*) AS patients FROM (SELECT DISTINCT ON (patient_id) patient_id, visited FROM visits ORDER BY patient_id, visited) AS f GROUP BY 1;

-- taken
-- compare
-- same as: SELECT SUM(first - DATE '2020-01-01') AS days FROM (SELECT patient_id, MIN(visited) AS first FROM visits GROUP BY patient_id) AS p
SELECT SUM(visited - DATE '2020-01-01') AS days FROM (SELECT DISTINCT ON (patient_id) patient_id, visited FROM visits ORDER BY patient_id, visited) AS f;

-- taken
-- compare
SELECT SUM(second - first) AS days, COUNT(second) AS patients FROM (SELECT patient_id, MIN(visited) AS first, (ARRAY_AGG(visited ORDER BY visited))[2] AS second FROM visits GROUP BY patient_id) AS p;

-- taken
SELECT COUNT(*) FILTER (WHERE last_cost > first_cost) AS dearer, COUNT(*) AS patients FROM (SELECT patient_id, (ARRAY_AGG(cost ORDER BY visited))[1] AS first_cost, (ARRAY_AGG(cost ORDER BY visited DESC))[1] AS last_cost FROM visits GROUP BY patient_id) AS p;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits v JOIN (SELECT patient_id, MIN(visited) AS index_date FROM visits WHERE diagnosis = 'diabetes' GROUP BY patient_id) d ON d.patient_id = v.patient_id WHERE v.visited > d.index_date;

-- taken
-- compare
SELECT v.diagnosis, COUNT(DISTINCT v.patient_id) AS patients FROM visits v JOIN (SELECT patient_id, MIN(visited) AS index_date FROM visits WHERE diagnosis = 'diabetes' GROUP BY patient_id) d USING (patient_id) WHERE v.visited BETWEEN d.index_date - 365 AND d.index_date - 1 GROUP BY v.diagnosis;

-- taken
-- compare
WITH index AS (SELECT patient_id, MIN(visited) AS day FROM visits WHERE emergency GROUP BY patient_id) SELECT (v.visited - i.day) / 90 AS quarter_after, COUNT(*) AS n FROM visits v JOIN index i ON i.patient_id = v.patient_id WHERE v.visited >= i.day AND v.visited < i.day + 360 GROUP BY 1;

-- taken
-- compare
SELECT COUNT(*) AS n FROM (SELECT visited, MIN(visited) FILTER (WHERE diagnosis = 'diabetes') OVER (PARTITION BY patient_id) AS since FROM visits) AS t WHERE visited > since;

-- taken
-- compare
SELECT so_far, COUNT(*) AS n FROM (SELECT COUNT(*) OVER (PARTITION BY patient_id ORDER BY visited ROWS UNBOUNDED PRECEDING) AS so_far FROM visits) AS t GROUP BY so_far;

-- taken
SELECT COUNT(*) AS n FROM (SELECT SUM(cost) OVER (PARTITION BY patient_id ORDER BY visited) AS so_far FROM visits) AS t WHERE so_far > 3000;

-- taken
-- compare
SELECT COUNT(*) AS n FROM (SELECT cost, AVG(cost) OVER (PARTITION BY patient_id) AS own_mean FROM visits) AS t WHERE cost > own_mean;

-- taken
-- compare
SELECT n, COUNT(*) AS visits FROM (SELECT COUNT(*) OVER (PARTITION BY patient_id) AS n FROM visits) AS t GROUP BY n;

-- taken
SELECT COUNT(*) AS n FROM (SELECT MAX(cost) OVER (PARTITION BY patient_id ORDER BY visited ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING) AS before, cost FROM visits) AS t WHERE cost > before;

-- taken
-- compare
SELECT COUNT(*) AS episodes FROM (SELECT visited, LAG(visited) OVER (PARTITION BY patient_id ORDER BY visited) AS before FROM visits) AS t WHERE before IS NULL OR visited - before > 90;

-- taken
-- compare
SELECT episodes, COUNT(*) AS patients FROM (SELECT patient_id, COUNT(*) FILTER (WHERE gap IS NULL OR gap > 90) AS episodes FROM (SELECT patient_id, visited - LAG(visited) OVER (PARTITION BY patient_id ORDER BY visited) AS gap FROM visits) AS g GROUP BY patient_id) AS p GROUP BY episodes;

-- taken
WITH gaps AS (SELECT patient_id, visited, CASE WHEN visited - LAG(visited) OVER w > 90 THEN 1 ELSE 0 END AS starts FROM visits WINDOW w AS (PARTITION BY patient_id ORDER BY visited)), numbered AS (SELECT patient_id, visited, SUM(starts) OVER (PARTITION BY patient_id ORDER BY visited) AS episode FROM gaps) SELECT AVG(days) AS mean_days FROM (SELECT patient_id, episode, MAX(visited) - MIN(visited) AS days FROM numbered GROUP BY patient_id, episode) AS e;

-- taken
SELECT COUNT(*) AS n FROM (SELECT diagnosis, LAG(diagnosis) OVER (PARTITION BY patient_id ORDER BY visited) AS before FROM visits) AS t WHERE diagnosis = 'diabetes' AND before = 'hypertension';

-- taken
SELECT before, diagnosis, COUNT(*) AS n FROM (SELECT diagnosis, LAG(diagnosis) OVER (PARTITION BY patient_id ORDER BY visited) AS before FROM visits) AS t WHERE before IS NOT NULL GROUP BY before, diagnosis;

-- taken
-- compare
SELECT nr, COUNT(*) AS n FROM (SELECT ROW_NUMBER() OVER (PARTITION BY v.patient_id, EXTRACT(YEAR FROM v.visited) ORDER BY v.visited) AS nr FROM visits v) AS t GROUP BY nr;

-- taken
-- compare
SELECT nr, COUNT(*) AS n FROM (SELECT NTILE(3) OVER (PARTITION BY patient_id, emergency ORDER BY visited DESC) AS nr FROM visits) AS t GROUP BY nr;

-- taken
-- compare
SELECT third, COUNT(*) AS patients FROM (SELECT patient_id, (ARRAY_AGG(diagnosis ORDER BY visited DESC) FILTER (WHERE cost > 100))[3] AS third FROM visits GROUP BY patient_id) AS p WHERE third IS NOT NULL GROUP BY third;

-- taken
-- spelling
-- same as: SELECT COUNT(*) AS n, SUM(cost) AS cost FROM (SELECT v.*, ROW_NUMBER() OVER (PARTITION BY patient_id ORDER BY visited) AS nr FROM visits v) AS t WHERE nr = 1
SELECT COUNT(*) AS n, SUM(cost) AS cost FROM (SELECT * FROM visits QUALIFY ROW_NUMBER() OVER (PARTITION BY patient_id ORDER BY visited) = 1) AS f;

-- taken
-- spelling
-- same as: SELECT gap, COUNT(*) AS n FROM (SELECT visited - LAG(visited) OVER (PARTITION BY patient_id ORDER BY visited) AS gap FROM visits) AS t WHERE gap < 5 GROUP BY gap
SELECT gap, COUNT(*) AS n FROM (SELECT visited - LAG(visited) OVER (PARTITION BY patient_id ORDER BY visited) AS gap FROM visits QUALIFY gap < 5) AS t GROUP BY gap;

-- taken
-- spelling
-- same as: SELECT COUNT(*) AS years, SUM(n) AS visits FROM (SELECT n FROM (SELECT patient_id, EXTRACT(YEAR FROM visited) AS y, COUNT(*) AS n, ROW_NUMBER() OVER (PARTITION BY patient_id ORDER BY COUNT(*) DESC, EXTRACT(YEAR FROM visited)) AS nr FROM visits GROUP BY patient_id, EXTRACT(YEAR FROM visited)) AS t WHERE nr = 1) AS b
SELECT COUNT(*) AS years, SUM(n) AS visits FROM (SELECT patient_id, EXTRACT(YEAR FROM visited) AS y, COUNT(*) AS n FROM visits GROUP BY patient_id, EXTRACT(YEAR FROM visited) QUALIFY ROW_NUMBER() OVER (PARTITION BY patient_id ORDER BY COUNT(*) DESC, EXTRACT(YEAR FROM visited)) = 1) AS b;

-- taken
-- compare
SELECT nr, COUNT(*) AS n FROM (SELECT NTILE(2) OVER (PARTITION BY patient_id ORDER BY visited) AS nr FROM visits) AS t GROUP BY nr;

-- refused: rows of all people are put into one order
SELECT COUNT(*) AS n FROM (SELECT ROW_NUMBER() OVER (ORDER BY visited) AS nr, emergency FROM visits) AS t WHERE nr <= 100 AND emergency;

-- refused: a window by region looks at other people's rows
SELECT COUNT(*) AS n FROM (SELECT visited - LAG(visited) OVER (PARTITION BY region ORDER BY visited) AS gap FROM visits) AS t WHERE gap < 2;

-- refused: a window without PARTITION BY compares a person with the mean of all
SELECT COUNT(*) AS n FROM (SELECT cost, AVG(cost) OVER () AS mean FROM visits) AS t WHERE cost > mean;

-- refused: the first row of each region is one person's
SELECT SUM(cost) AS cost FROM (SELECT DISTINCT ON (region) region, cost FROM visits ORDER BY region, visited) AS t;

-- refused: windows of rows are not answers: each row of each person would be shown
SELECT visited - LAG(visited) OVER (PARTITION BY patient_id ORDER BY visited) AS gap FROM visits;
