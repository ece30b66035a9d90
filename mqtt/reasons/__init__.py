"""Why something failed, as a code with its facts in the database and a sentence in the reader's language here.

Each sentence says what happened, where, and what to do. Facts come from devices and brokers: they are
filled in as plain text and escaped by the template.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.formats import date_format, number_format

from mqtt.presentation.spans import span
from mqtt.reasons import commands, devices, filters, links, messages, requests, steps

UNKNOWN = "?"
"""Stands for a fact that is not there."""
AREAS = (filters, commands, requests, messages, devices, links, steps)
REASONS: dict[str, Any] = {code: sentence for area in AREAS for code, sentence in area.REASONS.items()}


def explain(code: str, context: Mapping[str, Any] | None = None) -> str:
    """The sentence for a reason in the active language; an unknown code is shown as it is."""
    if not code:
        return ""
    sentence = REASONS.get(code)
    if sentence is None:
        return code
    try:
        return str(sentence) % _Facts({name: _shown(name, value) for name, value in (context or {}).items()})
    except (ValueError, TypeError):
        return str(sentence)


def outline(code: str) -> str:
    """The sentence for a reason without the facts of one case: "… broken at character …"."""
    return explain(code).replace(UNKNOWN, "…")


class _Facts(dict[str, Any]):
    """A row that an older version stored may lack a fact of today's sentence."""

    def __missing__(self, name: str) -> str:
        return UNKNOWN


def _shown(name: str, value: Any) -> Any:
    """Facts called `…_on` are ISO dates, `…_seconds` spans and `size` a count, read as the language writes them.

    A detail brings no full stop.
    """
    if name == "detail" and isinstance(value, str):
        return value.rstrip(". ")
    if name == "size" and isinstance(value, int):
        return number_format(value, force_grouping=True)
    if name.endswith("_seconds") and isinstance(value, int | float):
        return span(value)
    day = parse_date(value) if name.endswith("_on") and isinstance(value, str) else None
    return date_format(day) if day else value
