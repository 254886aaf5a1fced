-- title: People by length of their first observation period, in steps of 30 days
-- dataset: omop
-- epsilon: 0.4
-- chart: line
-- unit: people
SELECT FLOOR((observation_period_end_date - observation_period_start_date) / 30) AS steps_of_30_days, COUNT(*) AS people
FROM (
  SELECT observation_period_start_date, observation_period_end_date,
         ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY observation_period_start_date) AS number
  FROM observation_period
) AS periods
WHERE number = 1 AND observation_period_end_date >= observation_period_start_date
GROUP BY 1 ORDER BY 1
