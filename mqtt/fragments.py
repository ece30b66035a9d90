"""The one place where rows become HTML: the page includes a kind's row template, the push renders the same file."""

from typing import Any, NamedTuple

from django.template.loader import get_template, render_to_string
from django.utils import translation

from mqtt.presentation.visible import visible

KINDS = ("connection", "gateway", "datalogger", "sensor", "topic", "undecoded", "command")


class Variant(NamedTuple):
    """What makes the same row look different: who shares all three shares the HTML."""

    language: str
    can_operate: bool = False
    dimmed: bool = False
    """The row no longer matches the page's filter."""


def row_id(kind: str, pk: int) -> str:
    """The DOM id of a row."""
    return f"{kind}-{pk}"


def parse_row_id(text: str) -> tuple[str, int] | None:
    """The kind and key that a DOM id names; None for anything else."""
    kind, dash, number = text.rpartition("-")
    if not dash or kind not in KINDS or not number.isdecimal() or not number.isascii() or len(number) > 18:
        return None
    return kind, int(number)


def row_template(kind: str) -> str:
    """The file that paints a row of this kind."""
    return f"mqtt/rows/_{kind}_row.html"


def row_context(kind: str, record: Any, *, can_operate: bool, dimmed: bool = False) -> dict[str, Any]:
    """All that a row template knows, on the page as in a push."""
    return {"record": record, "row_id": row_id(kind, record.pk), "can_operate": can_operate, "dimmed": dimmed}


def render_row(kind: str, record: Any, variant: Variant) -> str:
    """One row, as the page shows it to who shares the variant."""
    with translation.override(variant.language):
        context = row_context(kind, record, can_operate=variant.can_operate, dimmed=variant.dimmed)
        return visible(get_template(row_template(kind)).render(context))


def render_part(template: str, context: dict[str, Any], language: str) -> str:
    """Another live piece of a page."""
    with translation.override(language):
        return visible(render_to_string(template, context))
