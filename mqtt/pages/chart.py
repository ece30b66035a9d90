"""The chart on the pages of a sensor, a datalogger and a gateway: its sensors, its window, and the same as a table."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mqtt.charts import contents
from mqtt.charts.windows import USUAL, Window, last, machine, read_window
from mqtt.corrections import NONE
from mqtt.models import Gateway, Reading, SensorDevice, SensorState, from_us, to_us
from mqtt.pages.base import Part, Shown
from mqtt.permissions import User, visible_to
from mqtt.presentation import formats
from mqtt.services.corrections import corrections_of
from mqtt.validators import EARLIEST, LATEST

OFFERED = 60
"""Sensors to choose from; more are on the list of sensors."""
DRAWN = 4
"""Sensors that are drawn while nobody has chosen."""
OF_ITSELF = frozenset(("battery", "voltage", "signal", "signal_strength", "duration"))
"""Kinds of what a device mostly measures of itself."""
TABLE_POINTS = 100
MOST_ROWS = 500
SPANS: tuple[tuple[str, Any, Any], ...] = (
    ("1h", _("1 h"), _("1 hour")),
    ("6h", _("6 h"), _("6 hours")),
    ("24h", _("24 h"), _("24 hours")),
    ("7d", _("7 d"), _("7 days")),
    ("30d", _("30 d"), _("30 days")),
    ("1y", _("1 y"), _("1 year")),
)
OURS = ("last", "from", "to", "sensors", "rate", "table")
"""The chart's own parameters of a page."""


@dataclass
class Panel:
    """What the template of a chart needs; `error` is a sentence about what an address asked wrongly."""

    window: Window
    offered: list[SensorDevice]
    chosen: list[SensorDevice]
    as_rate: bool = False
    error: str = ""
    params: QueryDict = field(default_factory=QueryDict)
    table: dict[str, Any] | None = None

    def url(self, **changes: str) -> str:
        """This page with other parameters of the chart; an empty one is left out."""
        query = self.params.copy()
        if changes.keys() & {"last", "from", "to"}:
            for name in ("last", "from", "to"):
                query.pop(name, None)
        for name, value in changes.items():
            query.pop(name, None)
            if value:
                query[name] = value
        return f"?{query.urlencode()}#chart"

    @property
    def spans(self) -> list[dict[str, Any]]:
        """Links to the usual windows."""
        return [
            {
                "name": name,
                "label": label,
                "title": title,
                "url": self.url(last=name),
                "is_current": self.window.last == name,
            }
            for name, label, title in SPANS
        ]

    @property
    def steps(self) -> dict[str, str]:
        """Links to the windows before, behind, nearer and wider."""
        start, end = self.window.start_us, self.window.end_us
        quarter = max(1000, (end - start) // 4)
        moves = {
            "earlier": (start - 2 * quarter, end - 2 * quarter),
            "later": (start + 2 * quarter, end + 2 * quarter),
            "nearer": (start + quarter, end - quarter),
            "wider": (start - 2 * quarter, end + 2 * quarter),
        }
        earliest, latest = to_us(EARLIEST), to_us(LATEST)
        return {
            name: self.url(**{"from": _machine(max(since, earliest)), "to": _machine(min(until, latest))})
            for name, (since, until) in moves.items()
        }

    @property
    def others(self) -> list[tuple[str, str]]:
        """Parameters that a form for the window keeps."""
        return self._kept("last", "from", "to")

    @property
    def window_fields(self) -> list[tuple[str, str]]:
        """Parameters that a form for the sensors keeps."""
        return self._kept("sensors")

    def _kept(self, *left_out: str) -> list[tuple[str, str]]:
        names = [name for name in self.params if name in OURS and name not in left_out]
        return [(name, value) for name in names for value in self.params.getlist(name)]

    @property
    def several_owners(self) -> bool:
        """Whether the sensors' names alone do not say which are meant."""
        return len({one.datalogger_id for one in self.offered}) > 1

    @property
    def counters(self) -> bool:
        """Whether one of the lines counts up."""
        return any(contents.is_counter(one) for one in self.chosen)

    @property
    def toggles(self) -> dict[str, str]:
        """Links that turn rates and the table on and off."""
        table = "" if self.table else "1"
        return {"rate": self.url(rate="" if self.as_rate else "1"), "table": self.url(table=table)}


def panel(user: User, obj: Any, params: QueryDict) -> Panel | None:
    """The chart of a page; None where no sensor of it measures numbers."""
    offered = offered_by(user, obj)
    if not offered:
        return None
    now, error = timezone.now(), ""
    window, chosen = last(USUAL, now), _first(offered)
    try:
        window = read_window(params, now)
        chosen = _chosen(offered, params)
        if not any(params.get(name) for name in ("last", "from", "to")):
            window = last(_known(chosen, now), now)
    except ValidationError as found:
        error = " ".join(found.messages)
    made = Panel(window, offered, chosen, params.get("rate") == "1", error, params)
    if params.get("table") == "1":
        made.table = table_of(made)
    return made


def _known(chosen: list[SensorDevice], now: datetime) -> str:
    """The shortest of the offered windows, up to the usual one, that shows all that is known of new sensors."""
    known = min(one.created_at for one in chosen)
    for name, long in (("1h", timedelta(hours=1)), ("6h", timedelta(hours=6))):
        if known > now - long:
            older = {"time__gte": now - timedelta(days=1), "time__lt": now - long}
            brought = Reading.objects.filter(sensor_id__in=[one.pk for one in chosen], **older).exists()
            return USUAL if brought else name
    return USUAL


def offered_by(user: User, obj: Any) -> list[SensorDevice]:
    """The sensors that this page can draw: those that said a number last."""
    found = visible_to(user, SensorDevice.objects.filter(state__value__isnull=False)).select_related("datalogger")
    if isinstance(obj, SensorDevice):
        return list(found.filter(pk=obj.pk))
    if isinstance(obj, Gateway):
        return list(found.filter(datalogger__gateway=obj).order_by("datalogger__identifier", "name", "pk")[:OFFERED])
    return list(found.filter(datalogger=obj).order_by("name", "pk")[:OFFERED])


def _first(offered: list[SensorDevice]) -> list[SensorDevice]:
    """What is measured outside says more than counters, batteries and radio signals."""
    return sorted(offered, key=lambda one: (one.kind in OF_ITSELF, contents.is_counter(one), not one.unit))[:DRAWN]


def _chosen(offered: list[SensorDevice], params: QueryDict) -> list[SensorDevice]:
    wanted = contents.read_sensors(params.getlist("sensors"))
    by_pk = {one.pk: one for one in offered}
    return [by_pk[pk] for pk in wanted if pk in by_pk] or _first(offered)


def points(shown: Shown) -> dict[str, Any]:
    """The newest value of each line, which the browser appends."""
    try:
        chosen = _chosen(offered_by(shown.user, shown.object), shown.params)
    except ValidationError:
        chosen = _first(offered_by(shown.user, shown.object))
    given = corrections_of([one.pk for one in chosen])
    states = SensorState.objects.filter(pk__in=chosen).order_by("pk").values_list("pk", "time", "value")
    newest = [(pk, at, value) for pk, at, value in states if at is not None and value is not None]
    return {"points": [(pk, at, given.get(pk, NONE).apply(to_us(at), value)) for pk, at, value in newest]}


POINTS_PART = Part("chart-points", "mqtt/parts/_chart_points.html", points, element="ul")


def table_of(made: Panel) -> dict[str, Any]:
    """What the chart shows as rows, the newest first."""
    lines = contents.lines(made.chosen, made.window, TABLE_POINTS, as_rate=made.as_rate)
    rows: dict[float, dict[int, dict[str, str]]] = defaultdict(dict)
    for place, line in enumerate(lines):
        series = line.series
        for at, value, low, high, count in zip(
            series.times, series.values, series.lows, series.highs, series.counts, strict=True
        ):
            if value is not None:
                begin = at // series.step * series.step if series.step else at
                rows[begin][place] = _cell(line, value, low, high, count)
    times = sorted(rows, reverse=True)
    return {
        "lines": lines,
        "step": lines[0].series.step,
        "rows": [(_moment(at), [rows[at].get(place) for place in range(len(lines))]) for at in times[:MOST_ROWS]],
        "left_out": max(0, len(times) - MOST_ROWS),
        "marks": list(reversed(contents.marks(made.chosen, made.window))),
    }


def _cell(line: contents.Line, value: float, low: float | None, high: float | None, count: int) -> dict[str, str]:
    decimals = None if line.is_rate else line.sensor.decimals
    shown = _rounded(value) if line.series.step and decimals is None else value
    cell = {"value": formats.number(shown, decimals), "machine": formats.machine(value)}
    if line.series.step and not line.is_rate and count > 1 and low is not None and high is not None and low != high:
        cell |= {"low": formats.number(low, decimals), "high": formats.number(high, decimals)}
    return cell


def _rounded(value: float) -> float:
    """A mean has more digits than anybody measured; whole ones all count."""
    return float(f"{value:.{max(5, len(str(int(min(abs(value), 1e15)))) + 1)}g}")


def _machine(moment_us: int) -> str:
    return machine(from_us(moment_us))


def _moment(seconds: float) -> datetime:
    return from_us(round(seconds * 1_000_000))
