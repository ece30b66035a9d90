"""Buckets of one level, exactly as the readings are now: rollups where they hold everything, the rest from readings."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db import connection

from mqtt.buckets import DAY, FINE, HOUR, Bucket, coarser, floor, least_count
from mqtt.models import SensorState
from mqtt.services.history.aggregate import SpanUs, bucket_query

SPANS_AT_ONCE = 500
ROLLUPS = """
SELECT sensor_id, time, count, low, high, mean, first, last FROM mqtt_rollup
WHERE sensor_id IN ({sensors}) AND level = %s AND time >= %s AND time < %s ORDER BY sensor_id, time
"""

Found = dict[int, list[Bucket]]
"""{sensor: its buckets in the order of time}."""


def buckets(sensor_ids: Sequence[int], level: int, start: int, end: int) -> Found:
    """Buckets of `level` seconds that end after `start` and begin before `end` (seconds since 1970), whole ones.

    Where an hour's readings and finer rollups are gone, what is left of it stands there: longer buckets, or the hour.
    """
    start, end = floor(max(0, start), level), floor(end - 1, level) + level
    if level == DAY:
        return _days(sensor_ids, start, end)
    if level == HOUR:
        return _hours(sensor_ids, start, end)
    unrolled = _unrolled(sensor_ids, level, end)
    found = _rollups(sensor_ids, level, start, end)
    hours = _rollups(sensor_ids, HOUR, floor(start, HOUR), end)
    spans = _thin(hours, level, unrolled, start, end)
    for sensor, since in unrolled.items():
        begin = max(start, since)
        found[sensor] = [one for one in found.get(sensor, ()) if one.time < begin]
        spans.append((sensor, begin * 1_000_000, end * 1_000_000))
    _merge(found, aggregate(level, spans))
    _fill(found, hours, level, start, end)
    return found


def _hours(sensor_ids: Sequence[int], start: int, end: int) -> Found:
    """An hour that is rolled up in part is made from its finer rollups and the readings since."""
    found = _rollups(sensor_ids, HOUR, start, end)
    spans: list[SpanUs] = []
    running: dict[int, list[int]] = defaultdict(list)
    for sensor, since in _unrolled(sensor_ids, FINE[-1], end).items():
        hour = max(start, floor(since, HOUR))
        some = found.get(sensor, [])
        if since > hour and some and some[-1].time == hour:
            running[hour].append(sensor)
            spans.append((sensor, (hour + HOUR) * 1_000_000, end * 1_000_000))
        else:
            spans.append((sensor, hour * 1_000_000, end * 1_000_000))
        found[sensor] = [one for one in some if one.time < hour]
    for hour, sensors in running.items():
        for sensor, fine in buckets(sensors, FINE[-1], hour, hour + HOUR).items():
            found[sensor] += coarser(fine, HOUR)
    _merge(found, aggregate(HOUR, spans))
    return found


def _days(sensor_ids: Sequence[int], start: int, end: int) -> Found:
    """A day that is not rolled up yet is made from its hours."""
    found = _rollups(sensor_ids, DAY, start, end)
    unrolled = {sensor: max(start, since) for sensor, since in _unrolled(sensor_ids, DAY, end).items()}
    if unrolled:
        hours = buckets(list(unrolled), HOUR, min(unrolled.values()), end)
        for sensor, begin in unrolled.items():
            fresh = coarser((one for one in hours.get(sensor, ()) if one.time >= begin), DAY)
            found[sensor] = [*(one for one in found.get(sensor, ()) if one.time < begin), *fresh]
    return found


def _unrolled(sensor_ids: Sequence[int], level: int, end: int) -> dict[int, int]:
    """{sensor: the first bucket (seconds) that the rollups lack or do not hold whole}, if it begins before `end`."""
    states = SensorState.objects.filter(pk__in=sensor_ids, unrolled_us__lt=end * 1_000_000)
    since = states.values_list("pk", "unrolled_us")
    return {sensor: floor(max(0, unrolled or 0) // 1_000_000, level) for sensor, unrolled in since}


def _rollups(sensor_ids: Sequence[int], level: int, start: int, end: int) -> Found:
    """As SQL, because a chart of a day is a thousand of them."""
    found: Found = defaultdict(list)
    if not sensor_ids:
        return found
    with connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(sensor_ids))
        cursor.execute(ROLLUPS.format(sensors=marks), [*sensor_ids, level, start, end])
        for sensor, *bucket in cursor.fetchall():
            found[sensor].append(Bucket._make(bucket))
    return found


def _thin(hours: Found, level: int, unrolled: Mapping[int, int], start: int, end: int) -> list[SpanUs]:
    """The hours of which this level is not kept, neighbours as one span, up to where nothing is rolled up."""
    spans: list[SpanUs] = []
    for sensor, some in hours.items():
        until = min(end, unrolled.get(sensor, end))
        for hour in some:
            if hour.readings < least_count(level) and hour.time < until:
                begin, behind = max(start, hour.time) * 1_000_000, min(until, hour.time + HOUR) * 1_000_000
                if spans and spans[-1][0] == sensor and spans[-1][2] == begin:
                    begin = spans.pop()[1]
                spans.append((sensor, begin, behind))
    return spans


def aggregate(level: int, spans: Sequence[SpanUs]) -> list[tuple[int, Bucket]]:
    """Buckets made from readings, by sensor and time."""
    rows: list[tuple[int, Bucket]] = []
    wanted = [one for one in spans if one[2] is None or one[1] < one[2]]
    for first in range(0, len(wanted), SPANS_AT_ONCE):
        with connection.cursor() as cursor:
            cursor.execute(*bucket_query(level, wanted[first : first + SPANS_AT_ONCE]))
            rows += [(sensor, Bucket(*bucket)) for sensor, _, *bucket in cursor.fetchall()]
    return sorted(rows, key=lambda row: (row[0], row[1].time))


def _merge(found: Found, more: Iterable[tuple[int, Bucket]]) -> None:
    touched = set()
    for sensor, bucket in more:
        found.setdefault(sensor, []).append(bucket)
        touched.add(sensor)
    for sensor in touched:
        found[sensor].sort(key=lambda one: one.time)


def _fill(found: Found, hours: Found, level: int, start: int, end: int) -> None:
    """Hours that retention has taken at this level, from the finest level that still has them."""
    missing: dict[int, dict[int, Bucket]] = {}
    for sensor, some in hours.items():
        there = {floor(one.time, HOUR) for one in found.get(sensor, ())}
        lacking = {hour.time: hour for hour in some if hour.time not in there and hour.time + HOUR > start}
        if lacking:
            missing[sensor] = lacking
    for coarse in [one for one in FINE if one > level] if missing else ():
        for sensor, some in _rollups(list(missing), coarse, floor(start, coarse), end).items():
            fitting = [one for one in some if floor(one.time, HOUR) in missing[sensor]]
            _merge(found, ((sensor, one) for one in fitting))
            for one in fitting:
                missing[sensor].pop(floor(one.time, HOUR), None)
        missing = {sensor: lacking for sensor, lacking in missing.items() if lacking}
        if not missing:
            return
    _merge(found, ((sensor, hour) for sensor, lacking in missing.items() for hour in lacking.values()))
