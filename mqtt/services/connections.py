"""What people do to connections: the one way for pages, API, admin and commands.

Nothing here checks rights (callers ask `permissions.can`). Every function locks the row, names its
`update_fields`, writes the audit, and after the commit wakes the mqtt processes. Refusals are ServiceErrors.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from mqtt.encryption import encrypt
from mqtt.enums import AuditAction, ConnectionStatus, NodeKind, TaskState
from mqtt.exceptions import ServiceError
from mqtt.models import ConnectionLease, ConnectionTest, MqttConnection, TopicSubscription
from mqtt.models.retention import RETENTION_FIELDS
from mqtt.services.audit import SECRET, Actor, differences, record, snapshot
from mqtt.services.broadcast import broadcast_status_update, wake_up
from mqtt.services.kept_secrets import secrets_left_behind
from mqtt.services.names import unique_name
from mqtt.services.probes.certificates import in_few_words
from mqtt.services.session_status import set_status
from mqtt.services.subscriptions import check_filters, replace_subscriptions

SESSION_FIELDS = frozenset(
    {
        "host", "port", "transport", "websocket_path", "protocol", "username", "client_id", "keepalive",
        "ca_certificate", "client_certificate", "tls_verify", "alpn", "reads_statistics",
    }
)  # fmt: skip
"""A change of these reconnects the session."""
EDITABLE = SESSION_FIELDS | {"name", "site", "is_enabled", *RETENTION_FIELDS}

CERTIFICATES = frozenset({"ca_certificate", "client_certificate"})

STATUS_FIELDS = ("status", "status_reason", "status_context", "status_changed_at")

TEST_PATIENCE = timedelta(seconds=60)
"""A test asked for again within this time is the same test while it has not ended."""
TESTS_KEPT = 20


@dataclass(frozen=True)
class Secrets:
    """New secrets in plain text: None leaves one as it is, an empty text clears it."""

    password: str | None = None
    client_key: str | None = None

    def tokens(self) -> dict[str, str]:
        """{model field: encrypted token} of those that are to be written."""
        given = {"password_token": self.password, "client_key_token": self.client_key}
        return {name: encrypt(plain) for name, plain in given.items() if plain is not None}

    def changes(self) -> dict[str, str]:
        """What the audit may say of them."""
        return {name: SECRET for name in ("password", "client_key") if getattr(self, name) is not None}


def create_connection(
    actor: Actor, connection: MqttConnection, subscriptions: Sequence[TopicSubscription], secrets: Secrets
) -> MqttConnection:
    """Store a new connection with its filters; when it is enabled, an mqtt process takes it up at once."""
    check_filters(subscriptions)
    for name, token in secrets.tokens().items():
        setattr(connection, name, token)
    connection.status = ConnectionStatus.CONNECTING if connection.is_enabled else ConnectionStatus.DISABLED
    connection.status_changed_at = timezone.now()
    with _unique(connection), transaction.atomic():
        connection.save(force_insert=True)
        replace_subscriptions(connection, subscriptions)
        details = {name: value for name, value in snapshot(connection, EDITABLE).items() if value not in ("", None)}
        details["filters"] = ", ".join(one.topic_filter for one in subscriptions)
        record(actor, AuditAction.CREATED, NodeKind.CONNECTION, connection, _told(details) | secrets.changes())
        _announce(connection, ["created"])
    return connection


def update_connection(
    actor: Actor,
    connection: MqttConnection,
    changed: Iterable[str],
    subscriptions: Sequence[TopicSubscription] | None = None,
    secrets: Secrets | None = None,
) -> MqttConnection:
    """Store the `changed` fields of an instance that carries their new values; None leaves the filters alone."""
    wanted = set(changed)
    if not wanted <= EDITABLE:
        raise ValueError(f"not for people to write: {', '.join(sorted(wanted - EDITABLE))}")
    fields = wanted - {"is_enabled"}
    secrets = secrets or Secrets()
    with _unique(connection), transaction.atomic():
        row = _locked(connection)
        if secrets_left_behind(
            row,
            {name: getattr(connection, name) for name in fields},
            password=secrets.password,
            client_key=secrets.client_key,
        ):
            raise ServiceError("secrets_for_new_address")
        details = differences(snapshot(row, fields), snapshot(connection, fields)) | secrets.changes()
        values = {name: getattr(connection, name) for name in fields} | secrets.tokens()
        filters = {} if subscriptions is None else replace_subscriptions(connection, subscriptions)
        if filters or secrets.changes() or SESSION_FIELDS & details.keys():
            values["settings_revision"] = row.settings_revision + 1
        if details or filters:
            _save(row, connection, **values)
            record(actor, AuditAction.CHANGED, NodeKind.CONNECTION, row, _told(details) | filters)
            _announce(row, [*details, *(["subscriptions"] if filters else [])])
        if "is_enabled" in wanted:
            _switch(actor, row, connection, on=connection.is_enabled)
    return connection


def enable_connection(actor: Actor, connection: MqttConnection) -> MqttConnection:
    """Let an mqtt process connect it; nothing happens when it is enabled already."""
    with transaction.atomic():
        _switch(actor, _locked(connection), connection, on=True)
    return connection


def disable_connection(actor: Actor, connection: MqttConnection) -> MqttConnection:
    """End its broker session for good; the status says so once the mqtt process has done it."""
    with transaction.atomic():
        _switch(actor, _locked(connection), connection, on=False)
    return connection


def resubscribe_connection(actor: Actor, connection: MqttConnection) -> MqttConnection:
    """Have the running session subscribe to all of its filters again."""
    with transaction.atomic():
        row = _locked(connection)
        _refuse_disabled(row)
        _save(row, connection, resubscribe_requested_at=timezone.now())
        record(actor, AuditAction.RESUBSCRIBED, NodeKind.CONNECTION, row)
        _announce(row, ["resubscribe_requested_at"])
    return connection


def retry_connection_now(actor: Actor, connection: MqttConnection) -> MqttConnection:
    """Do not wait for the next try: `next_retry_at` becomes now, which the mqtt process acts on."""
    with transaction.atomic():
        row = _locked(connection)
        _refuse_disabled(row)
        _save(row, connection, next_retry_at=timezone.now())
        record(actor, AuditAction.RETRIED, NodeKind.CONNECTION, row)
        _announce(row, ["next_retry_at"])
    return connection


def request_test(actor: Actor, connection: MqttConnection) -> ConnectionTest:
    """Ask an mqtt process to walk through the connection step by step; a test under way is not doubled."""
    with transaction.atomic():
        row = _locked(connection)
        tests = row.tests.order_by("-requested_at", "-id")
        open_test = tests.filter(
            state__in=(TaskState.QUEUED, TaskState.RUNNING), requested_at__gt=Now() - TEST_PATIENCE
        ).first()
        if open_test is None:
            row.tests.filter(pk__in=list(tests.values_list("pk", flat=True)[TESTS_KEPT - 1 : TESTS_KEPT + 99])).delete()
            open_test = row.tests.create(requested_by=actor.user)
            record(actor, AuditAction.TESTED, NodeKind.CONNECTION, row)
        transaction.on_commit(lambda: wake_up(row.pk))
    return open_test


@transaction.atomic
def delete_connection(actor: Actor, connection: MqttConnection) -> None:
    """Take it out of sight and free its name; the mqtt process ends its session, and erases all that it brought."""
    row = _locked(connection)
    _switch(actor, row, connection, on=False)
    record(actor, AuditAction.DELETED, NodeKind.CONNECTION, row)
    row.name = f"{row.name[:80]} {uuid4().hex}"
    row.deleted_at = timezone.now()
    row.save(update_fields=["name", "deleted_at"])
    transaction.on_commit(lambda: broadcast_status_update(row.pk, ConnectionStatus.DISABLED, ["deleted"]))
    transaction.on_commit(lambda: wake_up(row.pk))


def _told(details: Mapping[str, Any]) -> dict[str, Any]:
    """The details as the audit has them: of a certificate whose it is and its fingerprint, not the block of letters."""

    def words(given: Any) -> Any:
        return (
            {name: in_few_words(pem) for name, pem in given.items()} if isinstance(given, dict) else in_few_words(given)
        )

    return {name: words(value) if name in CERTIFICATES else value for name, value in details.items()}


def _switch(actor: Actor, row: MqttConnection, instance: MqttConnection, *, on: bool) -> None:
    if row.is_enabled == on:
        instance.is_enabled = on
        return
    values: dict[str, Any] = {"is_enabled": on, "next_retry_at": None, "retry_count": 0}
    held = ConnectionLease.objects.filter(connection=row, expires_at__gt=Now()).exists()
    if on or not held:
        # A save that names the status is announced by the signal.
        set_status(row.pk, ConnectionStatus.CONNECTING if on else ConnectionStatus.DISABLED, **values)
    else:
        _save(row, instance, **values)
    instance.refresh_from_db(fields=[*values, *STATUS_FIELDS])
    record(actor, AuditAction.ENABLED if on else AuditAction.DISABLED, NodeKind.CONNECTION, row)
    _announce(row, ["is_enabled"] if held and not on else [])


def _locked(connection: MqttConnection) -> MqttConnection:
    row = MqttConnection.objects.select_for_update(no_key=True).filter(pk=connection.pk).first()
    if row is None:
        raise ServiceError("gone", name=connection.name)
    return row


def _save(row: MqttConnection, instance: MqttConnection, **values: Any) -> None:
    for name, value in values.items():
        setattr(row, name, value)
        setattr(instance, name, value)
    row.save(update_fields=list(values))


def _announce(row: MqttConnection, changed: list[str]) -> None:
    pk, status = row.pk, row.status
    if changed:
        transaction.on_commit(lambda: broadcast_status_update(pk, status, changed))
    transaction.on_commit(lambda: wake_up(pk))


def _refuse_disabled(row: MqttConnection) -> None:
    if not row.is_enabled:
        raise ServiceError("not_enabled", name=row.name)


@contextmanager
def _unique(connection: MqttConnection) -> Iterator[None]:
    """Like `unique_name`, for the client id too."""
    try:
        with unique_name(connection):
            yield
    except IntegrityError as error:
        others = MqttConnection.all_objects.exclude(pk=connection.pk)
        if others.filter(client_id=connection.client_id, deleted_at__isnull=False).exists():
            raise ServiceError("client_id_leaving", client_id=connection.client_id) from error
        if others.filter(client_id=connection.client_id).exists():
            raise ServiceError("client_id_taken", client_id=connection.client_id) from error
        raise
