-- title: People with at least x measurements of a concept, x of 1 to 5 and 10
-- dataset: omop
-- epsilon: 0.8
-- unit: people
SELECT measurement_concept_id, COUNT(DISTINCT person_id) AS at_least_1,
       COUNT(DISTINCT CASE WHEN records >= 2 THEN person_id END) AS at_least_2,
       COUNT(DISTINCT CASE WHEN records >= 3 THEN person_id END) AS at_least_3,
       COUNT(DISTINCT CASE WHEN records >= 4 THEN person_id END) AS at_least_4,
       COUNT(DISTINCT CASE WHEN records >= 5 THEN person_id END) AS at_least_5,
       COUNT(DISTINCT CASE WHEN records >= 10 THEN person_id END) AS at_least_10
FROM (
  SELECT person_id, measurement_concept_id, COUNT(*) AS records FROM measurement GROUP BY person_id, measurement_concept_id
) AS counted
GROUP BY measurement_concept_id
