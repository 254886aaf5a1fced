-- title: Staff of a ward
-- epsilon: 0.5
-- refresh: on-new-edition
SELECT ward, AVG(staff) AS staff FROM wards WHERE staff > 2 GROUP BY ward
