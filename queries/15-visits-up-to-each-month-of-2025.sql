-- title: Visits of 2025, month by month and up to each month
-- description: A running sum is more exact than the sum of the months: its error grows with the logarithm of their number.
-- dataset: visits
-- epsilon: 0.2
-- refresh: never
-- chart: line
-- unit: visits
SELECT DATE_TRUNC('month', visited) AS month, COUNT(*) AS visits, SUM(COUNT(*)) OVER (ORDER BY DATE_TRUNC('month', visited)) AS so_far
FROM visits WHERE visited >= DATE '2025-01-01' GROUP BY DATE_TRUNC('month', visited) ORDER BY month
