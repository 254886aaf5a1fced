-- title: Mean cost of a visit by diagnosis
-- dataset: visits
-- epsilon: 0.3
-- refresh: monthly
-- public: true
-- chart: bar
-- unit: euros
SELECT diagnosis, COUNT(*) AS visits, AVG(cost) AS mean_cost FROM visits GROUP BY diagnosis ORDER BY mean_cost DESC
