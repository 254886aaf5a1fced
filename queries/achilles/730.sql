-- title: Drug exposures recorded inside an observation period
-- dataset: omop
-- epsilon: 0.4
-- unit: records
SELECT COUNT(*) AS records
FROM drug_exposure AS d
WHERE EXISTS (
  SELECT * FROM observation_period AS o
  WHERE o.person_id = d.person_id
    AND d.drug_exposure_start_date >= o.observation_period_start_date
    AND d.drug_exposure_start_date <= o.observation_period_end_date
)
