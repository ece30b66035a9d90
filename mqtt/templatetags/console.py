"""Template tags for what every page shows: statuses, ages, times and values.

The script in the browser ticks ages and shows times in the viewer's zone; what is rendered here is right
at the moment of rendering, and stays readable without the script.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import npgettext_lazy

from mqtt.corrections import NONE, Corrections
from mqtt.enums import AuditAction, Availability, CommandState, ConnectionStatus
from mqtt.models import to_us
from mqtt.presentation import device_facts, formats

register = template.Library()

LOOKS: dict[str, tuple[str, str]] = {
    ConnectionStatus.CONNECTED: ("ok", "disc"),
    ConnectionStatus.SILENT: ("warn", "half"),
    ConnectionStatus.DISCONNECTED: ("warn", "ring"),
    ConnectionStatus.ERROR: ("bad", "triangle"),
    ConnectionStatus.CONNECTING: ("off busy", "arc"),
    ConnectionStatus.DISABLED: ("off", "dash"),
    ConnectionStatus.UNKNOWN: ("off", "dashed"),
    CommandState.QUEUED: ("off busy", "arc"),
    CommandState.RUNNING: ("off busy", "arc"),
    CommandState.DONE: ("ok", "disc"),
    CommandState.FAILED: ("bad", "triangle"),
    CommandState.UNCONFIRMED: ("warn", "half"),
    Availability.ONLINE: ("ok", "disc"),
    Availability.LATE: ("warn", "half"),
    Availability.OFFLINE: ("bad", "ring"),
}
"""Tone (a CSS class) and shape of each status: never colour alone."""

WAYS: dict[str, Any] = {
    "web": _("on a page"),
    "api": _("by the API"),
    "admin": _("in the administration"),
    "command": _("by a command"),
    "mqtt": _("by itself"),
}
WORDS: dict[str, Any] = {
    **{str(status): status.label for status in Availability},
    **{str(status): status.label for status in ConnectionStatus},
    **{str(state): state.label for state in CommandState},
}
COUNTED: dict[str, Any] = {
    ConnectionStatus.ERROR: npgettext_lazy("connections", "%(n)s in error", "%(n)s in error", "count"),
    ConnectionStatus.DISCONNECTED: npgettext_lazy("connections", "%(n)s disconnected", "%(n)s disconnected", "count"),
    ConnectionStatus.SILENT: npgettext_lazy("connections", "%(n)s without data", "%(n)s without data", "count"),
    ConnectionStatus.CONNECTING: npgettext_lazy("connections", "%(n)s connecting", "%(n)s connecting", "count"),
    ConnectionStatus.UNKNOWN: npgettext_lazy("connections", "%(n)s unknown", "%(n)s unknown", "count"),
    Availability.LATE: npgettext_lazy("devices", "%(n)s late", "%(n)s late", "count"),
    Availability.OFFLINE: npgettext_lazy("devices", "%(n)s offline", "%(n)s offline", "count"),
}
"""What is said of several: in other languages the word changes with their number."""


@register.inclusion_tag("includes/status.html")
def status(name: str, why: str = "", word: str = "", tone: str = "") -> dict[str, Any]:
    """A status as shape and word; `why` is the sentence under it, `word` and `tone` replace the usual ones."""
    usual, shape = LOOKS.get(name, ("off", "dashed"))
    return {"tone": tone or usual, "shape": shape, "word": word or WORDS.get(name, name), "why": why}


@register.inclusion_tag("includes/age.html")
def age(moment: datetime | None, tone: str = "") -> dict[str, Any]:
    """How long ago something was, ticking; `tone` is late or gone."""
    text = formats.age(timezone.now() - moment) if moment else ""
    return {"iso": iso(moment), "text": text, "tone": tone}


@register.simple_tag
def ticking(moment: datetime) -> str:
    """An age to stand inside a sentence; a screen reader hears the sentence once, and not each second."""
    text = formats.age(timezone.now() - moment)
    return format_html('<time datetime="{}" data-age aria-live="off">{}</time>', iso(moment), text)


@register.inclusion_tag("includes/moment.html")
def moment(at: datetime | None, show: str = "full") -> dict[str, Any]:
    """A time in the viewer's zone; `show` is full, time (today only the clock) or until (how long from now)."""
    return {"iso": iso(at), "text": f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else "", "show": show}


@register.inclusion_tag("includes/value.html")
def value(state: Any, unit: str = "", rules: Corrections = NONE, decimals: int | None = None) -> dict[str, Any]:
    """The value of a SensorState or Reading: corrected, shown in the reader's form, kept in the machine's.

    `raw` is what the device said, where it was corrected.
    """
    if not state or (state.value is None and state.text is None):
        return {"shown": None}
    if state.value is None:
        text = str(state.text)
        return {"shown": formats.short(text), "machine": text[:1000], "title": text[:1000], "unit": unit}
    corrected = rules.apply(to_us(state.time or timezone.now()), state.value) if rules else state.value
    raw = "" if corrected == state.value else formats.number(state.value, decimals)
    shown = formats.number(corrected, decimals)
    return {"shown": shown, "machine": formats.machine(corrected), "unit": unit, "raw": raw}


@register.filter
def number(given: float | None) -> str:
    """A number with as many digits as are worth reading."""
    return "–" if given is None else formats.number(given)


@register.filter
def machine(given: float) -> str:
    """A number for programs: with a point, and all its digits."""
    return formats.machine(given)


@register.filter
def rate(given: float | None) -> str:
    """Events a second: whole from 10 up, one decimal below."""
    return formats.rate(given or 0.0)


@register.filter
def lasting(seconds: float | None) -> str:
    """How long something takes or took, in one unit."""
    return formats.age(timedelta(seconds=seconds or 0.0))


@register.filter
def status_word(name: str) -> str:
    """What the screen says for a status or an availability."""
    return str(WORDS.get(name, name))


@register.filter
def counted(count: int, name: str) -> str:
    """So many of a status or an availability, as a phrase: "3 disconnected"."""
    return str(COUNTED[name] % {"count": count, "n": formats.number(count)})


@register.filter
def kind_word(name: str) -> str:
    """What a sensor measures, in the reader's language; as it was written when it is no usual word."""
    return str(device_facts.KINDS.get(name, name))


@register.filter
def action_word(name: str) -> str:
    """What the screen says for an audited action."""
    return str(AuditAction(name).label) if name in AuditAction.values else name


@register.filter
def via_word(name: str) -> str:
    """The way by which somebody acted, in the reader's language."""
    return str(WAYS.get(name, name))


@register.filter
def iso(at: datetime | None) -> str:
    """The machine form of a time: ISO 8601 in UTC, milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else ""
