-- title: Patients by what they said of smoking
-- description: People who did not say are a group of their own.
-- dataset: visits
-- margin: 100
-- refresh: on-new-edition
-- public: true
-- chart: bar
SELECT smoker, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY smoker
