-- title: An order that categories do not have
-- epsilon: 0.1
SELECT COUNT(*) FROM visits WHERE region > 'east'
