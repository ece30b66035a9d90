"""From messages to rows: one batch after the other, each in a transaction."""
