-- title: People with at least one condition, by its concept
-- dataset: omop
-- epsilon: 0.4
-- unit: people
SELECT c.concept_id, COUNT(DISTINCT o.person_id) AS people
FROM omop.condition_occurrence o
INNER JOIN omop.concept c ON o.condition_concept_id = c.concept_id
GROUP BY c.concept_id
