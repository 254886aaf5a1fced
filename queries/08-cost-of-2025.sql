-- title: Cost of the year 2025
-- dataset: visits
-- epsilon: 0.25
-- refresh: never
-- unit: euros
SELECT SUM(cost) AS total_cost, COUNT(*) AS visits FROM visits
WHERE visited BETWEEN DATE '2025-01-01' AND DATE '2025-12-31'
