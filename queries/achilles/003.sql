-- title: People by year of birth
-- dataset: omop
-- epsilon: 0.3
-- chart: line
-- unit: people
SELECT year_of_birth, COUNT(*) AS people FROM person GROUP BY year_of_birth ORDER BY year_of_birth
