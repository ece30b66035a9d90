"""The rights of a user in one query, where Django asks two: every page and every call of the API begins with them."""

from typing import Any

from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest


class OneQueryRights:
    """Says what a user may do; who somebody is, Django's own backend says."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        """Not here."""

    def get_all_permissions(self, user: Any, obj: Any = None) -> set[str]:
        """Names like `mqtt.view_mqttconnection`, own ones and those of groups; kept with the user for the request."""
        if not user.is_active or user.is_anonymous or obj is not None:
            return set()
        if not hasattr(user, "_rights"):
            own, of_groups = (Permission.objects.filter(**{way: user}).values("pk") for way in ("user", "group__user"))
            found = Permission.objects.filter(Q(pk__in=own) | Q(pk__in=of_groups)).order_by()
            names = found.values_list("content_type__app_label", "codename")
            user._rights = {f"{app}.{name}" for app, name in names}  # noqa: SLF001 - as Django's backend does
        return set(user._rights)  # noqa: SLF001

    def has_perm(self, user: Any, perm: str, obj: Any = None) -> bool:
        """Whether one of them is `perm`. Raises PermissionDenied where not: nobody else has to be asked."""
        if user.is_active and user.is_superuser:
            return True
        if obj is None and perm not in self.get_all_permissions(user):
            raise PermissionDenied
        return obj is None

    def has_module_perms(self, user: Any, app_label: str) -> bool:
        """Whether any of them belongs to an app."""
        return any(name.startswith(f"{app_label}.") for name in self.get_all_permissions(user))
