"""What a chart shows of some sensors in a window: their series, and what happened to them. For pages and API alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from mqtt.charts.windows import Window, machine
from mqtt.enums import NodeKind
from mqtt.models import Note, SensorDevice, StatusChange
from mqtt.permissions import User, visible_to
from mqtt.services import history
from mqtt.services.corrections import corrections_of
from mqtt.services.history.counters import COUNTING, rate_unit
from mqtt.templatetags.console import status_word

MOST_SENSORS = 12
"""Lines of one chart: more cannot be told apart."""
MOST_POINTS = 4000
USUAL_POINTS = 800
MOST_MARKS = 200
RATE_LEAST = 60
"""Seconds over which a rate is taken at least: a meter that counts in tenths would jump between nothing and a lot."""


@dataclass(frozen=True, slots=True)
class Line:
    """One sensor of a chart; `unit` is what its values are shown in, which for a rate is not the sensor's."""

    sensor: SensorDevice
    unit: str
    is_rate: bool
    series: history.Series

    def as_json(self) -> dict[str, Any]:
        """As the API answers: `lows` and `highs` only where a point stands for several readings."""
        series = self.series
        return {
            "id": self.sensor.pk,
            "name": str(self.sensor),
            "unit": self.unit,
            "is_rate": self.is_rate,
            "step": series.step,
            "times": series.times,
            "values": series.values,
            "lows": series.lows if series.step and not self.is_rate else None,
            "highs": series.highs if series.step and not self.is_rate else None,
            "counts": series.counts,
        }


def is_counter(sensor: SensorDevice) -> bool:
    """Whether it counts up, so that what it counts an hour says more than how far it has come."""
    return sensor.kind in COUNTING


def read_sensors(given: Iterable[str]) -> list[int]:
    """The ids of `sensors=1,2&sensors=3`, each once. Raises ValidationError."""
    names = [name.strip() for one in given for name in one.split(",") if name.strip()]
    if any(not (name.isascii() and name.isdecimal() and len(name) <= 18) for name in names):
        raise ValidationError({"sensors": _("Write the ids of sensors with commas between them.")})
    found = list(dict.fromkeys(int(name) for name in names))
    if len(found) > MOST_SENSORS:
        most = {"most": MOST_SENSORS}
        raise ValidationError({"sensors": _("At most %(most)d sensors can be drawn at once.") % most})
    return found


def sensors_of(user: User, pks: Sequence[int]) -> list[SensorDevice]:
    """These sensors in this order. Raises ValidationError for those that this user does not see."""
    found: dict[int, SensorDevice] = visible_to(user, SensorDevice.objects.select_related("datalogger")).in_bulk(pks)
    missing = [str(pk) for pk in pks if pk not in found]
    if missing:
        sentence = _("There is no such sensor, or no longer: %(ids)s.") % {"ids": ", ".join(missing)}
        raise ValidationError({"sensors": sentence})
    return [found[pk] for pk in pks]


def lines(sensors: Sequence[SensorDevice], window: Window, points: int, *, as_rate: bool) -> list[Line]:
    """The history of sensors in a window, for so many pixels; `as_rate`: counters as what they count an hour."""
    rates = {sensor.pk for sensor in sensors if as_rate and is_counter(sensor)}
    if rates:
        points = min(points, max(1, (window.end_us - window.start_us) // (RATE_LEAST * 1_000_000)))
    pks = [sensor.pk for sensor in sensors]
    found = history.series(
        pks, window.start_us, window.end_us, points, as_rate=rates, corrections=corrections_of(pks)
    )  # fmt: skip
    return [
        Line(
            sensor, rate_unit(sensor.unit) if sensor.pk in rates else sensor.unit, sensor.pk in rates, found[sensor.pk]
        )
        for sensor in sensors
    ]


def marks(sensors: Sequence[SensorDevice], window: Window) -> list[dict[str, Any]]:
    """What happened to these sensors and to what they hang on in a window, the oldest first. Wants `datalogger`."""
    gateways = {sensor.datalogger.gateway_id for sensor in sensors if sensor.datalogger.gateway_id}
    about = Q(kind=NodeKind.SENSOR, object_id__in=[sensor.pk for sensor in sensors])
    about |= Q(kind=NodeKind.DATALOGGER, object_id__in={sensor.datalogger_id for sensor in sensors})
    about |= Q(kind=NodeKind.CONNECTION, object_id__in={sensor.connection_id for sensor in sensors})
    about |= Q(kind=NodeKind.GATEWAY, object_id__in=gateways)
    during = {"at__gte": window.start, "at__lt": window.end}
    changes = StatusChange.objects.filter(about, **during)[:MOST_MARKS]
    notes = Note.objects.filter(about, **during)[:MOST_MARKS]
    found = [*map(_mark_of_change, changes), *map(_mark_of_note, notes)]
    return sorted(found, key=lambda mark: str(mark["at"]))


def _mark_of_change(change: StatusChange) -> dict[str, Any]:
    title = _("%(name)s: %(status)s") % {"name": change.label, "status": status_word(change.to_status)}
    return _mark(change.at, "status", change.to_status, title, change.reason_detail)


def _mark_of_note(note: Note) -> dict[str, Any]:
    return _mark(note.at, "note", "", _("Note of %(name)s") % {"name": note.author_name}, note.text)


def _mark(at: datetime, kind: str, status: str, title: str, text: str) -> dict[str, Any]:
    return {"at": machine(at), "kind": kind, "status": status, "title": title, "text": text}
