-- title: People with at least three injuries, by gender and number of kinds
-- dataset: omop
-- epsilon: 0.2
-- unit: people
WITH injured AS (
  SELECT person_id, COUNT(DISTINCT condition_concept_id) AS kinds
  FROM condition_occurrence
  WHERE condition_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 432795)
  GROUP BY person_id
  HAVING COUNT(*) >= 3
)
SELECT gender_concept_id, kinds, COUNT(*) AS people
FROM injured NATURAL JOIN person
GROUP BY gender_concept_id, kinds
