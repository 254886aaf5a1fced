-- title: Exposures to acetaminophen by month since 2000
-- dataset: omop
-- epsilon: 0.4
-- chart: line
-- unit: records
SELECT DATE_TRUNC('month', drug_exposure_start_date) AS month, COUNT(*) AS records, COUNT(DISTINCT person_id) AS people
FROM drug_exposure
WHERE drug_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 1125315)
  AND drug_exposure_start_date >= DATE '2000-01-01'
GROUP BY month ORDER BY month
