-- Needs another dataset: `omop`, as in omop-cohorts.sql.
-- What sites ask of the OMOP model to characterise it, in the words of the usual programs after translation to PostgreSQL.

-- taken
-- compare
SELECT COUNT(DISTINCT person_id) AS count_value FROM person;

-- taken
-- compare
SELECT CAST(gender_concept_id AS VARCHAR(255)) AS stratum_1, COUNT(DISTINCT person_id) AS count_value FROM person GROUP BY gender_concept_id;

-- taken
-- compare
SELECT year_of_birth AS stratum_1, gender_concept_id AS stratum_2, COUNT(DISTINCT person_id) AS count_value FROM person GROUP BY year_of_birth, gender_concept_id;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM index_date) - year_of_birth AS age, COUNT(p1.person_id) AS people FROM person p1 INNER JOIN (SELECT person_id, MIN(observation_period_start_date) AS index_date FROM observation_period GROUP BY person_id) op1 ON p1.person_id = op1.person_id GROUP BY EXTRACT(YEAR FROM index_date) - year_of_birth;

-- taken
-- compare
SELECT FLOOR((CAST(op1.observation_period_end_date AS DATE) - CAST(op1.observation_period_start_date AS DATE)) / 30) AS months, COUNT(DISTINCT p1.person_id) AS people FROM person p1 INNER JOIN (SELECT person_id, observation_period_start_date, observation_period_end_date, ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY observation_period_start_date ASC) AS rn1 FROM observation_period) op1 ON p1.person_id = op1.person_id WHERE op1.rn1 = 1 GROUP BY FLOOR((CAST(op1.observation_period_end_date AS DATE) - CAST(op1.observation_period_start_date AS DATE)) / 30);

-- taken
-- compare
WITH years AS (SELECT y FROM GENERATE_SERIES(2011, 2018) AS s (y)) SELECT y AS obs_year, COUNT(DISTINCT o.person_id) AS people FROM years JOIN observation_period o ON o.observation_period_start_date <= MAKE_DATE(y, 1, 1) AND o.observation_period_end_date >= MAKE_DATE(y, 12, 31) GROUP BY y;

-- taken
-- compare
SELECT num_periods, COUNT(DISTINCT person_id) AS people FROM (SELECT person_id, COUNT(observation_period_start_date) AS num_periods FROM observation_period GROUP BY person_id) AS t GROUP BY num_periods;

-- taken
-- compare
SELECT visit_concept_id, COUNT(DISTINCT person_id) AS people, COUNT(person_id) AS records FROM visit_occurrence GROUP BY visit_concept_id;

-- taken
-- compare
SELECT condition_concept_id AS stratum_1, EXTRACT(YEAR FROM condition_start_date) * 100 + EXTRACT(MONTH FROM condition_start_date) AS stratum_2, COUNT(DISTINCT person_id) AS count_value FROM condition_occurrence WHERE condition_concept_id IN (80180, 40481087) GROUP BY condition_concept_id, EXTRACT(YEAR FROM condition_start_date) * 100 + EXTRACT(MONTH FROM condition_start_date);

-- taken
-- not yet: a text of a key with more than 150 groups
-- compare
WITH rawdata AS (SELECT EXTRACT(YEAR FROM condition_start_date) * 100 + EXTRACT(MONTH FROM condition_start_date) AS stratum_1, COUNT(person_id) AS count_value FROM condition_occurrence GROUP BY EXTRACT(YEAR FROM condition_start_date) * 100 + EXTRACT(MONTH FROM condition_start_date)) SELECT 420 AS analysis_id, CAST(stratum_1 AS VARCHAR(255)) AS stratum_1, count_value FROM rawdata;

-- taken
-- compare
WITH rawdata AS (SELECT vo.visit_concept_id AS stratum_1, EXTRACT(YEAR FROM vo.visit_start_date) AS stratum_2, p.gender_concept_id AS stratum_3, FLOOR((EXTRACT(YEAR FROM vo.visit_start_date) - p.year_of_birth) / 10) AS stratum_4, COUNT(DISTINCT p.person_id) AS count_value FROM person p JOIN visit_occurrence vo ON p.person_id = vo.person_id WHERE vo.visit_concept_id IN (9201, 9203) AND vo.visit_start_date >= DATE '2000-01-01' GROUP BY vo.visit_concept_id, EXTRACT(YEAR FROM vo.visit_start_date), p.gender_concept_id, FLOOR((EXTRACT(YEAR FROM vo.visit_start_date) - p.year_of_birth) / 10)) SELECT 204 AS analysis_id, stratum_1, stratum_2, stratum_3, stratum_4, count_value FROM rawdata;

-- refused: all concepts of the list by year, sex and age band have 4.7 million cells
WITH rawdata AS (SELECT vo.visit_concept_id AS stratum_1, EXTRACT(YEAR FROM vo.visit_start_date) AS stratum_2, p.gender_concept_id AS stratum_3, FLOOR((EXTRACT(YEAR FROM vo.visit_start_date) - p.year_of_birth) / 10) AS stratum_4, COUNT(DISTINCT p.person_id) AS count_value FROM person p JOIN visit_occurrence vo ON p.person_id = vo.person_id GROUP BY vo.visit_concept_id, EXTRACT(YEAR FROM vo.visit_start_date), p.gender_concept_id, FLOOR((EXTRACT(YEAR FROM vo.visit_start_date) - p.year_of_birth) / 10)) SELECT 204 AS analysis_id, stratum_1, stratum_2, stratum_3, stratum_4, count_value FROM rawdata;

-- taken
-- compare
SELECT kinds, COUNT(*) AS people FROM (SELECT person_id, COUNT(DISTINCT condition_concept_id) AS kinds FROM condition_occurrence GROUP BY person_id) AS t GROUP BY kinds;

-- taken
SELECT AVG(kinds) AS mean, STDDEV(kinds) AS spread, PERCENTILE_CONT(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9]) WITHIN GROUP (ORDER BY kinds) AS percentiles FROM (SELECT person_id, COUNT(DISTINCT drug_concept_id) AS kinds FROM drug_exposure GROUP BY person_id) AS t;

-- taken
SELECT c.condition_concept_id, p.gender_concept_id, AVG(EXTRACT(YEAR FROM c.first) - p.year_of_birth) AS mean_age FROM person p JOIN (SELECT person_id, condition_concept_id, MIN(condition_start_date) AS first FROM condition_occurrence GROUP BY person_id, condition_concept_id) c ON c.person_id = p.person_id GROUP BY c.condition_concept_id, p.gender_concept_id;

-- taken
-- compare
SELECT condition_concept_id, condition_type_concept_id, COUNT(*) AS records FROM condition_occurrence GROUP BY condition_concept_id, condition_type_concept_id;

-- taken
SELECT visit_concept_id, AVG(visit_end_date - visit_start_date) AS mean_days, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY visit_end_date - visit_start_date) AS median_days FROM visit_occurrence GROUP BY visit_concept_id;

-- taken
-- compare
SELECT drug_concept_id, SUM(days_supply) AS days, COUNT(days_supply) AS records FROM drug_exposure GROUP BY drug_concept_id;

-- taken
-- compare
SELECT measurement_concept_id, COUNT(value_as_number) AS with_value, COUNT(*) - COUNT(value_as_number) AS without FROM measurement GROUP BY measurement_concept_id;

-- taken
-- compare
SELECT drug_concept_id, COUNT(*) FILTER (WHERE n >= 1) AS one, COUNT(*) FILTER (WHERE n >= 2) AS two, COUNT(*) FILTER (WHERE n >= 3) AS three FROM (SELECT person_id, drug_concept_id, COUNT(*) AS n FROM drug_exposure GROUP BY person_id, drug_concept_id) AS t GROUP BY drug_concept_id;

-- taken
-- compare
SELECT COUNT(*) AS people FROM (SELECT person_id FROM condition_occurrence INTERSECT SELECT person_id FROM drug_exposure INTERSECT SELECT person_id FROM measurement) AS t;

-- taken
SELECT EXTRACT(YEAR FROM v.visit_start_date) AS y, 1000.0 * COUNT(DISTINCT v.person_id) / NULLIF(COUNT(DISTINCT o.person_id), 0) AS per_1000 FROM observation_period o LEFT JOIN visit_occurrence v ON v.person_id = o.person_id GROUP BY 1;

-- taken
-- compare
SELECT CASE WHEN CAST(p.gender_concept_id AS varchar) = '8532' THEN 'F' ELSE 'M' END AS sex, COUNT(*) AS people FROM omop.person AS p GROUP BY 1;

-- refused: the table is public: it is published as it is, and nothing of it is noisy
SELECT COUNT(*) AS n FROM concept;

-- refused: the table is public: it is published as it is, and nothing of it is noisy
SELECT domain_id, COUNT(*) AS concepts FROM concept GROUP BY domain_id;

-- refused: the largest number of records of a person is one person's
SELECT MAX(n) AS most FROM (SELECT person_id, COUNT(*) AS n FROM condition_occurrence GROUP BY person_id) AS t;

-- refused: which concepts occur tells of single people
SELECT DISTINCT c.concept_name FROM condition_occurrence co JOIN concept c ON c.concept_id = co.condition_concept_id;

-- refused: how many concepts occur tells of single people
SELECT COUNT(DISTINCT condition_concept_id) AS concepts FROM condition_occurrence;

-- refused: concepts that nobody has are told without noise
SELECT COUNT(*) AS unused FROM concept WHERE concept_id NOT IN (SELECT condition_concept_id FROM condition_occurrence);
