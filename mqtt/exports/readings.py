"""Readings as lines of a file, a few millionths of a second each, because there are millions: cells are put together
by hand that `writers` would write the same way.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, tzinfo
from math import isfinite
from typing import Any

import orjson
from django.utils.timezone import get_current_timezone

from mqtt.corrections import Corrections
from mqtt.enums import ReadingFlag
from mqtt.exports.writers import CsvWriter, ExcelItalianWriter, JsonWriter
from mqtt.models import SensorDevice, from_us
from mqtt.services.history.raw import HistoryTuple

COLUMNS = ("sensor", "name", "unit", "time", "value", "raw_value", "text", "received_at", "own_time", "uncertain")
"""`import_readings` knows them: what goes out comes back in."""
EXACT = "time_utc"
"""Stands behind the others where `time` is local and to the millisecond: an hour of October comes twice."""
MINUTES_KEPT = 10_000
TWO = [f"{number:02}" for number in range(60)]


class Clock:
    """Microseconds since 1970 as text; the text of a minute is kept, because neighbours share it."""

    def __init__(self, zone: tzinfo, between: str, fraction: Callable[[int], str], end: str) -> None:
        self._zone, self._between, self._fraction, self._end = zone, between, fraction, end
        self._minutes: dict[int, str] = {}

    def __call__(self, moment_us: int) -> str:
        """One time."""
        seconds, rest = divmod(moment_us, 1_000_000)
        minute, second = divmod(seconds, 60)
        begin = self._minutes.get(minute) or self._minute(minute)
        return f"{begin}{TWO[second]}{self._fraction(rest) if rest else ''}{self._end}"

    def _minute(self, minute: int) -> str:
        if len(self._minutes) >= MINUTES_KEPT:
            self._minutes.clear()
        moment = from_us(minute * 60_000_000)
        with suppress(OverflowError):  # the last day of the year 9999 has no local time everywhere
            moment = moment.astimezone(self._zone)
        local = moment.replace(tzinfo=None)
        text = self._minutes[minute] = local.isoformat(self._between, "minutes") + ":"
        return text


def _micro(rest: int) -> str:
    return f".{rest:06}"


def _milli(rest: int) -> str:
    return f",{rest // 1000:03}" if rest >= 1000 else ""


def _point(value: float) -> str:
    return repr(value)


def _comma(value: float) -> str:
    return repr(value).replace(".", ",")


def _utc() -> Clock:
    return Clock(UTC, "T", _micro, "Z")


class CsvReadings:
    """Readings in one of the forms of CSV; `block` takes them as `history.readings_of` gives them."""

    def __init__(
        self, form: type[CsvWriter], sensors: Sequence[SensorDevice], corrections: dict[int, Corrections]
    ) -> None:
        is_excel = issubclass(form, ExcelItalianWriter)
        self._writer = writer = form([*COLUMNS, EXACT] if is_excel else COLUMNS)
        self.ending, self.content_type = writer.ending, writer.content_type
        self.head, self.broken = writer.head, writer.broken
        self._exact = _utc() if is_excel else None
        self._clock = Clock(get_current_timezone(), " ", _milli, "") if is_excel else _utc()
        self._number = _comma if is_excel else _point
        self._corrections = corrections
        self._begin = {one.pk: self._cells([one.pk, str(one), one.unit]) + writer.delimiter for one in sensors}
        words = {False: "false", True: "true"}
        self._end = [
            writer.delimiter.join(
                ["", words[flags & ReadingFlag.OWN_TIME > 0], words[flags & ReadingFlag.UNCERTAIN > 0]]
            )
            + (writer.delimiter if is_excel else "\r\n")
            for flags in range(8)
        ]

    def block(self, rows: Iterable[HistoryTuple]) -> bytes:
        """Some readings."""
        clock, number, begin, end, apart = self._clock, self._number, self._begin, self._end, self._writer.delimiter
        exact = self._exact
        lines = []
        for sensor, time, _digest, received_at, raw, text, flags in rows:
            raw_cell = "" if raw is None else number(raw)
            rules = self._corrections.get(sensor)
            cell = raw_cell if rules is None or raw is None else number(rules.apply(time, raw))
            said = "" if text is None else self._cells([text])
            last = f"{exact(time)}\r\n" if exact else ""
            lines.append(
                f"{begin[sensor]}{clock(time)}{apart}{cell}{apart}{raw_cell}{apart}{said}{apart}"
                f"{clock(received_at)}{end[flags & 7]}{last}"
            )
        return "".join(lines).encode("utf-8", "replace")

    def _cells(self, cells: list[Any]) -> str:
        return self._writer.block([cells]).decode().removesuffix("\r\n")


class JsonReadings:
    """Readings as JSON lines."""

    def __init__(self, sensors: Sequence[SensorDevice], corrections: dict[int, Corrections]) -> None:
        writer = JsonWriter(COLUMNS)
        self.ending, self.content_type = writer.ending, writer.content_type
        self.head, self.broken = writer.head, writer.broken
        self._clock = _utc()
        self._corrections = corrections
        named = {one.pk: _json({"sensor": one.pk, "name": str(one), "unit": one.unit}) for one in sensors}
        self._begin = {pk: f'{text[:-1]},"time":"' for pk, text in named.items()}
        said = [
            _json({"own_time": flags & ReadingFlag.OWN_TIME > 0, "uncertain": flags & ReadingFlag.UNCERTAIN > 0})
            for flags in range(8)
        ]
        self._end = [f'",{text[1:]}\n' for text in said]

    def block(self, rows: Iterable[HistoryTuple]) -> bytes:
        """Some readings."""
        clock, begin, end, corrections = self._clock, self._begin, self._end, self._corrections
        lines = []
        for sensor, time, _digest, received_at, raw, text, flags in rows:
            said = "null" if raw is None or not isfinite(raw) else repr(raw)
            rules = corrections.get(sensor)
            shown = said if rules is None or raw is None or said == "null" else repr(rules.apply(time, raw))
            words = "null" if text is None else _json(text)
            lines.append(
                f'{begin[sensor]}{clock(time)}","value":{shown},"raw_value":{said},"text":{words},"received_at":"'
                f"{clock(received_at)}{end[flags & 7]}"
            )
        return "".join(lines).encode("utf-8", "replace")


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def readings_writer(
    form: type[CsvWriter | JsonWriter], sensors: Sequence[SensorDevice], corrections: dict[int, Corrections]
) -> CsvReadings | JsonReadings:
    """The writer of readings for one of the forms."""
    if issubclass(form, JsonWriter):
        return JsonReadings(sensors, corrections)
    return CsvReadings(form, sensors, corrections)
