-- title: Conditions recorded outside the observation periods
-- dataset: omop
-- epsilon: 0.4
-- unit: records
SELECT COUNT(*) AS records
FROM condition_occurrence AS c
LEFT JOIN observation_period AS o
  ON o.person_id = c.person_id
  AND c.condition_start_date >= o.observation_period_start_date AND c.condition_start_date <= o.observation_period_end_date
WHERE o.person_id IS NULL
