-- title: People by the month in which an observation period starts
-- dataset: omop
-- epsilon: 0.4
-- chart: line
-- unit: people
SELECT EXTRACT(YEAR FROM observation_period_start_date) * 100 + EXTRACT(MONTH FROM observation_period_start_date) AS start_month,
       COUNT(DISTINCT person_id) AS people
FROM observation_period
GROUP BY EXTRACT(YEAR FROM observation_period_start_date) * 100 + EXTRACT(MONTH FROM observation_period_start_date)
ORDER BY start_month
