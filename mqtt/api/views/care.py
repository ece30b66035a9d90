"""Notes, corrections and mappings: read by everybody, written through the services."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from mqtt.api.access import actor
from mqtt.api.serializers.care import CorrectionSerializer, MappingSerializer, NoteSerializer
from mqtt.api.views.base import VisibleMixin
from mqtt.filters import CorrectionFilter, MappingFilter, NoteFilter
from mqtt.models import Mapping, Note, SensorCorrection
from mqtt.permissions import OPERATE
from mqtt.services import mappings, notes
from mqtt.services.corrections import add_correction, remove_correction

METHODS = ("get", "post", "patch", "delete", "head", "options")


class WrittenMixin(mixins.CreateModelMixin, mixins.DestroyModelMixin):
    """Answers a PATCH with the whole thing."""

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Check, then store through `perform_update`."""
        thing = self.get_object()  # type: ignore[attr-defined]
        serializer = self.get_serializer(thing, data=request.data, partial=True)  # type: ignore[attr-defined]
        serializer.is_valid(raise_exception=True)
        for name, value in serializer.validated_data.items():
            setattr(thing, name, value)
        self.perform_change(thing)
        return Response(self.get_serializer(self.get_object()).data)  # type: ignore[attr-defined]

    def perform_change(self, thing: Any) -> None:
        """Store what was set."""
        raise Http404


@extend_schema_view(
    create=extend_schema(description="Writes a note. Operators may."),
    partial_update=extend_schema(description="Another time or text; only by its author or an administrator."),
)
class NoteViewSet(WrittenMixin, VisibleMixin, ReadOnlyModelViewSet):
    """Notes on connections, sites, gateways, dataloggers and sensors; the newest first."""

    rows = Note.objects.all()
    queryset = Note.objects.none()
    serializer_class = NoteSerializer
    filterset_class = NoteFilter
    ordering_fields = ("id", "at", "created_at")
    ordering = ("-at",)
    lookup_value_regex = "[0-9]{1,18}"
    http_method_names = METHODS
    rights = dict.fromkeys(("create", "partial_update", "destroy"), OPERATE)

    def get_object(self) -> Any:
        """Who writes must be its author, or an administrator."""
        note = super().get_object()
        if self.request.method in {"PATCH", "DELETE"} and not notes.may_change(self.request.user, note):
            raise PermissionDenied
        return note

    def perform_create(self, serializer: Any) -> None:
        """Through the service."""
        serializer.instance = notes.add_note(actor(self.request), serializer.validated_data["note"])

    def perform_change(self, thing: Any) -> None:
        """Through the service."""
        notes.change_note(actor(self.request), thing)

    def perform_destroy(self, instance: Any) -> None:
        """Through the service."""
        notes.delete_note(actor(self.request), instance)


@extend_schema_view(
    create=extend_schema(description="From then on values are shown corrected; what the device said stays stored."),
    destroy=extend_schema(description="Takes the correction back: the one before it holds on."),
)
class CorrectionViewSet(
    mixins.CreateModelMixin,
    mixins.DestroyModelMixin,
    VisibleMixin,
    mixins.RetrieveModelMixin,
    mixins.ListModelMixin,
    GenericViewSet,
):
    """Corrections of sensors; never changed, only written and taken back."""

    rows = SensorCorrection.objects.filter(sensor__connection__deleted_at=None)
    queryset = SensorCorrection.objects.none()
    serializer_class = CorrectionSerializer
    filterset_class = CorrectionFilter
    ordering_fields = ("id", "valid_from", "created_at")
    ordering = ("-valid_from",)
    lookup_value_regex = "[0-9]{1,18}"

    def perform_create(self, serializer: Any) -> None:
        """Through the service."""
        correction = SensorCorrection(**serializer.validated_data)
        serializer.instance = add_correction(actor(self.request), correction)

    def perform_destroy(self, instance: Any) -> None:
        """Through the service."""
        remove_correction(actor(self.request), instance)


class MappingViewSet(WrittenMixin, VisibleMixin, ReadOnlyModelViewSet):
    """Mappings and rules that leave topics aside."""

    rows = Mapping.objects.all()
    queryset = Mapping.objects.none()
    serializer_class = MappingSerializer
    filterset_class = MappingFilter
    ordering_fields = ("id", "name", "topic_pattern", "created_at")
    ordering = ("name",)
    lookup_value_regex = "[0-9]{1,18}"
    http_method_names = METHODS

    def perform_create(self, serializer: Any) -> None:
        """Through the service."""
        serializer.instance = mappings.save_mapping(actor(self.request), Mapping(**serializer.validated_data))

    def perform_change(self, thing: Any) -> None:
        """Through the service."""
        mappings.save_mapping(actor(self.request), thing)

    def perform_destroy(self, instance: Any) -> None:
        """Through the service."""
        mappings.delete_mapping(actor(self.request), instance)
