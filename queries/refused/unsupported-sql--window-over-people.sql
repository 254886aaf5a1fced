-- title: A window over everybody
-- epsilon: 0.1
-- means: SELECT AVG(gap) FROM (SELECT visited - LAG(visited) OVER (PARTITION BY patient_id ORDER BY visited) AS gap FROM visits) AS t
SELECT AVG(gap) FROM (SELECT visited - LAG(visited) OVER (ORDER BY visited) AS gap FROM visits) AS t
