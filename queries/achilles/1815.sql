-- title: Distribution of measured values by concept and unit
-- description: For measured concepts of the domain Measurement, and units of the domain Unit or no matching concept, which is of the domain Metadata; every pair of two concepts would make more than 100,000 groups.
-- dataset: omop
-- epsilon: 0.8
SELECT measurement_concept_id, unit_concept_id, COUNT(value_as_number) AS measured, AVG(value_as_number) AS mean_value,
       STDDEV(value_as_number) AS deviation,
       PERCENTILE_CONT(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9]) WITHIN GROUP (ORDER BY value_as_number) AS percentile
FROM measurement
WHERE value_as_number IS NOT NULL
  AND measurement_concept_id IN (SELECT concept_id FROM concept WHERE domain_id = 'Measurement')
  AND unit_concept_id IN (SELECT concept_id FROM concept WHERE domain_id IN ('Unit', 'Metadata'))
GROUP BY measurement_concept_id, unit_concept_id
