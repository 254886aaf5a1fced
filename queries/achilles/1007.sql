-- title: Length of condition eras by condition
-- description: For concepts of the domain Condition. An era of more than three years counts as three years, so that the percentiles are finer.
-- dataset: omop
-- epsilon: 0.8
-- unit: days
WITH eras AS (
  SELECT condition_concept_id, GREATEST(0, LEAST(1095, condition_era_end_date - condition_era_start_date)) AS days
  FROM condition_era JOIN concept ON concept_id = condition_concept_id
  WHERE domain_id = 'Condition'
)
SELECT condition_concept_id, COUNT(*) AS eras, AVG(days) AS mean_days, STDDEV(days) AS deviation,
       PERCENTILE_CONT(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9]) WITHIN GROUP (ORDER BY days) AS percentile
FROM eras GROUP BY condition_concept_id
