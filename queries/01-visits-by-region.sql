-- title: Visits by region
-- description: How many visits people of each home region made.
-- dataset: visits
-- margin: 500
-- refresh: monthly
-- public: true
-- chart: bar
-- unit: visits
SELECT region, COUNT(*) AS visits FROM visits GROUP BY region ORDER BY visits DESC
