-- title: Patients by sex and region
-- dataset: visits
-- margin: 80
-- refresh: monthly
-- chart: table
-- unit: patients
SELECT sex, region, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY sex, region ORDER BY sex, region
