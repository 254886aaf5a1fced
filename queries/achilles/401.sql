-- title: Conditions by concept
-- dataset: omop
-- epsilon: 0.4
-- unit: records
SELECT condition_concept_id, COUNT(*) AS records FROM condition_occurrence GROUP BY condition_concept_id ORDER BY records DESC
