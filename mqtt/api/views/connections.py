"""Connections and what can be done with them; every action is a service's."""

import time
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from mqtt.api.access import actor
from mqtt.api.serializers.commands import CommandSerializer, PublishSerializer
from mqtt.api.serializers.connections import ConnectionSerializer, ConnectionTestSerializer
from mqtt.api.views.base import VisibleMixin
from mqtt.enums import TaskState
from mqtt.filters import ConnectionFilter
from mqtt.models import ConnectionTest, MqttConnection
from mqtt.permissions import OPERATE, PUBLISH
from mqtt.services import connections
from mqtt.services.commands import request_publish

TEST_PATIENCE = 20.0
"""Seconds that a test call waits for its end; a test that goes on is asked for at its URL."""
POLL = 0.1
ENDED = (TaskState.DONE, TaskState.FAILED)

AS_IT_IS = extend_schema(request=None, responses={202: ConnectionSerializer})


@extend_schema_view(
    list=extend_schema(description="All connections, with their filters."),
    create=extend_schema(description="Makes a connection; when it is enabled it connects at once."),
    partial_update=extend_schema(
        description="Writes the named fields. `subscriptions` replaces all filters; left out, they stay."
    ),
)
class ConnectionViewSet(
    VisibleMixin,
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.ListModelMixin,
    GenericViewSet,
):
    """Connections."""

    rows = (
        MqttConnection.objects.with_effective_status()
        .select_related("site", "activity")
        .prefetch_related("subscriptions")
    )
    queryset = rows.none()
    serializer_class = ConnectionSerializer
    filterset_class = ConnectionFilter
    ordering_fields = ("id", "name", "host", "status", "last_connected_at", "last_message_at")
    ordering_aliases = {"status": "effective_status", "last_message_at": "activity__last_message_at"}
    ordering = ("name",)
    lookup_value_regex = "[0-9]{1,18}"
    http_method_names = ("get", "post", "patch", "delete", "head", "options")
    rights = {**dict.fromkeys(("enable", "disable", "resubscribe", "test"), OPERATE), "publish": PUBLISH}

    def perform_create(self, serializer: Any) -> None:
        """Through the service; without filters a connection takes everything."""
        values, filters, secrets = serializer.take()
        if not filters and values.get("is_enabled", True):
            raise serializers.ValidationError({"subscriptions": [_("Name at least one filter, for example #.")]})
        made = connections.create_connection(actor(self.request), MqttConnection(**values), filters or [], secrets)
        serializer.instance = self._fresh(made.pk)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer with the whole connection: a partial serializer would leave out what is empty."""
        super().partial_update(request, *args, **kwargs)
        return Response(self.get_serializer(self.get_object()).data)

    def perform_update(self, serializer: Any) -> None:
        """Through the service, with exactly the named fields."""
        values, filters, secrets = serializer.take()
        connection = serializer.instance
        for name, value in values.items():
            setattr(connection, name, value)
        connections.update_connection(actor(self.request), connection, values, filters, secrets)
        serializer.instance = self._fresh(connection.pk)

    @extend_schema(
        responses={204: OpenApiResponse(description="Deleted.")},
        description="The connection and all it brought are out of sight at once. The mqtt process ends its session "
        "with the broker and erases its data in the background.",
    )
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Out of sight at once, erased in the background."""
        connections.delete_connection(actor(request), self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @AS_IT_IS
    @action(methods=["post"], detail=True)
    def enable(self, request: Request, pk: str) -> Response:
        """Let it connect."""
        return self._done(connections.enable_connection(actor(request), self.get_object()))

    @AS_IT_IS
    @action(methods=["post"], detail=True)
    def disable(self, request: Request, pk: str) -> Response:
        """End its broker session; what is published meanwhile is not wanted."""
        return self._done(connections.disable_connection(actor(request), self.get_object()))

    @AS_IT_IS
    @action(methods=["post"], detail=True)
    def resubscribe(self, request: Request, pk: str) -> Response:
        """Subscribe to all of its filters again."""
        return self._done(connections.resubscribe_connection(actor(request), self.get_object()))

    @extend_schema(
        request=None,
        responses={200: ConnectionTestSerializer, 202: ConnectionTestSerializer},
        description="Tries DNS, TCP, TLS, CONNECT, SUBSCRIBE and first message in turn. 200 with the result, or 202 "
        "with the test's `url` when it takes longer.",
    )
    @action(methods=["post"], detail=True)
    def test(self, request: Request, pk: str) -> Response:
        """Ask an mqtt process for a test and wait a bounded time for its end."""
        test = connections.request_test(actor(request), self.get_object())
        end = time.monotonic() + TEST_PATIENCE
        while test.state not in ENDED and time.monotonic() < end:
            time.sleep(POLL)
            found = ConnectionTest.objects.filter(pk=test.pk).first()
            if found is None:
                raise Http404
            test = found
        data = ConnectionTestSerializer(test, context=self.get_serializer_context()).data
        return Response(data, status.HTTP_200_OK if test.state in ENDED else status.HTTP_202_ACCEPTED)

    @extend_schema(
        request=PublishSerializer,
        responses={202: CommandSerializer},
        description="Asks an mqtt process to publish. It does so at once or, when its link is down for half a minute, "
        "never; `url` of the answer says what became of it. Nothing is sent twice by itself.",
    )
    @action(methods=["post"], detail=True)
    def publish(self, request: Request, pk: str) -> Response:
        """Send a message to a device."""
        connection = self.get_object()
        asked = PublishSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        command = request_publish(actor(request), connection, **asked.validated_data)
        data = CommandSerializer(command, context=self.get_serializer_context()).data
        return Response(data, status.HTTP_202_ACCEPTED)

    @extend_schema(
        responses=ConnectionTestSerializer, parameters=[OpenApiParameter("test_id", int, OpenApiParameter.PATH)]
    )
    @action(methods=["get"], detail=True, url_path="tests/(?P<test_id>[0-9]{1,18})", url_name="test-result")
    def test_result(self, request: Request, pk: str, test_id: str) -> Response:
        """How far a test came."""
        test = self.get_object().tests.filter(pk=int(test_id)).first()
        if test is None:
            raise Http404
        return Response(ConnectionTestSerializer(test, context=self.get_serializer_context()).data)

    def _done(self, connection: MqttConnection) -> Response:
        serializer = self.get_serializer(self._fresh(connection.pk))
        return Response(serializer.data, status.HTTP_202_ACCEPTED)

    def _fresh(self, pk: int) -> MqttConnection:
        found = self.get_queryset().filter(pk=pk).first()
        if found is None:
            raise Http404
        return found  # type: ignore[no-any-return]
