-- title: People by year of birth and gender
-- dataset: omop
-- epsilon: 0.3
-- unit: people
SELECT year_of_birth, gender_concept_id, COUNT(DISTINCT person_id) AS people
FROM omop.person GROUP BY year_of_birth, gender_concept_id ORDER BY 1, 2
