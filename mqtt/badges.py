"""The menu's badges: how many connections, gateways and dataloggers have a problem."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from mqtt.enums import Availability, ConnectionStatus
from mqtt.models import Datalogger, Gateway, MqttConnection
from mqtt.permissions import User, visible_to

TROUBLE = (ConnectionStatus.ERROR, ConnectionStatus.DISCONNECTED, ConnectionStatus.UNKNOWN, ConnectionStatus.SILENT)
MISSING = (Availability.OFFLINE, Availability.LATE)


@dataclass(frozen=True, slots=True)
class Badge:
    """A number in the menu; the words are read by screen readers."""

    count: int = 0
    tone: str = ""
    words: Any = ""


NO_BADGE = Badge()


def problem_counts(user: User) -> dict[str, Badge]:
    """The badges by menu item; three small queries."""
    found = (
        visible_to(user, MqttConnection.objects.all())
        .with_effective_status()  # type: ignore[attr-defined]
        .filter(effective_status__in=TROUBLE)
        .order_by()
        .values_list("effective_status")
        .annotate(n=Count("pk"))
    )
    by_status = dict(found)
    tone = "bad" if by_status.get(ConnectionStatus.ERROR) else "warn"
    badges = {"connections": Badge(sum(by_status.values()), tone, _("with a problem"))}
    for name, model in (("gateways", Gateway), ("dataloggers", Datalogger)):
        devices = visible_to(user, model.objects.all()).with_availability()  # type: ignore[attr-defined]
        missing = dict(
            devices.filter(effective_availability__in=MISSING)
            .order_by()
            .values_list("effective_availability")
            .annotate(n=Count("pk"))
        )
        tone = "bad" if missing.get(Availability.OFFLINE) else "warn"
        badges[name] = Badge(sum(missing.values()), tone, _("late or offline"))
    return badges
