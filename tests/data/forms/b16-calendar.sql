-- B16: the calendar: parts and periods of days, intervals, today, ages, texts of days, and how other tools spell them.
-- CURRENT_DATE and NOW() are the day of asking, which is public. What has today in it is not compared, because two days may be meant.

-- taken
-- compare
SELECT TO_CHAR(visited, 'YYYY-MM') AS month, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT TO_CHAR(visited, 'YYYY') AS y, COUNT(*) AS n FROM visits GROUP BY TO_CHAR(visited, 'YYYY');

-- taken
-- compare
SELECT TO_CHAR(visited, 'YYYY-MM-DD') AS day, COUNT(*) AS n FROM visits WHERE visited >= DATE '2025-11-01' GROUP BY 1;

-- taken
-- compare
SELECT TO_CHAR(visited, 'YYYY-"Q"Q') AS quarter, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT TO_CHAR(DATE_TRUNC('month', visited), 'YYYY-MM') AS month, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY 1;

-- taken
-- compare
SELECT TO_CHAR(visited, 'IYYY-IW') AS week, COUNT(*) AS n FROM visits WHERE visited >= DATE '2025-01-01' GROUP BY 1;

-- taken
-- compare
SELECT TO_CHAR(visited, 'MM') AS month, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
SELECT TO_CHAR(visited, 'Mon YYYY') AS month, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
SELECT TO_CHAR(visited, 'FMDay') AS weekday, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT DATE_PART('year', visited) AS y, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT DATE_PART('month', visited) AS m, DATE_PART('dow', visited) AS d, COUNT(*) AS n FROM visits GROUP BY 1, 2;

-- taken
-- compare
SELECT EXTRACT(WEEK FROM visited) AS week, COUNT(*) AS n FROM visits WHERE visited >= DATE '2024-01-01' GROUP BY 1;

-- taken
-- compare
SELECT EXTRACT(ISOYEAR FROM visited) AS y, EXTRACT(WEEK FROM visited) AS week, COUNT(*) AS n FROM visits GROUP BY 1, 2;

-- taken
-- compare
SELECT EXTRACT(DECADE FROM visited) AS d, EXTRACT(CENTURY FROM visited) AS c, COUNT(*) AS n FROM visits GROUP BY 1, 2;

-- taken
-- compare
SELECT SUM(EXTRACT(EPOCH FROM visited) / 86400) AS days FROM visits;

-- taken
-- compare
SELECT SUM(EXTRACT(JULIAN FROM visited)) AS days FROM visits;

-- taken
-- compare
SELECT DATE_TRUNC('decade', visited)::date AS d, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT DATE_TRUNC('century', visited)::date AS d, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT DATE_TRUNC('millennium', visited)::date AS d, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT DATE_TRUNC('decade', registered)::date AS d, COUNT(*) AS n FROM patients GROUP BY 1;

-- taken
-- compare
SELECT EXTRACT(MILLENNIUM FROM visited) AS d, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE DATE_TRUNC('day', visited) = DATE_TRUNC('hour', visited);

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE DATE_TRUNC('hour', visited) >= DATE '2024-01-01';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE EXTRACT(EPOCH FROM visited) >= 1704067200;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE EXTRACT(EPOCH FROM visited::timestamp - registered::timestamp) / 86400 > 365;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE EXTRACT(DAY FROM visited::timestamp - registered::timestamp) > 365;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE EXTRACT(MINUTE FROM visited::timestamp) + EXTRACT(SECOND FROM visited::timestamp) > 0;

-- taken
-- compare
SELECT DATE_TRUNC('MONTH', visited)::date AS m, COUNT(*) AS n FROM visits GROUP BY DATE_TRUNC('MONTH', visited)::date;

-- taken
-- spelling
-- same as: SELECT EXTRACT(YEAR FROM visited) AS y, COUNT(*) AS n FROM visits GROUP BY 1
SELECT YEAR(visited) AS y, COUNT(*) AS n FROM visits GROUP BY YEAR(visited);

-- taken
-- spelling
-- same as: SELECT EXTRACT(YEAR FROM visited) AS y, EXTRACT(MONTH FROM visited) AS m, COUNT(*) AS n FROM visits GROUP BY 1, 2
SELECT YEAR(visited) AS y, MONTH(visited) AS m, COUNT(*) AS n FROM visits GROUP BY YEAR(visited), MONTH(visited);

-- taken
-- spelling
-- same as: SELECT EXTRACT(QUARTER FROM visited) AS q, COUNT(*) AS n FROM visits GROUP BY 1
SELECT QUARTER(visited) AS q, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- spelling
-- same as: SELECT EXTRACT(DAY FROM visited) AS d, COUNT(*) AS n FROM visits GROUP BY 1
SELECT DAY(visited) AS d, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- spelling
-- same as: SELECT EXTRACT(DAY FROM visited) AS d, COUNT(*) AS n FROM visits GROUP BY 1
SELECT DAYOFMONTH(visited) AS d, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- spelling
-- same as: SELECT EXTRACT(YEAR FROM visited) AS y, COUNT(*) AS n FROM visits GROUP BY 1
SELECT DATEPART(year, visited) AS y, COUNT(*) AS n FROM visits GROUP BY DATEPART(year, visited);

-- taken
-- spelling
-- same as: SELECT SUM(visited - DATE '2020-01-01') AS days FROM visits
SELECT SUM(DATEDIFF(day, DATE '2020-01-01', visited)) AS days FROM visits;

-- taken
-- spelling
-- same as: SELECT SUM(visited - DATE '2020-01-01') AS days FROM visits
SELECT SUM(DATEDIFF('day', DATE '2020-01-01', visited)) AS days FROM visits;

-- taken
-- spelling
-- same as: SELECT SUM(visited - DATE '2020-01-01') AS days FROM visits
SELECT SUM(DATE_DIFF(visited, DATE '2020-01-01', DAY)) AS days FROM visits;

-- taken
-- spelling
-- same as: SELECT SUM(visited - DATE '2020-01-01') AS days FROM visits
SELECT SUM(DATE_DIFF('day', DATE '2020-01-01', visited)) AS days FROM visits;

-- taken
-- spelling
-- same as: SELECT SUM(visited - DATE '2020-01-01') AS days FROM visits
SELECT SUM(DATEDIFF(visited, DATE '2020-01-01')) AS days FROM visits;

-- taken
-- spelling
-- same as: SELECT SUM(EXTRACT(YEAR FROM visited) - 2020) AS years FROM visits
SELECT SUM(DATEDIFF(year, DATE '2020-06-01', visited)) AS years FROM visits;

-- taken
-- spelling
-- same as: SELECT SUM((EXTRACT(YEAR FROM visited) - 2020) * 12 + EXTRACT(MONTH FROM visited) - 1) AS months FROM visits
SELECT SUM(DATEDIFF(month, DATE '2020-01-15', visited)) AS months FROM visits;

-- taken
-- spelling
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited + 30 > DATE '2024-01-01'
SELECT COUNT(*) AS n FROM visits WHERE DATEADD(day, 30, visited) > DATE '2024-01-01';

-- taken
-- spelling
-- same as: SELECT COUNT(*) AS n FROM visits WHERE (visited + INTERVAL '1 month')::date > DATE '2024-01-01'
SELECT COUNT(*) AS n FROM visits WHERE DATEADD(month, 1, visited) > DATE '2024-01-01';

-- taken
-- spelling
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited + 30 > DATE '2024-01-01'
SELECT COUNT(*) AS n FROM visits WHERE DATE_ADD(visited, INTERVAL 30 DAY) > DATE '2024-01-01';

-- taken
-- spelling
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited - 30 > DATE '2024-01-01'
SELECT COUNT(*) AS n FROM visits WHERE DATE_SUB(visited, INTERVAL 30 DAY) > DATE '2024-01-01';

-- taken
-- spelling
-- same as: SELECT DATE_TRUNC('month', visited) AS m, COUNT(*) AS n FROM visits GROUP BY 1
SELECT DATE_TRUNC(visited, MONTH) AS m, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- spelling
-- same as: SELECT DATE_TRUNC('week', visited)::date AS w, COUNT(*) AS n FROM visits WHERE visited < DATE '2021-01-01' GROUP BY 1
SELECT DATE_TRUNC(visited, ISOWEEK) AS w, COUNT(*) AS n FROM visits WHERE visited < DATE '2021-01-01' GROUP BY 1;

-- refused: weeks of this spelling begin on Sunday in one database and as it is set in another
-- spelling
SELECT DATE_TRUNC(visited, WEEK) AS w, COUNT(*) AS n FROM visits WHERE visited < DATE '2021-01-01' GROUP BY 1;

-- taken
-- spelling
-- same as: SELECT DATE_TRUNC('month', visited)::date AS m, COUNT(*) AS n FROM visits GROUP BY 1
SELECT DATETRUNC(month, visited) AS m, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- spelling
-- same as: SELECT DATE_TRUNC('quarter', visited)::date AS m, COUNT(*) AS n FROM visits GROUP BY 1
SELECT TIMESTAMP_TRUNC(visited, QUARTER) AS m, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- spelling
-- same as: SELECT DATE_TRUNC('month', visited)::date AS m, COUNT(*) AS n FROM visits GROUP BY 1
SELECT TRUNC(visited, 'MM') AS m, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- spelling
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited <= CURRENT_DATE
SELECT COUNT(*) AS n FROM visits WHERE visited <= GETDATE();

-- taken
-- spelling
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '2024-01-01'
SELECT COUNT(*) AS n FROM visits WHERE visited >= DATEFROMPARTS(2024, 1, 1);

-- taken
-- spelling
-- same as: SELECT (DATE_TRUNC('month', visited) + INTERVAL '1 month' - INTERVAL '1 day')::date AS month_end, COUNT(*) AS n FROM visits GROUP BY 1
SELECT EOMONTH(visited) AS month_end, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- spelling
-- same as: SELECT (DATE_TRUNC('month', visited) + INTERVAL '1 month' - INTERVAL '1 day')::date AS month_end, COUNT(*) AS n FROM visits GROUP BY 1
SELECT LAST_DAY(visited) AS month_end, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT (DATE_TRUNC('month', visited) + INTERVAL '1 month' - INTERVAL '1 day')::date AS month_end, COUNT(*) AS n FROM visits WHERE visited < DATE '2022-01-01' GROUP BY 1;

-- taken
SELECT COUNT(*) AS n FROM visits WHERE visited >= CURRENT_DATE - 365;

-- taken
SELECT COUNT(*) AS n FROM visits WHERE visited >= CURRENT_DATE - INTERVAL '1 year';

-- taken
SELECT COUNT(*) AS n FROM visits WHERE visited >= NOW() - INTERVAL '90 days';

-- taken
SELECT COUNT(*) AS n FROM visits WHERE visited < NOW()::date;

-- taken
SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE_TRUNC('year', CURRENT_DATE);

-- taken
SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE_TRUNC('month', NOW()) - INTERVAL '12 months' AND visited < DATE_TRUNC('month', CURRENT_TIMESTAMP);

-- taken
SELECT COUNT(*) AS n FROM visits WHERE EXTRACT(YEAR FROM visited) = EXTRACT(YEAR FROM CURRENT_DATE);

-- taken
SELECT COUNT(*) AS n FROM visits WHERE EXTRACT(YEAR FROM visited) = EXTRACT(YEAR FROM CURRENT_DATE) - 1;

-- taken
SELECT AVG(CURRENT_DATE - visited) AS days_ago FROM visits;

-- taken
SELECT EXTRACT(YEAR FROM AGE(CURRENT_DATE, registered)) AS years, COUNT(*) AS patients FROM patients GROUP BY 1;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '2025-10-02'
SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '2025-12-31' - INTERVAL '90 days';

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited > DATE '2025-10-02'
SELECT COUNT(*) AS n FROM visits WHERE visited > DATE '2025-12-31' - 90;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '2024-06-30'
SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '2025-12-31' - INTERVAL '18 months';

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '2024-02-29'
SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '2024-03-31' - INTERVAL '1 month';

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited < DATE '2024-01-15'
SELECT COUNT(*) AS n FROM visits WHERE visited < DATE '2024-01-01' + INTERVAL '2 weeks';

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited BETWEEN DATE '2024-01-01' AND DATE '2024-12-31'
SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '2024-01-01' AND visited < DATE '2024-01-01' + INTERVAL '1 year';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE visited < registered + INTERVAL '1 year';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE visited >= registered + INTERVAL '5 years' AND visited < registered + INTERVAL '10 years 6 months';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits v JOIN patients p ON v.patient_id = p.patient_id WHERE v.visited - INTERVAL '30 days' <= p.registered;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM AGE(visited, registered)) AS years, COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE visited >= registered GROUP BY 1;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE DATE_PART('year', AGE(visited, registered)) >= 10;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE AGE(visited, registered) >= INTERVAL '3 years';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE AGE(visited, registered) < INTERVAL '10 years';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE AGE(visited, registered) <= INTERVAL '2 years 11 months 30 days';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE AGE(visited, registered) > INTERVAL '90 days';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE AGE(visited, registered) < INTERVAL '1 month';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE AGE(visited, registered) <> INTERVAL '1 year';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE AGE(visited, registered) >= INTERVAL '18 months';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE INTERVAL '5 years' > AGE(visited, registered);

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE AGE(visited, registered) BETWEEN INTERVAL '1 year' AND INTERVAL '10 years';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits JOIN patients USING (patient_id) WHERE visited::timestamp - registered::timestamp >= INTERVAL '365 days';

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '2024-03-01'
SELECT COUNT(*) AS n FROM visits WHERE visited >= MAKE_DATE(2024, 3, 1);

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '2024-03-01'
SELECT COUNT(*) AS n FROM visits WHERE visited >= TO_DATE('01.03.2024', 'DD.MM.YYYY');

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '2024-03-01'
SELECT COUNT(*) AS n FROM visits WHERE visited >= TO_DATE('20240301', 'YYYYMMDD');

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE visited >= DATE '2024-03-01'
SELECT COUNT(*) AS n FROM visits WHERE visited >= TO_TIMESTAMP('2024-03-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US');

-- taken
-- compare
SELECT MAKE_DATE(EXTRACT(YEAR FROM visited)::int, 7, 1) AS mid_year, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
-- same as: SELECT DATE_TRUNC('month', visited)::date AS m, COUNT(*) AS n FROM visits GROUP BY 1
SELECT MAKE_DATE(EXTRACT(YEAR FROM visited)::int, EXTRACT(MONTH FROM visited)::int, 1) AS m, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
-- same as: SELECT DATE_TRUNC('month', visited)::date AS m, COUNT(*) AS n FROM visits GROUP BY 1
SELECT TO_DATE(TO_CHAR(visited, 'YYYY-MM') || '-01', 'YYYY-MM-DD') AS m, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT DATE_TRUNC('MONTH', visited)::date AS m, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE visited >= TIMESTAMP WITH TIME ZONE '2024-01-01 00:00:00+00';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE visited >= '2024-01-01T00:00:00Z';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE EXTRACT(EPOCH FROM visited)::int / 86400 > 19000;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE visited - INTERVAL '1 day' * 30 > DATE '2024-01-01';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE visited > DATE '2024-01-01' - 30 * INTERVAL '1 day';

-- taken
-- compare
SELECT TO_DATE(TO_CHAR(visited, 'Mon YYYY'), 'Mon YYYY') AS m, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT DATE_TRUNC('week', visited) + INTERVAL '6 days' AS we, COUNT(*) AS n FROM visits WHERE visited < DATE '2020-06-01' GROUP BY 1;

-- taken
-- compare
SELECT DATE_PART('epoch', visited) > 1700000000 AS late, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT DATE_PART('hour', visited::timestamp) AS h, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE visited BETWEEN '2024-01-01 00:00:00' AND '2024-12-31 23:59:59';

-- taken
-- compare
SELECT (TO_CHAR(visited, 'YYYY-MM') || '-01')::date AS m, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT TO_DATE(TO_CHAR(visited, 'YYYY-MM'), 'YYYY-MM') AS m, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT TO_DATE(EXTRACT(YEAR FROM visited)::text, 'YYYY') AS y, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT CAST(CONCAT(EXTRACT(YEAR FROM visited), '-01-01') AS DATE) AS y, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE TO_DATE(TO_CHAR(visited, 'YYYYMMDD'), 'YYYYMMDD') = visited;

-- taken
-- compare
SELECT MAKE_DATE(EXTRACT(YEAR FROM visited)::int + 1, 1, 1) AS next_year, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT MAKE_DATE(EXTRACT(YEAR FROM visited)::int, (EXTRACT(QUARTER FROM visited)::int - 1) * 3 + 1, 1) AS q, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT MAKE_DATE(EXTRACT(YEAR FROM visited)::int, 12, 31) AS y, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE MAKE_DATE(2020 + age / 60, 6, 30) > visited;

-- refused: not every year has the day
SELECT MAKE_DATE(EXTRACT(YEAR FROM visited)::int, 2, 29) AS y, COUNT(*) AS n FROM visits GROUP BY 1;

-- refused: the texts are no days
SELECT CAST(region AS DATE) AS d, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
-- same as: SELECT DATE_TRUNC('month', visited)::date AS m, COUNT(*) AS n FROM visits GROUP BY 1
SELECT visited - EXTRACT(DAY FROM visited)::int + 1 AS m, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE (visited, INTERVAL '30 days') OVERLAPS (DATE '2022-01-01', DATE '2022-01-20');

-- taken
-- compare
SELECT COUNT(*) AS n, COUNT(*) FILTER (WHERE NOT (p.registered, v.visited) OVERLAPS (DATE '2022-07-01', DATE '2022-01-01')) AS apart FROM visits v JOIN patients p USING (patient_id);

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE (visited, visited) OVERLAPS (DATE '2024-01-01', DATE '2024-07-01');

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE EXTRACT(ISODOW FROM visited) IN (6, 7);

-- taken
-- compare
SELECT CASE WHEN EXTRACT(MONTH FROM visited) IN (12, 1, 2) THEN 'winter' WHEN EXTRACT(MONTH FROM visited) BETWEEN 3 AND 5 THEN 'spring' WHEN EXTRACT(MONTH FROM visited) BETWEEN 6 AND 8 THEN 'summer' ELSE 'autumn' END AS season, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT CASE WHEN visited < DATE '2020-03-11' THEN 'before' WHEN visited < DATE '2023-05-05' THEN 'during' ELSE 'after' END AS pandemic, COUNT(*) AS n, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY 1;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE TO_CHAR(visited, 'YYYY-MM') = '2024-05';

-- taken
-- compare
SELECT COUNT(*) FILTER (WHERE EXTRACT(HOUR FROM visited::timestamp) = 0) AS n FROM visits;

-- taken
-- compare
SELECT m.month, COUNT(DISTINCT v.patient_id) AS patients FROM (SELECT day::date AS month FROM GENERATE_SERIES(DATE '2024-01-01', DATE '2024-12-01', INTERVAL '1 month') AS s (day)) m JOIN visits v ON v.visited >= m.month AND v.visited < m.month + INTERVAL '1 month' GROUP BY m.month;

-- taken
-- compare
SELECT y.y, COUNT(*) AS registered_before FROM GENERATE_SERIES(2020, 2024) AS y (y) JOIN patients p ON EXTRACT(YEAR FROM p.registered) <= y.y GROUP BY y.y;

-- taken
-- compare
SELECT day, COUNT(*) AS n FROM GENERATE_SERIES(DATE '2022-01-31', DATE '2022-12-31', INTERVAL '1 month') AS day JOIN visits v ON v.visited = day::date GROUP BY day;

-- taken
-- compare
SELECT step, COUNT(*) AS n FROM GENERATE_SERIES(100, 20, -20) AS s (step) CROSS JOIN visits WHERE age >= step GROUP BY step;

-- taken
-- compare
SELECT t.label, COUNT(*) AS n, SUM(v.cost) AS cost FROM (VALUES ('north', 'cold'), ('south', 'warm'), ('west', NULL)) AS t (region, label) JOIN visits v ON v.region = t.region GROUP BY t.label;

-- taken
-- compare
WITH bands (low, high, band) AS (VALUES (0, 17, 'young'), (18, 64, 'adult'), (65, 200, 'old')) SELECT band, COUNT(*) AS n FROM visits JOIN bands ON age BETWEEN low AND high GROUP BY band;

-- taken
-- compare
SELECT COUNT(*) AS n, COUNT(t.until) AS before FROM visits LEFT JOIN (VALUES ('copd', DATE '2022-01-01'), ('asthma', DATE '2023-06-30')) AS t (code, until) ON diagnosis = t.code AND visited < t.until;

-- taken
-- compare
SELECT r, COUNT(*) AS n FROM UNNEST(ARRAY['north', 'east']) AS r JOIN visits ON region = r GROUP BY r;

-- refused: rows that a question writes itself are nobody's
SELECT COUNT(*) AS n FROM (VALUES (1), (2)) AS t (a);

-- refused: a series that never ends is not written out
SELECT y, COUNT(*) AS n FROM GENERATE_SERIES(1, 5, 0) AS s (y) JOIN visits ON age = y GROUP BY y;

-- taken
-- compare
-- same as: SELECT (DATE '2020-01-01' + (visited - DATE '2020-01-01') / 7 * 7) AS week, COUNT(*) AS n FROM visits WHERE visited < DATE '2021-01-01' GROUP BY 1
SELECT DATE_BIN('7 days', visited, TIMESTAMP '2020-01-01')::date AS week, COUNT(*) AS n FROM visits WHERE visited < DATE '2021-01-01' GROUP BY 1;

-- taken
-- compare
SELECT DATE_BIN(INTERVAL '2 weeks', visited, DATE '2024-01-03')::date AS w, COUNT(*) AS n FROM visits WHERE visited < DATE '2021-01-01' GROUP BY 1;

-- taken
-- compare
SELECT DATE_BIN('30 days', visited, '2024-01-01')::date AS w, COUNT(*) AS n FROM visits GROUP BY 1;

-- refused: months have different lengths
SELECT DATE_BIN('1 month', visited, TIMESTAMP '2020-01-01')::date AS w, COUNT(*) AS n FROM visits GROUP BY 1;

-- refused: a literal of another language: DATE '2024-01-01' means the same
-- spelling
SELECT COUNT(*) AS n FROM visits WHERE visited >= '01JAN2024'd;

-- refused: a day is printed with the names of its month in a language that the server is set to
SELECT TO_CHAR(visited, 'TMMonth') AS month, COUNT(*) AS n FROM visits GROUP BY 1;

-- refused: an interval is made of text on each row: add the days as a number
SELECT COUNT(*) AS n FROM visits WHERE visited > DATE '2020-01-01' + (age || ' days')::interval;
