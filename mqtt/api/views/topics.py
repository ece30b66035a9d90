"""Topics and messages that were not understood."""

from typing import Any

from rest_framework.viewsets import ReadOnlyModelViewSet

from mqtt.api.serializers.topics import (
    TopicDetailSerializer,
    TopicSerializer,
    UndecodedDetailSerializer,
    UndecodedSerializer,
)
from mqtt.api.views.base import VisibleMixin
from mqtt.filters import TopicFilter, UndecodedFilter
from mqtt.models import DiscoveredTopic, UndecodedMessage


class TopicViewSet(VisibleMixin, ReadOnlyModelViewSet):
    """Topics that were heard; one alone comes with its last payload."""

    rows = DiscoveredTopic.objects.defer("last_payload")
    listed = DiscoveredTopic.objects.all()
    queryset = DiscoveredTopic.objects.none()
    filterset_class = TopicFilter
    ordering_fields = ("id", "topic", "last_seen_at", "first_seen_at", "message_count", "undecoded_count")
    ordering = ("topic",)
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> Any:
        """Payloads are left out of lists."""
        found = super().get_queryset()
        return found.defer(None) if self.action == "retrieve" else found

    def get_serializer_class(self) -> Any:
        """With the payload for one alone."""
        return TopicDetailSerializer if self.action == "retrieve" else TopicSerializer


class UndecodedViewSet(VisibleMixin, ReadOnlyModelViewSet):
    """Messages that no decoder understood; one alone comes with its content."""

    rows = UndecodedMessage.objects.all()
    queryset = UndecodedMessage.objects.none()
    filterset_class = UndecodedFilter
    ordering_fields = ("id", "received_at", "topic", "size", "reason")
    ordering = ("-received_at",)
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> Any:
        """Payloads are left out of lists."""
        found = super().get_queryset()
        return found if self.action == "retrieve" else found.defer("payload")

    def get_serializer_class(self) -> Any:
        """With the payload for one alone."""
        return UndecodedDetailSerializer if self.action == "retrieve" else UndecodedSerializer
