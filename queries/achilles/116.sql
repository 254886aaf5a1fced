-- title: People with a day of observation in each year, by gender and decade of age
-- dataset: omop
-- epsilon: 0.5
-- unit: people
SELECT y.year, p.gender_concept_id, FLOOR((y.year - p.year_of_birth) / 10.0) AS decade_of_age, COUNT(DISTINCT p.person_id) AS people
FROM person AS p
JOIN observation_period AS o ON o.person_id = p.person_id
JOIN calendar_year AS y ON o.observation_period_start_date <= y.last_day AND o.observation_period_end_date >= y.first_day
GROUP BY y.year, p.gender_concept_id, FLOOR((y.year - p.year_of_birth) / 10.0)
