-- title: Conditions recorded inside an observation period
-- dataset: omop
-- epsilon: 0.4
-- unit: records
SELECT COUNT(*) AS records
FROM condition_occurrence AS c
JOIN observation_period AS o
  ON o.person_id = c.person_id
  AND c.condition_start_date BETWEEN o.observation_period_start_date AND o.observation_period_end_date
