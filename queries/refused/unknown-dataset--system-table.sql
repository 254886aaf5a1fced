-- title: Another catalog
-- epsilon: 0.1
SELECT COUNT(*) FROM pg_catalog.pg_user
