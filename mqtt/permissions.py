"""Who may see and do what: every queryset, view, fragment, socket event and API call asks here."""

from typing import Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Exists, Model, Q, QuerySet

from mqtt.models import MqttConnection

User = AbstractBaseUser | AnonymousUser
M = TypeVar("M", bound=Model)

VIEW = "view"
OPERATE = "operate"
PUBLISH = "publish"
TAIL = "tail"
CONFIGURE = "configure"
ADMINISTER = "administer"

NEEDED = {
    VIEW: "mqtt.view_mqttconnection",
    OPERATE: "mqtt.operate_mqttconnection",
    PUBLISH: "mqtt.publish_mqttconnection",
    TAIL: "mqtt.tail_mqttconnection",
    CONFIGURE: "mqtt.change_mqttconnection",
    ADMINISTER: "auth.change_user",
}
"""view: every page; operate: switch and test; publish: send messages to devices; tail: watch raw
messages of any topic; configure: create, edit, delete; administer: people."""


def can(user: User, action: str) -> bool:
    """Whether the user may do `action`."""
    if not user.is_active:
        return False
    has_perm: Any = getattr(user, "has_perm", None)
    return bool(has_perm and has_perm(NEEDED[action]))


def visible_to(user: User, queryset: QuerySet[M]) -> QuerySet[M]:
    """What of a queryset the user may see; nothing of a connection that is being deleted."""
    if not can(user, VIEW):
        return queryset.none()
    if hasattr(queryset.model, "connection_id"):
        leaving = MqttConnection.all_objects.filter(deleted_at__isnull=False)
        # Nearly always there is none: then no row's connection is looked at, which in a long list costs the most.
        return queryset.filter(~Exists(leaving) | ~Q(connection__in=leaving.values("pk")))
    return queryset
