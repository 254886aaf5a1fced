-- title: The middle of labels
-- epsilon: 0.1
-- means: nothing
SELECT m, COUNT(*) AS n FROM (SELECT patient_id, PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY diagnosis) AS m FROM visits GROUP BY patient_id) AS p GROUP BY m
