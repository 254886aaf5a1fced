-- title: A subquery by a column with several values per unit
-- epsilon: 0.1
SELECT AVG(n) FROM (SELECT patient_id, diagnosis, COUNT(*) AS n FROM visits GROUP BY patient_id, diagnosis) AS p
