"""The session with one broker, from its settings to its end: a thread that holds a link, and the parts of its life."""
