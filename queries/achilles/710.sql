-- title: Drug exposures recorded outside the observation periods
-- dataset: omop
-- epsilon: 0.4
-- unit: records
SELECT COUNT(*) AS records
FROM drug_exposure AS d
WHERE NOT EXISTS (
  SELECT 1 FROM observation_period AS o
  WHERE o.person_id = d.person_id
    AND d.drug_exposure_start_date BETWEEN o.observation_period_start_date AND o.observation_period_end_date
)
