-- title: Visits by concept
-- dataset: omop
-- epsilon: 0.4
-- unit: records
SELECT visit_concept_id, COUNT(*) AS records FROM omop.visit_occurrence GROUP BY visit_concept_id
