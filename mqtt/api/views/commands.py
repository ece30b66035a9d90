"""What was published."""

from typing import Any

from rest_framework.viewsets import ReadOnlyModelViewSet

from mqtt.api.serializers.commands import CommandDetailSerializer, CommandSerializer
from mqtt.api.views.base import VisibleMixin
from mqtt.filters import CommandFilter
from mqtt.models import Command


class CommandViewSet(VisibleMixin, ReadOnlyModelViewSet):
    """Messages that people and programs published, newest first; one alone comes with its content."""

    rows = Command.objects.with_effective_state()
    queryset = Command.objects.none()
    filterset_class = CommandFilter
    ordering_fields = ("id", "requested_at", "finished_at", "topic", "state", "actor")
    ordering_aliases = {"state": "effective_state"}
    ordering = ("-requested_at",)
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> Any:
        """Contents are left out of lists."""
        found = super().get_queryset()
        return found if self.action == "retrieve" else found.defer("payload")

    def get_serializer_class(self) -> Any:
        """With the content for one alone."""
        return CommandDetailSerializer if self.action == "retrieve" else CommandSerializer
