"""The rights of a user in one query, where Django asks two: every page and every call of the API begins with them."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest

RIGHTS = """
SELECT t.app_label, p.codename FROM auth_permission p JOIN django_content_type t ON t.id = p.content_type_id
WHERE p.id IN (
    SELECT permission_id FROM auth_user_user_permissions WHERE user_id = %s
    UNION ALL
    SELECT g.permission_id FROM auth_user_groups u JOIN auth_group_permissions g ON g.group_id = u.group_id
    WHERE u.user_id = %s
)
"""
"""As SQL, because each page and call begins with it, and Django took seven times as long to write it as it takes."""


class OneQueryRights:
    """Says what a user may do; who somebody is, Django's own backend says."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        """Not here."""

    def get_all_permissions(self, user: Any, obj: Any = None) -> set[str]:
        """Names like `mqtt.view_mqttconnection`, own ones and those of groups; kept with the user for the request."""
        if not user.is_active or user.is_anonymous or obj is not None:
            return set()
        if not hasattr(user, "_rights"):
            with connection.cursor() as cursor:
                cursor.execute(RIGHTS, [user.pk, user.pk])
                user._rights = {f"{app}.{name}" for app, name in cursor.fetchall()}  # noqa: SLF001 - as Django's backend
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
