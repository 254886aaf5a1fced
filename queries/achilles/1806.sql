-- title: Age at a person's first record of each measurement
-- description: For concepts of the domain Measurement; fewer groups have finer percentiles.
-- dataset: omop
-- epsilon: 0.8
-- unit: years
SELECT measurement_concept_id, COUNT(*) AS people, AVG(age) AS mean_age, STDDEV(age) AS deviation,
       PERCENTILE_CONT(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9]) WITHIN GROUP (ORDER BY age) AS percentile
FROM (
  SELECT m.measurement_concept_id, EXTRACT(YEAR FROM m.measurement_date) - p.year_of_birth AS age,
         ROW_NUMBER() OVER (PARTITION BY m.person_id, m.measurement_concept_id ORDER BY m.measurement_date) AS number
  FROM measurement AS m JOIN person AS p ON p.person_id = m.person_id
) AS numbered
WHERE number = 1 AND measurement_concept_id IN (SELECT concept_id FROM concept WHERE domain_id = 'Measurement')
GROUP BY measurement_concept_id
