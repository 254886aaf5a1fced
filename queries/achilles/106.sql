-- title: Length of the first observation period by gender
-- dataset: omop
-- epsilon: 0.4
-- unit: days
SELECT gender_concept_id, COUNT(*) AS people, AVG(days) AS mean_days, STDDEV(days) AS deviation,
       PERCENTILE_CONT(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9]) WITHIN GROUP (ORDER BY days) AS percentile
FROM (
  SELECT person_id, observation_period_end_date - observation_period_start_date AS days,
         ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY observation_period_start_date) AS number
  FROM observation_period
) AS periods
JOIN person USING (person_id)
WHERE number = 1
GROUP BY gender_concept_id
