"""Every error of the API is JSON: {field: [sentences]} for bad input, {"detail": sentence} for the rest."""

import logging
import math
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from rest_framework import status
from rest_framework.exceptions import MethodNotAllowed, NotAuthenticated, Throttled
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
        if sentence := _in_our_words(error, context):
            response.data = {"detail": sentence}
        return response
    if isinstance(error, OperationalError | InterfaceError):
        return None  # raised again, and answered like everywhere else
    logger.error("The API failed", exc_info=error)
    return Response({"detail": _("This failed. The log says more.")}, status.HTTP_500_INTERNAL_SERVER_ERROR)


def _in_our_words(error: Exception, context: dict[str, Any]) -> str:
    """What the framework says in half a translation, or without what to do; empty: its own sentence is good."""
    if isinstance(error, Throttled):
        wait = max(1, math.ceil(getattr(error, "wait", None) or 1))
        words = ngettext(
            "Too many calls. Try again in %(n)s second.", "Too many calls. Try again in %(n)s seconds.", wait
        )
        return words % {"n": wait}
    if isinstance(error, NotAuthenticated):
        return _("Log in, or send a token in the header Authorization: Token …")
    if isinstance(error, MethodNotAllowed):
        names = ", ".join(name for name in context["view"].allowed_methods if name != "OPTIONS")
        return _("%(method)s does nothing here. Possible are: %(names)s.") % {
            "method": context["request"].method,
            "names": names,
        }
    return ""
