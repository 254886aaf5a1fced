-- title: HbA1c at visits for diabetes
-- dataset: visits
-- epsilon: 0.25
-- refresh: monthly
-- unit: percent
SELECT sex, COUNT(hba1c) AS measured, AVG(hba1c) AS mean_hba1c FROM visits
WHERE diagnosis = 'diabetes' AND hba1c IS NOT NULL GROUP BY sex
