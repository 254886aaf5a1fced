-- title: A running sum along categories
-- epsilon: 0.1
SELECT diagnosis, SUM(COUNT(*)) OVER (ORDER BY diagnosis) AS so_far FROM visits GROUP BY diagnosis
