-- title: A mean of days
-- epsilon: 0.1
-- means: SELECT AVG(visited - DATE '2000-01-01') FROM visits
SELECT AVG(visited) FROM visits
