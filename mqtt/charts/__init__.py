"""Charts: their window of time, what they show in it, and the small drawings in rows of tables."""
