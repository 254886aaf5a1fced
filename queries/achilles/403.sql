-- title: Distribution of the number of different conditions of a person
-- description: Among people with at least one record.
-- dataset: omop
-- epsilon: 0.4
-- unit: concepts
SELECT COUNT(*) AS people, AVG(concepts) AS mean_concepts, STDDEV_SAMP(concepts) AS deviation,
       PERCENTILE_CONT(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9]) WITHIN GROUP (ORDER BY concepts) AS percentile
FROM (SELECT person_id, COUNT(DISTINCT condition_concept_id) AS concepts FROM condition_occurrence GROUP BY person_id) AS variety
