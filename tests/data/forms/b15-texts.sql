-- B15: texts of categories: each function is a map of a public list. A column of type text has no list: only folding its own groups is private.

-- taken
-- compare
SELECT LEFT(diagnosis, 1) AS letter, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT RIGHT(region, 3) AS ending, COUNT(*) AS n FROM visits GROUP BY RIGHT(region, 3);

-- taken
-- compare
SELECT SUBSTRING(diagnosis FROM 1 FOR 3) AS chapter, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY 1;

-- taken
-- compare
SELECT SUBSTRING(diagnosis, 1, 3) AS chapter, COUNT(*) AS n FROM visits GROUP BY SUBSTRING(diagnosis, 1, 3);

-- taken
-- compare
SELECT SUBSTR(diagnosis, 2) AS rest, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT UPPER(region) AS region, COUNT(*) AS n FROM visits GROUP BY UPPER(region);

-- taken
-- compare
SELECT LOWER(sex) AS sex, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT INITCAP(diagnosis) AS diagnosis, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT region || ' / ' || sex AS grp, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT CONCAT(region, '-', sex) AS grp, COUNT(*) AS n FROM visits GROUP BY CONCAT(region, '-', sex);

-- taken
-- compare
SELECT CONCAT_WS(', ', diagnosis, region) AS grp, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT 'region ' || region AS grp, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE diagnosis LIKE 'd%';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE diagnosis NOT LIKE '%a%';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE diagnosis LIKE '_opd';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE diagnosis ILIKE 'D%' OR diagnosis ILIKE '%PAIN';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE diagnosis ~ '^(a|c)';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE diagnosis ~* 'TENSION$';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE diagnosis !~ 'i';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE diagnosis SIMILAR TO '(asthma|copd)';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE LOWER(diagnosis) = 'copd';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE UPPER(region) IN ('NORTH', 'SOUTH');

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE LEFT(diagnosis, 2) = 'in';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE STARTS_WITH(diagnosis, 'dia');

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE POSITION('pain' IN diagnosis) > 0;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE STRPOS(diagnosis, 'pain') > 0;

-- taken
-- compare
SELECT LENGTH(diagnosis) AS letters, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT SUM(LENGTH(region)) AS letters FROM visits;

-- taken
-- compare
SELECT REPLACE(diagnosis, ' ', '_') AS diagnosis, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT TRIM(region) AS region, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT SPLIT_PART(diagnosis, ' ', 1) AS word, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT REGEXP_REPLACE(diagnosis, '[^a-z]', '') AS diagnosis, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT COALESCE(CASE WHEN diagnosis LIKE '%tension%' THEN 'heart' END, 'other') AS grp, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT COALESCE(NULLIF(sex, 'other'), 'unknown') AS sex, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT COALESCE(smoker::text, 'not told') AS smoker, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT CASE WHEN smoker THEN 'smoker' WHEN NOT smoker THEN 'non-smoker' ELSE 'unknown' END AS smoking, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY 1;

-- taken
-- compare
SELECT CASE WHEN LEFT(diagnosis, 1) IN ('a', 'c') THEN 'lung' ELSE 'rest' END AS grp, SUM(cost) AS cost FROM visits GROUP BY 1;

-- taken
-- compare
SELECT COUNT(*) FILTER (WHERE diagnosis LIKE 'in%') AS acute FROM visits;

-- taken
-- compare
SELECT SUM(CASE WHEN diagnosis ILIKE '%pain%' THEN cost ELSE 0 END) AS cost FROM visits;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE region > 'east';

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE diagnosis BETWEEN 'a' AND 'd';

-- taken
-- compare
SELECT TRANSLATE(region, 'aeiou', 'AEIOU') AS region, COUNT(*) AS n FROM visits GROUP BY 1;

-- refused: of alternatives in parentheses the server might take another than PostgreSQL does
SELECT REGEXP_REPLACE(diagnosis, '(back|copd)', 'x') AS diagnosis, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT REGEXP_REPLACE(diagnosis, 'back|copd', 'x') AS diagnosis, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT REGEXP_REPLACE(diagnosis, '[aeiou]', '', 'g') AS diagnosis, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT REGEXP_REPLACE(diagnosis, '^(.)(.*)$', '\2-\1') AS diagnosis, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT COUNT(*) AS n FROM visits WHERE REGEXP_REPLACE(diagnosis, '[^A-Z]', '', 'gi') = 'backpain';

-- taken
-- compare
SELECT CONCAT_WS('-', region, sex, smoker) AS grp, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT CONCAT_WS('/', EXTRACT(YEAR FROM visited), region) AS grp, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT TRANSLATE(diagnosis, '- ', '_') AS diagnosis, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT LPAD(EXTRACT(MONTH FROM visited)::text, 2, '0') AS m, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT RPAD(region, 6, '.') AS region, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- compare
SELECT REPEAT(LEFT(region, 1), 3) AS region, COUNT(*) AS n FROM visits GROUP BY 1;

-- taken
-- spelling
-- same as: SELECT COUNT(*) AS n FROM visits WHERE diagnosis LIKE 'd%'
SELECT COUNT(*) AS n FROM visits WHERE REGEXP_CONTAINS(diagnosis, '^d');

-- taken
-- spelling
-- same as: SELECT LENGTH(diagnosis) AS letters, COUNT(*) AS n FROM visits GROUP BY 1
SELECT LEN(diagnosis) AS letters, COUNT(*) AS n FROM visits GROUP BY 1;

-- refused: the column has no public list, and functions of such texts are not built
SELECT LOWER(drug) AS drug, COUNT(DISTINCT patient_id) AS patients FROM visits WHERE drug IS NOT NULL GROUP BY LOWER(drug);

-- refused: the column has no public list, and functions of such texts are not built
SELECT UPPER(TRIM(drug)) AS drug, COUNT(*) AS n FROM visits GROUP BY 1;

-- refused: the column has no public list, and conditions on such texts are not built
SELECT COUNT(*) AS n FROM visits WHERE drug = 'metformin';

-- refused: the column has no public list, and patterns on such texts are not built
SELECT COUNT(*) AS n FROM visits WHERE drug LIKE 'met%';

-- refused: the length of a text without a public list has no declared bounds
SELECT AVG(LENGTH(drug)) AS letters FROM visits;

-- refused: a text without a public list cannot be joined with further keys
SELECT drug || ' ' || sex AS grp, COUNT(*) AS n FROM visits GROUP BY 1;

-- refused: texts of all people are put into one list
SELECT STRING_AGG(diagnosis, ', ') AS diagnoses FROM visits;
