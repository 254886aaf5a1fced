-- title: Two values at once
-- epsilon: 0.1
-- means: SELECT COUNT(*) FROM visits WHERE (region = 'north' AND sex = 'female') OR (region = 'south' AND sex = 'male')
SELECT COUNT(*) FROM visits WHERE (region, sex) IN (('north', 'female'), ('south', 'male'))
