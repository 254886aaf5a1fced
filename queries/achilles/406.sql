-- title: Age at a person's first record of each condition
-- description: For concepts of the domain Condition; fewer groups have finer percentiles.
-- dataset: omop
-- epsilon: 0.8
-- unit: years
WITH first_records AS (
  SELECT person_id, condition_concept_id, MIN(condition_start_date) AS first_day
  FROM condition_occurrence GROUP BY person_id, condition_concept_id
), ages AS (
  SELECT condition_concept_id, EXTRACT(YEAR FROM first_day) - year_of_birth AS age
  FROM first_records JOIN person USING (person_id)
)
SELECT condition_concept_id, COUNT(*) AS people, AVG(age) AS mean_age, STDDEV(age) AS deviation,
       PERCENTILE_CONT(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9]) WITHIN GROUP (ORDER BY age) AS percentile
FROM ages JOIN concept ON concept_id = condition_concept_id
WHERE domain_id = 'Condition'
GROUP BY condition_concept_id
