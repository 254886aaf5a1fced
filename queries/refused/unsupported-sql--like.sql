-- title: A pattern
-- epsilon: 0.1
SELECT COUNT(*) FROM visits WHERE diagnosis LIKE 'a%'
