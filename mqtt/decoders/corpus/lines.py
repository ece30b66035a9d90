"""A corpus: one JSON object a line, a message with what it means; read, and put through the choice of decoders."""

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from mqtt.decoders import owntracks
from mqtt.decoders.memory import Memory
from mqtt.decoders.registry import decode
from mqtt.decoders.times import parse
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, InboundMessage

DEEPEST = 20
"""Messages that need others that need others."""


class CorpusError(ValueError):
    """A line that is no part of a corpus; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a corpus."""

    id: str
    family: str
    kind: str
    message: InboundMessage
    expect: dict[str, Any]
    note: str = ""
    needs: tuple["str | Line", ...] = ()
    """What comes first: ids of lines, or whole messages."""


@dataclass(slots=True)
class Outcome:
    """What the decoders made of a line."""

    line: Line
    decoded: Decoded | None = None
    error: str = ""


@dataclass(slots=True)
class Corpus:
    """The lines by their ids, in the order of the file."""

    received_us: int
    """The time of receipt of messages that do not say one."""
    lines: dict[str, Line] = field(default_factory=dict)

    def run(self, family: str = "", *, in_order: bool = False, positions: bool = False) -> Iterator[Outcome]:
        """Decode each line, or each of one family.

        `in_order`: as one connection would hear them, each with what all before it announced; otherwise each with what
        it needs alone. `positions`: where OwnTracks' people are is wanted.
        """
        for line, memory in self._heard(family) if in_order else self.primed(family):
            yield _decode(line, memory, owntracks.WITH_POSITIONS.name if positions and _is_owntracks(line) else "")

    def _heard(self, family: str) -> Iterator[tuple[Line, Memory]]:
        memory = Memory()
        for line in self.lines.values():
            if not family or line.family == family:
                for needed in self._needed(line, DEEPEST):
                    _decode(needed, memory)
                yield line, memory

    def primed(self, family: str = "") -> Iterator[tuple[Line, Memory]]:
        """Each line with a memory that holds what it needs and nothing else. Raises CorpusError."""
        for line in self.lines.values():
            if not family or line.family == family:
                memory = Memory()
                for needed in self._needed(line, DEEPEST):
                    _decode(needed, memory)
                yield line, memory

    def _needed(self, line: Line, depth: int) -> Iterator[Line]:
        for one in line.needs:
            needed = self.lines.get(one) if isinstance(one, str) else one
            if needed is None:
                raise CorpusError(f"{line.id} needs {one}, which is not there.")
            if depth == 0:
                raise CorpusError(f"{line.id} needs messages that need each other.")
            yield from self._needed(needed, depth - 1)
            yield needed


def read(source: Iterable[str | bytes], received_us: int) -> Corpus:
    """Read a corpus; `received_us` is the time of receipt of all lines without `received_at`. Raises CorpusError."""
    corpus = Corpus(received_us)
    for number, text in enumerate(source, 1):
        if not text.strip():
            continue
        try:
            line = _line(orjson.loads(text), f"line {number}", received_us)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CorpusError(f"Line {number} is no message of a corpus: {error!r}") from None
        if line.id in corpus.lines:
            raise CorpusError(f"Line {number} has the id {line.id} of an earlier line.")
        corpus.lines[line.id] = line
    return corpus


def _line(found: dict[str, Any], name: str, received_us: int) -> Line:
    identifier = str(found.get("id", name))
    received = parse(found["received_at"]) if "received_at" in found else None
    message = InboundMessage(
        0, found["topic"], _payload(found), found.get("qos") or 0, bool(found.get("retain")), received or received_us
    )
    needs = tuple(one if isinstance(one, str) else _line(one, f"{name}, needs", received_us) for one in _needs(found))
    expect = found.get("expect") or {}
    return Line(
        identifier,
        str(found.get("family", "")),
        str(found.get("kind", "")),
        message,
        expect if isinstance(expect, dict) else {},
        str(found.get("note") or ""),
        needs,
    )


def _needs(found: dict[str, Any]) -> list[Any]:
    needs = found.get("needs") or []
    return needs if isinstance(needs, list) else [needs]


def _payload(found: dict[str, Any]) -> bytes:
    if "payload_b64" in found:
        try:
            return base64.b64decode(found["payload_b64"], validate=True)
        except binascii.Error as error:
            raise ValueError(f"payload_b64: {error}") from None
    payload = found["payload"]
    return payload.encode() if isinstance(payload, str) else orjson.dumps(payload)


def _is_owntracks(line: Line) -> bool:
    return owntracks.WITH_POSITIONS.knows_topic(line.message.topic)


def _decode(line: Line, memory: Memory, chosen: str = "") -> Outcome:
    try:
        decoded = decode(line.message, memory, chosen)
    except UndecodableError as error:
        return Outcome(line, error=error.code)
    for said in decoded.announcements:
        memory.put(said)
    return Outcome(line, decoded)
