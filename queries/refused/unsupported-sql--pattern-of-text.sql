-- title: A pattern of text without a public list
-- epsilon: 0.1
-- means: nothing
SELECT COUNT(*) FROM visits WHERE drug LIKE 'm%'
