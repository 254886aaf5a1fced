-- title: A period that is not known
-- epsilon: 0.1
-- means: nothing
SELECT DATE_TRUNC('decade', visited) AS d, COUNT(*) FROM visits GROUP BY d
