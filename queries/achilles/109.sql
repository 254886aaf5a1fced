-- title: People observed through all of each year
-- dataset: omop
-- epsilon: 0.4
-- chart: line
-- unit: people
SELECT y.year, COUNT(DISTINCT o.person_id) AS people
FROM observation_period AS o
JOIN calendar_year AS y ON o.observation_period_start_date <= y.first_day AND o.observation_period_end_date >= y.last_day
GROUP BY y.year ORDER BY y.year
