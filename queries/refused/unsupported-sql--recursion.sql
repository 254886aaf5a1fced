-- title: Recursion
-- epsilon: 0.1
-- means: nothing
WITH RECURSIVE r AS (SELECT patient_id FROM visits UNION ALL SELECT patient_id FROM r) SELECT COUNT(*) FROM r
