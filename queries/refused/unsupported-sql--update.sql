-- title: A change
-- epsilon: 0.1
UPDATE visits SET cost = 0
