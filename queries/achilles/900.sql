-- title: People with at least one drug era, by its concept
-- dataset: omop
-- epsilon: 0.4
-- unit: people
SELECT drug_concept_id, COUNT(DISTINCT person_id) AS people FROM omop.drug_era GROUP BY drug_concept_id
