-- title: Visits by age band and sex, with totals
-- dataset: visits
-- epsilon: 0.2
-- refresh: never
SELECT CASE WHEN age < 18 THEN 'under 18' WHEN age < 65 THEN '18 to 64' ELSE '65 and more' END AS band, sex, COUNT(*) AS visits
FROM visits GROUP BY ROLLUP (band, sex) HAVING COUNT(*) > 0
