-- title: People by race and ethnicity
-- dataset: omop
-- epsilon: 0.2
-- unit: people
SELECT race_concept_id, ethnicity_concept_id, COUNT(*) AS people FROM person GROUP BY 1, 2
