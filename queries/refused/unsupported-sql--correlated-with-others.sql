-- title: A correlated subquery of other people
-- epsilon: 0.1
-- means: SELECT COUNT(*) FROM visits AS a WHERE EXISTS (SELECT 1 FROM visits AS b WHERE b.patient_id = a.patient_id AND b.region = a.region AND b.cost > 100)
SELECT COUNT(*) FROM visits AS a WHERE EXISTS (SELECT 1 FROM visits AS b WHERE b.region = a.region AND b.cost > 100)
