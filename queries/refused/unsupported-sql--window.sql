-- title: A window over other rows
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) OVER (PARTITION BY region) FROM visits
