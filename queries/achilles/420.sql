-- title: Conditions by month
-- dataset: omop
-- epsilon: 0.5
-- chart: line
-- unit: records
SELECT DATE_TRUNC('month', condition_start_date) AS month, COUNT(*) AS records
FROM condition_occurrence GROUP BY DATE_TRUNC('month', condition_start_date) ORDER BY month
