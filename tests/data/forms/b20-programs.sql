-- B20: SQL that programs write: Metabase, Superset, Tableau, Looker, Power BI, dbplyr, SAS, SqlRender.

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE age >= 65
SELECT COUNT(*) AS n FROM visits WHERE 1 = 1 AND age >= 65;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits
SELECT COUNT(*) AS n FROM visits WHERE TRUE;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits
SELECT COUNT(*) AS n FROM visits WHERE 1 = 1;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits
SELECT COUNT(*) AS n FROM visits WHERE (('a' = 'a') AND NOT (1 > 2));

-- taken
SELECT COUNT(*) AS n FROM visits WHERE 1 = 0;

-- taken
SELECT region, COUNT(*) AS n FROM visits WHERE FALSE GROUP BY region;

-- taken
-- compare
SELECT 'all' AS grp, COUNT(*) AS n FROM visits;

-- taken
-- compare
SELECT 'all' AS grp, region, COUNT(*) AS n FROM visits GROUP BY 1, region;

-- taken
-- compare
SELECT 2024 AS y, COUNT(*) AS n FROM visits WHERE visited BETWEEN '2024-01-01' AND '2024-12-31';

-- taken
-- compare
SELECT NULL AS nothing, COUNT(*) AS n FROM visits;

-- taken
-- compare
SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY region FETCH FIRST 10 ROWS ONLY;

-- taken
-- compare
SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY n DESC FETCH NEXT 2 ROWS ONLY;

-- taken
-- compare
SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY region LIMIT 2 OFFSET 1;

-- taken
-- compare
SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY region OFFSET 2;

-- taken
-- compare
SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY region OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY;

-- taken
-- compare
SELECT region, COUNT(*) AS n FROM visits GROUP BY region LIMIT ALL;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE region IN ('north', 'south')
SELECT COUNT(*) AS n FROM visits WHERE region = ANY(ARRAY['north', 'south']);

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE region IN ('north', 'south')
SELECT COUNT(*) AS n FROM visits WHERE region = ANY(ARRAY['north', 'south']::text[]);

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE region IN ('north', 'south')
SELECT COUNT(*) AS n FROM visits WHERE region = ANY('{north,south}');

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE diagnosis = ANY('{"back pain", copd}');

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE age = ANY('{40,41}'::int[]);

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE region <> ALL('{north,south}'::text[]);

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE age NOT IN (30, 40)
SELECT COUNT(*) AS n FROM visits WHERE age <> ALL(ARRAY[30, 40]);

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE region IN ('north', 'south')
SELECT COUNT(*) AS n FROM visits WHERE region IN (VALUES ('north'), ('south'));

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE visited > DATE '2024-01-01' + age;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE REGEXP_LIKE(region, '^n');

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE ROW(region) = ROW('north');

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE region = ANY(ARRAY['north','south']::text[]);

-- taken
-- compare
SELECT SUM(CASE WHEN emergency THEN 2 ELSE 0 END) AS n FROM visits;

-- taken
-- compare
SELECT COUNT(DISTINCT CASE WHEN emergency THEN patient_id END) AS n FROM visits;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE (visited, age) > (DATE '2024-01-01', 40);

-- taken
-- compare
SELECT POWER(2, 3) * COUNT(*) AS n FROM visits;

-- taken
-- compare
SELECT REGR_R2(cost, hba1c) AS r2 FROM visits WHERE hba1c IS NOT NULL;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE region = ANY(string_to_array('north,south', ','));

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE region NOT IN (VALUES ('north'), ('south'));

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE age IN (VALUES (40), (41), (42));

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE region IN (SELECT UNNEST(ARRAY['north', 'south']));

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE age IN (SELECT GENERATE_SERIES(40, 60, 5));

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE region IN (SELECT 'north' UNION ALL SELECT 'south');

-- taken
-- spelling
-- same as: SELECT COUNT(*) AS n FROM visits WHERE region IN ('north', 'south')
SELECT COUNT(*) AS n FROM visits WHERE region IN UNNEST(ARRAY['north', 'south']);

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE region IN ('north', 'south')
SELECT COUNT(*) AS n FROM visits WHERE (((region = 'north') OR (region = 'south')));

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits WHERE region = 'north' AND sex = 'male' OR region = 'south' AND sex = 'female'
SELECT COUNT(*) AS n FROM visits WHERE (region, sex) IN (('north', 'male'), ('south', 'female'));

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE (region, sex) NOT IN (('north', 'male'), ('south', 'female'));

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE (region, sex) IN (VALUES ('north', 'male'), ('south', 'female'));

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE (region, emergency) = ('north', TRUE);

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE (region, sex) <> ('north', 'male');

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE (EXTRACT(YEAR FROM visited), EXTRACT(MONTH FROM visited)) >= (2023, 6);

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE ROW(age, cost) < ROW(40, 500);

-- refused: rows of different lengths are not compared
SELECT COUNT(*) AS n FROM visits WHERE (region, sex) = ('north', 'male', 3);

-- taken
SELECT COUNT(*) AS n FROM visits GROUP BY region ORDER BY region;

-- taken
SELECT COUNT(*) AS n, SUM(cost) AS cost FROM visits GROUP BY diagnosis ORDER BY diagnosis;

-- taken
-- compare
SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING region <> 'north';

-- taken
-- compare
SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING region IN ('north', 'east') AND COUNT(*) > 5;

-- refused: a joined table is known for people with a row in the table that it is joined with alone; of two [[table]]s it is taken
SELECT 'visits' AS what, COUNT(*) AS n FROM visits UNION ALL SELECT 'patients' AS what, COUNT(*) AS n FROM patients;

-- taken
-- compare
SELECT region AS grp, COUNT(*) AS n FROM visits GROUP BY region UNION ALL SELECT sex AS grp, COUNT(*) AS n FROM visits GROUP BY sex;

-- refused: which noisy rows are equal is chance, so that a UNION without ALL leaves nobody knows which
SELECT COUNT(*) AS n FROM visits WHERE emergency UNION SELECT COUNT(*) AS n FROM visits WHERE NOT emergency;

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits
(SELECT COUNT(*) AS n FROM visits);

-- taken
-- compare
-- same as: SELECT COUNT(*) AS n FROM visits
((SELECT COUNT(*) AS n FROM visits) LIMIT 1);

-- taken
-- compare
SELECT CASE WHEN sex = 'female' THEN 'F' WHEN sex = 'male' THEN 'M' ELSE 'X' END AS sex, COUNT(*) AS n FROM visits GROUP BY CASE WHEN sex = 'female' THEN 'F' WHEN sex = 'male' THEN 'M' ELSE 'X' END;

-- taken
-- compare
SELECT CASE sex WHEN 'female' THEN 'F' WHEN 'male' THEN 'M' END AS sex, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
-- same as: SELECT region, COUNT(*) AS count FROM visits GROUP BY region ORDER BY region
SELECT "public"."visits"."region" AS "region", COUNT(*) AS "count" FROM "public"."visits" GROUP BY "public"."visits"."region" ORDER BY "public"."visits"."region" ASC;

-- taken
-- compare
-- same as: SELECT DATE_TRUNC('month', visited)::date AS visited, COUNT(DISTINCT patient_id) AS count FROM visits GROUP BY DATE_TRUNC('month', visited)::date
SELECT CAST(DATE_TRUNC('month', "public"."visits"."visited") AS date) AS "visited", count(distinct "public"."visits"."patient_id") AS "count" FROM "public"."visits" GROUP BY CAST(DATE_TRUNC('month', "public"."visits"."visited") AS date) ORDER BY CAST(DATE_TRUNC('month', "public"."visits"."visited") AS date) ASC;

-- taken
-- compare
SELECT "source"."region" AS "region", SUM("source"."cost") AS "sum" FROM (SELECT "public"."visits"."region" AS "region", "public"."visits"."cost" AS "cost" FROM "public"."visits" WHERE "public"."visits"."emergency" = TRUE) AS "source" GROUP BY "source"."region" ORDER BY "sum" DESC, "source"."region" ASC;

-- taken
-- compare
SELECT "Patients"."insurer" AS "Patients__insurer", COUNT(*) AS "count" FROM "public"."visits" LEFT JOIN "public"."patients" AS "Patients" ON "public"."visits"."patient_id" = "Patients"."patient_id" GROUP BY "Patients"."insurer" ORDER BY "Patients"."insurer" ASC LIMIT 1048575;

-- taken
-- compare
SELECT region AS region, COUNT(*) AS count, COUNT(DISTINCT patient_id) AS "COUNT_DISTINCT(patient_id)" FROM public.visits WHERE visited >= TO_DATE('2024-01-01', 'YYYY-MM-DD') AND visited < TO_DATE('2025-01-01', 'YYYY-MM-DD') GROUP BY region ORDER BY count DESC LIMIT 10000;

-- taken
SELECT DATE_TRUNC('week', visited) AS __timestamp, COUNT(*) AS count FROM (SELECT * FROM visits WHERE NOT emergency) AS virtual_table GROUP BY DATE_TRUNC('week', visited) ORDER BY count DESC LIMIT 50000;

-- refused: which rows count would hang on a noisy answer of the same question: ask for the largest regions first, and name them
SELECT diagnosis AS diagnosis, sum(cost) AS "SUM(cost)" FROM public.visits JOIN (SELECT region AS region__, count(*) AS mme_inner__ FROM public.visits GROUP BY region ORDER BY mme_inner__ DESC LIMIT 4) AS series_limit ON region = region__ GROUP BY diagnosis;

-- taken
-- compare
SELECT "visits"."region" AS "region", SUM(1) AS "cnt:visits:ok" FROM "public"."visits" "visits" GROUP BY 1;

-- taken
-- compare
SELECT "visits"."diagnosis" AS "diagnosis", COUNT(DISTINCT "visits"."patient_id") AS "ctd:patient_id:ok" FROM "public"."visits" "visits" GROUP BY 1 HAVING (COUNT(1) > 0);

-- taken
SELECT CAST(DATE_TRUNC('YEAR', CAST("visits"."visited" AS DATE)) AS DATE) AS "yr:visited:ok", AVG(CAST("visits"."cost" AS DOUBLE PRECISION)) AS "avg:cost:ok" FROM "public"."visits" "visits" GROUP BY 1;

-- taken
-- compare
SELECT visits.region AS "visits.region", COUNT(*) AS "visits.count" FROM public.visits AS visits GROUP BY 1 ORDER BY 2 DESC FETCH NEXT 500 ROWS ONLY;

-- taken
-- compare
SELECT (TO_CHAR(DATE_TRUNC('month', visits.visited), 'YYYY-MM')) AS "visits.visited_month", COALESCE(SUM(CASE WHEN visits.emergency THEN visits.cost ELSE NULL END), 0) AS "visits.emergency_cost" FROM public.visits AS visits WHERE ((visits.visited) >= (DATE '2024-01-01') AND (visits.visited) < (DATE '2025-01-01')) GROUP BY (DATE_TRUNC('month', visits.visited)) ORDER BY 1 DESC LIMIT 500;

-- taken
-- compare
select "_"."region", "_"."a0" from (select "rows"."region" as "region", count(1) as "a0" from (select "_"."region" from "public"."visits" "_" where "_"."age" >= 65) "rows" group by "region") "_" where not "_"."a0" is null limit 1000001;

-- taken
-- compare
select "$Table"."sex" as "sex", sum("$Table"."cost") as "a0" from "public"."visits" "$Table" group by "$Table"."sex" limit 1000001;

-- taken
-- compare
SELECT "region", COUNT(*) AS "n" FROM "visits" WHERE ("age" >= 65.0) GROUP BY "region";

-- taken
-- compare
SELECT "region", SUM("cost") AS "cost", COUNT(DISTINCT "patient_id") AS "patients" FROM (SELECT "visits".* FROM "visits" WHERE ("diagnosis" IN ('asthma', 'copd')) AND (NOT(("hba1c" IS NULL)) OR "emergency")) "q01" GROUP BY "region" ORDER BY "region";

-- taken
-- compare
SELECT "band", COUNT(*) AS "n" FROM (SELECT "visits".*, CASE WHEN ("age" < 18.0) THEN 'minor' WHEN ("age" >= 18.0) THEN 'adult' END AS "band" FROM "visits") AS "q01" GROUP BY "band";

-- taken
-- compare
SELECT "insurer", COUNT(*) AS "n" FROM (SELECT "LHS".*, "insurer", "registered" FROM "visits" AS "LHS" LEFT JOIN "patients" AS "RHS" ON ("LHS"."patient_id" = "RHS"."patient_id")) AS "q01" GROUP BY "insurer";

-- taken
-- compare
SELECT "n", COUNT(*) AS "patients" FROM (SELECT "patient_id", COUNT(*) AS "n" FROM "visits" GROUP BY "patient_id") AS "q01" GROUP BY "n" ORDER BY "n";

-- taken
-- compare
SELECT EXTRACT(year FROM "visited") AS "year", COUNT(*) AS "n" FROM "visits" WHERE ("region" IN ('north')) GROUP BY EXTRACT(year FROM "visited");

-- taken
-- compare
SELECT anon_1.region AS anon_1_region, count(*) AS count_1 FROM (SELECT visits.region AS region, visits.age AS age FROM visits) AS anon_1 WHERE anon_1.age > 50 GROUP BY anon_1.region;

-- taken
-- compare
SELECT COUNT(*) AS "__count" FROM "visits" WHERE ("visits"."age" >= 65 AND NOT ("visits"."region" = 'north'));

-- taken
-- compare
SELECT "visits"."sex", COUNT("visits"."patient_id") AS "n" FROM "visits" INNER JOIN "patients" ON ("visits"."patient_id" = "patients"."patient_id") WHERE "patients"."insurer" = 'public' GROUP BY "visits"."sex";

-- taken
SELECT COUNT(*) AS total FROM (SELECT region FROM visits GROUP BY region) AS subquery;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM v.visited) AS index_year, CAST(COUNT(DISTINCT v.patient_id) AS BIGINT) AS person_count FROM visits v WHERE v.visited >= CAST('20200101' AS DATE) GROUP BY EXTRACT(YEAR FROM v.visited);

-- taken
-- compare
SELECT CAST(FLOOR((CAST(v.visited AS DATE) - CAST(p.registered AS DATE)) / 30) AS INTEGER) AS stratum_1, COUNT(DISTINCT v.patient_id) AS count_value FROM visits v INNER JOIN patients p ON p.patient_id = v.patient_id WHERE v.visited >= p.registered GROUP BY CAST(FLOOR((CAST(v.visited AS DATE) - CAST(p.registered AS DATE)) / 30) AS INTEGER);

-- taken
-- compare
SELECT COUNT(DISTINCT v.patient_id) AS n FROM visits v JOIN patients p ON v.patient_id = p.patient_id AND v.visited <= (p.registered + 3650*INTERVAL'1 day');

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits v JOIN patients p ON v.patient_id = p.patient_id WHERE v.visited > p.registered + INTERVAL '1 month' * 18;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits v JOIN patients p ON v.patient_id = p.patient_id WHERE v.visited > p.registered + 2 * INTERVAL '1 year' + INTERVAL '3 days';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits v JOIN patients p ON v.patient_id = p.patient_id WHERE v.visited > p.registered + '90 days'::interval;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits v JOIN patients p ON v.patient_id = p.patient_id WHERE v.visited > p.registered + MAKE_INTERVAL(years => 2, days => 3);

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits v JOIN patients p ON v.patient_id = p.patient_id WHERE v.visited > p.registered + MAKE_INTERVAL(1, 6);

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits v JOIN patients p ON v.patient_id = p.patient_id WHERE v.visited > p.registered + v.age * INTERVAL '10 days';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits v JOIN patients p ON v.patient_id = p.patient_id WHERE v.visited > p.registered + - INTERVAL '1 day';

-- refused: months differ in length, and their number is told by the row
SELECT COUNT(*) AS n FROM visits v JOIN patients p ON v.patient_id = p.patient_id WHERE v.visited > p.registered + v.age * INTERVAL '1 month';

-- taken
-- compare
SELECT CAST('2000' AS VARCHAR(10)) AS analysis_id, CAST(NULL AS VARCHAR(255)) AS stratum_1, COUNT(DISTINCT patient_id) AS count_value FROM visits;

-- taken
-- compare
SELECT CAST(2000 AS VARCHAR(3)) AS id, CAST(NULL AS INTEGER) AS empty, COUNT(*) AS n FROM visits;

-- taken
-- compare
SELECT CAST(region AS VARCHAR(3)) AS r, COUNT(*) AS n FROM visits GROUP BY CAST(region AS VARCHAR(3));

-- taken
-- compare
SELECT diagnosis::varchar(5) AS d, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT region, sex, COUNT(*) AS n FROM visits GROUP BY (region), (sex);

-- taken
-- compare
SELECT region, COUNT(*) AS n FROM visits GROUP BY GROUPING SETS ((region), ()) ORDER BY region NULLS LAST;

-- taken
-- spelling
-- same as: SELECT region, emergency, COUNT(*) AS n, 1.0 * SUM(cost) AS cost FROM visits GROUP BY region, emergency
SELECT region, emergency, COUNT() AS n, 1.0 * SUM(cost) AS cost FROM visits GROUP BY ALL;

-- taken
-- spelling
-- same as: SELECT AVG(n) AS mean FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id) AS t
SELECT AVG(n) AS mean FROM (SELECT patient_id, COUNT() AS n FROM visits GROUP BY ALL) AS t;

-- taken
-- spelling
-- same as: SELECT SUM(cost) AS cost FROM visits
SELECT SUM(cost) AS cost FROM visits GROUP BY ALL;

-- taken
-- spelling
-- same as: SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING COUNT(*) > 10 ORDER BY n DESC LIMIT 2
SELECT region, COUNT(*) AS n FROM visits GROUP BY ALL HAVING COUNT(*) > 10 ORDER BY n DESC LIMIT 2;

-- taken
-- spelling
-- same as: SELECT region, n FROM (SELECT region, COUNT(*) AS n, RANK() OVER (ORDER BY COUNT(*) DESC) AS place FROM visits GROUP BY region) AS t WHERE place <= 2
SELECT region, COUNT(*) AS n FROM visits GROUP BY ALL QUALIFY RANK() OVER (ORDER BY n DESC) <= 2;

-- taken
-- compare
SELECT ALL region, COUNT(*) AS n FROM visits GROUP BY ALL region;

-- taken
-- compare
SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY 2 DESC, 1;

-- taken
-- compare
-- same as: SELECT region, COUNT(*) AS n FROM visits GROUP BY region
SELECT DISTINCT region, COUNT(*) AS n FROM visits GROUP BY region;

-- taken
SELECT CASE WHEN COUNT(*) >= 10 THEN 'many' ELSE 'few' END AS how_many, region FROM visits GROUP BY region;

-- taken
SELECT /* a comment */ COUNT(*) AS n -- and another
FROM visits;

-- taken
-- spelling
-- same as: SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY n DESC LIMIT 2
SELECT TOP 2 region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY n DESC;

-- taken
-- spelling
-- same as: SELECT diagnosis, COUNT(*) AS n FROM visits GROUP BY diagnosis ORDER BY n DESC, diagnosis LIMIT 3
SELECT TOP (3) diagnosis, COUNT(*) AS n FROM visits GROUP BY diagnosis ORDER BY n DESC, diagnosis;

-- refused: a number of groups is wanted, and not a share of them
-- spelling
SELECT TOP 10 PERCENT diagnosis, COUNT(*) AS n FROM visits GROUP BY diagnosis ORDER BY n DESC;

-- refused: rows of people are not cut
-- spelling
SELECT AVG(cost) AS c FROM (SELECT TOP 5 cost FROM visits) AS t;

-- taken
-- spelling
-- same as: SELECT region, COUNT(*) AS n FROM visits GROUP BY region
SELECT `region`, COUNT(*) AS `n` FROM `visits` GROUP BY `region`;

-- taken
-- spelling
-- same as: SELECT region, COUNT(*) AS n FROM visits GROUP BY region
SELECT [region], COUNT(*) AS [n] FROM [visits] GROUP BY [region];

-- taken
-- spelling
-- same as: SELECT region, COUNT(DISTINCT patient_id) AS "number of people" FROM visits WHERE age > 40 GROUP BY region
SELECT [v].[region], COUNT(DISTINCT [v].[patient_id]) AS [number of people] FROM [visits] AS [v] WHERE [v].[age] > 40 GROUP BY [v].[region];

-- taken
-- spelling
-- same as: SELECT region, COUNT(*) AS n FROM visits WHERE diagnosis = 'copd' GROUP BY region
SELECT `v`.`region`, COUNT(*) AS `n` FROM `visits` `v` WHERE `v`.`diagnosis` = 'copd' GROUP BY `v`.`region`;

-- taken
-- spelling
-- same as: SELECT SUM(COALESCE(hba1c, 0)) AS s FROM visits
SELECT SUM(IFNULL(hba1c, 0)) AS s FROM visits;

-- taken
-- spelling
-- same as: SELECT SUM(COALESCE(hba1c, 0)) AS s FROM visits
SELECT SUM(ISNULL(hba1c, 0)) AS s FROM visits;

-- taken
-- spelling
-- same as: SELECT SUM(COALESCE(hba1c, 0)) AS s FROM visits
SELECT SUM(NVL(hba1c, 0)) AS s FROM visits;

-- taken
-- differs: whole numbers are divided as decimals after the noise
-- spelling
-- same as: SELECT COUNT(*) FILTER (WHERE emergency) / NULLIF(COUNT(*), 0) AS share FROM visits
SELECT SAFE_DIVIDE(COUNT(CASE WHEN emergency THEN 1 END), COUNT(*)) AS share FROM visits;

-- refused: the words EQ and GE of SAS are no SQL: write = and >=
-- spelling
SELECT COUNT(*) AS n FROM visits WHERE region EQ 'north' AND age GE 65;

-- refused: CALCULATED is a word of SAS: the alias by itself means the same
-- spelling
SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING CALCULATED n > 5;
