-- title: Measurements by concept and type
-- dataset: omop
-- epsilon: 0.4
-- unit: records
SELECT m.measurement_concept_id, m.measurement_type_concept_id, COUNT(*) AS records
FROM measurement m GROUP BY m.measurement_concept_id, m.measurement_type_concept_id ORDER BY records DESC
