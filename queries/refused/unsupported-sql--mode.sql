-- title: The most frequent value
-- epsilon: 0.1
-- means: SELECT diagnosis, COUNT(*) AS n FROM visits GROUP BY diagnosis ORDER BY n DESC LIMIT 1
SELECT MODE() WITHIN GROUP (ORDER BY diagnosis) FROM visits
