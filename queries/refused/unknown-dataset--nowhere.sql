-- title: A dataset that is not there
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM admissions
