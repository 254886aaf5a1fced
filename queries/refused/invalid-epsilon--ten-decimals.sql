-- title: Finer than the unit
-- epsilon: 0.1234567891
SELECT COUNT(*) FROM visits
