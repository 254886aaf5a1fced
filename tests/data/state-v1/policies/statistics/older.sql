-- title: Visits of older people
-- epsilon: 0.2
-- refresh: monthly
SELECT COUNT(*) AS visits FROM visits WHERE age > 50
