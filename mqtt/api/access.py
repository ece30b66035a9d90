"""The rights of API calls: the same questions to `permissions.can` as on the pages."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from mqtt.permissions import CONFIGURE, VIEW, can
from mqtt.services.audit import Actor


class Rights(BasePermission):
    """Reading needs `view`; a view's `rights` names what its actions need; every other write needs `configure`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether this user may make this call at all."""
        needed = getattr(view, "rights", {}).get(getattr(view, "action", None))
        if needed is None:
            needed = VIEW if request.method in SAFE_METHODS else CONFIGURE
        return can(request.user, VIEW) and can(request.user, needed)


def actor(request: Request) -> Actor:
    """Who is written into the audit."""
    return Actor.of(request.user, "api")
