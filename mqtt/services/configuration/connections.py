"""Connections with their subscriptions, known by their name."""

import re
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError

from mqtt.encryption import SecretUnreadableError, decrypt
from mqtt.models import MqttConnection, TopicSubscription
from mqtt.models.retention import RETENTION_FIELDS
from mqtt.services.audit import Actor
from mqtt.services.configuration.sections import (
    CHANGED,
    CREATED,
    SAME,
    Done,
    Row,
    RowError,
    Section,
    assign,
    check_names,
    plain,
)
from mqtt.services.configuration.sites import site_named
from mqtt.services.connections import EDITABLE, Secrets, create_connection, update_connection
from mqtt.services.key_pairs import pair_errors
from mqtt.services.subscriptions import OWN_FIELDS
from mqtt.validators import validate_private_key

FIELDS = (
    *RETENTION_FIELDS,
    "name", "host", "port", "transport", "websocket_path", "protocol", "username", "client_id", "keepalive",
    "tls_verify", "alpn", "ca_certificate", "client_certificate", "reads_statistics", "is_enabled",
)  # fmt: skip
SECRETS = {"password": "password_token", "client_key": "client_key_token"}
FILTER_FIELDS = ("topic_filter", *OWN_FIELDS)
GENERATED_ID = re.compile(r"vedetta-[0-9a-f]{12}")
"""Ours, made up: another console that reads the file makes one of its own, or the two throw each other out."""


def _export(secrets: bool) -> Iterator[dict[str, Any]]:
    for row in MqttConnection.objects.select_related("site").prefetch_related("subscriptions"):
        entry = {"name": row.name, **plain(row, FIELDS)}
        if GENERATED_ID.fullmatch(row.client_id):
            entry.pop("client_id", None)
        if row.site:
            entry["site"] = row.site.name
        for name, token in SECRETS.items() if secrets else ():
            if plain_text := _readable(getattr(row, token)):
                entry[name] = plain_text
        entry["subscriptions"] = [
            {"topic_filter": one.topic_filter, **plain(one, OWN_FIELDS)} for one in row.subscriptions.all()
        ]
        yield entry


def _readable(token: str) -> str:
    try:
        return decrypt(token)
    except SecretUnreadableError:
        return ""


def _store(actor: Actor, row: Row) -> Done:
    name = check_names(row, (*FIELDS, *SECRETS, "site", "subscriptions"))
    filters = _filters(row["subscriptions"]) if "subscriptions" in row else None
    connection = MqttConnection.objects.filter(name=name).first()
    is_new = connection is None
    connection = connection or MqttConnection()
    stored_key = connection.client_key_token
    changed = assign(connection, row, FIELDS)
    if "site" in row and (site := site_named(row["site"])) != connection.site:
        connection.site = site
        changed.append("site")
    secrets = _secrets(row, connection)
    _check_pair(connection, stored_key, secrets, {*changed, *secrets.changes()})
    if is_new:
        if not connection.host:
            raise RowError("host is missing")
        create_connection(actor, connection, filters or [], secrets)
        return Done(CREATED, name)
    before = connection.settings_revision
    update_connection(actor, connection, set(changed) & EDITABLE, filters, secrets)
    if connection.settings_revision != before and not {*changed, *secrets.changes()}:
        changed = ["subscriptions"]
    changed += list(secrets.changes())
    return Done(CHANGED if changed else SAME, name, ", ".join(changed))


def _secrets(row: Row, connection: MqttConnection) -> Secrets:
    """Those that the row gives and that are not stored already: the same again is no change."""
    given: dict[str, str | None] = {}
    for name, token in SECRETS.items():
        value = row.get(name)
        if value is None:
            given[name] = None
            continue
        text = str(value)
        if name == "client_key" and text:
            _check_key(text)
        given[name] = None if text == _readable(getattr(connection, token)) else text
    return Secrets(**given)


def _check_key(text: str) -> None:
    try:
        validate_private_key(text)
    except ValidationError as error:
        raise RowError(f"client_key: {' '.join(error.messages)}") from error


def _check_pair(connection: MqttConnection, stored_key: str, secrets: Secrets, changed: set[str]) -> None:
    if not changed & {"client_certificate", "client_key"}:
        return
    errors = pair_errors(connection.client_certificate, stored_token=stored_key, new_key=secrets.client_key)
    for field, sentence in errors.items():
        raise RowError(f"{field}: {sentence}")


def _filters(rows: Any) -> list[TopicSubscription]:
    if not isinstance(rows, list):
        raise RowError("subscriptions must be a list")
    found = []
    for row in rows:
        if not isinstance(row, dict):
            raise RowError("each subscription has a topic_filter")
        check_names(row, FILTER_FIELDS, needed="topic_filter")
        one = TopicSubscription()
        assign(one, row, FILTER_FIELDS)
        found.append(one)
    return found


CONNECTIONS = Section("connections", _export, _store)
