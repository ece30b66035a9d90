"""Template tags that put live rows and parts on a page: the same files and contexts that a push renders."""

from typing import Any

from django import template
from django.template.loader import get_template

from mqtt.fragments import row_context, row_template

register = template.Library()


@register.simple_tag(takes_context=True)
def live_row(context: dict[str, Any], kind: str, record: Any) -> str:
    """A row exactly as it will be pushed."""
    can_operate = bool(context.get("can_operate"))
    return get_template(row_template(kind)).render(row_context(kind, record, can_operate=can_operate))


@register.simple_tag(takes_context=True)
def live_part(context: dict[str, Any], name: str) -> str:
    """A part of the page by its name, exactly as it will be pushed; the view passes `shown`."""
    shown = context["shown"]
    part = shown.part(name)
    return get_template(part.template).render(shown.part_context(part))
