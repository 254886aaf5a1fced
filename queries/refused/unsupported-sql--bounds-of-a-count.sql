-- title: Contribution bounds of a count
-- epsilon: 0.1
-- means: SELECT COUNT(cost) AS visits FROM visits
SELECT COUNT(cost, contribution_bounds => (0, 1000)) AS visits FROM visits
