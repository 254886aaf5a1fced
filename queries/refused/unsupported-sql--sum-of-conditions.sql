-- title: A sum of truth values
-- epsilon: 0.1
-- means: SELECT SUM(CAST(smoker AS INTEGER)) FROM visits
SELECT SUM(smoker) FROM visits
