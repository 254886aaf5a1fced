-- title: Cost of a patient in 2025, one row a patient
-- dataset: visits
-- epsilon: 0.2
-- refresh: never
-- unit: euros
SELECT region, COUNT(*) AS patients, AVG(total) AS mean_total FROM (
  SELECT patient_id, region, SUM(cost) AS total FROM visits
  WHERE visited BETWEEN DATE '2025-01-01' AND DATE '2025-12-31' GROUP BY patient_id, region
) AS patients GROUP BY region
