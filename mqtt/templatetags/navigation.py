"""The frame of every page: menu, badges, the account's menu."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from mqtt import alerts
from mqtt.badges import NO_BADGE, Badge, problem_counts
from mqtt.permissions import ADMINISTER, CONFIGURE, OPERATE, VIEW, can
from mqtt.services.pressure import read_all

register = template.Library()

MENU: tuple[tuple[str, str, Any, str, Any], ...] = (
    # URL name, path prefix, label, badge, heading above
    ("overview", "/", _("Overview"), "", None),
    ("connection-list", "/connections/", _("Connections"), "connections", None),
    ("site-list", "/sites/", _("Sites"), "", None),
    ("gateway-list", "/gateways/", _("Gateways"), "gateways", None),
    ("datalogger-list", "/dataloggers/", _("Dataloggers"), "dataloggers", None),
    ("sensor-list", "/sensors/", _("Sensors"), "", None),
    ("topic-list", "/topics/", _("Topics"), "", None),
    ("undecoded-list", "/undecoded/", _("Not understood"), "", _("Attention")),
    ("command-list", "/commands/", _("Commands"), "", None),
    ("audit-list", "/audit/", _("Audit"), "", None),
    ("health", "/health/", _("Health"), "", None),
)

ACCOUNT = (
    ("account", _("Account"), None),
    ("token-list", _("API tokens"), VIEW),
    ("admin:index", _("Administration"), ADMINISTER),
)

ROLES = (
    (ADMINISTER, pgettext_lazy("role", "administrator")),
    (CONFIGURE, pgettext_lazy("role", "administrator")),
    (OPERATE, pgettext_lazy("role", "operator")),
    (VIEW, pgettext_lazy("role", "viewer")),
)


@dataclass
class Item:
    """One line of the menu."""

    url: str
    label: Any
    badge: str = ""
    count: Badge = NO_BADGE
    heading: Any = None
    is_current: bool = False


@register.simple_tag(takes_context=True)
def console_frame(context: dict[str, Any]) -> dict[str, Any]:
    """What base.html needs; `known` is who is logged in, `user` the same when they may see something."""
    request: HttpRequest | None = context.get("request")
    if request is None or not request.user.is_authenticated:
        return {"demo": settings.DEMO, "user": None, "known": None, "account": []}
    user = request.user
    account = [Item(reverse(name), label) for name, label, action in ACCOUNT if action is None or can(user, action)]
    if not can(user, VIEW):
        return {"demo": settings.DEMO, "user": None, "known": user, "account": account}
    counts = problem_counts(user)
    items = [
        Item(reverse(name), label, badge, counts.get(badge, NO_BADGE), heading, _is_current(request.path, prefix))
        for name, prefix, label, badge, heading in MENU
    ]
    role = next((label for action, label in ROLES if can(user, action)), "")
    return {"demo": settings.DEMO, "user": user, "known": user, "role": role, "items": items, "account": account}


@register.inclusion_tag("mqtt/parts/_alerts.html", name="alerts")
def current_alerts() -> dict[str, Any]:
    """What everybody must know, as it will be pushed."""
    return {"alerts": alerts.of(read_all())}


def _is_current(path: str, prefix: str) -> bool:
    return path == prefix if prefix == "/" else path.startswith(prefix)
