-- title: Patients seen in 2025, and how often, one row a patient
-- dataset: visits
-- epsilon: 0.2
-- refresh: never
SELECT region, COUNT(*) AS patients, AVG(visits) AS mean_visits FROM (
  SELECT patient_id, region, COUNT(*) AS visits FROM visits
  WHERE visited BETWEEN DATE '2025-01-01' AND DATE '2025-12-31' GROUP BY patient_id, region
) AS patients GROUP BY region
