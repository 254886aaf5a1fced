-- title: Distribution of the number of different drugs of a person
-- description: Among people with at least one record.
-- dataset: omop
-- epsilon: 0.4
-- unit: concepts
WITH variety AS (SELECT person_id, COUNT(DISTINCT drug_concept_id) AS concepts FROM drug_exposure GROUP BY person_id)
SELECT COUNT(*) AS people, AVG(concepts) AS mean_concepts, STDDEV_SAMP(concepts) AS deviation,
       PERCENTILE_CONT(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9]) WITHIN GROUP (ORDER BY concepts) AS percentile
FROM variety
