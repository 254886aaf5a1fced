-- title: People by race
-- dataset: omop
-- epsilon: 0.1
-- chart: bar
-- unit: people
SELECT race_concept_id, COUNT(DISTINCT person_id) AS people FROM person GROUP BY race_concept_id
