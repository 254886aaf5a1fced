-- title: A list by itself
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) AS n FROM (VALUES (1), (2)) AS t (a)
