"""Connections with their filters, saved, switched and deleted by the services alone."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from mqtt.admin.base import BoundedAdmin, StatusFilter, actor_of, say_refusal
from mqtt.enums import ConnectionStatus
from mqtt.exceptions import ServiceError
from mqtt.forms import ConnectionForm
from mqtt.forms.connection import SECTIONS
from mqtt.models import MqttConnection, TopicSubscription
from mqtt.services import connections
from mqtt.services.subscriptions import MAX_FILTERS, OWN_FIELDS, filter_errors

LIVE = ("live_status", "status_detail", "status_changed_at", "last_connected_at", "retry_count", "next_retry_at")
STORED_SECRETS = {"password_change": "password_token", "client_key_change": "client_key_token"}

NARROW = {"topic_filter": 24, "decoder": 14}
"""Letters of the fields in the table of filters."""


class FilterFormSet(BaseInlineFormSet):
    """The filters of one connection; written by the service together with it."""

    def clean(self) -> None:
        """Put each problem at its row."""
        super().clean()
        rows = [form for form in self.filled() if not form.errors]
        filters = [(form.cleaned_data["topic_filter"], form.cleaned_data["is_active"]) for form in rows]
        for position, error in filter_errors(filters).items():
            rows[position].add_error("topic_filter", error)

    def validate_unique(self) -> None:
        """`clean` says it at the row, in our words."""

    def filled(self) -> list[Any]:
        """Rows that hold a filter and are not to be deleted."""
        gone = self.deleted_forms if self.is_bound else []
        return [
            form for form in self.forms if form not in gone and getattr(form, "cleaned_data", {}).get("topic_filter")
        ]

    def wanted(self) -> list[TopicSubscription]:
        """The new set of filters."""
        names = ("topic_filter", *OWN_FIELDS)
        return [TopicSubscription(**{name: form.cleaned_data[name] for name in names}) for form in self.filled()]

    def mark_saved(self) -> None:
        """What the admin's own log asks of a saved formset."""
        self.new_objects, self.changed_objects, self.deleted_objects = [], [], []


class FilterInline(admin.TabularInline):
    """Filters, and what the broker said to them."""

    model = TopicSubscription
    formset = FilterFormSet
    fields = ("topic_filter", "qos", "decoder", "is_active", "granted_qos", "reason_detail")
    readonly_fields = ("granted_qos", "reason_detail")
    extra = 1
    max_num = MAX_FILTERS

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Fields as narrow as their content: those of the admin site itself make the table wider than the page."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name in NARROW:
            field.widget.attrs.update({"class": "", "size": NARROW[db_field.name]})
        return field


@admin.register(MqttConnection)
class ConnectionAdmin(BoundedAdmin):
    """Connections."""

    form = ConnectionForm
    inlines = (FilterInline,)
    list_display = (
        "name",
        "host_and_port",
        "transport",
        "protocol",
        "site",
        "is_enabled",
        "live_status",
        "last_connected_at",
    )
    list_filter = (StatusFilter, "is_enabled", "transport", "protocol", "site")
    list_select_related = ("site",)
    search_fields = ("name", "host", "client_id")
    autocomplete_fields = ("site",)
    readonly_fields = LIVE
    actions = ("enable", "disable", "resubscribe")
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the status that is true now."""
        return super().get_queryset(request).with_effective_status()  # type: ignore[attr-defined, no-any-return]

    def get_fieldsets(self, request: HttpRequest, obj: MqttConnection | None = None) -> Any:
        """The sections of the page's form, then what is known just now."""
        missing = {name for name, token in STORED_SECRETS.items() if not getattr(obj, token, "")}
        sections = [
            (heading, {"fields": [name for name in names if name not in missing]})
            for heading, names in SECTIONS.values()
        ]
        return [*sections, (_("Now"), {"fields": LIVE})] if obj else sections

    def get_readonly_fields(self, request: HttpRequest, obj: MqttConnection | None = None) -> Any:
        """A user who may only look sees no fields for secrets."""
        return LIVE

    @admin.display(description=_("address"), ordering="host")
    def host_and_port(self, connection: MqttConnection) -> str:
        """Where its broker is."""
        return connection.address

    @admin.display(description=_("status"), ordering="effective_status")
    def live_status(self, connection: Any) -> str:
        """The word on the screen."""
        status = getattr(connection, "effective_status", connection.status)
        return str(ConnectionStatus(status).label)

    @admin.display(description=_("why"))
    def status_detail(self, connection: MqttConnection) -> str:
        """The reason, in the reader's language."""
        return connection.status_detail or "–"

    def save_model(self, request: HttpRequest, obj: MqttConnection, form: Any, change: bool) -> None:
        """Nothing yet: connection and filters are written together."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Write both through the service."""
        filters: FilterFormSet = formsets[0]
        actor, secrets = actor_of(request), form.secrets()
        if change:
            changed = connections.EDITABLE & set(form.changed_data)
            connections.update_connection(actor, form.instance, changed, filters.wanted(), secrets)
        else:
            connections.create_connection(actor, form.instance, filters.wanted(), secrets)
        filters.mark_saved()

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """A refusal is said, and is no error."""
        try:
            response: HttpResponse = self._delete_view(request, object_id, extra_context)  # type: ignore[attr-defined]
        except ServiceError as error:
            say_refusal(request, error)
            return HttpResponseRedirect(request.get_full_path())
        return response

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Names alone: collecting all devices and topics below could load a million rows."""
        names = [str(obj) for obj in objs]
        return names, {str(self.opts.verbose_name_plural): len(names)}, set(), []

    def delete_model(self, request: HttpRequest, obj: MqttConnection) -> None:
        """Delete through the service."""
        connections.delete_connection(actor_of(request), obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[MqttConnection]) -> None:
        """One by one."""
        for connection in queryset:
            try:
                self.delete_model(request, connection)
            except ServiceError as error:
                say_refusal(request, error)

    @admin.action(description=_("Enable"), permissions=["operate"])
    def enable(self, request: HttpRequest, queryset: QuerySet[MqttConnection]) -> None:
        """Let them connect."""
        self._each(request, queryset, connections.enable_connection)

    @admin.action(description=_("Disable"), permissions=["operate"])
    def disable(self, request: HttpRequest, queryset: QuerySet[MqttConnection]) -> None:
        """End their sessions."""
        self._each(request, queryset, connections.disable_connection)

    @admin.action(description=_("Subscribe again"), permissions=["operate"])
    def resubscribe(self, request: HttpRequest, queryset: QuerySet[MqttConnection]) -> None:
        """Make the running sessions subscribe again."""
        self._each(request, queryset, connections.resubscribe_connection)

    def _each(self, request: HttpRequest, queryset: QuerySet[MqttConnection], act: Callable[..., Any]) -> None:
        done = 0
        for connection in queryset:
            try:
                act(actor_of(request), connection)
            except ServiceError as error:
                say_refusal(request, error)
            else:
                done += 1
        if done:
            text = ngettext("Done for %(count)s connection.", "Done for %(count)s connections.", done)
            messages.success(request, text % {"count": done})
