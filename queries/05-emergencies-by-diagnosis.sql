-- title: The three diagnoses with most emergencies
-- dataset: visits
-- margin: 600
-- refresh: weekly
-- chart: bar
SELECT diagnosis, COUNT(*) AS emergencies FROM visits WHERE emergency GROUP BY diagnosis ORDER BY emergencies DESC LIMIT 3
