-- title: Patients by drug
-- description: There is no public list of drugs: a drug is shown if enough patients got it.
-- dataset: visits
-- epsilon: 0.4
-- refresh: never
-- chart: table
-- unit: patients
SELECT drug, COUNT(DISTINCT patient_id) AS patients FROM visits WHERE drug IS NOT NULL GROUP BY drug ORDER BY patients DESC LIMIT 10
