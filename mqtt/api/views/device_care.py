"""Replacing, merging and deleting devices by program: at once, their readings follow in the background."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from mqtt.api.access import actor
from mqtt.api.serializers.care import ByWhomSerializer, IntoWhomSerializer
from mqtt.services import device_joining
from mqtt.services.device_removal import delete_device


class CareMixin:
    """Merging and deleting."""

    @extend_schema(request=IntoWhomSerializer, description="This one gives all it has to `into` and is gone.")
    @action(methods=["post"], detail=True)
    def merge(self, request: Request, pk: str) -> Response:
        """Merge this one into another."""
        device = self.get_object()  # type: ignore[attr-defined]
        other = self._other(request, IntoWhomSerializer, "into")
        device_joining.merge(actor(request), device, other)
        return self._answer(other.pk)

    @extend_schema(
        responses={204: OpenApiResponse(description="Deleted.")},
        description="Out of sight at once, its readings erased in the background. What still sends comes back as new.",
    )
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete it with its readings."""
        delete_device(actor(request), self.get_object())  # type: ignore[attr-defined]
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _other(self, request: Request, serializer: Any, name: str) -> Any:
        asked = serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        other = self.get_queryset().filter(pk=asked.validated_data[name]).first()  # type: ignore[attr-defined]
        if other is None:
            raise ValidationError({name: [_("There is no such device.")]})
        return other

    def _answer(self, pk: int) -> Response:
        device = get_object_or_404(self.get_queryset(), pk=pk)  # type: ignore[attr-defined]
        return Response(self.get_serializer(device).data, status.HTTP_202_ACCEPTED)  # type: ignore[attr-defined]


class NodeCareMixin(CareMixin):
    """Also replacing: gateways and dataloggers stand in a place, sensors are a part of theirs."""

    @extend_schema(request=ByWhomSerializer, description="`by` stands there now: the history of this one goes on.")
    @action(methods=["post"], detail=True)
    def replace(self, request: Request, pk: str) -> Response:
        """Put a new device in the place of this one."""
        device = self.get_object()  # type: ignore[attr-defined]
        device_joining.replace(actor(request), device, self._other(request, ByWhomSerializer, "by"))
        return self._answer(device.pk)
