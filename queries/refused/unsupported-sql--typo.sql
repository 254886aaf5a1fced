-- title: A word that is none
-- epsilon: 0.1
-- means: SELECT COUNT(*) FROM visits
SELEC COUNT(*) FROM visits
