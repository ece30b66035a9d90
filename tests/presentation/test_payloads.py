"""Payloads as text, indented JSON and bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.presentation.payloads import HEX_LIMIT, TEXT_LIMIT, as_hex, as_pretty, as_text, views_of


@given(st.binary(max_size=2000))
def test_any_bytes_can_be_shown_and_hide_nothing(payload: bytes) -> None:
    text = as_text(payload)
    assert not [sign for sign in text if ord(sign) < 32 and sign not in "\n\t"]
    assert len(as_hex(payload).splitlines()) == -(-len(payload) // 16)
    for wanted in ("pretty", "raw", "hex", "nonsense"):
        view, _, possible = views_of(payload, wanted)
        assert view in possible


def test_what_is_shown_is_bounded() -> None:
    huge = b"x" * 2_000_000
    assert len(as_text(huge)) == TEXT_LIMIT
    assert len(as_hex(huge).splitlines()) == HEX_LIMIT // 16


@pytest.mark.parametrize("payload", [b"[" * 60_000, b'{"a":' * 12_000, b'{"a": NaN}', b"{", b"21.5", b'"text"', b""])
def test_what_is_no_readable_json_is_not_indented(payload: bytes) -> None:
    assert as_pretty(payload) is None


def test_json_nested_too_deep_to_read_does_not_grow() -> None:
    nested = b"[" * 900 + b"]" * 900
    assert len(as_pretty(nested) or "") < 300_000


def test_characters_that_turn_the_reading_direction_are_made_visible() -> None:
    assert "\u202e" not in as_text("a\u202egnp.exe".encode())
    assert "\u202e" not in str(as_pretty('{"a": "\u202egnp"}'.encode()))


def test_hex_shows_offset_bytes_and_ascii() -> None:
    assert as_hex(b"AB\x00") == f"000000  {'41 42 00':<47}  AB."


@pytest.mark.parametrize(
    ("payload", "views"),
    [
        (b"\xff\x00", ["hex", "raw"]),
        (b"21.5", ["raw", "hex"]),
        ("zwölf".encode()[:3], ["raw", "hex"]),
        (b'{"a": 1}', ["pretty", "raw", "hex"]),
    ],
)
def test_what_is_no_text_is_shown_as_bytes_first(payload: bytes, views: list[str]) -> None:
    assert views_of(payload, "") == (views[0], views_of(payload, views[0])[1], views)
