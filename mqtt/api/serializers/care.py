"""What people write about things: notes, corrections of sensors, mappings of topics."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mqtt import reasons
from mqtt.api.serializers.base import (
    Moment,
    StrictBoolean,
    StrictInteger,
    StrictMixin,
    StrictModelSerializer,
    StrictText,
)
from mqtt.decoders.mapping import level_names, path_error, pattern_error
from mqtt.models import LONGEST_NOTE, Mapping, MqttConnection, Note, SensorCorrection, SensorDevice
from mqtt.permissions import visible_to
from mqtt.services.mappings import FIELDS, VALUE_FIELDS
from mqtt.services.notes import NOTABLE, new_note
from mqtt.validators import validate_moment

MOST_VALUES = 100
PATHS = ("items_path", "device_path", "time_path")


class MomentField(Moment):
    """A time that can be kept and shown."""

    default_validators = (validate_moment,)

    def to_internal_value(self, value: Any) -> datetime:
        """Raises ValidationError for what is no time."""
        try:
            moment: datetime = super().to_internal_value(value)
        except OverflowError:
            self.fail("invalid", format="YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]")
        return moment


class _Visible(serializers.PrimaryKeyRelatedField):
    """A thing of a model that the asking user may see."""

    def __init__(self, model: Any, **kwargs: Any) -> None:
        self._model = model
        super().__init__(queryset=model.objects.none(), **kwargs)

    def get_queryset(self) -> Any:
        """Nothing without a request: then only the schema is made."""
        request = self.context.get("request")
        return visible_to(request.user, self._model.objects.all()) if request else self._model.objects.none()


class NoteSerializer(StrictMixin, StrictModelSerializer):
    """A note on a connection, site, gateway, datalogger or sensor."""

    kind = serializers.ChoiceField(choices=[str(kind) for kind in NOTABLE], help_text="What it is about.")
    object = StrictInteger(source="object_id", min_value=1, max_value=2**63 - 1, help_text="The id of that thing.")
    at = MomentField(required=False, help_text="The time that it is about; left out: now.")
    text = StrictText(max_length=LONGEST_NOTE)
    author = serializers.CharField(source="author_name", read_only=True)

    class Meta:
        model = Note
        fields = ("id", "kind", "object", "connection", "at", "text", "author", "created_at", "changed_at")
        read_only_fields = ("id", "connection", "created_at", "changed_at")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A note stays on its thing; a new one's thing must be there."""
        if self.instance is not None:
            moved = [field for field, name in (("kind", "kind"), ("object", "object_id")) if name in attrs]
            if moved:
                raise serializers.ValidationError({moved[0]: [_("A note stays where it was written.")]})
            return attrs
        things = NOTABLE[attrs["kind"]].objects.filter(pk=attrs["object_id"])
        thing = visible_to(self.context["request"].user, things).first()
        if thing is None:
            raise serializers.ValidationError({"object": [_("There is no such thing.")]})
        return {"note": new_note(thing, attrs.get("at"), attrs["text"])}


class CorrectionSerializer(StrictMixin, StrictModelSerializer):
    """Shown is (raw - zero) * gain + offset, from `valid_from` until the next correction of the sensor."""

    sensor = _Visible(model=SensorDevice)
    valid_from = MomentField()
    author = serializers.CharField(source="author_name", read_only=True)

    class Meta:
        model = SensorCorrection
        fields = ("id", "sensor", "valid_from", "gain", "offset", "zero", "reason", "author", "created_at")
        read_only_fields = ("id", "created_at")
        validators = ()
        """Two of one moment are refused by the service, under a lock."""


VALUES_SCHEMA = {
    "type": "array",
    "maxItems": MOST_VALUES,
    "items": {
        "type": "object",
        "properties": {name: {"type": "string", "maxLength": 500} for name in VALUE_FIELDS},
        "required": ["path"],
        "additionalProperties": False,
    },
}


@extend_schema_field(VALUES_SCHEMA)
class ValuesField(serializers.Field):
    """[{path, name, name_path, unit, kind}] of a mapping; all but the path may be left out."""

    def to_representation(self, value: Any) -> list[dict[str, str]]:
        """As it is stored, every name present."""
        return [{name: str(one.get(name, "")) for name in VALUE_FIELDS} for one in value]

    def to_internal_value(self, data: Any) -> list[dict[str, str]]:
        """Raises ValidationError that names the entry."""
        if not isinstance(data, list) or len(data) > MOST_VALUES:
            raise serializers.ValidationError(_("A list of at most %(count)s values.") % {"count": MOST_VALUES})
        return [self._value(number, one) for number, one in enumerate(data, 1)]

    def _value(self, number: int, one: Any) -> dict[str, str]:
        problem = ""
        if not isinstance(one, dict) or set(one) - set(VALUE_FIELDS) or not one.get("path"):
            problem = _("Each value has a path, and perhaps name, name_path, unit and kind.")
        elif not all(isinstance(part, str) and len(part) <= 500 and "\0" not in part for part in one.values()):
            problem = _("Texts of at most 500 characters.")
        else:
            problem = path_error(one["path"]) or path_error(one.get("name_path", ""))
        if problem:
            raise serializers.ValidationError(f"{number}: {problem}")
        return {name: one.get(name, "") for name in VALUE_FIELDS}


class MappingSerializer(StrictMixin, StrictModelSerializer):
    """How the messages of some topics are read; see the pages for a form with a preview."""

    connection = _Visible(model=MqttConnection, allow_null=True, required=False, help_text="Null: on all connections.")
    is_active = StrictBoolean(default=True)
    is_ignored = StrictBoolean(default=False, help_text="Nothing is read on these topics.")
    decimal_comma = StrictBoolean(default=False)
    values = ValuesField(required=False)

    class Meta:
        model = Mapping
        fields = ("id", *FIELDS, "created_at")
        read_only_fields = ("id", "created_at")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Pattern, paths and levels as the form checks them."""
        stored = self.instance if isinstance(self.instance, Mapping) else Mapping()
        said = {name: attrs.get(name, getattr(stored, name)) for name in FIELDS}
        problems: dict[str, str] = {}
        if code := pattern_error(said["topic_pattern"]):
            problems["topic_pattern"] = reasons.explain(code, {})
        for name in PATHS:
            if error := path_error(said[name]):
                problems[name] = _("This is no path into the payload: %(error)s") % {"error": error}
        unknown = sorted(set(level_names(said["device"])) - set(level_names(said["topic_pattern"])))
        if unknown:
            problems["device"] = _("The topics have no level {%(level)s}.") % {"level": unknown[0]}
        if not said["values"] and not said["is_ignored"]:
            problems["values"] = _("Take at least one value.")
        if problems:
            raise serializers.ValidationError({name: [text] for name, text in problems.items()})
        return attrs


class ByWhomSerializer(StrictMixin, serializers.Serializer):
    """The device that stands there now."""

    by = StrictInteger(min_value=1, max_value=2**63 - 1)


class IntoWhomSerializer(StrictMixin, serializers.Serializer):
    """The device that stays."""

    into = StrictInteger(min_value=1, max_value=2**63 - 1)
