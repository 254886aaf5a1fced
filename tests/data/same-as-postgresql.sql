-- Questions that PostgreSQL must answer as we do before noise, one a line. Groups without rows are ours alone.
SELECT COUNT(*) AS n, COUNT(diagnosis) AS d, COUNT(smoker) AS s, COUNT(DISTINCT patient_id) AS p FROM visits
SELECT region, COUNT(*) AS n, SUM(cost) AS s, AVG(cost) AS a FROM visits GROUP BY region
SELECT diagnosis, smoker, COUNT(*) AS n, COUNT(DISTINCT patient_id) AS p FROM visits GROUP BY diagnosis, smoker
SELECT region, VAR_SAMP(cost) AS v, VAR_POP(cost) AS w, STDDEV_SAMP(cost) AS s, STDDEV_POP(cost) AS t FROM visits GROUP BY region
SELECT VARIANCE(age) AS v, STDDEV(age) AS s FROM visits WHERE smoker
SELECT CORR(cost, age) AS c, COVAR_SAMP(cost, age) AS s, COVAR_POP(cost, age) AS p FROM visits
SELECT diagnosis, REGR_SLOPE(cost, age) AS m, REGR_INTERCEPT(cost, age) AS b FROM visits GROUP BY diagnosis
SELECT COUNT(*) FILTER (WHERE age >= 65) AS old, COUNT(*) FILTER (WHERE smoker) AS smokers, COUNT(*) AS n FROM visits
SELECT region, SUM(cost) FILTER (WHERE diagnosis = 'flu') AS s, COUNT(*) FILTER (WHERE diagnosis = 'flu') AS n FROM visits GROUP BY region
SELECT COUNT(DISTINCT patient_id) FILTER (WHERE diagnosis = 'asthma') AS p FROM visits
SELECT AVG(age) FILTER (WHERE NOT smoker) AS a, VAR_SAMP(cost) FILTER (WHERE smoker IS NULL) AS v FROM visits
SELECT AVG(CASE WHEN smoker THEN 1 ELSE 0 END) AS share FROM visits WHERE smoker IS NOT NULL
SELECT SUM(CASE WHEN diagnosis = 'flu' THEN cost WHEN age > 40 THEN 1 END) AS s FROM visits
SELECT SUM(CASE WHEN age > 50 THEN age / 10 ELSE age * 2 END) AS s FROM visits
SELECT WIDTH_BUCKET(age, 20, 80, 6) AS band, COUNT(*) AS n FROM visits GROUP BY WIDTH_BUCKET(age, 20, 80, 6)
SELECT WIDTH_BUCKET(cost, 12.5, 390, 7) AS band, AVG(cost) AS a, COUNT(*) AS n FROM visits GROUP BY 1
SELECT DATE_TRUNC('month', visited) AS m, COUNT(*) AS n FROM visits GROUP BY DATE_TRUNC('month', visited)
SELECT DATE_TRUNC('quarter', visited) AS q, SUM(cost) AS s, COUNT(*) AS n FROM visits GROUP BY q
SELECT DATE_TRUNC('year', visited) AS y, region, COUNT(*) AS n FROM visits GROUP BY y, region
SELECT DATE_TRUNC('week', visited) AS w, COUNT(*) AS n FROM visits WHERE visited BETWEEN DATE '2023-01-01' AND DATE '2023-12-31' GROUP BY 1
SELECT EXTRACT(YEAR FROM visited) AS y, COUNT(*) AS n FROM visits GROUP BY 1
SELECT EXTRACT(MONTH FROM visited) AS m, COUNT(*) AS n FROM visits GROUP BY 1
SELECT EXTRACT(DOW FROM visited) AS d, EXTRACT(QUARTER FROM visited) AS q, COUNT(*) AS n FROM visits GROUP BY 1, 2
SELECT EXTRACT(ISODOW FROM visited + 3) AS d, COUNT(*) AS n FROM visits GROUP BY 1
SELECT EXTRACT(DOY FROM visited) AS d, COUNT(*) AS n FROM visits WHERE age < 40 GROUP BY 1
SELECT EXTRACT(DAY FROM visited) AS d, COUNT(*) AS n FROM visits GROUP BY 1
SELECT CASE WHEN age < 18 THEN 'child' WHEN age < 65 THEN 'adult' ELSE 'old' END AS band, COUNT(*) AS n FROM visits GROUP BY 1
SELECT CASE WHEN cost > 300 THEN 'dear' WHEN cost < 100 THEN 'cheap' END AS band, AVG(age) AS a, COUNT(*) AS n FROM visits GROUP BY 1
SELECT (age >= 65) AS is_old, COUNT(*) AS n FROM visits GROUP BY (age >= 65)
SELECT (smoker IS NULL) AS unknown, (diagnosis = 'flu') AS flu, COUNT(*) AS n FROM visits GROUP BY 1, 2
SELECT age, COUNT(*) AS n FROM visits WHERE age BETWEEN 30 AND 45 GROUP BY age
SELECT age / 10 AS decade, COUNT(*) AS n FROM visits GROUP BY age / 10
SELECT SUM(cost * 2 - age) AS s, SUM(-cost) AS m, SUM(cost / 4) AS q FROM visits
SELECT SUM(age / 7) AS cut, SUM(age / 4.0) AS whole FROM visits
SELECT SUM(-age / 7) AS cut, SUM((age - 50) / 8) AS middle FROM visits
SELECT SUM(ABS(cost - 200)) AS s, SUM(ABS(age - 50)) AS t FROM visits
SELECT SUM(LEAST(cost, 100)) AS l, SUM(GREATEST(cost, age, 50)) AS g, SUM(LEAST(age, cost)) AS m FROM visits
SELECT SUM(ROUND(cost)) AS r, SUM(ROUND(cost, 1)) AS s, SUM(ROUND(cost / 7, 2)) AS t, SUM(ROUND(-cost, 1)) AS u FROM visits
SELECT SUM(COALESCE(CASE WHEN smoker THEN cost END, 7.5)) AS s FROM visits
SELECT SUM(cost * age) AS s, AVG(age * age) AS a FROM visits
SELECT SUM(visited - DATE '2023-01-01') AS d, AVG(visited - DATE '2020-02-29') AS a FROM visits
SELECT SUM(EXTRACT(YEAR FROM visited) * 12 + EXTRACT(MONTH FROM visited)) AS s FROM visits
SELECT COUNT(*) AS n FROM visits WHERE cost > age * 3
SELECT COUNT(*) AS n FROM visits WHERE age + 10 >= cost / 4 AND NOT (diagnosis IN ('flu', 'copd'))
SELECT COUNT(*) AS n FROM visits WHERE ABS(age - 50) BETWEEN 5 AND 12 OR smoker
SELECT COUNT(*) AS n FROM visits WHERE visited + 30 > DATE '2024-01-01' AND visited - DATE '2021-01-01' < 1000
SELECT COUNT(*) AS n FROM visits WHERE EXTRACT(MONTH FROM visited) IN (1, 2, 12)
SELECT COUNT(*) AS n FROM visits WHERE DATE_TRUNC('month', visited) = DATE '2023-03-01'
SELECT COUNT(*) AS n FROM visits WHERE CASE WHEN smoker THEN age ELSE 30 END > 40
SELECT COUNT(*) AS n FROM visits WHERE GREATEST(age, 60) <> 60 AND LEAST(cost, 20) = 20
SELECT COUNT(*) AS n FROM visits WHERE (diagnosis = 'flu' OR diagnosis IS NULL) AND NOT (smoker AND age > 30)
SELECT COUNT(*) AS n FROM visits WHERE cost IN (0.5, 37.5, 74.5) OR age NOT IN (20, 21, 22)
SELECT COUNT(*) AS n FROM visits WHERE smoker <> TRUE
SELECT region, SUM(cost) / COUNT(*) AS a, SUM(cost) - SUM(age) AS d, 2 * COUNT(*) + 1 AS n FROM visits GROUP BY region
SELECT ROUND(AVG(cost), 2) AS r, ABS(SUM(age) - SUM(cost)) AS d, SQRT(SUM(cost)) AS q FROM visits
SELECT NULLIF(COUNT(*), 0) AS n, NULLIF(SUM(age) - SUM(age), 0) AS z FROM visits
SELECT diagnosis, COUNT(*) AS n FROM visits GROUP BY diagnosis HAVING COUNT(*) > 90
SELECT region, diagnosis, SUM(cost) AS s FROM visits GROUP BY region, diagnosis HAVING AVG(age) BETWEEN 40 AND 60 AND NOT (SUM(cost) < 3000)
SELECT diagnosis, AVG(cost) AS a FROM visits WHERE diagnosis IS NOT NULL GROUP BY diagnosis ORDER BY AVG(cost) DESC LIMIT 2
SELECT region, smoker, COUNT(*) AS n FROM visits GROUP BY region, smoker ORDER BY n DESC, region, smoker NULLS FIRST LIMIT 5
SELECT COUNT(*) * 100.0 / 7 AS p, -COUNT(DISTINCT patient_id) AS m FROM visits
SELECT smoker, AVG(age) AS a, AVG(cost) / AVG(age) AS r FROM visits GROUP BY smoker ORDER BY smoker
SELECT COUNT(*) AS people, SUM(total) AS s, AVG(total) AS a FROM (SELECT patient_id, SUM(cost) AS total FROM visits GROUP BY patient_id) AS p
SELECT region, AVG(visits) AS v, VAR_SAMP(total) AS w, COUNT(*) AS n FROM (SELECT patient_id, region, COUNT(*) AS visits, SUM(cost) AS total FROM visits WHERE age > 20 GROUP BY patient_id, region) AS p GROUP BY region
SELECT asthma, COUNT(*) AS n, AVG(dearest - cheapest) AS spread FROM (SELECT patient_id, BOOL_OR(diagnosis = 'asthma') AS asthma, MAX(cost) AS dearest, MIN(cost) AS cheapest FROM visits GROUP BY patient_id) AS p GROUP BY asthma
SELECT AVG(last - first) AS days, COUNT(*) FILTER (WHERE last - first > 365) AS long FROM (SELECT patient_id, MIN(visited) AS first, MAX(visited) AS last FROM visits GROUP BY patient_id) AS p
SELECT visits, COUNT(*) AS n FROM (SELECT patient_id, COUNT(*) AS visits FROM visits GROUP BY patient_id) AS p GROUP BY visits
SELECT DATE_TRUNC('year', first) AS y, COUNT(*) AS n FROM (SELECT patient_id, MIN(visited) AS first FROM visits GROUP BY patient_id) AS p GROUP BY 1
SELECT COUNT(DISTINCT patient_id) AS p, SUM(known) AS k FROM (SELECT patient_id, COUNT(diagnosis) FILTER (WHERE age > 30) AS known FROM visits GROUP BY patient_id) AS p WHERE known > 0
SELECT all_of, any_of, COUNT(*) AS n FROM (SELECT patient_id, BOOL_AND(smoker) AS all_of, BOOL_OR(smoker) FILTER (WHERE cost > 100) AS any_of FROM visits GROUP BY patient_id) AS p GROUP BY all_of, any_of
SELECT latest, COUNT(*) AS n, AVG(paid) AS a FROM (SELECT patient_id, (ARRAY_AGG(EXTRACT(YEAR FROM visited) ORDER BY visited DESC))[1] AS latest, (ARRAY_AGG(cost ORDER BY cost))[1] AS paid FROM visits GROUP BY patient_id) AS p GROUP BY latest
SELECT SUM(LEAST(total, 500)) AS s, CORR(total, oldest) AS c FROM (SELECT patient_id, SUM(cost) AS total, MAX(age) AS oldest FROM visits GROUP BY patient_id) AS p
SELECT region, smoker, GROUPING(region) AS gr, GROUPING(smoker) AS gs, COUNT(*) AS n, SUM(cost) AS s, AVG(age) AS a FROM visits GROUP BY ROLLUP (region, smoker)
SELECT region, diagnosis, GROUPING(region) AS gr, GROUPING(diagnosis) AS gd, COUNT(*) AS n, COUNT(DISTINCT patient_id) AS p FROM visits GROUP BY CUBE (region, diagnosis)
SELECT region, diagnosis, smoker, GROUPING(region) AS gr, GROUPING(diagnosis) AS gd, GROUPING(smoker) AS gs, COUNT(*) AS n, SUM(age) AS s FROM visits GROUP BY GROUPING SETS ((region, diagnosis), (smoker), ())
SELECT region, EXTRACT(YEAR FROM visited) AS y, GROUPING(region) AS g, COUNT(*) AS n FROM visits GROUP BY EXTRACT(YEAR FROM visited), ROLLUP (region)
SELECT EXTRACT(YEAR FROM visited) AS y, COUNT(*) AS n, SUM(COUNT(*)) OVER (ORDER BY EXTRACT(YEAR FROM visited)) AS so_far FROM visits GROUP BY EXTRACT(YEAR FROM visited) ORDER BY y
SELECT region, EXTRACT(YEAR FROM visited) AS y, SUM(COUNT(diagnosis) FILTER (WHERE age > 30)) OVER (PARTITION BY region ORDER BY EXTRACT(YEAR FROM visited)) AS so_far FROM visits GROUP BY region, EXTRACT(YEAR FROM visited) ORDER BY region, y
SELECT UPPER(region) AS r, COUNT(*) AS n FROM visits GROUP BY UPPER(region)
SELECT LEFT(region, 1) AS r, COUNT(*) AS n, AVG(age) AS a FROM visits GROUP BY LEFT(region, 1)
SELECT SUBSTRING(region FROM 2 FOR 2) AS r, SPLIT_PART(region, 'o', 1) AS s, COUNT(*) AS n FROM visits GROUP BY SUBSTRING(region FROM 2 FOR 2), SPLIT_PART(region, 'o', 1)
SELECT region || '/' || diagnosis AS r, COUNT(*) AS n FROM visits GROUP BY region || '/' || diagnosis
SELECT CONCAT(region, '/', diagnosis) AS r, COUNT(*) AS n FROM visits GROUP BY CONCAT(region, '/', diagnosis)
SELECT INITCAP(REPLACE(region, 'o', ' o')) AS r, COUNT(*) AS n FROM visits GROUP BY INITCAP(REPLACE(region, 'o', ' o'))
SELECT COALESCE(diagnosis, 'unknown') AS d, COUNT(*) AS n FROM visits GROUP BY COALESCE(diagnosis, 'unknown')
SELECT CASE WHEN age > 40 THEN diagnosis ELSE 'young' END AS d, COUNT(*) AS n FROM visits GROUP BY CASE WHEN age > 40 THEN diagnosis ELSE 'young' END
SELECT COUNT(*) AS n, SUM(cost) AS s FROM visits WHERE region LIKE '_o%' AND LOWER(diagnosis) <> 'asthma'
SELECT COUNT(*) AS n, SUM(cost) AS s FROM visits WHERE region ~ '^[ns]' AND diagnosis NOT ILIKE 'A%'
SELECT COUNT(*) AS n FROM visits WHERE region SIMILAR TO '(n|s)%' OR STARTS_WITH(diagnosis, 'a')
SELECT COUNT(*) AS n, AVG(age) AS a FROM visits WHERE LENGTH(region) > 4 AND POSITION('o' IN region) = 2
SELECT COUNT(*) AS n FROM visits WHERE region <> diagnosis AND 1 = 1
SELECT COUNT(*) AS n FROM visits WHERE region IS DISTINCT FROM diagnosis
SELECT COUNT(*) AS n FROM visits WHERE smoker IS NOT TRUE AND (age > 40) IS NOT FALSE
SELECT COUNT(*) AS n FROM visits WHERE smoker IS UNKNOWN OR smoker = (age > 40)
SELECT COUNT(*) AS n FROM visits WHERE COALESCE(smoker, FALSE) AND region = ANY(ARRAY['north', 'south'])
SELECT COUNT(*) AS n FROM visits WHERE TRUE
SELECT TO_CHAR(visited, 'YYYY-MM') AS m, COUNT(*) AS n FROM visits GROUP BY TO_CHAR(visited, 'YYYY-MM')
SELECT TO_CHAR(visited, 'Mon') AS m, TO_CHAR(visited, 'Q') AS q, COUNT(*) AS n FROM visits GROUP BY TO_CHAR(visited, 'Mon'), TO_CHAR(visited, 'Q')
SELECT TO_CHAR(visited, 'IYYY-IW') AS m, COUNT(*) AS n FROM visits GROUP BY TO_CHAR(visited, 'IYYY-IW')
SELECT TO_CHAR(visited, 'Day') AS m, COUNT(*) AS n FROM visits GROUP BY TO_CHAR(visited, 'Day')
SELECT EXTRACT(WEEK FROM visited) AS w, COUNT(*) AS n FROM visits GROUP BY EXTRACT(WEEK FROM visited)
SELECT DATE_PART('isoyear', visited) AS w, EXTRACT(DECADE FROM visited) AS d, EXTRACT(CENTURY FROM visited) AS c, COUNT(*) AS n FROM visits GROUP BY 1, 2, 3
SELECT COUNT(*) AS n FROM visits WHERE visited > DATE '2024-12-31' - 90
SELECT COUNT(*) AS n FROM visits WHERE visited > DATE '2024-12-31' - INTERVAL '90 days' OR visited IN (MAKE_DATE(2024, 2, 29), TO_DATE('2024-01-01', 'YYYY-MM-DD'))
SELECT COUNT(*) AS n FROM visits WHERE visited + INTERVAL '1 month' < DATE '2024-03-31'
SELECT COUNT(*) AS n, AVG(EXTRACT(YEAR FROM AGE(visited, DATE '2020-02-29'))) AS a, SUM(EXTRACT(MONTH FROM AGE(visited, DATE '2020-02-29'))) AS m FROM visits
SELECT EXTRACT(YEAR FROM AGE(visited, DATE '2023-06-15')) AS y, COUNT(*) AS n FROM visits GROUP BY EXTRACT(YEAR FROM AGE(visited, DATE '2023-06-15'))
SELECT region, CASE WHEN COUNT(*) > 75 THEN 'many' WHEN AVG(cost) > 200 THEN 'dear' ELSE 'few' END AS size FROM visits GROUP BY region
SELECT region, CASE region WHEN 'north' THEN COUNT(*) WHEN 'east' THEN -COUNT(*) END AS n FROM visits GROUP BY region
SELECT region, CASE WHEN region IN ('north', 'south') THEN 'vertical' ELSE region END AS axis, COUNT(*) AS n FROM visits GROUP BY region
SELECT region, GREATEST(AVG(cost), 195) AS g, LEAST(COUNT(*), COUNT(diagnosis), 70) AS l, COALESCE(AVG(cost) FILTER (WHERE age > 200), 7) AS c FROM visits GROUP BY region
SELECT region, FLOOR(AVG(cost)) AS f, CEIL(AVG(cost)) AS c, TRUNC(AVG(cost), 1) AS t, SIGN(AVG(cost) - 200) AS s, ABS(AVG(cost) - 200) AS a FROM visits GROUP BY region
SELECT region, LN(AVG(cost)) AS l, EXP(AVG(age) / 100) AS e, LOG(AVG(cost)) AS d, POWER(AVG(cost), 0.5) AS p, SQRT(AVG(cost)) AS q FROM visits GROUP BY region
SELECT region, MOD(COUNT(*), 7) AS m, COUNT(*) % 5 AS r, AVG(cost)::numeric AS n, CAST(AVG(age) AS INTEGER) AS i FROM visits GROUP BY region
SELECT region, COUNT(*) > 70 AS is_large, AVG(cost) BETWEEN 150 AND 250 AS is_usual, AVG(cost) IS NULL AS is_none FROM visits GROUP BY region
SELECT EXTRACT(MONTH FROM visited) AS m, COUNT(*) * 100.0 / EXTRACT(MONTH FROM visited) AS x FROM visits GROUP BY EXTRACT(MONTH FROM visited)
SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING region <> 'north'
SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING region IN ('north', 'west') AND COUNT(*) > 3
SELECT smoker, COUNT(*) AS n FROM visits GROUP BY smoker HAVING smoker
SELECT smoker, COUNT(*) AS n FROM visits GROUP BY smoker HAVING smoker IS NOT NULL
SELECT 'all' AS grp, COUNT(*) AS n FROM visits
SELECT 'all' AS grp, region, 1 AS one, TRUE AS yes, COUNT(*) AS n FROM visits GROUP BY 1, region
SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY AVG(cost) DESC LIMIT 2
SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY region LIMIT 2 OFFSET 1
SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY region OFFSET 3 ROWS
SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY n DESC, region FETCH FIRST 2 ROWS ONLY
SELECT region, COUNT(*) AS n FROM visits GROUP BY region LIMIT ALL
(SELECT COUNT(*) AS n FROM visits);
SELECT COUNT(*) AS n FROM visits GROUP BY () /* all of them */
SELECT region, SUM(COUNT(*)) OVER () AS total, 100.0 * COUNT(*) / SUM(COUNT(*)) OVER () AS share FROM visits GROUP BY region
SELECT region, diagnosis, COUNT(*) * 1.0 / SUM(COUNT(*)) OVER (PARTITION BY region) AS share FROM visits GROUP BY region, diagnosis
SELECT region, COUNT(*) - LAG(COUNT(*)) OVER (ORDER BY region) AS d, LEAD(AVG(cost)) OVER (ORDER BY region) AS l FROM visits GROUP BY region ORDER BY 1
SELECT region, LAG(COUNT(*), 2, 0) OVER (ORDER BY region) AS l, FIRST_VALUE(SUM(cost)) OVER (ORDER BY region) AS f, LAST_VALUE(AVG(age)) OVER (ORDER BY region ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS e FROM visits GROUP BY region ORDER BY 1
SELECT region, RANK() OVER (ORDER BY COUNT(*) DESC) AS r, DENSE_RANK() OVER (ORDER BY COUNT(*) DESC) AS d, ROW_NUMBER() OVER (ORDER BY COUNT(*) DESC, region) AS n FROM visits GROUP BY region ORDER BY 1
SELECT region, AVG(COUNT(*)) OVER (ORDER BY region ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS m, SUM(COUNT(*)) OVER (ORDER BY region) AS s, SUM(AVG(cost)) OVER (ORDER BY region DESC) AS b FROM visits GROUP BY region ORDER BY 1
SELECT region, MIN(AVG(cost)) OVER () AS least, MAX(COUNT(*)) OVER (ORDER BY region) AS most, COUNT(*) OVER () AS groups, AVG(cost) / AVG(AVG(cost)) OVER () AS q FROM visits GROUP BY region ORDER BY 1
SELECT region, COUNT(*) * 100.0 / (SELECT COUNT(*) FROM visits) AS share FROM visits GROUP BY region HAVING region <> 'west'
SELECT region, COUNT(*) * 100.0 / SUM(COUNT(*)) OVER () AS share FROM visits WHERE age > 30 GROUP BY region HAVING region <> 'west'
SELECT region, COUNT(DISTINCT patient_id) * 1.0 / SUM(COUNT(DISTINCT patient_id)) OVER () AS share, NTH_VALUE(COUNT(*), 2) OVER (ORDER BY region ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS two FROM visits GROUP BY region ORDER BY 1
SELECT EXTRACT(DOW FROM visited) AS d, region, RANK() OVER (PARTITION BY region ORDER BY COUNT(*) DESC) AS r FROM visits GROUP BY 1, region HAVING COUNT(*) > 0 ORDER BY 1, 2
