-- title: Contribution bounds of a count
-- epsilon: 0.1
SELECT COUNT(cost, contribution_bounds => (0, 1000)) AS visits FROM visits
