-- title: People among regions
-- epsilon: 0.1
-- means: SELECT COUNT(*) FROM visits WHERE patient_id IN (SELECT patient_id FROM visits WHERE cost > 100)
SELECT COUNT(*) FROM visits WHERE patient_id IN (SELECT region FROM visits WHERE cost > 100)
