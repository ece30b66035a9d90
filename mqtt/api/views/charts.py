"""What the console's charts are drawn from, for programs as well."""

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from mqtt.api.pagination import whole_number
from mqtt.api.serializers.charts import ChartSerializer
from mqtt.api.views.base import refuse_unknown
from mqtt.charts import contents
from mqtt.charts.windows import USUAL, machine, read_window

PARAMETERS = ("sensors", "from", "to", "last", "points", "rate", "format")


class ChartView(APIView):
    """Series of several sensors, each point a pixel, with their lowest and highest values, gaps and events."""

    @extend_schema(
        operation_id="mqtt_charts_retrieve",
        responses=ChartSerializer,
        parameters=[
            OpenApiParameter(
                "sensors", str, required=True, description=f"Ids with commas, at most {contents.MOST_SENSORS}."
            ),
            OpenApiParameter("from", str, description="From this time on, included (ISO 8601)."),
            OpenApiParameter("to", str, description="Until this time (ISO 8601); usually now."),
            OpenApiParameter("last", str, description=f"Instead of both: 30m, 6h, 7d, 1y; usually {USUAL}."),
            OpenApiParameter(
                "points",
                int,
                description=f"How many points a line may have, 1 to {contents.MOST_POINTS}; usually "
                f"{contents.USUAL_POINTS}. Zoomed in so far that a point is less than ten seconds, all readings come.",
            ),
            OpenApiParameter("rate", bool, description="Counters as what they count an hour."),
        ],
    )
    def get(self, request: Request) -> Response:
        """Sensors that do not exist, or not for this user, are a field error."""
        refuse_unknown(request, PARAMETERS)
        params = request.query_params
        points = whole_number(request, "points", contents.USUAL_POINTS, contents.MOST_POINTS)
        rate = params.get("rate", "").strip().lower()
        if rate not in {"", "true", "false", "1", "0"}:
            raise ValidationError({"rate": _("Write true or false.")})
        pks = contents.read_sensors(params.getlist("sensors"))
        if not pks:
            raise ValidationError({"sensors": _("Name at least one sensor by its id.")})
        window = read_window(params, timezone.now())
        sensors = contents.sensors_of(request.user, pks)
        lines = contents.lines(sensors, window, points, as_rate=rate in {"true", "1"})
        answer = {
            "start": machine(window.start),
            "end": machine(window.end),
            "sensors": [line.as_json() for line in lines],
        }
        return Response({**answer, "marks": contents.marks(sensors, window)})
