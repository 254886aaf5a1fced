-- title: Quartiles and spread of the cost of a visit
-- dataset: visits
-- epsilon: 0.3
-- refresh: never
-- unit: euros
SELECT PERCENTILE_CONT(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY cost) AS cost, STDDEV_SAMP(cost) AS deviation FROM visits
