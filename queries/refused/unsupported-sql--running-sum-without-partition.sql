-- title: A running sum that leaves a key out
-- epsilon: 0.1
SELECT sex, EXTRACT(YEAR FROM visited) AS y, SUM(COUNT(*)) OVER (ORDER BY EXTRACT(YEAR FROM visited)) AS so_far
FROM visits GROUP BY sex, EXTRACT(YEAR FROM visited)
