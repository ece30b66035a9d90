"""Writing readings and latest states to both databases, behind one narrow interface. Everything above is the same code.

SQLite takes rows by `executemany`; PostgreSQL takes readings by COPY into a temporary table and one
INSERT … ON CONFLICT DO NOTHING (a handful of readings, and states, as arrays). All functions need the caller's
transaction and add to its `Writes`; the staging table is emptied by the commit.
Times are whole microseconds since 1970 UTC.
"""

import struct
from array import array
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from operator import itemgetter
from typing import NamedTuple

from django.db import connection

from mqtt.services.pipeline.bulk_rows import Writes

PG_EPOCH_US = 946_684_800_000_000
"""PostgreSQL counts from 2000-01-01."""

_SQLITE_READINGS = """
INSERT INTO mqtt_reading (sensor_id, time, digest, received_at, value, text, flags)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_PG_STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS staged_reading (
    sensor_id bigint, time timestamptz, digest bigint, received_at timestamptz,
    value double precision, text text, flags smallint
) ON COMMIT DELETE ROWS
"""
_PG_COPY = "COPY staged_reading FROM STDIN (FORMAT binary)"
_PG_INSERT = """
INSERT INTO mqtt_reading (sensor_id, time, digest, received_at, value, text, flags)
SELECT sensor_id, time, digest, received_at, value, text, flags FROM staged_reading ON CONFLICT DO NOTHING
"""
WORTH_A_COPY = 200
"""Readings: for fewer the three round trips of a COPY cost more than it saves."""
_PG_READINGS = """
INSERT INTO mqtt_reading (sensor_id, time, digest, received_at, value, text, flags)
{rows}
ON CONFLICT DO NOTHING
"""
_READING_TYPES = ("bigint", "time", "bigint", "time", "double precision", "text", "smallint")
_PG_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_PG_TRAILER = b"\xff\xff"
_PG_NUMBER = struct.Struct("!hiqiqiqiqidiih").pack
_PG_TEXT_HEAD = struct.Struct("!hiqiqiqiqii").pack
_PG_TEXT_TAIL = struct.Struct("!ih").pack


class ReadingRows:
    """Readings of one batch, column by column, because that is the cheapest way to collect them."""

    __slots__ = ("flags", "received", "sensors", "texts", "times", "values")

    def __init__(self) -> None:
        self.sensors: list[int] = []
        self.times: list[int] = []
        self.received: list[int] = []
        self.values: list[float | None] = []
        self.texts: list[str | None] = []
        self.flags: list[int] = []

    def __len__(self) -> int:
        return len(self.sensors)

    def in_order(self) -> list[tuple[int, int, int, int, float | None, str | None, int]]:
        """Rows with their digests, ordered by sensor and time as the table is: neighbours share pages."""
        digests = digests_of(self.values, self.texts)
        columns = zip(
            self.sensors, self.times, digests, self.received, self.values, self.texts, self.flags, strict=True
        )
        return sorted(columns, key=itemgetter(0, 1))


def digests_of(values: Sequence[float | None], texts: Sequence[str | None]) -> list[int]:
    """The 64 bits of each number, or a hash of the text: what tells two values at one instant apart."""
    bits = array("q", array("d", [0.0 if value is None else value for value in values]).tobytes()).tolist()
    for index, text in enumerate(texts):
        if text is not None:
            bits[index] = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)
    return bits


def insert_readings(writes: Writes, rows: ReadingRows) -> None:
    """Store what is not stored yet; `writes.counted` is how many rows were new."""
    if connection.vendor == "sqlite":
        writes.run_many(_SQLITE_READINGS, rows.in_order(), counts=True)
    elif len(rows) < WORTH_A_COPY:
        writes.add_rows(_PG_READINGS, _READING_TYPES, rows.in_order(), counts=True)
    else:
        with connection.cursor() as cursor:
            cursor.execute(_PG_STAGE)
            with cursor.copy(_PG_COPY) as copy:
                copy.write(pack_readings(rows.in_order()))
        writes.add(_PG_INSERT, counts=True)


def pack_readings(rows: Iterable[tuple[int, int, int, int, float | None, str | None, int]]) -> bytes:
    """Rows as `in_order` gives them, in PostgreSQL's binary COPY format."""
    parts = [_PG_HEADER]
    add = parts.append
    for sensor, time, digest, received, value, text, flags in rows:
        own, came = time - PG_EPOCH_US, received - PG_EPOCH_US
        if text is None:
            add(_PG_NUMBER(7, 8, sensor, 8, own, 8, digest, 8, came, 8, value, -1, 2, flags))
        else:
            data = text.encode()
            add(_PG_TEXT_HEAD(7, 8, sensor, 8, own, 8, digest, 8, came, -1, len(data)))
            add(data)
            add(_PG_TEXT_TAIL(2, flags))
    add(_PG_TRAILER)
    return b"".join(parts)


class SensorStateRow(NamedTuple):
    """A sensor's new latest value. `seen` null: the message was retained, so nobody was heard now."""

    sensor: int
    value: float | None
    text: str | None
    time: int | None
    flags: int
    availability: str
    since: int | None
    seen: int | None
    unrolled: int | None
    """The time of its earliest reading in this batch, which the rollups do not hold yet."""


_UNROLLED = """unrolled_us = CASE
        WHEN mqtt_sensorstate.unrolled_us < excluded.unrolled_us OR excluded.unrolled_us IS NULL
        THEN mqtt_sensorstate.unrolled_us ELSE excluded.unrolled_us END"""
_SENSOR_STATE = """
INSERT INTO mqtt_sensorstate
    (sensor_id, value, text, time, flags, availability, availability_since, last_seen_at, unrolled_us)
{rows}
ON CONFLICT (sensor_id) DO UPDATE SET
    value = CASE WHEN {newer} THEN excluded.value ELSE mqtt_sensorstate.value END,
    text = CASE WHEN {newer} THEN excluded.text ELSE mqtt_sensorstate.text END,
    time = CASE WHEN {newer} THEN excluded.time ELSE mqtt_sensorstate.time END,
    flags = CASE WHEN {newer} THEN excluded.flags ELSE mqtt_sensorstate.flags END,
    last_seen_at = COALESCE(excluded.last_seen_at, mqtt_sensorstate.last_seen_at),
    availability_since = CASE WHEN excluded.last_seen_at IS NULL
        OR excluded.availability = mqtt_sensorstate.availability
        THEN mqtt_sensorstate.availability_since ELSE excluded.availability_since END,
    availability = CASE WHEN excluded.last_seen_at IS NULL
        THEN mqtt_sensorstate.availability ELSE excluded.availability END,
    {unrolled}
"""
_NEWER = "(mqtt_sensorstate.time IS NULL OR excluded.time >= mqtt_sensorstate.time OR mqtt_sensorstate.time > {ahead})"
_AHEAD = {
    "sqlite": "datetime(excluded.last_seen_at, '+1 minute')",
    "postgresql": "excluded.last_seen_at + interval '1 minute'",
}
_SENSOR_STATE_TYPES = ("bigint", "double precision", "text", "time", "smallint", "text", "time", "time", "bigint")


def write_sensor_states(writes: Writes, rows: Sequence[SensorStateRow]) -> None:
    """Make these the latest values, unless a newer one stands there already that is not from the future."""
    newer = _NEWER.replace("{ahead}", _AHEAD[connection.vendor])
    statement = _SENSOR_STATE.replace("{newer}", newer).replace("{unrolled}", _UNROLLED)
    writes.add_rows(statement, _SENSOR_STATE_TYPES, rows)


_SENSORS_SEEN = """
INSERT INTO mqtt_sensorstate (sensor_id, flags, availability, availability_since, last_seen_at, unrolled_us)
{rows}
ON CONFLICT (sensor_id) DO UPDATE SET
    last_seen_at = excluded.last_seen_at, availability = excluded.availability,
    availability_since = CASE WHEN excluded.availability = mqtt_sensorstate.availability
        THEN mqtt_sensorstate.availability_since ELSE excluded.availability_since END,
    {unrolled}
"""


def write_sensors_seen(writes: Writes, rows: Sequence[tuple[int, int, str, int, int, int | None]]) -> None:
    """Note (sensor, 0, availability, since, seen, unrolled) of those that sent only old readings: the value stays."""
    statement = _SENSORS_SEEN.replace("{unrolled}", _UNROLLED)
    writes.add_rows(statement, ("bigint", "smallint", "text", "time", "time", "bigint"), rows)


_ROLLUP_DUE = """
INSERT INTO mqtt_rollupdue (sensor_id, hour)
{rows}
ON CONFLICT (sensor_id, hour) DO UPDATE SET hour = excluded.hour
"""
# An update and not DO NOTHING: it locks the row, so that whoever rolls the hour up waits for what we store in it.


def mark_hours(writes: Writes, hours: Iterable[tuple[int, int]]) -> None:
    """Note (sensor, hour in seconds since 1970) whose rollups have to be made again."""
    writes.add_rows(_ROLLUP_DUE, ("bigint", "bigint"), sorted(hours))


class NodeStateRow(NamedTuple):
    """A gateway's or datalogger's state. `seen` null: keep what stands there."""

    node: int
    availability: str
    since: int
    seen: int | None


_NODE_STATE = """
INSERT INTO mqtt_{kind}state ({kind}_id, availability, availability_since, last_seen_at)
{{rows}}
ON CONFLICT ({kind}_id) DO UPDATE SET
    availability = excluded.availability,
    availability_since = CASE WHEN excluded.availability = mqtt_{kind}state.availability
        THEN mqtt_{kind}state.availability_since ELSE excluded.availability_since END,
    last_seen_at = COALESCE(excluded.last_seen_at, mqtt_{kind}state.last_seen_at)
"""


def write_node_states(writes: Writes, kind: str, rows: Sequence[NodeStateRow]) -> None:
    """Write the states of gateways or dataloggers; `kind` is "gateway" or "datalogger"."""
    writes.add_rows(_NODE_STATE.format(kind=kind), ("bigint", "text", "time", "time"), rows)
