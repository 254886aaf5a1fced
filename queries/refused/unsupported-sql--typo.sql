-- title: A word that is none
-- epsilon: 0.1
SELEC COUNT(*) FROM visits
