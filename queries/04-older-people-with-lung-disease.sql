-- title: Older people with lung disease
-- dataset: visits
-- epsilon: 0.2
-- refresh: never
-- chart: bar
SELECT region, COUNT(*) AS visits, COUNT(DISTINCT patient_id) AS patients
FROM visits WHERE age >= 65 AND diagnosis IN ('asthma', 'copd') GROUP BY region ORDER BY visits DESC
