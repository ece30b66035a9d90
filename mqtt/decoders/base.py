"""What every decoder is, and the payload it looks at: read as text or JSON once, however many decoders ask."""

import re
from collections.abc import Collection
from contextlib import suppress
from datetime import tzinfo
from typing import Any, Protocol, runtime_checkable

import orjson

from mqtt.decoders.memory import Key, Memory
from mqtt.decoders.times import is_sane, parse
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, InboundMessage

MAX_PAYLOAD_BYTES = 2 * 1024 * 1024
"""Above the longest list of devices that a bridge announces; read in about 10 ms."""
MAX_DEPTH = 32
MAX_VALUES = 2000
"""More than any device means; a message of new keys this long still decodes within 50 ms."""
MOST_CONTAINERS = 50_000
"""Objects and arrays, which cost far more to read than their bytes; the longest lists of bridges have 20,000."""

BINARY = "\0binary"
"""A mark that stands in no JSON."""

_UNREAD: Any = object()
_OPENING = (b"{", b"[")
_BLANKS = b"\xef\xbb\xbf \t\r\n"

# Each match takes a whole string, word or number, so that nothing inside is touched and no byte is looked at twice.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"?|-?[A-Za-z]++|-?\d[\w.+\-]*+', re.DOTALL)
_NOT_FINITE = frozenset((b"nan", b"inf", b"infinity"))
_MENDABLE = frozenset("nNiI+-0123456789\ufeff")
"""Where the parser stops at one of these it may be such a number, or the mark before the first character."""

MOST_MENDED = 20_000
"""Strings and odd numbers that are looked at: beyond these there are too many values anyway."""


class Content:
    """One message, what is in its payload, and what was announced before."""

    __slots__ = (
        "_document", "_failure", "_object", "_text", "is_structure", "kept", "memory", "message", "topic",
        "wrong_clock_us",
    )  # fmt: skip

    def __init__(self, message: InboundMessage, memory: Memory) -> None:
        self.message = message
        self.memory = memory
        self.topic = message.topic
        self.wrong_clock_us: int | None = None
        """The first time of the device that could not be true."""
        self.kept: Any = None
        """What a decoder that claims the message found in it, so that it need not look again."""
        self._document: Any = _UNREAD
        self._object: Any = _UNREAD
        self._failure: UndecodableError | None = None
        self._text: str | None = None
        payload = message.payload
        self.is_structure = payload[:1] in _OPENING or payload[:16].lstrip(_BLANKS)[:1] in _OPENING
        """Whether it begins like a JSON object or array."""

    @property
    def is_empty(self) -> bool:
        """Whether there is no payload: most conventions take something back with it."""
        return not self.message.payload

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
    def document(self) -> Any:
        """The parsed JSON; numbers that are not finite are null. Raises UndecodableError."""
        if self._document is _UNREAD:
            if self._failure is not None:
                raise self._failure
            try:
                self._document = self._parsed()
            except UndecodableError as error:
                self._failure = error
                raise
        return self._document

    def _parsed(self) -> Any:
        payload = self.message.payload
        if len(payload) > MOST_CONTAINERS and payload.count(b"{") + payload.count(b"[") > MOST_CONTAINERS:
            raise UndecodableError("too_many_values", limit=MAX_VALUES)
        try:
            return orjson.loads(payload)
        except orjson.JSONDecodeError as error:
            return _second_try(self.text, error)

    @property
    def object(self) -> dict[str, Any] | None:
        """The parsed JSON when it is an object; None for everything else, broken JSON included."""
        if self._object is _UNREAD:
            self._object = None
            if self.is_structure:
                try:
                    document = self.document
                except UndecodableError:
                    return None
                self._object = document if isinstance(document, dict) else None
        found: dict[str, Any] | None = self._object
        return found

    @property
    def marks(self) -> Collection[str]:
        """The keys of the JSON object, or of the first object of an array; BINARY for what begins like no text."""
        found: Any = self.object
        if found is None:
            if self.message.payload[:1] == b"[":
                with suppress(UndecodableError):
                    found = self.document[0] if self.document else None
            elif self.message.payload[:1] >= b"\x80":
                return (BINARY,)
            elif self.message.payload[:8] == b"PASSKEY=" or self.message.payload[:3] == b"ID=":
                return ("PASSKEY",)  # a form, as weather stations send it
        return found if isinstance(found, dict) else ()

    @property
    def zone(self) -> tzinfo:
        """The time zone of local times."""
        return self.memory.zone_of(self.topic)

    def time(self, value: Any) -> int | None:
        """A device's own time; local time is the site's. None, and noted, when it cannot be true."""
        return self.checked(parse(value, self.zone if isinstance(value, str) else None))

    def checked(self, moment: int | None) -> int | None:
        """A moment that a decoder read by itself, when it can be true."""
        if moment is None or is_sane(moment, self.message.received_us + self.memory.ahead_us):
            return moment
        if self.wrong_clock_us is None:
            self.wrong_clock_us = moment
        return None


def _second_try(text: str, first: orjson.JSONDecodeError) -> Any:
    """The JSON with what some firmware writes against the standard (NaN, 1e400) taken as null."""
    if "depth" in first.msg:
        raise UndecodableError("too_deep", limit=MAX_DEPTH)
    try:
        if first.doc[first.pos : first.pos + 1] not in _MENDABLE:
            raise first
        return orjson.loads(_TOKEN.sub(_null_if_not_finite, text.encode(), count=MOST_MENDED))
    except orjson.JSONDecodeError as error:
        raise UndecodableError("not_json", position=error.pos) from None  # its words are English only


def _null_if_not_finite(match: re.Match[bytes]) -> bytes:
    found = match.group()
    if found[:1] == b'"':
        return found
    if found.lstrip(b"-").lower() in _NOT_FINITE:
        return b"null"
    if not found[-1:].isdigit() or b"e" not in found.lower():
        return found
    try:
        return b"null" if abs(float(found)) == float("inf") else found
    except ValueError:
        return found


class Decoder(Protocol):
    """One family of payloads: a pure function with a name. What it must remember it announces in its result."""

    @property
    def name(self) -> str:
        """Stored with the topic and in TopicSubscription.decoder; lower case, never changed."""

    def knows_topic(self, topic: str) -> bool:
        """Whether messages on this topic may be of this family; asked once a topic."""

    def claims(self, content: Content) -> bool:
        """Whether this message is of this family; asked for each message on topics it knows, so it must be quick.

        Empty payloads and broken JSON are asked for too.
        """

    def decode(self, content: Content) -> Decoded:
        """What the message means. Raises UndecodableError."""


class KeyedDecoder(Decoder, Protocol):
    """A family on topics of the user's choice: it is only asked for messages with one of its marks."""

    @property
    def marks(self) -> frozenset[str]:
        """Keys of which each of its messages has at least one: see `Content.marks`."""


@runtime_checkable
class BasedDecoder(Decoder, Protocol):
    """A family that lies below a base of the user's choice, which its devices announce."""

    def needs(self, topic: str) -> Key | None:
        """The announcement without which no message on this topic is of this family; None: it is asked anyway."""
