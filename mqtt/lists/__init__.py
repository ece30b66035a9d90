"""Long lists: what a row needs, found by pages, by keys and by words."""
