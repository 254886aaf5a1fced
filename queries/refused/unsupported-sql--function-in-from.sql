-- title: A file
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM read_csv('/etc/passwd')
