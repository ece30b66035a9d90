"""Lists and histories as files: the rows that a page shows, written piece by piece in a form of the reader's choice."""
