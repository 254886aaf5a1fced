-- title: Finer than the unit
-- epsilon: 0.1234567891
-- means: nothing
SELECT COUNT(*) FROM visits
