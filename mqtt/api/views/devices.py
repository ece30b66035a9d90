"""Gateways, dataloggers and sensors, and the history of the last two."""

from datetime import datetime
from typing import Any, ClassVar, Literal

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import UpdateModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.viewsets import ReadOnlyModelViewSet

from mqtt.api.access import actor
from mqtt.api.pagination import MAX_PAGE_SIZE, PAGE_SIZE, Cursor, read_cursor, whole_number
from mqtt.api.serializers.devices import (
    BucketsSerializer,
    DataloggerSerializer,
    GatewaySerializer,
    ReadingSerializer,
    ReadingsSerializer,
    SensorSerializer,
)
from mqtt.api.views.base import VisibleMixin, refuse_unknown
from mqtt.api.views.buckets import BUCKETS, MOST_BUCKETS, bucket_page, read_bucket
from mqtt.api.views.device_care import CareMixin, NodeCareMixin
from mqtt.api.views.files import CsvRenderer, JsonLinesRenderer, history_file
from mqtt.api.wire import JSONRenderer
from mqtt.charts.windows import read_moment
from mqtt.exports.writers import WRITERS
from mqtt.filters import DataloggerFilter, GatewayFilter, SensorFilter
from mqtt.models import WITH_CORRECTIONS, Datalogger, Gateway, SensorDevice, to_us
from mqtt.services import history
from mqtt.services.corrections import corrections_of
from mqtt.services.places import update_device

AVAILABILITY = {"availability": "effective_availability", "last_seen_at": "state__last_seen_at"}

METHODS = ("get", "post", "patch", "delete", "head", "options")

HISTORY = extend_schema(
    responses={
        (200, "application/json"): PolymorphicProxySerializer("History", [ReadingsSerializer, BucketsSerializer], None),
        (200, "text/csv"): OpenApiTypes.STR,
        (200, "application/x-ndjson"): OpenApiTypes.STR,
    },
    parameters=[
        OpenApiParameter("start", datetime, description="From this time on, included (ISO 8601)."),
        OpenApiParameter("end", datetime, description="Until this time, included (ISO 8601)."),
        OpenApiParameter("cursor", str, description="Take it from `next`."),
        OpenApiParameter("page_size", int, description=f"1 to {MAX_PAGE_SIZE}, usually {PAGE_SIZE}."),
        OpenApiParameter("bucket", str, enum=["raw", *BUCKETS], description="Usually raw: every reading."),
    ],
    filters=False,
    description="Newest first: raw readings, or with `bucket` the lowest, highest, mean, first and last of spans. "
    f"Spans of whole days are days in UTC; an answer in spans covers at most {MOST_BUCKETS} of them. As CSV or JSON "
    "lines everything from `start` to `end` comes in one answer without pages, however long it is.",
)
PARAMETERS = ("start", "end", "cursor", "page_size", "bucket", "format")


class HistoryMixin:
    """`<pk>/readings/` of a sensor, or of all sensors of a datalogger."""

    history_column: ClassVar[Literal["id", "datalogger_id"]]

    @HISTORY
    @action(
        methods=["get"], detail=True, filter_backends=(), pagination_class=None,
        renderer_classes=(JSONRenderer, CsvRenderer, JsonLinesRenderer),
    )  # fmt: skip
    def readings(self, request: Request, pk: str) -> Any:
        """One page of history, or all of it as a file."""
        owner = self.get_object()  # type: ignore[attr-defined]
        refuse_unknown(request, PARAMETERS)
        size = whole_number(request, "page_size", PAGE_SIZE, MAX_PAGE_SIZE)
        start, end = (read_moment(name, request.query_params.get(name, "")) for name in ("start", "end"))
        if start and end and end < start:
            raise ValidationError({"end": [_("The end lies before the start.")]})
        level = read_bucket(request)
        if request.accepted_renderer.format in WRITERS:
            writer = WRITERS[request.accepted_renderer.format]
            return history_file(request, self.history_column, owner, writer, level, start, end)
        if level:
            return Response(bucket_page(request, self.history_column, owner, level, start, end, size))
        found = history.readings(
            self.history_column,
            owner.pk,
            start_us=to_us(start) if start else None,
            end_us=to_us(end) if end else None,
            behind=read_cursor(request),
            limit=size + 1,
        )
        following = None
        if len(found) > size:
            cursor = Cursor(*history.cursor_of(found[size - 1])).text()
            following = replace_query_param(request.build_absolute_uri(), "cursor", cursor)
        context = {"corrections": corrections_of({row.sensor_id for row in found[:size]})}
        results = ReadingSerializer(found[:size], many=True, context=context).data
        return Response({"next": following, "results": results})

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """An error is JSON also where a file was asked for."""
        if isinstance(response, Response) and getattr(request, "accepted_renderer", None) is not None:
            request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
        return super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]


class ByHandMixin(UpdateModelMixin):
    """PATCH of what people write about a device; everything else it says itself."""

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Through the service; answers with the whole device."""
        device = self.get_object()  # type: ignore[attr-defined]
        serializer = self.get_serializer(device, data=request.data, partial=True)  # type: ignore[attr-defined]
        serializer.is_valid(raise_exception=True)
        for name, value in serializer.validated_data.items():
            setattr(device, name, value)
        update_device(actor(request), device, serializer.validated_data)
        return Response(self.get_serializer(self.get_object()).data)  # type: ignore[attr-defined]


class GatewayViewSet(NodeCareMixin, ByHandMixin, VisibleMixin, ReadOnlyModelViewSet):
    """Gateways that were heard."""

    rows = Gateway.objects.with_availability().select_related("state", "rhythm").defer("rhythm__memory")
    listed = Gateway.objects.all()
    queryset = Gateway.objects.none()
    serializer_class = GatewaySerializer
    filterset_class = GatewayFilter
    ordering_fields: tuple[str, ...] = ("id", "identifier", "label", "availability", "last_seen_at", "created_at")
    ordering_aliases = AVAILABILITY
    ordering = ("identifier",)
    lookup_value_regex = "[0-9]{1,18}"
    http_method_names = METHODS


class DataloggerViewSet(HistoryMixin, NodeCareMixin, ByHandMixin, VisibleMixin, ReadOnlyModelViewSet):
    """Dataloggers that were heard."""

    rows = Datalogger.objects.with_availability().select_related("state", "gateway", "rhythm").defer("rhythm__memory")
    listed = Datalogger.objects.all()
    queryset = Datalogger.objects.none()
    serializer_class = DataloggerSerializer
    filterset_class = DataloggerFilter
    ordering_fields = GatewayViewSet.ordering_fields
    ordering_aliases = AVAILABILITY
    ordering = ("identifier",)
    lookup_value_regex = "[0-9]{1,18}"
    http_method_names = METHODS
    history_column = "datalogger_id"


NOT_SAID = (
    "key", "site", "connection", "model", "firmware", "facts", "expected_interval", "created_at", "accepted_at"
)  # fmt: skip
"""Of a sensor's datalogger: a third of the time that reading a sensor takes."""


class SensorViewSet(HistoryMixin, CareMixin, ByHandMixin, VisibleMixin, ReadOnlyModelViewSet):
    """Sensors with their current values."""

    rows = (
        SensorDevice.objects.with_availability()
        .select_related("state", "datalogger", "rhythm")
        .defer("rhythm__memory", *(f"datalogger__{name}" for name in NOT_SAID))
        .prefetch_related(WITH_CORRECTIONS)
    )
    listed = SensorDevice.objects.all()
    queryset = SensorDevice.objects.none()
    serializer_class = SensorSerializer
    filterset_class = SensorFilter
    ordering_fields = (
        "id", "name", "label", "unit", "kind", "last_value", "last_reading_at", "availability", "last_seen_at",
        "created_at",
    )  # fmt: skip
    ordering_aliases = {**AVAILABILITY, "last_value": "state__value", "last_reading_at": "state__time"}
    ordering = ("name",)
    lookup_value_regex = "[0-9]{1,18}"
    http_method_names = METHODS
    history_column = "id"
