-- title: People by ethnicity
-- dataset: omop
-- epsilon: 0.1
-- chart: bar
-- unit: people
SELECT p.ethnicity_concept_id, COUNT(*) AS people FROM person AS p GROUP BY p.ethnicity_concept_id
