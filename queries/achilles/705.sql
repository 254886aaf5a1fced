-- title: Drug exposures by concept and type
-- dataset: omop
-- epsilon: 0.4
-- unit: records
SELECT drug_concept_id, drug_type_concept_id, COUNT(*) AS records FROM omop.drug_exposure GROUP BY 1, 2
