SELECT COUNT(*) FROM visits WHERE age > -1e-400 OR age < 1e400 OR age = 0.5 OR cost <> 00012.340 OR cost IN (1, 1.0, 1e0) OR TRUE = emergency
