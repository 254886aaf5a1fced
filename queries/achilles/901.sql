-- title: Drug eras by concept
-- dataset: omop
-- epsilon: 0.4
-- unit: records
SELECT drug_concept_id, COUNT(person_id) AS records FROM drug_era GROUP BY drug_concept_id
