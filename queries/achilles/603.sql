-- title: Distribution of the number of different procedures of a person
-- description: Among people with at least one record.
-- dataset: omop
-- epsilon: 0.4
-- unit: concepts
WITH variety AS (SELECT person_id, COUNT(DISTINCT procedure_concept_id) AS concepts FROM procedure_occurrence GROUP BY person_id)
SELECT COUNT(*) AS people, AVG(concepts) AS mean_concepts, STDDEV(concepts) AS deviation,
       PERCENTILE_CONT(0.1) WITHIN GROUP (ORDER BY concepts) AS p10,
       PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY concepts) AS p25,
       PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY concepts) AS median,
       PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY concepts) AS p75,
       PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY concepts) AS p90
FROM variety
