-- title: Measurements by concept and unit
-- description: For measured concepts of the domain Measurement, and units of the domain Unit or no matching concept, which is of the domain Metadata; every pair of two concepts would make more than 100,000 groups.
-- dataset: omop
-- epsilon: 0.4
-- unit: records
SELECT measurement_concept_id, unit_concept_id, COUNT(*) AS records
FROM measurement
WHERE measurement_concept_id IN (SELECT concept_id FROM concept WHERE domain_id = 'Measurement')
  AND unit_concept_id IN (SELECT concept_id FROM concept WHERE domain_id IN ('Unit', 'Metadata'))
GROUP BY measurement_concept_id, unit_concept_id
