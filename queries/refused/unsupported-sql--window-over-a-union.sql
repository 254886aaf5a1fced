-- title: Ranks among the groups of two queries
-- epsilon: 0.1
-- means: nothing
SELECT grp, RANK() OVER (ORDER BY n DESC) AS place FROM (SELECT region AS grp, COUNT(*) AS n FROM visits GROUP BY region UNION ALL SELECT sex, COUNT(*) FROM visits GROUP BY sex) AS t
