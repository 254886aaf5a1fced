-- title: Visits by region
-- description: Where people live.
-- margin: 60
-- public: true
-- chart: bar
-- unit: visits
SELECT region, COUNT(*) AS visits FROM visits GROUP BY region
