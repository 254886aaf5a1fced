-- title: Measurements by concept
-- dataset: omop
-- epsilon: 0.4
-- unit: records
SELECT measurement_concept_id, COUNT(*) AS records FROM omop.measurement GROUP BY measurement_concept_id
