-- title: A join of different people
-- epsilon: 0.1
-- means: SELECT COUNT(*) FROM visits AS a JOIN visits AS b ON a.patient_id = b.patient_id AND a.region = b.region
SELECT COUNT(*) FROM visits AS a JOIN visits AS b ON a.region = b.region
