"""Measurements of the whole console with real servers and a raw publisher: `scripts/bench`, docs/bench.md."""
