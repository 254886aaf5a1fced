-- title: People with at least one condition era, by its concept
-- dataset: omop
-- epsilon: 0.4
-- unit: people
SELECT condition_concept_id, COUNT(DISTINCT person_id) AS people FROM condition_era GROUP BY condition_concept_id
