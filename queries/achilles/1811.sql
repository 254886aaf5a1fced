-- title: Measurements with a value by concept
-- dataset: omop
-- epsilon: 0.4
-- unit: records
SELECT measurement_concept_id, COUNT(*) AS records
FROM measurement
WHERE value_as_number IS NOT NULL OR value_as_concept_id <> 0
GROUP BY measurement_concept_id
