-- title: People by gender
-- dataset: omop
-- epsilon: 0.1
-- chart: bar
-- unit: people
SELECT gender_concept_id, COUNT(*) AS people FROM omop.person GROUP BY gender_concept_id
