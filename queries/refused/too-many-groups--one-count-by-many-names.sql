-- title: One count by many names
-- description: A noisy cell is measured once, and each name shows it again with its bounds: what is shown is bounded, too.
-- dataset: visits
-- epsilon: 0.01
-- means: in parts: SELECT visited, region, sex, COUNT(*) AS c0 FROM visits GROUP BY visited, region, sex
SELECT visited, region, sex,
       COUNT(*) AS c0, COUNT(*) AS c1, COUNT(*) AS c2, COUNT(*) AS c3, COUNT(*) AS c4, COUNT(*) AS c5,
       COUNT(*) AS c6, COUNT(*) AS c7, COUNT(*) AS c8, COUNT(*) AS c9, COUNT(*) AS c10, COUNT(*) AS c11,
       COUNT(*) AS c12, COUNT(*) AS c13, COUNT(*) AS c14, COUNT(*) AS c15, COUNT(*) AS c16, COUNT(*) AS c17,
       COUNT(*) AS c18, COUNT(*) AS c19, COUNT(*) AS c20, COUNT(*) AS c21, COUNT(*) AS c22, COUNT(*) AS c23,
       COUNT(*) AS c24, COUNT(*) AS c25, COUNT(*) AS c26, COUNT(*) AS c27, COUNT(*) AS c28, COUNT(*) AS c29,
       COUNT(*) AS c30, COUNT(*) AS c31, COUNT(*) AS c32, COUNT(*) AS c33, COUNT(*) AS c34, COUNT(*) AS c35,
       COUNT(*) AS c36, COUNT(*) AS c37, COUNT(*) AS c38, COUNT(*) AS c39, COUNT(*) AS c40, COUNT(*) AS c41
FROM visits GROUP BY visited, region, sex
