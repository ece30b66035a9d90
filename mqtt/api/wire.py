"""JSON in and out: strict and bounded on the way in, never failing on the way out."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

MAX_BODY = 1024 * 1024
"""Bytes; a connection with its certificates has some ten thousand."""


class TooLarge(APIException):
    """The body is larger than the API reads."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class JSONParser(BaseParser):
    """Reads at most MAX_BODY bytes; refuses NaN, broken UTF-8 and deep nesting."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """The body's value. Raises ParseError or TooLarge."""
        body = stream.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise TooLarge(_("The body has more than %(limit)s bytes.") % {"limit": MAX_BODY})
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(_("The body is no JSON: %(detail)s") % {"detail": error}) from error


class JSONRenderer(BaseRenderer):
    """Writes UTF-8; what JSON has no word for (NaN, infinity) becomes null."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """The body's bytes; none when there is nothing to say."""
        if data is None:
            return b""
        try:
            return orjson.dumps(data, default=str, option=orjson.OPT_NON_STR_KEYS)
        except TypeError:  # a number beyond 64 bits in what a device said of itself
            return json.dumps(data, default=str).encode()


class Negotiation(DefaultContentNegotiation):
    """Which form an answer has: what `format` names, whatever a program accepts as a rule; else the header Accept.

    A form that nobody knows is a wrong parameter, not a missing page.
    """

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> Any:
        """The renderer and its media type. Raises ValidationError, NotAcceptable."""
        if named := request.query_params.get("format"):
            chosen = self.filter_renderers(renderers, named)[0]
            return chosen, chosen.media_type
        return super().select_renderer(request, renderers, format_suffix)

    def filter_renderers(self, renderers: Iterable[BaseRenderer], name: str) -> list[BaseRenderer]:
        """The renderers of one form. Raises ValidationError."""
        try:
            return super().filter_renderers(renderers, name)
        except Http404:
            names = ", ".join(one.format for one in renderers)
            raise ValidationError({"format": [_("Ask for one of these: %(names)s.") % {"names": names}]}) from None
