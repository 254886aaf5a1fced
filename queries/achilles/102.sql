-- title: People by gender and age at their first observation period
-- dataset: omop
-- epsilon: 0.3
-- unit: people
WITH first_period AS (
  SELECT person_id, MIN(observation_period_start_date) AS first_day FROM omop.observation_period GROUP BY person_id
)
SELECT p.gender_concept_id, EXTRACT(YEAR FROM f.first_day) - p.year_of_birth AS age, COUNT(DISTINCT p.person_id) AS people
FROM omop.person AS p
JOIN first_period AS f ON f.person_id = p.person_id
GROUP BY p.gender_concept_id, EXTRACT(YEAR FROM f.first_day) - p.year_of_birth
