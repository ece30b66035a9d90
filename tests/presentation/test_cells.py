"""Cells that no spreadsheet carries out, whichever separator it takes, and that come back as they were."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.presentation.cells import harmless, restored

SIGNS = st.sampled_from("=+-@＝＋－＠;,|\t\r\n'x\" ")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("x;=cmd|' /C calc'!A0", "x;'=cmd|' /C calc'!A0"),
        ("a,-b\t@c", "a,'-b\t'@c"),
        ("＝1", "'＝1"),
        ("'=1", "''=1"),
        ("2026-05-01 is a+b", "2026-05-01 is a+b"),
        ("", ""),
    ],
)
def test_an_apostrophe_stands_before_what_would_be_carried_out(text: str, cell: str) -> None:
    assert harmless(text) == cell


@given(st.one_of(st.text(), st.text(SIGNS)))
def test_a_cell_comes_back_as_it_went_out(text: str) -> None:
    cell = harmless(text)
    assert restored(cell) == text
    pieces = re.split("[;,|\t\r\n]", cell)
    assert not any(piece.startswith(tuple("=+-@＝＋－＠")) for piece in pieces)
