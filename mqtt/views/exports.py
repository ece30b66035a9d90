"""Export of what a page shows: `export=csv` behind its own address gives its rows as a file."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from mqtt.charts.windows import Window, read_window
from mqtt.exports.columns import COLUMNS
from mqtt.exports.readings import readings_writer
from mqtt.exports.rows import MOST_COUNTED, count_readings, list_rows, queryset_rows, reading_rows
from mqtt.exports.stream import Export, answer, file_name_part
from mqtt.exports.writers import WRITERS, CsvWriter, JsonWriter
from mqtt.models import Datalogger, SensorDevice
from mqtt.models.reading import MICROSECOND
from mqtt.pages.list_page import ListPage
from mqtt.permissions import VIEW, visible_to
from mqtt.services.corrections import corrections_of
from mqtt.views.guard import needs

PARAMETER = "export"
SPANS = ("24h", "7d", "30d", "365d")


def wanted(request: HttpRequest) -> type[CsvWriter | JsonWriter] | None:
    """The form that is asked for; None: the page itself. Raises BadRequest for one that does not exist."""
    name = request.GET.get(PARAMETER)
    if name is None:
        return None
    if name not in WRITERS:
        raise BadRequest(f"There is no such form of an export. Known are: {', '.join(WRITERS)}.")
    return WRITERS[name]


def choices(request: HttpRequest, count: int, *, is_more: bool = False) -> dict[str, Any]:
    """What the export menu shows: how many rows it will be, and the address of each form."""
    params = request.GET.copy()
    params.pop("page", None)
    forms = []
    for writer in WRITERS.values():
        params[PARAMETER] = writer.name
        forms.append({"label": writer.label, "hint": writer.hint, "url": f"?{params.urlencode()}"})
    return {"count": count, "is_more": is_more, "forms": forms}


def list_export(request: HttpRequest, page: ListPage, writer: type[CsvWriter | JsonWriter]) -> HttpResponseBase:
    """All rows of a list with the filters and the order of its page."""
    table = page.table(page.filtered(request.user, request.GET).qs, order_by=request.GET.getlist("sort") or None)
    rows = list_rows(page.kind, request.user, table.data.data)
    name = f"{page.name}-{file_name_part(timezone.now())}"
    return answer(request, Export(name, rows, writer(list(COLUMNS[page.kind]))))


def audit_export(request: HttpRequest, entries: Any, writer: type[CsvWriter | JsonWriter]) -> HttpResponseBase:
    """All entries that the filters let through."""
    name = f"audit-{file_name_part(timezone.now())}"
    return answer(request, Export(name, queryset_rows("audit", entries), writer(list(COLUMNS["audit"]))))


@needs(VIEW)
@require_safe
def sensor_export(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The readings of a sensor."""
    sensor = get_object_or_404(visible_to(request.user, SensorDevice.objects.all()), pk=pk)
    return _readings(request, sensor, [sensor], "sensor-detail")


@needs(VIEW)
@require_safe
def datalogger_export(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The readings of all sensors of a datalogger."""
    datalogger = get_object_or_404(visible_to(request.user, Datalogger.objects.all()), pk=pk)
    return _readings(request, datalogger, list(datalogger.sensors.order_by("pk")), "datalogger-detail")


def _readings(request: HttpRequest, owner: Any, sensors: Sequence[SensorDevice], back: str) -> HttpResponseBase:
    writer, errors, window = wanted(request), {}, None
    try:
        window = _window(request)
    except ValidationError as error:
        errors = error.message_dict
    start, end = (window.start, window.end - MICROSECOND) if window else (None, None)
    if writer and not errors:
        lines = readings_writer(writer, sensors, corrections_of([sensor.pk for sensor in sensors]))
        return answer(request, Export(_name(owner, window), reading_rows(sensors, start, end), lines))
    count = 0 if errors else count_readings(sensors, start, end)
    context = {
        "owner": owner,
        "back": back,
        "errors": [sentence for sentences in errors.values() for sentence in sentences],
        "spans": SPANS,
        "window": window,
        "chosen": window.last if window else "all",
        "zone": timezone.get_current_timezone_name(),
        "export": choices(request, count, is_more=count >= MOST_COUNTED),
    }
    return render(request, "mqtt/export_readings.html", context, status=400 if errors else 200)


def _window(request: HttpRequest) -> Window | None:
    """What the address asks for; None: everything."""
    given = {name: request.GET.get(name, "") for name in ("last", "from", "to")}
    return read_window(given, datetime.now(UTC)) if any(given.values()) else None


def _name(owner: Any, window: Window | None) -> str:
    parts = [file_name_part(window.start), file_name_part(window.end)] if window else [file_name_part(timezone.now())]
    return "-".join([str(owner), *parts])
