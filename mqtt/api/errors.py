"""Every error of the API is JSON: {field: [sentences]} for bad input, {"detail": sentence} for the rest."""

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error
from rest_framework.views import exception_handler

from mqtt import reasons
from mqtt.exceptions import ServiceError

logger = logging.getLogger(__name__)


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to any exception of a view; what nobody expected is logged with its traceback."""
    if isinstance(error, ServiceError):
        data = {"detail": reasons.explain(error.code, error.context), "code": error.code}
        return Response(data, status.HTTP_409_CONFLICT)
    if isinstance(error, ValidationError):
        return Response(as_serializer_error(error), status.HTTP_400_BAD_REQUEST)
    if isinstance(error, RequestDataTooBig):
        return Response({"detail": _("The body is too large.")}, status.HTTP_413_REQUEST_ENTITY_TOO_LARGE)
    if isinstance(error, SuspiciousOperation):
        return Response({"detail": _("The request cannot be understood.")}, status.HTTP_400_BAD_REQUEST)
    if isinstance(error, Http404):  # Django's own words name classes
        return Response({"detail": _("There is no such thing.")}, status.HTTP_404_NOT_FOUND)
    response = exception_handler(error, context)
    if response is not None:
        return response
    if isinstance(error, OperationalError | InterfaceError):
        return None  # raised again, and answered like everywhere else
    logger.error("The API failed", exc_info=error)
    return Response({"detail": _("This failed. The log says more.")}, status.HTTP_500_INTERNAL_SERVER_ERROR)
