"""Closed lists that models, services, pages and API share."""

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ConnectionStatus(TextChoices):
    """What is known of a broker link. The label is what the screen says."""

    DISABLED = "disabled", pgettext_lazy("connection", "disabled")
    CONNECTING = "connecting", pgettext_lazy("connection", "connecting")
    CONNECTED = "connected", pgettext_lazy("connection", "connected")
    SILENT = "silent", pgettext_lazy("connection", "no data")
    DISCONNECTED = "disconnected", pgettext_lazy("connection", "disconnected")
    ERROR = "error", pgettext_lazy("connection", "error")
    UNKNOWN = "unknown", pgettext_lazy("connection", "unknown")


STATUS_WORST_FIRST = (
    ConnectionStatus.ERROR,
    ConnectionStatus.DISCONNECTED,
    ConnectionStatus.UNKNOWN,
    ConnectionStatus.SILENT,
    ConnectionStatus.CONNECTING,
    ConnectionStatus.CONNECTED,
    ConnectionStatus.DISABLED,
)
"""The order in which an operator wants to read them."""

LINK_UP = (ConnectionStatus.CONNECTED, ConnectionStatus.SILENT)
"""The statuses with a working broker link."""


class Availability(TextChoices):
    """Whether a gateway, datalogger or sensor can be believed to be there."""

    ONLINE = "online", pgettext_lazy("device", "online")
    LATE = "late", pgettext_lazy("device", "late")
    OFFLINE = "offline", pgettext_lazy("device", "offline")
    UNKNOWN = "unknown", pgettext_lazy("device", "unknown")


class IntervalSource(TextChoices):
    """How the interval that is expected between a device's messages is known."""

    UNKNOWN = "unknown", pgettext_lazy("interval", "not known yet")
    LEARNED = "learned", pgettext_lazy("interval", "learned")
    SAID = "said", pgettext_lazy("interval", "said by the device")
    SET = "set", pgettext_lazy("interval", "set")
    IRREGULAR = "irregular", pgettext_lazy("interval", "no rhythm")


class Transport(TextChoices):
    """How bytes reach the broker."""

    TCP = "tcp", "TCP"
    TLS = "tls", "TLS"
    WS = "ws", "WS"
    WSS = "wss", "WSS"


ENCRYPTED_TRANSPORTS = (Transport.TLS, Transport.WSS)
WEBSOCKET_TRANSPORTS = (Transport.WS, Transport.WSS)


class Protocol(TextChoices):
    """The version of MQTT that a connection speaks."""

    V311 = "3.1.1", "MQTT 3.1.1"
    V5 = "5", "MQTT 5"


class QoS(IntegerChoices):
    """A QoS 2 publication arrives at QoS 1: the client library completes half of QoS 2 before we can store."""

    AT_MOST_ONCE = 0, _("0, at most once")
    AT_LEAST_ONCE = 1, _("1, at least once")


class NodeKind(TextChoices):
    """What a status change, an alias or an audit entry is about."""

    CONNECTION = "connection", _("connection")
    SITE = "site", _("site")
    GATEWAY = "gateway", _("gateway")
    DATALOGGER = "datalogger", _("datalogger")
    SENSOR = "sensor", _("sensor")
    TOPIC = "topic", _("topic")
    TOKEN = "token", _("API token")
    USER = "user", _("user")
    MAPPING = "mapping", _("mapping")
    CONSOLE = "console", _("console")


class AuditAction(TextChoices):
    """What somebody did to a thing."""

    CREATED = "created", _("created")
    CHANGED = "changed", _("changed")
    DELETED = "deleted", _("deleted")
    ENABLED = "enabled", _("enabled")
    DISABLED = "disabled", _("disabled")
    RESUBSCRIBED = "resubscribed", _("subscribed again")
    RETRIED = "retried", _("tried again now")
    TESTED = "tested", _("tested")
    PUBLISHED = "published", _("message published")
    ACCEPTED = "accepted", _("accepted")
    READ_AGAIN = "read_again", _("messages decoded again")
    REVOKED = "revoked", _("revoked")
    CORRECTED = "corrected", _("corrected")
    UNCORRECTED = "uncorrected", _("correction taken back")
    REPLACED = "replaced", _("another device put in its place")
    MERGED = "merged", _("another device merged into it")
    RELEASED = "released", _("topic let go")
    NOTED = "noted", _("note written")
    NOTE_CHANGED = "note_changed", _("note changed")
    NOTE_DELETED = "note_deleted", _("note deleted")
    PASSWORD_SET = "password_set", _("password set")
    ROLE_SET = "role_set", _("role set")
    CLOCK_CONFIRMED = "clock_confirmed", _("said that the clock is right")


class TaskState(TextChoices):
    """The way of work that the web asks and an mqtt process does."""

    QUEUED = "queued", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")


class DeviceWork(TextChoices):
    """What is done to the readings of a device in the background."""

    MERGE = "merge", _("move readings")
    DELETE = "delete", _("delete readings")


class CommandState(TextChoices):
    """What became of a message that somebody published."""

    QUEUED = "queued", pgettext_lazy("command", "waiting")
    RUNNING = "running", pgettext_lazy("command", "being sent")
    DONE = "done", pgettext_lazy("command", "published")
    FAILED = "failed", pgettext_lazy("command", "not published")
    UNCONFIRMED = "unconfirmed", pgettext_lazy("command", "not confirmed")


class StepState(TextChoices):
    """One step of a connection test."""

    WAITING = "waiting", _("not tried")
    RUNNING = "running", _("trying")
    OK = "ok", _("good")
    WARNING = "warning", _("look here")
    FAILED = "failed", _("failed")


class ReadingFlag:
    """Bits of `Reading.flags`."""

    OWN_TIME = 1
    """`time` is the device's own; without this bit it is the time of receipt."""
    RETAINED = 2
    """The broker had kept the message for new subscribers."""
    UNCERTAIN = 4
    """The message waited in the broker and carries no time of its own."""
    LATE = 8
    """Older than the newest reading of its sensor when it arrived."""
