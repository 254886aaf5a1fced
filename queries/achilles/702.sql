-- title: People with a drug exposure in each month, by concept
-- description: For concepts of the domain Drug and the years 2000 to 2019, as all concepts × all months would be more than 100,000 groups.
-- dataset: omop
-- epsilon: 0.5
-- unit: people
SELECT drug_concept_id, CAST(DATE_TRUNC('month', drug_exposure_start_date) AS date) AS month, COUNT(DISTINCT person_id) AS people
FROM drug_exposure
WHERE drug_concept_id IN (SELECT concept_id FROM concept WHERE domain_id = 'Drug')
  AND drug_exposure_start_date >= '2000-01-01' AND drug_exposure_start_date < '2020-01-01'
GROUP BY drug_concept_id, CAST(DATE_TRUNC('month', drug_exposure_start_date) AS date)
