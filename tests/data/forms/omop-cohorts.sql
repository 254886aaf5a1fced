-- Needs another dataset: `omop`, several tables under one cap: person, observation_period, visit_occurrence, condition_occurrence, drug_exposure,
-- drug_era and measurement of the OMOP model (unit person_id), and the public tables concept and concept_ancestor.
-- Cohorts over several tables of events, with concept sets from public tables.

-- taken
-- compare
SELECT COUNT(DISTINCT c.person_id) AS people FROM condition_occurrence c JOIN drug_exposure d ON d.person_id = c.person_id WHERE c.condition_concept_id = 80180 AND d.drug_concept_id = 1124300;

-- taken
-- compare
SELECT COUNT(*) AS people FROM person WHERE person_id IN (SELECT person_id FROM condition_occurrence WHERE condition_concept_id = 80180) AND person_id IN (SELECT person_id FROM drug_exposure WHERE drug_concept_id = 1124300);

-- taken
-- compare
SELECT p.gender_concept_id, COUNT(*) AS people FROM omop.person p WHERE EXISTS (SELECT 1 FROM omop.condition_occurrence c WHERE c.person_id = p.person_id AND c.condition_concept_id = 40481087) GROUP BY p.gender_concept_id;

-- taken
-- compare
SELECT COUNT(DISTINCT person_id) AS people FROM condition_occurrence WHERE condition_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 201820);

-- taken
-- compare
SELECT COUNT(DISTINCT co.person_id) AS people FROM condition_occurrence co JOIN concept_ancestor ca ON ca.descendant_concept_id = co.condition_concept_id WHERE ca.ancestor_concept_id = 201820;

-- taken
-- compare
SELECT c.concept_name, COUNT(DISTINCT co.person_id) AS people FROM condition_occurrence co JOIN concept c ON c.concept_id = co.condition_concept_id GROUP BY c.concept_name;

-- taken
-- compare
SELECT c.concept_name, COUNT(*) AS n FROM drug_exposure d LEFT JOIN concept c ON c.concept_id = d.drug_concept_id AND c.domain_id = 'Drug' GROUP BY c.concept_name ORDER BY n DESC;

-- taken
-- compare
SELECT COUNT(*) AS n FROM condition_occurrence WHERE condition_concept_id IN (SELECT concept_id FROM concept WHERE LOWER(concept_name) LIKE '%diabetes%' AND domain_id = 'Condition');

-- taken
-- compare
WITH oa AS (SELECT person_id, MIN(condition_start_date) AS day FROM condition_occurrence WHERE condition_concept_id = 80180 GROUP BY person_id), dx AS (SELECT person_id, MIN(drug_exposure_start_date) AS day FROM drug_exposure WHERE drug_concept_id = 1124300 GROUP BY person_id) SELECT COUNT(*) AS people FROM oa JOIN dx ON dx.person_id = oa.person_id WHERE dx.day BETWEEN oa.day AND oa.day + 30;

-- taken
-- compare
WITH celecoxib AS (SELECT person_id, MIN(drug_exposure_start_date) AS day FROM drug_exposure WHERE drug_concept_id = 1118084 GROUP BY person_id), bleed AS (SELECT person_id, MIN(condition_start_date) AS day FROM condition_occurrence WHERE condition_concept_id = 192671 GROUP BY person_id) SELECT COUNT(*) AS people, COUNT(b.day) AS bleeding, SUM(b.day - c.day) AS days FROM celecoxib c LEFT JOIN bleed b ON b.person_id = c.person_id WHERE b.day IS NULL OR b.day > c.day;

-- taken
-- compare
SELECT EXTRACT(YEAR FROM drug_exposure_start_date) AS y, COUNT(DISTINCT person_id) AS new_users FROM (SELECT person_id, drug_exposure_start_date, LAG(drug_exposure_start_date) OVER (PARTITION BY person_id, drug_concept_id ORDER BY drug_exposure_start_date) AS before FROM drug_exposure WHERE drug_concept_id = 1118084) AS d WHERE before IS NULL OR drug_exposure_start_date - before > 365 GROUP BY 1;

-- taken
-- compare
SELECT COUNT(*) AS people FROM (SELECT person_id FROM condition_occurrence WHERE condition_concept_id = 40481087 INTERSECT SELECT person_id FROM drug_exposure WHERE drug_concept_id = 1118084 EXCEPT SELECT person_id FROM condition_occurrence WHERE condition_concept_id = 4112343) AS t2dm;

-- taken
-- compare
SELECT COUNT(*) AS n FROM condition_occurrence c JOIN observation_period o ON o.person_id = c.person_id WHERE c.condition_start_date BETWEEN o.observation_period_start_date AND o.observation_period_end_date;

-- taken
-- compare
SELECT COUNT(*) AS n FROM condition_occurrence c WHERE NOT EXISTS (SELECT 1 FROM observation_period o WHERE o.person_id = c.person_id AND c.condition_start_date BETWEEN o.observation_period_start_date AND o.observation_period_end_date);

-- taken
-- compare
SELECT COUNT(DISTINCT c.person_id) AS people FROM condition_occurrence c JOIN measurement m ON m.person_id = c.person_id AND m.measurement_date BETWEEN c.condition_start_date AND c.condition_start_date + 365 WHERE c.condition_concept_id = 40481087 AND m.measurement_concept_id = 3006322 AND m.value_as_number >= 7;

-- taken
SELECT AVG(m.value_as_number) AS mean_hba1c FROM measurement m JOIN (SELECT person_id, MIN(drug_exposure_start_date) AS day FROM drug_exposure WHERE drug_concept_id = 1118084 GROUP BY person_id) d ON d.person_id = m.person_id WHERE m.measurement_date > d.day;

-- taken
-- compare
SELECT d.drug_concept_id, p.gender_concept_id, COUNT(DISTINCT d.person_id) AS people FROM drug_era d INNER JOIN person p ON d.person_id = p.person_id GROUP BY d.drug_concept_id, p.gender_concept_id;

-- taken
-- compare
SELECT COUNT(DISTINCT v.person_id) AS readmitted FROM visit_occurrence v JOIN visit_occurrence w ON w.person_id = v.person_id AND w.visit_start_date > v.visit_end_date AND w.visit_start_date <= v.visit_end_date + 30 WHERE v.visit_concept_id = 9201 AND w.visit_concept_id = 9201;

-- taken
-- compare
SELECT conditions > 0 AS has_condition, drugs > 0 AS has_drug, COUNT(*) AS people FROM (SELECT p.person_id, COALESCE(c.n, 0) AS conditions, COALESCE(d.n, 0) AS drugs FROM person p LEFT JOIN (SELECT person_id, COUNT(*) AS n FROM condition_occurrence GROUP BY person_id) c ON c.person_id = p.person_id LEFT JOIN (SELECT person_id, COUNT(*) AS n FROM drug_exposure GROUP BY person_id) d ON d.person_id = p.person_id) AS t GROUP BY 1, 2;

-- refused: a condition and a drug of different people are put together: the join has no person_id
SELECT COUNT(*) AS n FROM condition_occurrence c JOIN drug_exposure d ON d.drug_exposure_start_date = c.condition_start_date;

-- refused: a public table is joined without a key, so that a row meets all of it
SELECT COUNT(*) AS n FROM condition_occurrence c JOIN concept k ON k.concept_id > c.condition_concept_id;
