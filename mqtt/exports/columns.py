"""What the rows of each list hold in a file, by the kinds of `queries`; names and words are those of the API."""

from collections.abc import Callable
from typing import Any

from mqtt.lists.places import place_of
from mqtt.models import to_us
from mqtt.templatetags.mqtt_rows import preview

Columns = dict[str, Callable[[Any], Any]]


def _of(path: str) -> Callable[[Any], Any]:
    """The value behind a dotted path; None where something on the way is missing."""
    names = path.split(".")

    def read(row: Any) -> Any:
        for name in names:
            row = getattr(row, name, None)
            if row is None:
                return None
        return row

    return read


def _plain(*names: str, **paths: str) -> Columns:
    return {name: _of(name) for name in names} | {name: _of(path) for name, path in paths.items()}


def _corrected(sensor: Any) -> float | None:
    state = getattr(sensor, "state", None)
    if state is None or state.value is None or state.time is None:
        return getattr(state, "value", None)
    return float(sensor.rules.apply(to_us(state.time), state.value))


def _text(path: str) -> Callable[[Any], str]:
    """Who a row belongs to, by the name that the page shows."""
    read = _of(path)
    return lambda row: "" if read(row) is None else str(read(row))


def _site(device: Any) -> str:
    return str(place_of(device) or "")


def _filters(connection: Any) -> str:
    return " ".join(one.topic_filter for one in connection.subscriptions.all() if one.is_active)


NODE = _plain("id", "identifier", "label", "key")
HEARD = _plain(
    "model", "firmware", availability="effective_availability", last_seen_at="state.last_seen_at",
    expected_interval_seconds="expected_interval", created_at="created_at",
)  # fmt: skip

COLUMNS: dict[str, Columns] = {
    "connection": {
        **_plain("id", "name", "host", "port", "transport", status="effective_status"),
        "status_detail": lambda row: row.status_detail,
        "site": _text("site"),
        "topic_filters": _filters,
        **_plain("last_connected_at", message_rate="activity.message_rate", last_message_at="activity.last_message_at"),
    },
    "gateway": {
        **NODE, "connection": _text("connection"), "site": _site, **_plain(dataloggers="datalogger_count"),
        **HEARD,
    },
    "datalogger": {
        **NODE, "connection": _text("connection"), "gateway": _text("gateway"), "site": _site,
        **_plain(sensors="sensor_count"), **HEARD,
    },
    "sensor": {
        **_plain("id", "name", "label", "key", "kind"),
        "connection": _text("connection"), "gateway": _text("datalogger.gateway"), "datalogger": _text("datalogger"),
        **_plain(availability="effective_availability"),
        "last_value": _corrected,
        **_plain(
            "unit", raw_value="state.value", text="state.text", last_reading_at="state.time",
            last_seen_at="state.last_seen_at",
        ),
    },
    "topic": {
        **_plain("id", "topic", connection="connection.name", decoder="decoder"),
        **_plain("message_count", "undecoded_count", "first_seen_at", "last_seen_at", "last_size"),
        "last_payload": lambda row: preview(row.last_payload),
    },
    "undecoded": {
        **_plain("id", "received_at", "topic", "reason", connection="connection.name"),
        "reason_detail": lambda row: row.reason_detail,
        **_plain("size", "qos", "retained"),
        "payload": lambda row: preview(row.payload),
    },
    "command": {
        **_plain("id", "requested_at", "finished_at", "topic", "qos", "retain", connection="connection.name"),
        **_plain("actor", state="effective_state"),
        "detail": lambda row: row.detail,
        "payload": lambda row: preview(row.payload),
    },
    "audit": _plain("id", "at", "actor", "via", "action", "kind", "object_id", "label", "details"),
}  # fmt: skip
