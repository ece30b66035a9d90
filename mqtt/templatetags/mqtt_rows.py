"""Template tags for the rows of connections, devices and topics: which tone, which reason, which preview."""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mqtt.enums import LINK_UP, Availability, ConnectionStatus, IntervalSource
from mqtt.models import from_us
from mqtt.presentation import formats
from mqtt.presentation.spans import span
from mqtt.templatetags.console import status

register = template.Library()

EXPECTED: dict[str, Any] = {
    IntervalSource.LEARNED: gettext_lazy("every %(interval)s (learned)"),
    IntervalSource.SAID: gettext_lazy("every %(interval)s (said by the device)"),
    IntervalSource.SET: gettext_lazy("every %(interval)s (set)"),
    IntervalSource.IRREGULAR: gettext_lazy("no rhythm: it speaks when something happens"),
    IntervalSource.UNKNOWN: gettext_lazy("not known yet"),
}

PATIENCE = timedelta(minutes=10)
"""How long a lost link is amber; longer is red."""

PREVIEW = 90
"""Characters of a payload in a list."""
BYTES = 16
"""Bytes of a payload in a list that is no text."""


def status_tone(connection: Any) -> str:
    """Red for a link that has been lost for more than ten minutes, else the status's own tone."""
    lost = connection.effective_status == ConnectionStatus.DISCONNECTED
    since = connection.status_changed_at
    return "bad" if lost and since and timezone.now() - since > PATIENCE else ""


@register.inclusion_tag("includes/connection_status.html")
def connection_status(connection: Any) -> dict[str, Any]:
    """The status of a connection with its reason, the next try, and the filters that the broker refused."""
    now = connection.effective_status
    known = now != ConnectionStatus.UNKNOWN
    why = connection.status_detail if known else _("Nothing looks after it: no mqtt process is running for it.")
    retrying = now in {ConnectionStatus.ERROR, ConnectionStatus.DISCONNECTED}
    refused = []
    if now in LINK_UP:
        refused = [found for found in connection.subscriptions.all() if found.is_active and found.reason]
    return {
        "now": now,
        "tone": status_tone(connection),
        "why": why,
        "retry": connection.next_retry_at if retrying else None,
        "refused": refused,
    }


@register.inclusion_tag("includes/status.html")
def connection_pill(connection: Any) -> dict[str, Any]:
    """The status of a connection without its reason."""
    return status(connection.effective_status, tone=status_tone(connection))


@register.inclusion_tag("includes/connection_why.html")
def connection_why(connection: Any) -> dict[str, Any]:
    """The reason alone, with the next try."""
    return connection_status(connection)


@register.filter
def granted(connection: Any) -> str:
    """How many of the active filters the broker granted, while the link is up."""
    if connection.effective_status not in LINK_UP:
        return "–"
    active = [found for found in connection.subscriptions.all() if found.is_active]
    count = sum(found.granted_qos is not None for found in active)
    return _("%(granted)s of %(all)s") % {"granted": count, "all": len(active)}


@register.filter
def message_rate(connection: Any) -> str:
    """Messages a second; 0 when the link is down, whatever was measured last."""
    activity = getattr(connection, "activity", None)
    if activity is None or connection.effective_status not in LINK_UP:
        return formats.rate(0.0)
    return formats.rate(activity.message_rate)


@register.filter
def connection_tone(connection: Any) -> str:
    """The tone of a connection's last message: late while silent, gone when the link is down for long."""
    if connection.effective_status == ConnectionStatus.SILENT:
        return "late"
    bad = connection.effective_status == ConnectionStatus.ERROR or status_tone(connection) == "bad"
    return "gone" if bad else ""


@register.inclusion_tag("includes/status.html")
def device_status(device: Any) -> dict[str, Any]:
    """The availability of a gateway, datalogger or sensor; unknown says what it waits for."""
    name = device.effective_availability
    why = ""
    if name == Availability.UNKNOWN:
        why = _("Its connection %(name)s is not up.") % {"name": device.connection.name}
    return status(name, why)


@register.filter
def device_tone(device: Any) -> str:
    """The tone of a device's last sign of life."""
    tones = {Availability.LATE: "late", Availability.OFFLINE: "gone"}
    return tones.get(device.effective_availability, "")


@register.inclusion_tag("includes/expected.html")
def expected(device: Any) -> dict[str, Any]:
    """How often a device should be heard, how that is known, and when it should be heard next."""
    interval, source, late_after, _offline = found = device.expectation
    words = {"interval": span(interval)} if interval else {}
    last = device.state.last_seen_at if getattr(device, "state", None) else None
    return {
        "sentence": str(EXPECTED[source]) % words,
        "silence": span(found.usual_silence) if found.usual_silence else "",
        "late": span(late_after) if late_after else "",
        "next": last + timedelta(seconds=interval) if last and interval else None,
    }


@register.filter
def preview(payload: bytes | memoryview) -> str:
    """The beginning of a payload as one line: as text, or as hexadecimal bytes where most of it is no text."""
    start = bytes(payload[: PREVIEW * 4])
    text = start.decode("utf-8", "replace")
    if text.count("\ufffd") * 5 > len(text):
        return f"{start[:BYTES].hex(' ')}{'…' if len(start) > BYTES else ''}"
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= PREVIEW else f"{line[: PREVIEW - 1]}…"


@register.filter
def short(text: str) -> str:
    """A long topic cut to what a cell can hold."""
    return formats.short(text)


@register.filter
def levels(topic: str) -> SafeString:
    """A topic that may wrap between its levels, and not in the middle of a word."""
    return mark_safe(str(escape(topic)).replace("/", "/<wbr>"))  # noqa: S308 - escaped before


@register.filter
def instant(moment_us: int) -> datetime:
    """Microseconds since 1970 as a datetime."""
    return from_us(moment_us)
