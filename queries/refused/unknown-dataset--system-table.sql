-- title: Another catalog
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM pg_catalog.pg_user
