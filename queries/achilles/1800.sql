-- title: People with at least one measurement, by its concept
-- dataset: omop
-- epsilon: 0.4
-- unit: people
SELECT measurement_concept_id, COUNT(DISTINCT person_id) AS people FROM measurement GROUP BY measurement_concept_id
