-- title: Visits of 2025, day by day and up to each day
-- description: A running sum is far more exact than the sum of the days: its error grows with the logarithm of their number.
-- dataset: visits
-- epsilon: 0.25
-- refresh: never
-- chart: line
-- unit: visits
SELECT DATE_TRUNC('day', visited) AS day, COUNT(*) AS visits, SUM(COUNT(*)) OVER (ORDER BY DATE_TRUNC('day', visited)) AS so_far
FROM visits WHERE visited >= DATE '2025-01-01' GROUP BY DATE_TRUNC('day', visited) ORDER BY day
