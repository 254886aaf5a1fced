-- title: Check-ups at working age, emergencies aside
-- dataset: visits
-- margin: 500
-- refresh: daily
SELECT region, COUNT(*) AS check_ups FROM visits
WHERE age BETWEEN 18 AND 64 AND diagnosis = 'check-up' AND NOT emergency GROUP BY region
