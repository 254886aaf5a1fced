-- title: A subquery in a subquery
-- epsilon: 0.1
SELECT AVG(n) FROM (SELECT patient_id, COUNT(*) AS n FROM (SELECT patient_id, COUNT(*) AS m FROM visits GROUP BY patient_id) AS q GROUP BY patient_id) AS p
