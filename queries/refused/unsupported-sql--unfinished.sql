-- title: A query cut short
-- epsilon: 0.1
SELECT COUNT(* FROM visits
