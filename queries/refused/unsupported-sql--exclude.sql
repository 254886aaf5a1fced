-- title: A star without a column
-- epsilon: 0.1
-- means: SELECT COUNT(*) FROM (SELECT patient_id, region FROM visits) AS t
SELECT COUNT(*) FROM (SELECT * EXCLUDE (cost) FROM visits) AS t
