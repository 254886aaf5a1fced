-- title: Mean cost of a visit by insurer
-- description: The insurer comes from the register of patients, which has one row per patient.
-- dataset: visits
-- epsilon: 0.2
-- refresh: never
-- chart: bar
-- unit: euros
SELECT insurer, COUNT(*) AS visits, AVG(cost) AS mean_cost FROM visits JOIN patients USING (patient_id) GROUP BY insurer
