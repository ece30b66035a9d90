"""All devices as one table that a spreadsheet can edit: out as CSV, and back in after a look at what changes."""
