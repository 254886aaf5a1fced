-- title: Visits by month
-- dataset: omop
-- epsilon: 0.5
-- chart: line
-- unit: records
SELECT EXTRACT(YEAR FROM visit_start_date) * 100 + EXTRACT(MONTH FROM visit_start_date) AS month, COUNT(*) AS records
FROM visit_occurrence GROUP BY 1 ORDER BY 1
