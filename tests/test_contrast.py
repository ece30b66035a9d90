"""The colours of the style sheet are legible on each other, light and dark: WCAG 2.2, 1.4.3 and 1.4.11."""

import re
from pathlib import Path

import pytest

SHEET = Path(__file__).resolve().parent.parent / "static" / "css" / "vedetta.css"
PAIR = re.compile(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)")
TOKENS = {name: (light, dark) for name, light, dark in PAIR.findall(SHEET.read_text())}
GROUNDS = ("bg", "surface", "raised", "line-soft", "accent-soft", "warn-soft", "bad-soft")


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("name", "least"),
    [("text", 4.5), ("muted", 4.5), ("faint", 4.5), ("warn", 4.5), ("bad", 4.5), ("ok", 3), ("accent", 3), ("edge", 3)],
)
def test_a_colour_is_legible_on_every_ground(name: str, least: float, scheme: int) -> None:
    measured = {ground: contrast(TOKENS[name][scheme], TOKENS[ground][scheme]) for ground in GROUNDS}
    assert {ground: value for ground, value in measured.items() if value < least} == {}


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["accent", "bad"])
def test_the_words_on_a_filled_button_are_legible(ground: str, scheme: int) -> None:
    assert contrast(TOKENS["on-accent"][scheme], TOKENS[ground][scheme]) >= 4.5
