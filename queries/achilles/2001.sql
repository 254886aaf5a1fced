-- title: People with a condition and a procedure
-- dataset: omop
-- epsilon: 0.1
-- unit: people
SELECT COUNT(DISTINCT person_id) AS people
FROM condition_occurrence
WHERE person_id IN (SELECT person_id FROM procedure_occurrence)
