-- title: One column of a subquery under two names
-- epsilon: 0.1
-- means: SELECT AVG(n) AS first, AVG(m) AS second FROM (SELECT patient_id, COUNT(*) AS n, COUNT(*) AS m FROM visits GROUP BY patient_id) AS p
SELECT AVG(n), AVG(m) FROM (SELECT patient_id, COUNT(*) AS n, COUNT(*) AS m FROM visits GROUP BY patient_id) AS p
