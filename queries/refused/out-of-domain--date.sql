-- title: A day that is none
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM visits WHERE visited > DATE '2024-02-30'
