"""The history of a sensor, or of a datalogger's sensors, in spans of one length."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from mqtt.api.pagination import Cursor, read_cursor
from mqtt.buckets import DAY, HOUR, LEVELS
from mqtt.charts.windows import machine
from mqtt.models import SensorDevice, from_us, to_us
from mqtt.presentation.spans import span
from mqtt.services import history
from mqtt.services.corrections import corrections_of

BUCKETS = {"10s": 10, "1m": 60, "5m": 300, "1h": HOUR, "1d": DAY}
MOST_BUCKETS = 50_000
"""That an answer in pages may cover."""


def read_bucket(request: Request) -> int:
    """The asked length in seconds; 0: raw readings."""
    given = request.query_params.get("bucket", "").strip() or "raw"
    if given != "raw" and given not in BUCKETS:
        names = {"names": ", ".join(["raw", *BUCKETS])}
        raise ValidationError({"bucket": [_("Ask for one of these: %(names)s.") % names]})
    return BUCKETS.get(given, 0)


COLUMNS = ("sensor", "time", "min", "max", "mean", "first", "last", "count")

BucketRow = tuple[int, int, dict[str, Any]]
"""(time in µs, sensor, what is answered)."""


def bucket_page(
    request: Request, column: str, owner: Any, level: int, start: datetime | None, end: datetime | None, size: int
) -> dict[str, Any]:
    """One page of spans, newest first."""
    cursor = read_cursor(request)
    rows = bucket_rows(column, owner, level, start, end, cursor)
    following = None
    if len(rows) > size:
        text = Cursor(*rows[size - 1][:2], 0).text()
        following = replace_query_param(request.build_absolute_uri(), "cursor", text)
    return {"next": following, "results": [row[2] for row in rows[:size]]}


def bucket_rows(
    column: str, owner: Any, level: int, start: datetime | None, end: datetime | None, cursor: Cursor | None = None
) -> list[BucketRow]:
    """Spans, newest first; without `end` until now, without `start` as far back as is given at once."""
    pks = list(SensorDevice.objects.filter(**{column: owner.pk}).order_by("pk").values_list("pk", flat=True))
    until = -(-to_us(end or timezone.now()) // 1_000_000) + (1 if end else 0)  # the end itself is included
    most = MOST_BUCKETS // max(1, len(pks))
    since = to_us(start) // 1_000_000 if start else until - level * most
    if start and (until - since) // level > most:
        raise ValidationError({"bucket": [_too_many((until - since) // level * len(pks), level, most, until - since)]})
    if cursor:
        until = min(until, cursor.time_us // 1_000_000 + level)
    return [row for row in _rows(pks, level, since, until) if cursor is None or row[:2] < cursor[:2]]


def _rows(pks: list[int], level: int, since: int, until: int) -> list[BucketRow]:
    """Newest first."""
    found = history.buckets(pks, level, max(0, since), until) if pks and until > max(0, since) else {}
    given = corrections_of(pks)
    rows = []
    for sensor, buckets in found.items():
        for one in history.correct_buckets(sensor, buckets, level, given):
            said = {"sensor": sensor, "time": machine(from_us(one.time * 1_000_000)), "min": one.low, "max": one.high}
            said |= {"mean": one.mean, "first": one.first, "last": one.last, "count": one.readings}
            rows.append((one.time * 1_000_000, sensor, said))
    return sorted(rows, key=lambda row: row[:2], reverse=True)


def _too_many(count: int, level: int, most: int, seconds: int) -> str:
    """What would work instead."""
    coarser = next((name for name, one in BUCKETS.items() if one > level and seconds // one <= most), "")
    words = {"count": count, "most": MOST_BUCKETS, "bucket": coarser, "span": span(most * level)}
    if coarser:
        return (
            _("That would be %(count)d spans, at most %(most)d are given: ask for bucket=%(bucket)s, or for %(span)s.")
            % words
        )
    return _("That would be %(count)d spans, at most %(most)d are given: ask for %(span)s.") % words


assert tuple(BUCKETS.values()) == LEVELS  # noqa: S101 - the names of the rollups' levels
