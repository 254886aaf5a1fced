-- B11: more aggregates for one person, arithmetic between them, and further keys beside the person.

-- taken
SELECT AVG(days) AS mean_days FROM (SELECT patient_id, MAX(visited) - MIN(visited) AS days FROM visits GROUP BY patient_id) AS p;

-- taken
-- compare
SELECT SUM(days) AS days, COUNT(*) FILTER (WHERE days >= 365) AS a_year FROM (SELECT patient_id, MAX(visited) - MIN(visited) AS days FROM visits GROUP BY patient_id) AS p;

-- taken
-- compare
SELECT (days / 365) AS years, COUNT(*) AS patients FROM (SELECT patient_id, MAX(visited) - MIN(visited) + 1 AS days FROM visits GROUP BY patient_id) AS p GROUP BY 1;

-- taken
SELECT AVG(mean_cost) AS mean_of_means FROM (SELECT patient_id, SUM(cost) / COUNT(*) AS mean_cost FROM visits GROUP BY patient_id) AS p;

-- taken
SELECT AVG(share) AS mean_share FROM (SELECT patient_id, COUNT(*) FILTER (WHERE emergency) * 1.0 / COUNT(*) AS share FROM visits GROUP BY patient_id) AS p;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id, COUNT(*) FILTER (WHERE emergency) * 1.0 / NULLIF(COUNT(*), 0) AS share FROM visits GROUP BY patient_id) AS p WHERE share > 0.6;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id, SUM(age)::numeric / COUNT(age) AS mean_age FROM visits GROUP BY patient_id) AS p WHERE mean_age >= 50;

-- taken
-- spelling
-- same as: SELECT COUNT(*) AS patients FROM (SELECT patient_id, SUM(emergency::int) AS n FROM visits GROUP BY patient_id) AS p WHERE n >= 2
SELECT COUNT(*) AS patients FROM (SELECT patient_id, SUM(emergency) AS n FROM visits GROUP BY patient_id) AS p WHERE n >= 2;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id, COUNT(CASE WHEN emergency THEN patient_id END) AS n FROM visits GROUP BY patient_id) AS p WHERE n >= 2;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id, SUM(cost) / COUNT(*) AS mean_cost FROM visits GROUP BY patient_id) AS p WHERE mean_cost > 1000;

-- taken
-- compare
SELECT diagnoses, COUNT(*) AS patients FROM (SELECT patient_id, COUNT(DISTINCT diagnosis) AS diagnoses FROM visits GROUP BY patient_id) AS p GROUP BY diagnoses;

-- taken
-- compare
SELECT COUNT(*) FILTER (WHERE diagnoses >= 2) AS multimorbid, COUNT(*) AS patients FROM (SELECT patient_id, COUNT(DISTINCT diagnosis) FILTER (WHERE diagnosis NOT IN ('check-up', 'injury')) AS diagnoses FROM visits GROUP BY patient_id) AS p;

-- taken
-- compare
SELECT days, COUNT(*) AS patients FROM (SELECT patient_id, COUNT(DISTINCT visited) AS days FROM visits GROUP BY patient_id) AS p GROUP BY days;

-- taken
SELECT AVG(spread) AS mean_spread FROM (SELECT patient_id, STDDEV(hba1c) AS spread FROM visits GROUP BY patient_id) AS p;

-- taken
SELECT COUNT(*) AS patients FROM (SELECT patient_id, VAR_POP(cost) AS v FROM visits GROUP BY patient_id) AS p WHERE v > 100000;

-- taken
SELECT AVG(middle) AS mean_median FROM (SELECT patient_id, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY cost) AS middle FROM visits GROUP BY patient_id) AS p;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id, PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY cost) AS middle FROM visits GROUP BY patient_id) AS p WHERE middle > 1000;

-- taken
-- compare
SELECT SUM(upper) AS upper, SUM(latest - DATE '2020-01-01') AS days FROM (SELECT patient_id, PERCENTILE_DISC(0.8) WITHIN GROUP (ORDER BY hba1c DESC) FILTER (WHERE NOT emergency) AS upper, PERCENTILE_DISC(1) WITHIN GROUP (ORDER BY visited) AS latest FROM visits GROUP BY patient_id) AS p;

-- taken
-- compare
SELECT y, COUNT(*) AS patients, SUM(n) AS visits FROM (SELECT patient_id, EXTRACT(YEAR FROM visited) AS y, COUNT(*) AS n FROM visits GROUP BY patient_id, EXTRACT(YEAR FROM visited)) AS p GROUP BY y;

-- taken
SELECT y, AVG(total) AS mean_per_patient FROM (SELECT patient_id, EXTRACT(YEAR FROM visited) AS y, SUM(cost) AS total FROM visits GROUP BY 1, 2) AS p GROUP BY y;

-- taken
-- compare
SELECT diagnosis, COUNT(*) AS patients, COUNT(*) FILTER (WHERE n >= 2) AS twice FROM (SELECT patient_id, diagnosis, COUNT(*) AS n FROM visits GROUP BY patient_id, diagnosis) AS p GROUP BY diagnosis;

-- taken
-- compare
SELECT n, COUNT(*) AS pairs FROM (SELECT patient_id, diagnosis, COUNT(*) AS n FROM visits GROUP BY patient_id, diagnosis) AS p GROUP BY n;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id, MAX(cost) - MIN(cost) AS spread FROM visits GROUP BY patient_id HAVING COUNT(*) > 1) AS p WHERE spread > 500;

-- taken
-- compare
SELECT SUM(last_age - first_age) AS years FROM (SELECT patient_id, MIN(age) AS first_age, MAX(age) AS last_age FROM visits GROUP BY patient_id) AS p;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id, COUNT(*) FILTER (WHERE emergency) AS e, COUNT(*) AS n FROM visits GROUP BY patient_id) AS p WHERE 2 * e > n;

-- taken
-- compare
SELECT e, n - e AS planned, COUNT(*) AS patients FROM (SELECT patient_id, COUNT(*) FILTER (WHERE emergency) AS e, COUNT(*) AS n FROM visits GROUP BY patient_id) AS p GROUP BY 1, 2;

-- taken
SELECT AVG(share) AS mean_share FROM (SELECT patient_id, AVG(CASE WHEN emergency THEN 1.0 ELSE 0 END) AS share FROM visits GROUP BY patient_id) AS p;

-- taken
-- compare
SELECT CORR(n, total) AS r FROM (SELECT patient_id, COUNT(*) AS n, ROUND(SUM(cost)) AS total FROM visits GROUP BY patient_id) AS p;

-- refused: products of sums in cents go beyond 62 bits at the declared capacity; those of rounded sums do not
SELECT CORR(n, total) AS r FROM (SELECT patient_id, COUNT(*) AS n, SUM(cost) AS total FROM visits GROUP BY patient_id) AS p;

-- taken
-- compare
SELECT band, COUNT(*) AS patients FROM (SELECT patient_id, CASE WHEN COUNT(*) = 1 THEN 'once' WHEN COUNT(*) <= 4 THEN 'now and then' ELSE 'often' END AS band FROM visits GROUP BY patient_id) AS p GROUP BY band;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id, COALESCE(MAX(hba1c), 0) AS highest FROM visits GROUP BY patient_id) AS p WHERE highest >= 6.5;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM first) AS y, region, COUNT(*) AS patients FROM (SELECT patient_id, region, MIN(visited) AS first FROM visits GROUP BY patient_id, region) AS p GROUP BY 1, 2;

-- taken
-- compare
SELECT years, COUNT(*) AS patients FROM (SELECT patient_id, COUNT(DISTINCT EXTRACT(YEAR FROM visited)) AS years FROM visits GROUP BY patient_id) AS p GROUP BY years;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id, MIN(visited) FILTER (WHERE diagnosis = 'diabetes') AS d, MIN(visited) FILTER (WHERE diagnosis = 'hypertension') AS h FROM visits GROUP BY patient_id) AS p WHERE d < h;

-- taken
-- compare
SELECT insurer, COUNT(*) AS patients, SUM(total) AS cost FROM (SELECT v.patient_id, p.insurer, SUM(v.cost) AS total FROM visits v JOIN patients p ON p.patient_id = v.patient_id GROUP BY v.patient_id, p.insurer) AS t GROUP BY insurer;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id, BOOL_AND(emergency) AS always FROM visits GROUP BY patient_id) AS p WHERE always;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id, EVERY(cost < 1000) AS cheap FROM visits GROUP BY patient_id) AS p WHERE cheap;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id, ARRAY_AGG(DISTINCT diagnosis) AS all_of_them FROM visits GROUP BY patient_id) AS p WHERE 'copd' = ANY (all_of_them);

-- taken
-- compare
-- same as: SELECT COUNT(*) AS patients FROM (SELECT patient_id FROM visits GROUP BY patient_id HAVING NOT BOOL_OR(diagnosis = 'copd')) AS p
SELECT COUNT(*) AS patients FROM (SELECT patient_id FROM visits GROUP BY patient_id HAVING NOT 'copd' = ANY (ARRAY_AGG(diagnosis))) AS p;

-- taken
-- compare
SELECT region, COUNT(*) AS patients FROM (SELECT patient_id, MODE() WITHIN GROUP (ORDER BY region DESC) AS region, MODE() WITHIN GROUP (ORDER BY EXTRACT(YEAR FROM visited)) AS y FROM visits GROUP BY patient_id) AS p WHERE y > 2020 GROUP BY region;

-- taken
-- differs: of values that are there equally often, the first of the policy's list is taken
SELECT diagnosis, COUNT(*) AS patients FROM (SELECT patient_id, MODE() WITHIN GROUP (ORDER BY diagnosis) AS diagnosis FROM visits GROUP BY patient_id) AS p GROUP BY diagnosis;

-- taken
-- compare
SELECT COUNT(*) AS patients FROM (SELECT patient_id, COUNT(*) * SUM(hba1c * (visited - DATE '2020-01-01')) - SUM(hba1c) * SUM(visited - DATE '2020-01-01') AS sign FROM visits WHERE hba1c IS NOT NULL GROUP BY patient_id) AS p WHERE sign > 0;

-- refused: the slope of one unit's rows is a quotient without bounds, and so has no grid
SELECT COUNT(*) AS patients FROM (SELECT patient_id, REGR_SLOPE(hba1c, visited - DATE '2020-01-01') AS slope FROM visits GROUP BY patient_id) AS p WHERE slope > 0;

-- refused: a list of texts of each person has no list of values that it can be
SELECT all_of_them, COUNT(*) AS patients FROM (SELECT patient_id, STRING_AGG(diagnosis, ' > ' ORDER BY visited) AS all_of_them FROM visits GROUP BY patient_id) AS p GROUP BY all_of_them;

-- refused: the sum of a person's costs has 1,600,001 values, which are too many groups
SELECT total, COUNT(*) AS patients FROM (SELECT patient_id, SUM(cost) AS total FROM visits GROUP BY patient_id) AS p GROUP BY total;
