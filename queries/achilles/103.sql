-- title: Distribution of age at the first observation period
-- dataset: omop
-- epsilon: 0.3
-- unit: years
WITH ages AS (
  SELECT p.person_id, EXTRACT(YEAR FROM MIN(o.observation_period_start_date)) - p.year_of_birth AS age
  FROM person AS p JOIN observation_period AS o ON p.person_id = o.person_id
  GROUP BY p.person_id, p.year_of_birth
)
SELECT COUNT(*) AS people, AVG(age) AS mean_age, STDDEV(age) AS deviation,
       PERCENTILE_CONT(0.1) WITHIN GROUP (ORDER BY age) AS p10,
       PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY age) AS p25,
       PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY age) AS median,
       PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY age) AS p75,
       PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY age) AS p90
FROM ages
