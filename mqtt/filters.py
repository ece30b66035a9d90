"""The filters of lists, shared by pages, sockets and API: the same words everywhere."""

from datetime import date, datetime, time, timedelta
from typing import Any

import django_filters as df
from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from mqtt.enums import STATUS_WORST_FIRST, AuditAction, Availability, CommandState, NodeKind
from mqtt.lists.places import stands_at
from mqtt.lists.words import holds
from mqtt.models import IS_NEW, Datalogger, Gateway, MqttConnection, SensorDevice, Site
from mqtt.permissions import visible_to
from mqtt.services.notes import NOTABLE
from mqtt.validators import EARLIEST, LATEST, validate_moment

MAX_SEARCH = 200


def choices_of(model: Any) -> Any:
    """What of a model the asking user may choose."""

    def choices(request: Any) -> QuerySet[Any]:
        objects: QuerySet[Any] = model.objects.all()
        return objects if request is None else visible_to(request.user, objects)

    return choices


def _bounded(value: str) -> str:
    return value.replace("\0", "").strip()[:MAX_SEARCH]


def yes_or_no(method: str, label: Any) -> df.TypedChoiceFilter:
    """A filter that takes true or false and nothing else, without a field of its own on the page."""
    return df.TypedChoiceFilter(
        method=method,
        label=label,
        choices=[("true", _("yes")), ("false", _("no"))],
        coerce=lambda word: word == "true",
        widget=forms.HiddenInput,
    )


class ListFilter(df.FilterSet):  # type: ignore[misc]
    """Base: `search` looks for every word in any of `search_fields`."""

    search_fields: tuple[str, ...] = ()

    search = df.CharFilter(
        method="filter_search",
        label=_("Search"),
        widget=forms.TextInput(attrs={"type": "search", "maxlength": MAX_SEARCH}),
    )

    def filter_search(self, queryset: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Rows that hold all words, each in any of the fields."""
        for word in _bounded(value).split()[:8]:
            queryset = queryset.filter(holds(queryset.model, self.search_fields, word))
        return queryset


class SiteFilter(ListFilter):
    """Sites by text."""

    search_fields = ("name", "address", "contact", "topic_prefix")


class ConnectionFilter(ListFilter):
    """Connections by site, effective status and text."""

    search_fields = ("name", "host", "client_id", "site__name")

    status = df.ChoiceFilter(
        field_name="effective_status",
        label=_("Status"),
        choices=[(status.value, status.label) for status in STATUS_WORST_FIRST],
        widget=forms.HiddenInput,  # the chips set it
    )
    site = df.ModelChoiceFilter(queryset=choices_of(Site), label=_("Site"), empty_label=_("all"))


class DeviceFilter(ListFilter):
    """What gateways, dataloggers and sensors share."""

    availability = df.ChoiceFilter(
        method="filter_availability",
        label=_("Status"),
        choices=Availability.choices,
        widget=forms.HiddenInput,  # the chips set it
    )
    connection = df.ModelChoiceFilter(queryset=choices_of(MqttConnection), label=_("Connection"), empty_label=_("all"))
    site = df.ModelChoiceFilter(queryset=choices_of(Site), method="filter_site", label=_("Site"), empty_label=_("all"))

    def filter_availability(self, queryset: Any, _name: str, value: str) -> QuerySet[Any]:
        """By the availability that counts now."""
        found: QuerySet[Any] = queryset.having_availability(value)
        return found

    def filter_new(self, queryset: QuerySet[Any], _name: str, value: bool) -> QuerySet[Any]:
        """Devices that nobody has accepted yet, or those that somebody has."""
        return queryset.filter(IS_NEW) if value else queryset.exclude(IS_NEW)

    def filter_site(self, queryset: QuerySet[Any], _name: str, site: Site) -> QuerySet[Any]:
        """Devices that stand at the site, as their pages say."""
        return queryset.filter(stands_at(queryset.model, site))


class GatewayFilter(DeviceFilter):
    """Gateways."""

    search_fields = ("identifier", "label", "key", "model")

    new = yes_or_no("filter_new", _("New"))


class DataloggerFilter(DeviceFilter):
    """Dataloggers, also by their gateway."""

    search_fields = ("identifier", "label", "key", "model", "gateway__identifier", "gateway__label")

    gateway = df.ModelChoiceFilter(queryset=choices_of(Gateway), label=_("Gateway"), widget=forms.HiddenInput)
    new = yes_or_no("filter_new", _("New"))


class SensorFilter(DeviceFilter):
    """Sensors, also by their datalogger and its gateway."""

    search_fields = ("name", "label", "key", "unit", "datalogger__label", "datalogger__identifier")

    gateway = df.ModelChoiceFilter(
        queryset=choices_of(Gateway), field_name="datalogger__gateway", label=_("Gateway"), widget=forms.HiddenInput
    )
    datalogger = df.ModelChoiceFilter(queryset=choices_of(Datalogger), label=_("Datalogger"), widget=forms.HiddenInput)


class TopicFilter(ListFilter):
    """Topics by connection and text."""

    search_fields = ("topic",)

    connection = df.ModelChoiceFilter(queryset=choices_of(MqttConnection), label=_("Connection"), empty_label=_("all"))
    undecoded = yes_or_no("filter_undecoded", _("Not understood"))

    def filter_undecoded(self, queryset: QuerySet[Any], _name: str, value: bool) -> QuerySet[Any]:
        """Topics with messages that were not understood, or those without."""
        return queryset.filter(undecoded_count__gt=0) if value else queryset.filter(undecoded_count=0)


class UndecodedFilter(ListFilter):
    """Messages that were not understood, by connection, reason and topic."""

    search_fields = ("topic",)

    reason = df.CharFilter(label=_("Reason"), widget=forms.HiddenInput)
    topic = df.CharFilter(label=_("Topic"), widget=forms.HiddenInput)
    connection = df.ModelChoiceFilter(queryset=choices_of(MqttConnection), label=_("Connection"), empty_label=_("all"))


class CommandFilter(ListFilter):
    """What was published, by what became of it, connection, person and topic."""

    search_fields = ("topic", "actor")

    state = df.ChoiceFilter(
        field_name="effective_state", label=_("Status"), empty_label=_("all"), choices=CommandState.choices
    )
    connection = df.ModelChoiceFilter(queryset=choices_of(MqttConnection), label=_("Connection"), empty_label=_("all"))


@extend_schema_field(OpenApiTypes.STR)
class MomentFilter(df.IsoDateTimeFilter):  # type: ignore[misc]
    """A time as ISO 8601; empty is no filter, which a schema of times would forbid."""

    def __init__(self, **options: Any) -> None:
        super().__init__(validators=[validate_moment], **options)


class DayFilter(df.DateFilter):  # type: ignore[misc]
    """A day whose ends are moments in every time zone."""

    def __init__(self, **options: Any) -> None:
        day = timedelta(days=1)
        bounds = [MinValueValidator((EARLIEST + day).date()), MaxValueValidator((LATEST - day).date())]
        super().__init__(validators=bounds, widget=forms.DateInput(attrs={"type": "date"}), **options)


@extend_schema_field(OpenApiTypes.INT)
class WholeFilter(df.NumberFilter):  # type: ignore[misc]
    """A whole number."""

    field_class = forms.IntegerField


class NoteFilter(ListFilter):
    """Notes by what they are about, text and time."""

    search_fields = ("text", "author_name")

    kind = df.ChoiceFilter(label=_("Kind"), choices=[(str(kind), kind.label) for kind in NOTABLE])
    object = WholeFilter(field_name="object_id", label=_("Object"), min_value=0, max_value=2**63 - 1)
    connection = df.ModelChoiceFilter(queryset=choices_of(MqttConnection), label=_("Connection"), empty_label=_("all"))
    start = MomentFilter(field_name="at", lookup_expr="gte", label=_("From"))
    end = MomentFilter(field_name="at", lookup_expr="lte", label=_("To"))


class CorrectionFilter(ListFilter):
    """Corrections by sensor, and by what it hangs on."""

    search_fields = ("reason", "author_name", "sensor__name", "sensor__label")

    sensor = df.ModelChoiceFilter(queryset=choices_of(SensorDevice), label=_("Sensor"))
    datalogger = df.ModelChoiceFilter(
        queryset=choices_of(Datalogger), field_name="sensor__datalogger", label=_("Datalogger")
    )
    connection = df.ModelChoiceFilter(
        queryset=choices_of(MqttConnection), field_name="sensor__connection", label=_("Connection")
    )


class MappingFilter(ListFilter):
    """Mappings by connection and text."""

    search_fields = ("name", "topic_pattern")

    connection = df.ModelChoiceFilter(queryset=choices_of(MqttConnection), label=_("Connection"))


class AuditFilter(ListFilter):
    """Actions by person, kind of thing, text and day; days are those of the console's time zone."""

    search_fields = ("label", "actor")

    actor = df.AllValuesFilter(label=_("Person"), empty_label=_("all"))
    kind = df.ChoiceFilter(label=_("Kind"), empty_label=_("all"), choices=NodeKind.choices)
    action = df.ChoiceFilter(label=_("Action"), empty_label=_("all"), choices=AuditAction.choices)
    since = DayFilter(label=_("From"), method="filter_since")
    until = DayFilter(label=_("To"), method="filter_until")

    def filter_since(self, queryset: QuerySet[Any], _name: str, day: date) -> QuerySet[Any]:
        """From the first moment of the day on."""
        return queryset.filter(at__gte=timezone.make_aware(datetime.combine(day, time.min)))

    def filter_until(self, queryset: QuerySet[Any], _name: str, day: date) -> QuerySet[Any]:
        """To the last moment of the day."""
        return queryset.filter(at__lte=timezone.make_aware(datetime.combine(day, time.max)))
