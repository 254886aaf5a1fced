-- title: People by number of observation periods
-- dataset: omop
-- epsilon: 0.1
-- chart: bar
-- unit: people
SELECT periods, COUNT(*) AS people
FROM (SELECT person_id, COUNT(*) AS periods FROM observation_period GROUP BY person_id) AS counted
GROUP BY periods
