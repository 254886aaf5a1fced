-- title: A percentile by text without a public list
-- epsilon: 0.1
-- means: nothing
SELECT drug, MEDIAN(cost) AS median_cost FROM visits GROUP BY drug
