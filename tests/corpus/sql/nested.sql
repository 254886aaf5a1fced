SELECT COUNT(*) FROM visits WHERE ((((NOT NOT (emergency)) OR (NOT (NOT smoker AND age <= 3))) AND (1 < age OR 2 >= age)))
