"""What all admin pages share: bounded lists, rights by role, read-only tables."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from mqtt import reasons
from mqtt.enums import Availability, ConnectionStatus
from mqtt.exceptions import ServiceError
from mqtt.permissions import OPERATE, can, visible_to
from mqtt.services.audit import Actor


def actor_of(request: HttpRequest) -> Actor:
    """Who is written into the audit."""
    return Actor.of(request.user, "admin")


def say_refusal(request: HttpRequest, error: ServiceError) -> None:
    """A refused action as a message on the next page."""
    messages.error(request, reasons.explain(error.code, error.context))


class BoundedAdmin(admin.ModelAdmin):
    """Nothing here counts or loads more than one page of a table."""

    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """What this user may see."""
        return visible_to(request.user, super().get_queryset(request))

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """What the service refuses is said, not a failure."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except ServiceError as error:
            say_refusal(request, error)
            return HttpResponseRedirect(request.get_full_path())

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """For actions that switch and test."""
        return can(request.user, OPERATE)


class ReadOnlyAdmin(BoundedAdmin):
    """Rows that only the console itself writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody makes these by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes these by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """They go with their connection, or by retention."""
        return False


class EffectiveFilter(admin.SimpleListFilter):
    """Filters by an annotated word instead of a stored one."""

    annotation = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The closed list."""
        raise NotImplementedError

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows with the chosen word."""
        return queryset.filter(**{self.annotation: self.value()}) if self.value() else queryset


class StatusFilter(EffectiveFilter):
    """By the status that is true now."""

    title = _("status")
    parameter_name = "status"
    annotation = "effective_status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """All statuses."""
        return list(ConnectionStatus.choices)


class AvailabilityFilter(EffectiveFilter):
    """By the availability that is true now."""

    title = _("availability")
    parameter_name = "availability"
    annotation = "effective_availability"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """All of them."""
        return list(Availability.choices)
