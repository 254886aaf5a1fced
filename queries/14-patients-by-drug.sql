-- title: Patients by drug
-- description: Drugs have no list: one is shown where enough patients got it.
-- dataset: visits
-- epsilon: 0.4
-- refresh: never
-- chart: table
-- unit: patients
SELECT drug, COUNT(DISTINCT patient_id) AS patients FROM visits WHERE drug IS NOT NULL GROUP BY drug ORDER BY patients DESC LIMIT 10
