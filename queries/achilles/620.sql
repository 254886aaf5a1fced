-- title: Procedures by month
-- dataset: omop
-- epsilon: 0.5
-- chart: line
-- unit: records
SELECT EXTRACT(YEAR FROM procedure_date) AS year, EXTRACT(MONTH FROM procedure_date) AS month, COUNT(*) AS records
FROM procedure_occurrence GROUP BY year, month ORDER BY year, month
