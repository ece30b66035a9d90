"""The rows of an export, some at a time: a list by its keys, which are known at the beginning, a history page by page.

No cursor of the database stays open between two pieces, however slowly they are read at the other end.
"""

import heapq
from array import array
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from mqtt.exports.columns import COLUMNS
from mqtt.lists import queries
from mqtt.models import Reading, SensorDevice, to_us
from mqtt.permissions import User
from mqtt.services.history.raw import HistoryTuple, readings_of

AT_ONCE = 500
READINGS_AT_ONCE = 2_500
ALL_SENSORS_AT_ONCE = 20_000
MOST_COUNTED = 1_000_000

Rows = Iterator[list[list[Any]]]


def list_rows(kind: str, user: User, ordered: Any) -> Rows:
    """The rows of a list in its order, of which eight bytes each are kept; what is deleted meanwhile is left out."""
    plain = ordered.select_related(None).prefetch_related(None)
    pks = array("q", plain.values_list("pk", flat=True).iterator(chunk_size=10_000))
    getters = list(COLUMNS[kind].values())
    for start in range(0, len(pks), AT_ONCE):
        some = pks[start : start + AT_ONCE]
        found = {row.pk: row for row in queries.rows(kind, user).filter(pk__in=list(some))}
        records = queries.prepare(kind, (found[pk] for pk in some if pk in found))
        yield [[read(row) for read in getters] for row in records]


def queryset_rows(kind: str, rows: Any) -> Rows:
    """The rows of a list without relations, newest first, by their keys."""
    getters, last = list(COLUMNS[kind].values()), None
    while True:
        some = list((rows if last is None else rows.filter(pk__lt=last)).order_by("-pk")[:AT_ONCE])
        if some:
            yield [[read(row) for read in getters] for row in some]
        if len(some) < AT_ONCE:
            return
        last = some[-1].pk


def reading_rows(
    sensors: Sequence[SensorDevice], start: datetime | None, end: datetime | None
) -> Iterator[list[HistoryTuple]]:
    """Readings from `start` to `end`, both included, newest first."""
    at_once = READINGS_AT_ONCE if len(sensors) == 1 else max(20, ALL_SENSORS_AT_ONCE // max(1, len(sensors)))
    bounds = (None if start is None else to_us(start), None if end is None else to_us(end))
    each = [_pages(sensor.pk, *bounds, at_once) for sensor in sensors]
    if len(each) == 1:
        yield from each[0]
        return
    singles = [(row for page in pages for row in page) for pages in each]
    merged = heapq.merge(*singles, key=lambda row: (row[1], row[0], row[2]), reverse=True)
    while page := list(islice(merged, READINGS_AT_ONCE)):
        yield page


def count_readings(sensors: Sequence[SensorDevice], start: datetime | None, end: datetime | None) -> int:
    """How many there are to be written; MOST_COUNTED: so many or more."""
    bounds = {name: at for name, at in (("time__gte", start), ("time__lte", end)) if at is not None}
    found = Reading.objects.filter(sensor_id__in=[sensor.pk for sensor in sensors], **bounds)
    return found.order_by().values("sensor_id")[:MOST_COUNTED].count()


def _pages(sensor: int, start: int | None, end: int | None, at_once: int) -> Iterator[list[HistoryTuple]]:
    behind: tuple[int, int] | None = None
    while True:
        page = readings_of(sensor, start_us=start, end_us=end, behind=behind, limit=at_once)
        if page:
            yield page
        if len(page) < at_once:
            return
        behind = page[-1][1:3]
