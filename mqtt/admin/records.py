"""What the console itself writes: topics, messages not understood, changes, audit, leases, tests, tokens."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from mqtt.admin.base import ReadOnlyAdmin, actor_of
from mqtt.enums import AuditAction
from mqtt.models import (
    ApiToken,
    AuditEntry,
    Command,
    ConnectionActivity,
    ConnectionLease,
    ConnectionTest,
    DeviceAnnouncement,
    DeviceTask,
    DiscoveredTopic,
    DiskSample,
    Mapping,
    MqttWorker,
    PeriodicJob,
    StatusChange,
    TopicSubscription,
    UndecodedMessage,
)
from mqtt.permissions import ADMINISTER, can
from mqtt.presentation.payloads import as_text
from mqtt.services import tokens


@admin.register(TopicSubscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """All filters in one list; they are changed on their connection's page."""

    list_display = ("topic_filter", "connection", "qos", "granted_qos", "is_active", "reason_detail")
    list_filter = ("is_active", "connection")
    list_select_related = ("connection",)
    search_fields = ("topic_filter",)


@admin.register(DiscoveredTopic)
class TopicAdmin(ReadOnlyAdmin):
    """Topics that were heard."""

    list_display = ("topic", "connection", "last_seen_at", "message_count", "undecoded_count", "decoder")
    list_filter = ("connection",)
    list_select_related = ("connection",)
    search_fields = ("topic__startswith",)
    readonly_fields = ("content",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Lists do without payloads."""
        return super().get_queryset(request).defer("last_payload", "previous_payload")

    @admin.display(description=_("last content"))
    def content(self, topic: DiscoveredTopic) -> str:
        """As text; the template escapes it."""
        return as_text(bytes(topic.last_payload))


@admin.register(DeviceAnnouncement)
class AnnouncementAdmin(ReadOnlyAdmin):
    """What devices announced: why a unit or a name is what it is."""

    list_display = ("key", "family", "connection", "updated_at")
    list_filter = ("family", "connection")
    list_select_related = ("connection",)
    search_fields = ("key__startswith",)


@admin.register(Mapping)
class MappingAdmin(ReadOnlyAdmin):
    """Mappings; they are changed on their own page, which checks and previews them."""

    list_display = ("name", "topic_pattern", "connection", "is_active", "is_ignored")
    list_filter = ("is_active", "is_ignored", "connection")
    list_select_related = ("connection",)
    search_fields = ("name", "topic_pattern")


@admin.register(UndecodedMessage)
class UndecodedAdmin(ReadOnlyAdmin):
    """Messages that no decoder understood."""

    list_display = ("received_at", "topic", "connection", "size", "reason_detail")
    list_filter = ("reason", "connection")
    list_select_related = ("connection",)
    search_fields = ("topic__startswith",)
    readonly_fields = ("reason_detail", "content")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Lists do without payloads."""
        return super().get_queryset(request).defer("payload")

    @admin.display(description=_("content"))
    def content(self, message: UndecodedMessage) -> str:
        """As text; the template escapes it."""
        return as_text(bytes(message.payload))


@admin.register(Command)
class CommandAdmin(ReadOnlyAdmin):
    """Messages that people and programs published."""

    list_display = ("requested_at", "topic", "connection", "actor", "state", "detail")
    list_filter = ("state", "connection")
    list_select_related = ("connection",)
    search_fields = ("topic__startswith", "actor")
    readonly_fields = ("detail", "content")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Lists do without payloads."""
        return super().get_queryset(request).defer("payload")

    @admin.display(description=_("content"))
    def content(self, command: Command) -> str:
        """As text; the template escapes it."""
        return as_text(bytes(command.payload))


@admin.register(StatusChange)
class StatusChangeAdmin(ReadOnlyAdmin):
    """What went up and down."""

    list_display = ("at", "kind", "label", "from_status", "to_status", "reason_detail")
    list_filter = ("kind", "to_status", "connection")
    search_fields = ("=object_id",)
    search_help_text = _("By the id of the connection or device.")


@admin.register(AuditEntry)
class AuditAdmin(ReadOnlyAdmin):
    """Who did what."""

    list_display = ("at", "actor", "via", "done", "kind", "label")
    list_filter = ("via", "kind", "action")
    search_fields = ("actor", "label")

    @admin.display(description=_("action"), ordering="action")
    def done(self, entry: AuditEntry) -> str:
        """As the pages say it; what an older version wrote stays as it is."""
        return str(AuditAction(entry.action).label) if entry.action in AuditAction.values else entry.action


@admin.register(ConnectionLease)
class LeaseAdmin(ReadOnlyAdmin):
    """Which mqtt process holds which connection."""

    list_display = ("connection", "holder", "expires_at", "session_open")
    list_select_related = ("connection",)
    exclude = ("token",)


@admin.register(MqttWorker)
class WorkerAdmin(ReadOnlyAdmin):
    """Which mqtt processes share the connections."""

    list_display = ("holder", "started_at", "expires_at")


@admin.register(ConnectionActivity)
class ActivityAdmin(ReadOnlyAdmin):
    """How much the connections bring."""

    list_display = (
        "connection",
        "last_message_at",
        "message_rate",
        "reading_rate",
        "lag_seconds",
        "repeated_total",
        "dropped_total",
        "refused_total",
    )
    list_select_related = ("connection",)


@admin.register(PeriodicJob)
class JobAdmin(ReadOnlyAdmin):
    """Who does the periodic work, and when it was done last."""

    list_display = [field.name for field in PeriodicJob._meta.fields]  # noqa: SLF001 - Django documents _meta


@admin.register(DiskSample)
class DiskAdmin(ReadOnlyAdmin):
    """How the disk fills."""

    list_display = ("at", "used", "total")


@admin.register(DeviceTask)
class DeviceTaskAdmin(ReadOnlyAdmin):
    """Readings of merged and deleted devices that are moved or erased."""

    list_display = ("label", "work", "kind", "connection", "state", "done", "total", "requested_at", "finished_at")
    list_filter = ("work", "state")
    list_select_related = ("connection",)
    search_fields = ("label",)


@admin.register(ConnectionTest)
class TestAdmin(ReadOnlyAdmin):
    """Tests that people asked for."""

    list_display = ("requested_at", "connection", "requested_by", "state", "finished_at")
    list_filter = ("state", "connection")
    list_select_related = ("connection", "requested_by")


@admin.register(ApiToken)
class TokenAdmin(ReadOnlyAdmin):
    """Tokens of programs: they are made on their owner's account page and may be revoked here."""

    list_display = ("name", "user", "created_at", "expires_at", "last_used_at")
    list_filter = ("user",)
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    exclude = ("digest",)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Who may care for accounts may revoke."""
        return can(request.user, ADMINISTER)

    def delete_model(self, request: HttpRequest, obj: ApiToken) -> None:
        """Revoke."""
        tokens.revoke_token(actor_of(request), obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """Revoke one by one."""
        for token in queryset.select_related("user"):
            tokens.revoke_token(actor_of(request), token)
