-- title: Procedures by concept
-- dataset: omop
-- epsilon: 0.4
-- unit: records
SELECT procedure_concept_id, COUNT(*) AS records FROM procedure_occurrence GROUP BY procedure_concept_id
