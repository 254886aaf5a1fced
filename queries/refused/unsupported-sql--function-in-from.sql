-- title: A file
-- epsilon: 0.1
SELECT COUNT(*) FROM read_csv('/etc/passwd')
