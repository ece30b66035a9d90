"""Sites and devices: labels and sites are written by hand, everything else by the devices."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.formats import localize
from django.utils.timezone import localtime, now
from django.utils.translation import gettext_lazy as _

from mqtt.admin.base import AvailabilityFilter, BoundedAdmin, ReadOnlyAdmin, actor_of
from mqtt.enums import Availability
from mqtt.models import Datalogger, DeviceAlias, Gateway, Note, SensorCorrection, SensorDevice, Site, to_us
from mqtt.models.retention import RETENTION_FIELDS
from mqtt.services import history, places

LAST_READINGS = 50


@admin.register(Site)
class SiteAdmin(BoundedAdmin):
    """Sites."""

    list_display = ("name", "address", "time_zone", "topic_prefix")
    search_fields = ("name", "address")

    def save_model(self, request: HttpRequest, obj: Site, form: Any, change: bool) -> None:
        """Through the service."""
        if change:
            places.update_site(actor_of(request), obj, form.changed_data)
        else:
            places.create_site(actor_of(request), obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Names alone: connections and devices stay."""
        names = [str(obj) for obj in objs]
        return names, {str(self.opts.verbose_name_plural): len(names)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Site) -> None:
        """Through the service."""
        places.delete_site(actor_of(request), obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Site]) -> None:
        """One by one."""
        for site in queryset:
            self.delete_model(request, site)


class DeviceAdmin(BoundedAdmin):
    """What gateways, dataloggers and sensors share."""

    list_filter: ClassVar[Any] = (AvailabilityFilter, "connection", "site")
    list_select_related: ClassVar[Any] = ("connection", "site", "state")
    search_fields: ClassVar[Any] = ("identifier", "label", "key")
    autocomplete_fields: ClassVar[Any] = ("site",)
    editable: ClassVar[tuple[str, ...]] = ("label", "site", "expected_interval")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the availability that is true now."""
        return super().get_queryset(request).with_availability()  # type: ignore[attr-defined, no-any-return]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Everything but what people write."""
        own = [field.name for field in self.opts.fields if field.name not in {"id", *self.editable}]
        return [*own, "now", "last_seen"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Devices are discovered."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """They go with their connection; one that still sends would come back."""
        return False

    @admin.display(description=_("availability"), ordering="effective_availability")
    def now(self, device: Any) -> str:
        """The word on the screen."""
        return str(Availability(device.effective_availability).label)

    @admin.display(description=_("last heard"), ordering="state__last_seen_at")
    def last_seen(self, device: Any) -> str:
        """When anything came, as the lists of Django write times."""
        state = getattr(device, "state", None)
        return localize(localtime(state.last_seen_at)) if state and state.last_seen_at else "–"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Through the service."""
        places.update_device(actor_of(request), obj, form.changed_data)


@admin.register(Gateway)
class GatewayAdmin(DeviceAdmin):
    """Gateways."""

    list_display = ("identifier", "label", "site", "connection", "now", "last_seen", "firmware")


@admin.register(Datalogger)
class DataloggerAdmin(DeviceAdmin):
    """Dataloggers."""

    list_display = ("identifier", "label", "gateway", "site", "connection", "now", "last_seen", "firmware")
    list_select_related = ("connection", "site", "state", "gateway")


@admin.register(SensorDevice)
class SensorAdmin(DeviceAdmin):
    """Sensors with their last readings."""

    list_display = ("name", "label", "datalogger", "connection", "value", "unit", "now", "last_seen")
    list_filter = (AvailabilityFilter, "connection", "datalogger__site")
    list_select_related = ("connection", "datalogger", "state")
    search_fields = ("name", "label", "key")
    autocomplete_fields = ()
    editable = ("label", "unit", "kind", "decimals", "expected_interval", *RETENTION_FIELDS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the corrections that its values go through."""
        return super().get_queryset(request).prefetch_related("corrections")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """With the current value and the last readings."""
        return [*super().get_readonly_fields(request, obj), "value", "last_readings"]

    @admin.display(description=_("value"), ordering="state__value")
    def value(self, sensor: Any) -> Any:
        """The current one, a corrected number or a text."""
        state = getattr(sensor, "state", None)
        if state is None:
            return None
        return state.text if state.value is None else sensor.rules.apply(to_us(state.time or now()), state.value)

    @admin.display(description=_("last readings"))
    def last_readings(self, sensor: SensorDevice) -> str:
        """A small table."""
        rows = history.readings("id", sensor.pk, limit=LAST_READINGS)
        return render_to_string("admin/mqtt/last_readings.html", {"readings": rows, "unit": sensor.unit})


@admin.register(SensorCorrection)
class CorrectionAdmin(ReadOnlyAdmin):
    """Corrections of sensors; they are written on the sensor's page."""

    list_display = ("sensor", "valid_from", "gain", "offset", "zero", "reason", "author_name")
    list_select_related = ("sensor",)
    search_fields = ("sensor__key", "reason")


@admin.register(Note)
class NoteAdmin(ReadOnlyAdmin):
    """Notes; they are written on the page of what they are about."""

    list_display = ("at", "kind", "text", "author_name")
    list_filter = ("kind",)
    search_fields = ("text", "author_name")


@admin.register(DeviceAlias)
class AliasAdmin(ReadOnlyAdmin):
    """Further keys of devices."""

    list_display = ("key", "kind", "connection", "gateway", "datalogger", "sensor")
    list_filter = ("kind", "connection")
    list_select_related = ("connection", "gateway", "datalogger", "sensor")
    search_fields = ("key",)
