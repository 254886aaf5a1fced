-- title: Measurements by month
-- dataset: omop
-- epsilon: 0.5
-- chart: line
-- unit: records
SELECT TO_CHAR(measurement_date, 'YYYYMM') AS month, COUNT(*) AS records FROM measurement GROUP BY TO_CHAR(measurement_date, 'YYYYMM')
