-- title: HAVING in a subquery
-- epsilon: 0.1
SELECT AVG(n) FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id HAVING COUNT(*) > 2) AS p
