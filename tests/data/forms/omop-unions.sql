-- Needs another dataset: `omop`, several tables under one cap, as in `omop-cohorts.sql`.
-- Answers of several tables put together.

-- taken
-- compare
SELECT 'people' AS what, COUNT(*) AS n FROM person UNION ALL SELECT 'visits', COUNT(*) FROM visit_occurrence UNION ALL SELECT 'conditions', COUNT(*) FROM condition_occurrence UNION ALL SELECT 'drugs', COUNT(*) FROM drug_exposure;

-- taken
-- compare
SELECT 'visits' AS what, COUNT(DISTINCT person_id) AS people FROM visit_occurrence UNION SELECT 'conditions', COUNT(DISTINCT person_id) FROM condition_occurrence;

-- taken
-- compare
SELECT COUNT(DISTINCT person_id) AS people FROM (SELECT person_id FROM condition_occurrence WHERE condition_concept_id = 80180 UNION ALL SELECT person_id FROM drug_exposure WHERE drug_concept_id = 1124300) AS t;

-- taken
-- compare
SELECT (SELECT COUNT(*) FROM person) AS people, (SELECT COUNT(*) FROM visit_occurrence) AS visits, (SELECT COUNT(*) FROM visit_occurrence) * 1.0 / (SELECT COUNT(*) FROM person) AS per_person;

-- taken
-- compare
SELECT what, n FROM (SELECT 'all' AS what, COUNT(*) AS n FROM person UNION ALL SELECT CAST(gender_concept_id AS VARCHAR(20)), COUNT(*) FROM person GROUP BY gender_concept_id) AS t WHERE n > 0 ORDER BY n DESC;
