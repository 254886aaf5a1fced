-- title: People by age at their first observation period
-- dataset: omop
-- epsilon: 0.3
-- chart: line
-- unit: people
SELECT EXTRACT(YEAR FROM first_day) - year_of_birth AS age, COUNT(*) AS people
FROM (
  SELECT person_id, MIN(observation_period_start_date) AS first_day FROM observation_period GROUP BY person_id
) AS first_period
JOIN person USING (person_id)
GROUP BY age
