-- title: The slope of each person's values
-- epsilon: 0.1
-- means: SELECT COUNT(*) AS patients FROM (SELECT patient_id, COUNT(*) * SUM(hba1c * (visited - DATE '2020-01-01')) - SUM(hba1c) * SUM(visited - DATE '2020-01-01') AS slope FROM visits WHERE hba1c IS NOT NULL GROUP BY patient_id) AS p WHERE slope > 0
SELECT COUNT(*) AS patients FROM (SELECT patient_id, REGR_SLOPE(hba1c, visited - DATE '2020-01-01') AS slope FROM visits GROUP BY patient_id) AS p WHERE slope > 0
