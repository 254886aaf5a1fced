-- title: A dataset that is not there
-- epsilon: 0.1
SELECT COUNT(*) FROM visitors
