"""Each family's own messages, blown up to what a hostile device would send."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mqtt.decoders.corpus.lines import Line, read
from mqtt.decoders.memory import Memory
from mqtt.decoders.registry import decode
from mqtt.exceptions import UndecodableError
from tests.decoders.helpers import NOW, message

OWN = Path(__file__).parents[1] / "corpus"
BYTES = 60_000


def samples() -> list[Line]:
    """One message of each shape: family and first bytes."""
    found: dict[tuple[str, bytes], Line] = {}
    for file in sorted(OWN.glob("*.jsonl")):
        for line in read(file.read_bytes().splitlines(), NOW).lines.values():
            found.setdefault((line.family, line.message.payload[:20]), line)
    return list(found.values())


def blown_up(payload: bytes) -> Iterator[bytes]:
    """The same message with too much of everything that it has."""
    try:
        document = json.loads(payload)
    except ValueError:
        for between in (b"\n", b" ", b",", b""):
            yield (payload + between) * (BYTES // (len(payload) + 1))
        return
    for made in _larger(document):
        yield json.dumps(made).encode()


def _larger(document: Any) -> Iterator[Any]:
    if isinstance(document, list) and document:
        yield document[:1] * (BYTES // len(json.dumps(document[0])))
    if not isinstance(document, dict) or not document:
        return
    yield document | {f"key_{number}_temp": number for number in range(10_000)}
    yield {
        key: value * (BYTES // max(1, len(value))) if isinstance(value, str) else value
        for key, value in document.items()
    }
    yield {key: 10**400 if isinstance(value, int) else value for key, value in document.items()}
    for key, value in document.items():
        size = BYTES // (len(json.dumps(value)) + 8)
        yield document | {key: [value] * size}
        yield document | {key: {f"member_{number}": value for number in range(size)}}


def test_a_megabyte_of_empty_arrays_is_refused_before_it_is_read() -> None:
    for payload in (b"[" + b"[]," * 300_000 + b"[]]", b'{"a": [' + b"{}," * 300_000 + b"{}]}"):
        with pytest.raises(UndecodableError) as refused:
            decode(message("box", payload), Memory())
        assert refused.value.code == "too_many_values"


@pytest.mark.parametrize("line", samples(), ids=lambda line: line.id)
def test_no_decoder_fails_on_much_too_much_of_its_own(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    for payload in blown_up(line.message.payload):
        try:
            found = decode(replace(line.message, payload=payload), Memory())
        except UndecodableError:
            continue
        assert len(found.readings) <= 2_000
    assert caplog.records == []  # a decoder that raised would be reported


def test_an_object_of_far_too_many_keys_is_refused_before_they_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mqtt.decoders.walk.device_of", lambda *_: pytest.fail("looked for whose it is"))
    with pytest.raises(UndecodableError) as refused:
        decode(message("box", json.dumps({f"k{number}": 1 for number in range(60_000)})), Memory())
    assert refused.value.code == "too_many_values"


def test_a_message_of_many_scale_factors_is_read_as_far_as_they_can_be_meant() -> None:
    factors = {f"k{number}_SF": 1 for number in range(60)}
    found = decode(message("box", json.dumps(factors | {"k1": 5, "k59": 5})), Memory())
    assert {one.name: one.value for one in found.readings if one.name in {"k1", "k59"}} == {"k1": 50.0, "k59": 5.0}
