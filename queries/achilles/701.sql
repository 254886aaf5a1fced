-- title: Drug exposures by concept
-- dataset: omop
-- epsilon: 0.4
-- unit: records
SELECT drug_concept_id, COUNT(*) AS records FROM drug_exposure GROUP BY drug_concept_id ORDER BY records DESC
