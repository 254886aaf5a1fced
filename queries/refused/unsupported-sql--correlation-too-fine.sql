-- title: A correlation of sums in cents
-- epsilon: 0.1
-- means: SELECT CORR(n, total) AS r FROM (SELECT patient_id, COUNT(*) AS n, ROUND(SUM(cost)) AS total FROM visits GROUP BY patient_id) AS p
SELECT CORR(n, total) AS r FROM (SELECT patient_id, COUNT(*) AS n, SUM(cost) AS total FROM visits GROUP BY patient_id) AS p
