-- title: People with at least one observation, by its concept
-- dataset: omop
-- epsilon: 0.4
-- unit: people
SELECT observation_concept_id, COUNT(DISTINCT person_id) AS people FROM observation GROUP BY observation_concept_id
