-- title: Values that other people have
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM visits WHERE diagnosis IN (SELECT diagnosis FROM visits WHERE cost > 1000)
