-- title: People with a day of observation in each month
-- dataset: omop
-- epsilon: 0.5
-- chart: line
-- unit: people
SELECT m.year * 100 + m.month AS calendar_month, COUNT(DISTINCT o.person_id) AS people
FROM calendar_month AS m
JOIN observation_period AS o ON m.first_day <= o.observation_period_end_date AND m.last_day >= o.observation_period_start_date
GROUP BY m.year * 100 + m.month ORDER BY 1
