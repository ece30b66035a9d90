"""The history as a file: CSV or JSON lines in one answer, asked for by `format` or by the header Accept."""

from datetime import datetime
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework.request import Request

from mqtt.api.views.buckets import COLUMNS, BucketRow, bucket_rows
from mqtt.api.wire import JSONRenderer
from mqtt.charts.windows import read_moment
from mqtt.exports.readings import readings_writer
from mqtt.exports.rows import Rows, reading_rows
from mqtt.exports.stream import Export, answer, file_name_part
from mqtt.exports.writers import CsvWriter, JsonWriter
from mqtt.models import SensorDevice
from mqtt.services.corrections import corrections_of


class CsvRenderer(JSONRenderer):
    """Says that CSV can be had; it is written by `mqtt.exports`."""

    media_type = "text/csv"
    format = CsvWriter.name


class JsonLinesRenderer(JSONRenderer):
    """The same for JSON lines."""

    media_type = JsonWriter.content_type
    format = JsonWriter.name


def history_file(
    request: Request,
    column: str,
    owner: Any,
    writer: type[CsvWriter | JsonWriter],
    level: int,
    start: datetime | None,
    end: datetime | None,
) -> StreamingHttpResponse:
    """The readings of a sensor, or of all sensors of a datalogger, or their spans."""
    name = f"{owner}-{'-'.join(file_name_part(one) for one in (start, end) if one)}"
    if level:
        export = Export(name, _spans(bucket_rows(column, owner, level, start, end)), writer(COLUMNS))
    else:
        sensors = list(SensorDevice.objects.filter(**{column: owner.pk}).order_by("pk"))
        lines = readings_writer(writer, sensors, corrections_of([sensor.pk for sensor in sensors]))
        export = Export(name, reading_rows(sensors, start, end), lines)
    return answer(request._request, export)  # noqa: SLF001 - no public way


def _spans(found: list[BucketRow]) -> Rows:
    """Times are times again, for forms that write them in another way."""
    if found:
        yield [[row[2]["sensor"], read_moment("time", row[2]["time"]), *list(row[2].values())[2:]] for row in found]
