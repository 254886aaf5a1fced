-- title: Number of people
-- dataset: omop
-- epsilon: 0.1
-- unit: people
SELECT COUNT(*) AS people FROM omop.person
