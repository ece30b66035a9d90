"""How numbers and ages are written for a reader of the active language, and for machines."""

import math
from datetime import timedelta

from django.utils.formats import number_format
from django.utils.translation import gettext as _

SIGNIFICANT = 6
"""Digits shown of a reading; the machine form keeps all of them."""

MAX_TEXT = 80


def machine(value: float) -> str:
    """The shortest form that reads back as the same number, with a point."""
    value = float(value)
    if value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    return repr(value)


def number(value: float, decimals: int | None = None) -> str:
    """The reader's form: so many decimals, or at most six digits that matter; a real minus sign."""
    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    if decimals is not None and size < 1e15:
        rounded = round(value, decimals) + 0.0  # no minus before a zero
        return number_format(f"{rounded:.{decimals}f}", decimals, force_grouping=True).replace("-", "−")
    if size and (size < 1e-6 or size >= 1e15):
        text = f"{value:.{SIGNIFICANT - 1}g}".replace(".", str(number_format(0.5, 1))[1])
    else:
        # Whole digits are all shown: a meter at 1,234,567.8 kWh must not be rounded to thousands.
        whole = len(str(int(size))) if size >= 1 else 1 - _leading_zeros(size)
        text = number_format(_plain(value, max(0, SIGNIFICANT - whole)), force_grouping=True)
    return text.replace("-", "−")


def _leading_zeros(size: float) -> int:
    return 0 if size == 0 else max(0, -math.floor(math.log10(size)))


def _plain(value: float, decimals: int) -> str:
    """Decimal text without exponent and without trailing zeros."""
    text = f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def rate(value: float) -> str:
    """Events a second."""
    return number(round(value, 0 if value >= 10 else 1))


def short(text: str) -> str:
    """A text value cut to what a cell can hold."""
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def age(span: timedelta) -> str:
    """How long ago, in one unit: 4 s, 3 min, 5 h, 2 d."""
    seconds = max(0.0, span.total_seconds())
    if seconds < 60:
        return _("%(n)d s") % {"n": seconds}
    if seconds < 3600:
        return _("%(n)d min") % {"n": seconds // 60}
    if seconds < 48 * 3600:
        return _("%(n)d h") % {"n": seconds // 3600}
    return _("%(n)d d") % {"n": seconds // 86400}
