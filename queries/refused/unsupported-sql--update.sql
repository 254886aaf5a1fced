-- title: A change
-- epsilon: 0.1
-- means: nothing
UPDATE visits SET cost = 0
