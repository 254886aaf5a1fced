-- title: A query cut short
-- epsilon: 0.1
-- means: SELECT COUNT(*) FROM visits
SELECT COUNT(* FROM visits
