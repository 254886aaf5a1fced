-- title: People with a condition and a drug
-- dataset: omop
-- epsilon: 0.1
-- unit: people
SELECT COUNT(*) AS people
FROM (SELECT person_id FROM condition_occurrence INTERSECT SELECT person_id FROM drug_exposure) AS both_kinds
