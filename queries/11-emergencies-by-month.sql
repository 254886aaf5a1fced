-- title: Emergencies by month of 2025
-- dataset: visits
-- epsilon: 0.2
-- refresh: never
-- public: true
-- chart: line
SELECT DATE_TRUNC('month', visited) AS month, COUNT(*) FILTER (WHERE emergency) AS emergencies FROM visits
WHERE visited >= DATE '2025-01-01' GROUP BY DATE_TRUNC('month', visited) ORDER BY month
