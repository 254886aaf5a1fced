-- title: Visits by quarter since 2024
-- dataset: visits
-- epsilon: 0.2
-- refresh: never
-- public: true
-- chart: line
SELECT DATE_TRUNC('quarter', visited) AS quarter, COUNT(*) AS visits FROM visits
WHERE visited >= DATE '2024-01-01' GROUP BY DATE_TRUNC('quarter', visited) ORDER BY quarter
