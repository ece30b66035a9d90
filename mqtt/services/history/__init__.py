"""The one reader of the history: single readings page by page, buckets of one level, and what a chart draws."""

from mqtt.services.history.correction import correct_buckets
from mqtt.services.history.curves import Series, resolution, series
from mqtt.services.history.gaps import gap, usual_intervals
from mqtt.services.history.raw import HistoryRow, cursor_of, readings
from mqtt.services.history.stored import buckets

__all__ = [
    "HistoryRow",
    "Series",
    "buckets",
    "correct_buckets",
    "cursor_of",
    "gap",
    "readings",
    "resolution",
    "series",
    "usual_intervals",
]
