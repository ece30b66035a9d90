"""Accounts: one role each, and every change of role or password in the audit."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm
from django.contrib.auth.models import Group, User
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from mqtt.admin.base import actor_of
from mqtt.enums import AuditAction, NodeKind
from mqtt.permissions import ADMINISTER, can
from mqtt.services import people
from mqtt.services.audit import differences, record, snapshot

FIELDS = ("username", "first_name", "last_name", "email", "is_active")
ROLE_CHOICES = [
    ("", _("none: may log in and sees nothing")),
    ("viewer", _("viewer: looks")),
    ("operator", _("operator: also switches and tests")),
    ("administrator", _("administrator: also configures and cares for accounts")),
]


class AccountForm(UserChangeForm):
    """An account with its one role instead of groups and single permissions."""

    role = forms.ChoiceField(label=_("Role"), choices=ROLE_CHOICES, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "role" in self.fields:
            self.initial["role"] = people.role_of(self.instance)
            self.fields["role"].disabled = self.instance.is_superuser

    def clean(self) -> dict[str, Any]:
        """The last administrator stays one, and stays able to log in."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        was = people.role_of(self.instance) == people.ADMINISTRATOR
        stays = cleaned.get("role") == people.ADMINISTRATOR and cleaned.get("is_active")
        if was and not stays and not people.has_other_administrator(self.instance):
            raise forms.ValidationError(_("This is the last administrator. Make somebody else administrator first."))
        return cleaned


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class AccountAdmin(UserAdmin):
    """Accounts."""

    form = AccountForm
    list_display = ("username", "first_name", "last_name", "role", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    list_per_page = 50
    show_full_result_count = False
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        (_("Rights"), {"fields": ("is_active", "role")}),
        (_("Now"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """With their groups at once."""
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description=_("role"))
    def role(self, user: User) -> str:
        """From the groups that are already loaded."""
        held = {group.name for group in user.groups.all()}
        if user.is_superuser:
            held.add(people.ADMINISTRATOR)
        return next((pgettext("role", role) for role in reversed(people.ROLES) if role in held), "–")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only a superuser may change a superuser: its password would be a way to more rights."""
        return super().has_change_permission(request, obj) and not self._above(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """The same, and nobody deletes themselves or the last administrator."""
        if not super().has_delete_permission(request, obj) or self._above(request, obj):
            return False
        return obj is None or (obj.pk != request.user.pk and people.has_other_administrator(obj))  # type: ignore[arg-type]

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """The row, with what changed of it."""
        before = snapshot(User.objects.get(pk=obj.pk), FIELDS) if change else {}
        super().save_model(request, obj, form, change)
        details = differences(before, snapshot(obj, FIELDS)) if change else {}
        if details or not change:
            record(
                actor_of(request), AuditAction.CHANGED if change else AuditAction.CREATED, NodeKind.USER, obj, details
            )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The role, through the service."""
        super().save_related(request, form, formsets, change)
        if "role" in getattr(form, "changed_data", ()):
            people.set_role(actor_of(request), form.instance, form.cleaned_data["role"])

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Write down who did it."""
        record(actor_of(request), AuditAction.DELETED, NodeKind.USER, obj)
        super().delete_model(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Accounts are deleted one at a time."""
        return {}

    def construct_change_message(self, request: HttpRequest, form: Any, *args: Any, **kwargs: Any) -> Any:
        """Asked for once after a save: the place where a new password goes into the audit."""
        if isinstance(form, AdminPasswordChangeForm):
            record(actor_of(request), AuditAction.PASSWORD_SET, NodeKind.USER, form.user)
        return super().construct_change_message(request, form, *args, **kwargs)

    def _above(self, request: HttpRequest, obj: Model | None) -> bool:
        asking: Any = request.user
        return isinstance(obj, User) and obj.is_superuser and not asking.is_superuser


@admin.register(Group)
class RoleAdmin(admin.ModelAdmin):
    """The roles, to look at: they are fixed."""

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Administrators."""
        return can(request.user, ADMINISTER)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Fixed."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Fixed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Fixed."""
        return False
