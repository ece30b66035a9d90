"""What every decoder is, and the payload it looks at: read as text or JSON once, however many decoders ask."""

import re
from typing import Any, Protocol

import orjson

from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, InboundMessage

MAX_PAYLOAD_BYTES = 256 * 1024
"""Far above what field devices send; below what would hold up the batch."""
MAX_DEPTH = 32
MAX_VALUES = 2000
"""More than any device means; a message of new keys this long still decodes within 50 ms."""

_UNREAD: Any = object()

# Strings are matched first, so that nothing inside them is touched; an unclosed one swallows the rest.
_NOT_FINITE = re.compile(
    rb'"(?:[^"\\]|\\.)*+"?|-?\b(?:nan|inf(?:inity)?)\b|-?\d+(?:\.\d*)?e\+?\d{3,}', re.IGNORECASE | re.DOTALL
)


class Content:
    """One message and what is in its payload."""

    __slots__ = ("_document", "_text", "message")

    def __init__(self, message: InboundMessage) -> None:
        self.message = message
        self._document: Any = _UNREAD
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The payload as text without surrounding blanks. Raises UndecodableError when it is not UTF-8."""
        if self._text is None:
            try:
                self._text = self.message.payload.decode().strip("\ufeff \t\r\n")
            except UnicodeDecodeError as error:
                raise UndecodableError("not_utf8", position=error.start) from None
        return self._text

    @property
    def is_structure(self) -> bool:
        """Whether it begins like a JSON object or array."""
        payload = self.message.payload
        return payload[:1] in (b"{", b"[") or payload[:16].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")

    @property
    def document(self) -> Any:
        """The parsed JSON; numbers that are not finite are null. Raises UndecodableError."""
        if self._document is _UNREAD:
            try:
                self._document = orjson.loads(self.message.payload)
            except orjson.JSONDecodeError as error:
                self._document = _second_try(self.text, error)
        return self._document


def _second_try(text: str, first: orjson.JSONDecodeError) -> Any:
    """The JSON with what some firmware writes against the standard (NaN, 1e400) taken as null."""
    if "depth" in first.msg:
        raise UndecodableError("too_deep", limit=MAX_DEPTH)
    try:
        return orjson.loads(_NOT_FINITE.sub(_null_if_not_finite, text.encode()))
    except orjson.JSONDecodeError as error:
        detail = f"{error.msg.split(':')[0]} at character {error.pos}"
        raise UndecodableError("not_json", detail=detail) from None


def _null_if_not_finite(match: re.Match[bytes]) -> bytes:
    found = match.group()
    if found[:1] == b'"' or (found[-1:].isdigit() and abs(float(found)) != float("inf")):
        return found
    return b"null"


class Decoder(Protocol):
    """One family of payloads. A decoder is a pure function with a name; it keeps nothing between messages."""

    @property
    def name(self) -> str:
        """Stored with the topic and in TopicSubscription.decoder; lower case, never changed."""

    def knows_topic(self, topic: str) -> bool:
        """Whether messages on this topic may be of this family; asked once a topic."""

    def claims(self, content: Content) -> bool:
        """Whether this message is of this family; asked for each message on topics it knows."""

    def decode(self, content: Content) -> Decoded:
        """What the message means. Raises UndecodableError."""
