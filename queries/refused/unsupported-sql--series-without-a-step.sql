-- title: Days without a step
-- epsilon: 0.1
-- means: SELECT day, COUNT(*) AS n FROM GENERATE_SERIES(DATE '2024-01-01', DATE '2024-01-07', INTERVAL '1 day') AS day JOIN visits ON visited = day GROUP BY day
SELECT day, COUNT(*) AS n FROM GENERATE_SERIES(DATE '2024-01-01', DATE '2024-01-07') AS day JOIN visits ON visited = day GROUP BY day
